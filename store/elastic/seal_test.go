package elastic_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSealingWritesOneSegmentAnew: merging leaves an index alone that is one segment
// already, and with it each document as it was sent, beside what is kept of it.
func TestSealingWritesOneSegmentAnew(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	index := openAt(t, dir, "")
	defer func() { require.NoError(t, index.Close()) }()
	createAll(t, index, someOpens(30))
	require.NoError(t, index.Refresh(ctx))
	written := segments(t, dir)
	require.Len(t, written, 1)

	require.NoError(t, index.Seal(ctx, faultWeek))
	sealed := segments(t, dir)
	require.Len(t, sealed, 1)
	require.NotEqual(t, written, sealed)
	require.NoError(t, index.Seal(ctx, faultWeek))
	require.Equal(t, sealed, segments(t, dir), "once is enough")

	require.NoError(t, index.Unseal(ctx, faultWeek))
	createAll(t, index, someOpens(40))
	require.NoError(t, index.Seal(ctx, faultWeek))
	again := segments(t, dir)
	require.Len(t, again, 1)
	require.NotEqual(t, sealed, again)
	require.Len(t, heldIn(t, index), 40)
}

// segments are the names of those that searches see.
func segments(t *testing.T, dir string) []string {
	t.Helper()
	config := configAt(t, dir, "")
	address := strings.TrimSuffix(config.Nodes[0].String(), "/") + "/" + config.Prefix + "-events-*/_segments"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	var answer struct {
		Indices map[string]struct {
			Shards map[string][]struct {
				Segments map[string]struct{ Search bool }
			}
		}
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	var names []string
	for _, of := range answer.Indices {
		for _, copies := range of.Shards {
			for name, segment := range copies[0].Segments {
				if segment.Search {
					names = append(names, name)
				}
			}
		}
	}
	return names
}
