package cli_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/store/elastic/elastictest"
)

// TestNothingAcknowledgedIsLostOrDoubledWhileElasticsearchFails serves on an
// Elasticsearch that is cut off for a while, is too busy for some writes and
// loses some answers, with a kill of the server in between. The server is raced:
// batches are retried beside each other.
func TestNothingAcknowledgedIsLostOrDoubledWhileElasticsearchFails(t *testing.T) {
	t.Parallel()
	proxy := elastictest.NewProxy(t, elasticServer.URL(t))
	index := proxy.URL() + "/ledger-" + strings.ToLower(time.Now().Format("150405-000000000"))
	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	var address atomic.Value
	server := startRaced(t, data, "127.0.0.1:0", "--index", index)
	address.Store(server.address)

	book := newLedger()
	book.pause = 250 * time.Millisecond // What waits at the end is indexed in seconds.
	stopLoad := book.start(t, &address, key, time.Now().Add(-3*7*24*time.Hour).Unix())
	heard := listen(t, &address, key)
	proxy.Set(elastictest.Faults{Busy: 0.1, Lost: 0.05})
	book.grow(t)
	proxy.Cut()
	before := book.size()
	time.Sleep(*outage / 2)
	require.Greater(t, book.size(), before, "accepting goes on")
	require.ErrorContains(t, request(http.MethodGet, "http://"+server.address+"/v1/feed", key, "", nil, nil), "503")
	server.kill()
	proxy.Restore()
	server = startRaced(t, data, server.address, "--index", index)
	address.Store(server.address)
	book.grow(t)
	stopLoad()
	awaitIndexed(t, server.address)
	refreshed, err := http.Post(strings.Replace(proxy.URL(), "elasticsearch", "http", 1)+"/_refresh", "application/json", nil)
	require.NoError(t, err)
	require.NoError(t, refreshed.Body.Close())
	require.Equal(t, http.StatusOK, refreshed.StatusCode)
	book.check(t, server.address, key)
	heard.check(t, book)
	require.NoError(t, server.stop(), server.output())
}
