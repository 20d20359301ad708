package elastic_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
	"tidings/store/elastic"
)

// threeWeeks are the weeks of these tests, the newest first.
var threeWeeks = []event.Week{faultWeek + 2, faultWeek + 1, faultWeek}

// inEach are events in each of threeWeeks.
func inEach(name string) []event.Event {
	var events []event.Event
	for _, week := range threeWeeks {
		at := week.Start() + 60
		events = append(events, event.Event{
			ID: event.NewID(at, "w", "api", true, []byte(name)), Workspace: "w", Type: event.Open, Time: at, User: "ana@w.example",
			Message: "m", Source: "api", Recipient: &event.Person{Email: name + "@acme.example"},
		})
	}
	return events
}

// askElastic sends a request to the server past the index.
func askElastic(t *testing.T, config elastic.Config, method, path, body string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(config.Nodes[0].String(), "/")+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, errors.Join(err, response.Body.Close()))
	require.Less(t, response.StatusCode, 300, "%s %s: %s", method, path, answer)
	return answer
}

// allocateStale has an index's shard opened from the files that are there: Elasticsearch
// remembers that it found none, and would look again only after the node's next start.
// It refuses while it tries by itself.
func allocateStale(t *testing.T, config elastic.Config, index string) {
	t.Helper()
	var nodes struct {
		Nodes map[string]struct{} `json:"nodes"`
	}
	require.NoError(t, json.Unmarshal(askElastic(t, config, http.MethodGet, "/_nodes/stats/fs", ""), &nodes))
	for node := range nodes.Nodes {
		response, err := http.Post(config.Nodes[0].JoinPath("_cluster/reroute").String(), "application/json", strings.NewReader(fmt.Sprintf(
			`{"commands": [{"allocate_stale_primary": {"index": %q, "shard": 0, "node": %q, "accept_data_loss": true}}]}`, index, node)))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
}

// segmentsOf are files of an index's shard on the disk of the server.
func segmentsOf(t *testing.T, config elastic.Config, index, pattern string) []string {
	t.Helper()
	var nodes struct {
		Nodes map[string]struct {
			FS struct {
				Data []struct {
					Path string `json:"path"`
				} `json:"data"`
			} `json:"fs"`
		} `json:"nodes"`
	}
	require.NoError(t, json.Unmarshal(askElastic(t, config, http.MethodGet, "/_nodes/stats/fs", ""), &nodes))
	var settings map[string]struct {
		Settings struct {
			Index struct {
				UUID string `json:"uuid"`
			} `json:"index"`
		} `json:"settings"`
	}
	require.NoError(t, json.Unmarshal(askElastic(t, config, http.MethodGet, "/"+index+"/_settings", ""), &settings))
	for _, node := range nodes.Nodes {
		found, err := filepath.Glob(filepath.Join(node.FS.Data[0].Path, "indices", settings[index].Settings.Index.UUID, "0", "index", pattern))
		require.NoError(t, err)
		if len(found) > 0 {
			return found
		}
	}
	t.Skip("skipped: the files of this Elasticsearch are not on this machine")
	return nil
}

// onlyDamaged wants an error that names the week in the middle and nothing else.
func onlyDamaged(t *testing.T, err error, cause string) {
	t.Helper()
	damaged, err := event.SplitDamaged(err)
	require.NoError(t, err)
	require.Len(t, damaged, 1)
	require.Equal(t, threeWeeks[1], damaged[0].Week)
	require.Contains(t, damaged[0].Error(), cause)
}

// One index that is closed, red or gone is one bad week: the others are read and
// written, it is named, and it comes back by itself.
func TestOneBadIndexIsOneBadWeek(t *testing.T) {
	for name, bad := range map[string]struct {
		cause       string
		damage, end func(t *testing.T, config elastic.Config, index string)
	}{
		"closed": {
			"is closed; open it",
			func(t *testing.T, c elastic.Config, index string) {
				askElastic(t, c, http.MethodPost, "/"+index+"/_close", "")
			},
			func(t *testing.T, c elastic.Config, index string) {
				askElastic(t, c, http.MethodPost, "/"+index+"/_open", "")
			},
		},
		"red": {
			"shards of its index",
			func(t *testing.T, c elastic.Config, index string) {
				askElastic(t, c, http.MethodPost, "/"+index+"/_close", "")
				for _, segments := range segmentsOf(t, c, index, "segments_*") {
					require.NoError(t, os.Rename(segments, filepath.Join(filepath.Dir(segments), "aside_"+filepath.Base(segments))))
				}
				askElastic(t, c, http.MethodPost, "/"+index+"/_open?wait_for_active_shards=0", "")
			},
			func(t *testing.T, c elastic.Config, index string) {
				for _, segments := range segmentsOf(t, c, index, "aside_*") {
					require.NoError(t, os.Rename(segments, filepath.Join(filepath.Dir(segments), strings.TrimPrefix(filepath.Base(segments), "aside_"))))
				}
			},
		},
		"gone": {
			"is missing",
			func(t *testing.T, c elastic.Config, index string) { askElastic(t, c, http.MethodDelete, "/"+index, "") },
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			config := configAt(t, t.TempDir(), "")
			index, err := elastic.Open(config)
			require.NoError(t, err)
			t.Cleanup(func() {
				index.ExpectBy(nil)
				require.NoError(t, index.Drop(context.Background(), threeWeeks[1]))
				require.NoError(t, index.Close())
				clear(t, config)
			})
			first := inEach("first")
			outcomes, err := index.Create(ctx, first)
			require.NoError(t, err)
			for _, outcome := range outcomes {
				require.NoError(t, outcome.Err)
			}
			require.NoError(t, index.Refresh(ctx))
			index.ExpectBy(func(context.Context) ([]event.Week, error) { return threeWeeks, nil })
			require.Empty(t, index.Look(ctx))

			broken := fmt.Sprintf("%s-events-v2-%s", config.Prefix, threeWeeks[1])
			bad.damage(t, config, broken)
			if name == "red" { // it counts once it was for some time
				require.Eventually(t, func() bool { return len(index.Look(ctx)) == 1 }, time.Minute, 500*time.Millisecond)
			}
			search := feed.Search{Workspace: "w", Query: query.Query{Automated: query.AutomatedShow}, Weeks: threeWeeks, Limit: 10}
			hits, err := index.Search(ctx, search)
			onlyDamaged(t, err, bad.cause)
			require.Len(t, hits, 2)
			_, err = index.Aggregate(ctx, feed.AggregateRequest{Workspace: "w", Week: threeWeeks[1]})
			onlyDamaged(t, err, bad.cause)
			counted, err := index.Aggregate(ctx, feed.AggregateRequest{Workspace: "w", Week: threeWeeks[0], Query: search.Query})
			require.NoError(t, err)
			require.Equal(t, 1, counted.Events.Of(event.Open))
			held, err := index.Get(ctx, "w", []event.ID{first[0].ID, first[1].ID, first[2].ID})
			onlyDamaged(t, err, bad.cause)
			require.Len(t, held, 2)
			revisions, err := index.Revisions(ctx, "w", threeWeeks)
			require.NoError(t, err)
			require.Len(t, revisions, 2)

			second := inEach("second")
			outcomes, err = index.Create(ctx, second)
			require.NoError(t, err)
			require.True(t, outcomes[0].Created)
			require.True(t, outcomes[2].Created)
			onlyDamaged(t, outcomes[1].Err, bad.cause)
			for i := range second {
				second[i].Subject = "Another"
			}
			onlyDamaged(t, index.Rewrite(ctx, second), bad.cause)

			infos, err := index.WeekInfos(ctx)
			require.NoError(t, err)
			require.Len(t, infos, 3)
			for _, info := range infos {
				require.Equal(t, info.Week == threeWeeks[1], info.Damage != nil)
			}
			onlyDamaged(t, index.Seal(ctx, threeWeeks[1]), bad.cause)
			require.NoError(t, index.Seal(ctx, threeWeeks[2]))
			onlyDamaged(t, index.Usable(ctx, threeWeeks[1]), bad.cause)
			require.NoError(t, index.Usable(ctx, threeWeeks[0]))
			deleted, _, err := index.EraseRecipient(ctx, "w", "second@acme.example")
			onlyDamaged(t, err, bad.cause)
			require.Len(t, deleted, 2)

			if bad.end == nil {
				index.ExpectBy(nil) // somebody goes on without its events
			} else {
				bad.end(t, config, broken)
			}
			// Nothing tells when a cluster has allocated a shard again: it is asked.
			for began := time.Now(); len(index.Look(ctx)) > 0; time.Sleep(500 * time.Millisecond) {
				require.Less(t, time.Since(began), time.Minute, "it comes back by itself")
				if name == "red" {
					allocateStale(t, config, broken)
				}
			}
			outcomes, err = index.Create(ctx, inEach("third")[1:2])
			require.NoError(t, err)
			require.NoError(t, outcomes[0].Err)
			require.NoError(t, index.Refresh(ctx))
			hits, err = index.Search(ctx, search)
			require.NoError(t, err)
			if bad.end == nil {
				require.Len(t, hits, 3, "the first of two weeks, and the third")
			} else {
				require.Len(t, hits, 4)
			}
		})
	}
}

// Weeks that were never made are no damage, and cost no question each time.
func TestWeeksThatDoNotExistAreEmpty(t *testing.T) {
	index := openAt(t, t.TempDir(), "")
	defer func() { require.NoError(t, index.Close()) }()
	_, err := index.Create(t.Context(), inEach("first")[:1])
	require.NoError(t, err)
	require.NoError(t, index.Refresh(t.Context()))
	for range 3 {
		hits, err := index.Search(t.Context(), feed.Search{
			Workspace: "w", Query: query.Query{Automated: query.AutomatedShow}, Weeks: threeWeeks, Limit: 10,
		})
		require.NoError(t, err)
		require.Len(t, hits, 1)
	}
	counted, err := index.Aggregate(t.Context(), feed.AggregateRequest{Workspace: "w", Week: threeWeeks[2]})
	require.NoError(t, err)
	require.Zero(t, counted.Events.Of(event.Open))
}
