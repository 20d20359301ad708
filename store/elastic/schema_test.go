package elastic_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/migrations"
	"tidings/store/elastic"
)

// taken notes nothing but how many steps there were.
type taken struct{ steps int }

func (h *taken) Note(context.Context, migrations.Taken) error {
	h.steps++
	return nil
}

func (h *taken) Taken(context.Context) ([]migrations.Taken, error) { return nil, nil }

func TestAWeekOfAnOlderMappingIsMigrated(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	index := openAt(t, dir, "")
	defer func() { require.NoError(t, index.Close()) }()
	history := &taken{}
	m := migrations.Migrator{Schema: index, History: history}
	require.NoError(t, m.Up(ctx, func(migrations.Taken) {}))
	require.Equal(t, 1, history.steps, "the template")
	events := someOpens(50)
	createAll(t, index, events)
	plan, err := m.Plan(ctx)
	require.NoError(t, err)
	require.Empty(t, plan)

	pretendOlder(t, index, dir)
	plan, err = m.Plan(ctx)
	require.NoError(t, err)
	require.Len(t, plan, 1)
	require.Equal(t, "week "+faultWeek.String(), plan[0].Name)
	require.Equal(t, 1, plan[0].Have)
	require.Len(t, heldIn(t, index), len(events), "it is read all the same")

	require.NoError(t, m.Up(ctx, func(migrations.Taken) {}))
	plan, err = m.Plan(ctx)
	require.NoError(t, err)
	require.Empty(t, plan)
	require.Len(t, heldIn(t, index), len(events))
	require.NoError(t, m.Up(ctx, func(migrations.Taken) { t.Error("a step was taken twice") }))
	require.Error(t, index.Up(ctx, "something else"))
}

// pretendOlder gives the index of faultWeek a name of version 1: a clone takes
// its place behind the alias.
func pretendOlder(t *testing.T, index *elastic.Index, dir string) {
	t.Helper()
	require.NoError(t, index.Seal(t.Context(), faultWeek))
	sum := sha256.Sum256([]byte(dir))
	prefix := "test-" + hex.EncodeToString(sum[:8])
	present, older := fmt.Sprintf("%s-events-v2-%s", prefix, faultWeek), fmt.Sprintf("%s-events-v1-%s", prefix, faultWeek)
	alias := fmt.Sprintf("%s-events-%s", prefix, faultWeek)
	ask(t, http.MethodPut, "/"+present+"/_clone/"+older, `{"settings":{"index.blocks.write":null}}`)
	ask(t, http.MethodPost, "/_aliases", fmt.Sprintf(
		`{"actions":[{"add":{"index":%q,"alias":%q}},{"remove_index":{"index":%q}}]}`, older, alias, present))
}

func ask(t *testing.T, method, path, body string) {
	t.Helper()
	config, err := elastic.ParseURL(server.URL(t))
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method,
		strings.TrimSuffix(config.Nodes[0].String(), "/")+path, bytes.NewReader([]byte(body)))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	http.DefaultClient.CloseIdleConnections()
	require.Less(t, response.StatusCode, 300, path)
}
