package elastic_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/store/elastic"
	"tidings/store/storetest"
)

var harness = storetest.IndexHarness{
	Open: func(t testing.TB, dir string) storetest.Index { return openAt(t, dir, "") },
	Refresh: func(index storetest.Index) error {
		return index.(*elastic.Index).Refresh(context.Background())
	},
	// Counting all weeks for each is most of what the server does here.
	Queries: 10,
}

func TestIndex(t *testing.T) { storetest.RunIndex(t, harness) }

func TestVocabulary(t *testing.T) { storetest.RunVocabulary(t, harness) }

func TestCounter(t *testing.T) { storetest.RunCounter(t, harness) }

// openAt opens the indices that belong to a directory, which are deleted when the
// test is over. parameters go into the URL.
func openAt(t testing.TB, dir, parameters string) *elastic.Index {
	t.Helper()
	config := configAt(t, dir, parameters)
	index, err := elastic.Open(config)
	require.NoError(t, err)
	t.Cleanup(func() { clear(t, config) })
	return index
}

func configAt(t testing.TB, dir, parameters string) elastic.Config {
	t.Helper()
	config, err := elastic.ParseURL(server.URL(t) + parameters)
	require.NoError(t, err)
	sum := sha256.Sum256([]byte(dir))
	config.Prefix = "test-" + hex.EncodeToString(sum[:8])
	return config
}

// clear deletes all that a prefix has on the server.
func clear(t testing.TB, config elastic.Config) {
	t.Helper()
	index, err := elastic.Open(config)
	require.NoError(t, err)
	ctx := context.Background()
	infos, err := index.WeekInfos(ctx)
	require.NoError(t, err)
	for _, info := range infos {
		require.NoError(t, index.Drop(ctx, info.Week))
	}
	require.NoError(t, index.Close())
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete,
		strings.TrimSuffix(config.Nodes[0].String(), "/")+"/_index_template/"+config.Prefix+"*", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	http.DefaultClient.CloseIdleConnections()
}
