package elastic_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/migrations"
	"tidings/query"
	"tidings/store/elastic"
)

// secondJudge says that a second version of the rules judged each event.
func secondJudge(_ context.Context, events []event.Event) ([]event.Event, error) {
	judged := make([]event.Event, len(events))
	for i, e := range events {
		e.Verdict = event.Verdict{Is: event.Human, By: "rule", Version: 2}
		judged[i] = e
	}
	return judged, nil
}

// rebuild builds faultWeek anew.
func rebuild(index *elastic.Index, between func(string)) (migrations.Rebuilt, error) {
	r := migrations.Rebuilder{Index: index, Judge: secondJudge, Logger: slog.New(slog.DiscardHandler), Between: between}
	return r.Rebuild(context.Background(), faultWeek)
}

// heldIn are the events of faultWeek by id.
func heldIn(t *testing.T, index *elastic.Index) map[event.ID]event.Event {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, index.Refresh(ctx))
	hits, err := index.Search(ctx, feed.Search{
		Workspace: "w", Weeks: []event.Week{faultWeek}, Limit: 20_000, Query: query.Query{Automated: query.AutomatedShow},
	})
	require.NoError(t, err)
	held := make(map[event.ID]event.Event, len(hits))
	for _, hit := range hits {
		held[hit.Event.ID] = hit.Event
	}
	require.Len(t, held, len(hits), "one is there twice")
	return held
}

// createAll creates events until they are in, as the indexer does.
func createAll(t *testing.T, index *elastic.Index, events []event.Event) {
	for len(events) > 0 {
		outcomes, err := index.Create(context.Background(), events)
		if err != nil {
			t.Error(err)
			return
		}
		var waiting []event.Event
		for i, outcome := range outcomes {
			if _, blocked := errors.AsType[*event.WeekBlocked](outcome.Err); blocked {
				waiting = append(waiting, events[i])
			} else if outcome.Err != nil {
				t.Error(outcome.Err)
			}
		}
		events = waiting
	}
}

// TestRebuildUnderLoad builds a week anew twice while it is written, corrected,
// read, and people are erased from it.
func TestRebuildUnderLoad(t *testing.T) {
	ctx := context.Background()
	index := openAt(t, t.TempDir(), "")
	defer func() { require.NoError(t, index.Close()) }()
	events := someOpens(6000)
	for i := range events {
		events[i].Recipient = &event.Person{Email: fmt.Sprintf("p%d@acme.example", i%50)}
	}
	createAll(t, index, events[:3000])

	var load sync.WaitGroup
	var written, erased atomic.Int64
	written.Store(3000)
	stop := make(chan struct{})
	ended := sync.OnceFunc(func() {
		close(stop)
		load.Wait()
	})
	defer ended()
	// Each goes on until it has nothing left to do, and does not spin then.
	during := func(do func(round int) (more bool)) {
		load.Go(func() {
			for round, more := 0, true; more; round++ {
				select {
				case <-stop:
					return
				default:
					more = do(round)
				}
			}
		})
	}
	during(func(int) bool {
		from := int(written.Load())
		createAll(t, index, events[from:from+20])
		return int(written.Add(20)) < len(events)
	})
	corrected := make(map[event.ID]bool)
	during(func(round int) bool {
		e := events[(round*7)%3000]
		e.Subject = "Corrected"
		switch err := index.Rewrite(ctx, []event.Event{e}); {
		case err == nil:
			corrected[e.ID] = true
		case !errors.Is(err, event.ErrUnavailable):
			t.Error(err)
		}
		return true
	})
	during(func(int) bool {
		_, err := index.Search(ctx, feed.Search{Workspace: "w", Weeks: []event.Week{faultWeek}, Limit: 50})
		if err != nil {
			t.Errorf("reading never stops: %v", err)
		}
		return true
	})
	during(func(int) bool {
		_, _, err := index.EraseRecipient(ctx, "w", fmt.Sprintf("p%d@acme.example", erased.Load()))
		switch {
		case err == nil:
			erased.Add(1)
		case !errors.Is(err, event.ErrUnavailable):
			t.Error(err)
		}
		return erased.Load() < 5
	})
	for range 2 {
		report, err := rebuild(index, nil)
		require.NoError(t, err)
		require.Positive(t, report.Events)
	}
	ended()
	for erased.Load() < 5 { // the load may have had no turn
		_, _, err := index.EraseRecipient(ctx, "w", fmt.Sprintf("p%d@acme.example", erased.Add(1)-1))
		require.NoError(t, err)
	}
	_, err := rebuild(index, nil)
	require.NoError(t, err)

	held := heldIn(t, index)
	for i, e := range events[:written.Load()] {
		there, found := held[e.ID]
		if i%50 < 5 {
			// What came after the erasure is kept out by another part.
			require.False(t, found && i < 3000, "%d was erased", i)
			continue
		}
		require.True(t, found, "%d is lost", i)
		require.Equal(t, 2, there.Verdict.Version)
		if corrected[e.ID] {
			require.Equal(t, "Corrected", there.Subject)
		}
	}
	infos, err := index.WeekInfos(ctx)
	require.NoError(t, err)
	require.Len(t, infos, 1)
	require.False(t, infos[0].Sealed)
	require.Equal(t, int64(len(held)), infos[0].Events)
}

// beforeDelete does something before the first request that deletes documents.
type beforeDelete struct {
	once sync.Once
	do   func()
}

func (b *beforeDelete) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/_bulk") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if bytes.Contains(body, []byte(`{"delete":`)) {
			b.once.Do(b.do)
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestABlockInTheMiddleOfAnErasure blocks a week after an erasure looked and before
// it deletes. Neither index lacks what the other has, and the erasure is repeated.
func TestABlockInTheMiddleOfAnErasure(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	index := openAt(t, dir, "")
	defer func() { require.NoError(t, index.Close()) }()
	createAll(t, index, someOpens(30))
	g, err := index.NextGeneration(ctx, faultWeek)
	require.NoError(t, err)
	_, err = g.Copy(ctx, secondJudge)
	require.NoError(t, err)
	require.NoError(t, index.Refresh(ctx))

	config := configAt(t, dir, "")
	config.Transport = &beforeDelete{do: func() { require.NoError(t, g.Block(ctx)) }}
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	eraser, err := elastic.Open(config)
	require.NoError(t, err)
	defer func() { require.NoError(t, eraser.Close()) }()
	deleted, _, err := eraser.EraseRecipient(ctx, "w", "jo@acme.example")
	require.ErrorIs(t, err, event.ErrUnavailable)
	require.Empty(t, deleted)

	require.NoError(t, g.Swap(ctx, secondJudge))
	require.Len(t, heldIn(t, index), 30)
	deleted, _, err = eraser.EraseRecipient(ctx, "w", "jo@acme.example")
	require.NoError(t, err)
	require.Len(t, deleted, 30)
	require.Empty(t, heldIn(t, index))
}

// TestAnErasureReachesWhatACrashLeft: a rebuild of a sealed week ended after it had
// sealed the new index and before the swap, and the nightly run sealed the old again.
func TestAnErasureReachesWhatACrashLeft(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	index := openAt(t, dir, "")
	defer func() { require.NoError(t, index.Close()) }()
	createAll(t, index, someOpens(30))
	require.NoError(t, index.Seal(ctx, faultWeek))
	g, err := index.NextGeneration(ctx, faultWeek)
	require.NoError(t, err)
	_, err = g.Copy(ctx, secondJudge)
	require.NoError(t, err)
	config := configAt(t, dir, "")
	every := config.Nodes[0].String() + "/" + config.Prefix + "-events-v*"
	ask := func(method, address string) string {
		request, err := http.NewRequestWithContext(ctx, method, address, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode, "%s", answer)
		return string(answer)
	}
	defer http.DefaultClient.CloseIdleConnections()
	ask(http.MethodPut, strings.Replace(every, "v*", "v2-"+faultWeek.String()+"-g2/_block/write", 1))
	ask(http.MethodPost, every+"/_refresh")
	require.Contains(t, ask(http.MethodGet, every+"/_count"), `"count":60,`)

	deleted, _, err := index.EraseRecipient(ctx, "w", "jo@acme.example")
	require.NoError(t, err)
	require.Len(t, deleted, 30)
	require.Contains(t, ask(http.MethodGet, every+"/_count"), `"count":0,`)
}

func TestRebuildOfASealedWeek(t *testing.T) {
	ctx := context.Background()
	index := openAt(t, t.TempDir(), "")
	defer func() { require.NoError(t, index.Close()) }()
	_, err := index.NextGeneration(ctx, faultWeek)
	require.ErrorIs(t, err, event.ErrNotFound)
	createAll(t, index, someOpens(30))
	require.NoError(t, index.Seal(ctx, faultWeek))
	_, err = rebuild(index, func(step string) {
		if step == "begin" {
			_, err := index.NextGeneration(ctx, faultWeek)
			require.ErrorIs(t, err, event.ErrConflict)
		}
	})
	require.NoError(t, err)
	infos, err := index.WeekInfos(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(30), infos[0].Events)
	require.True(t, infos[0].Sealed)
	require.Len(t, heldIn(t, index), 30)
}

// TestRebuildsThatDoNotEnd ends the process, or the rebuild, at each step. The
// week holds what it held, takes writes once it is asked to, and is built anew.
func TestRebuildsThatDoNotEnd(t *testing.T) {
	type crash struct{}
	for _, step := range []string{"begin", "copy", "block", "copy the rest", "swap"} {
		for _, sealed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, sealed %t", step, sealed), func(t *testing.T) {
				ctx, dir := context.Background(), t.TempDir()
				index := openAt(t, dir, "")
				events := someOpens(20)
				createAll(t, index, events)
				if sealed {
					require.NoError(t, index.Seal(ctx, faultWeek))
				}
				func() {
					defer func() { require.Equal(t, crash{}, recover()) }()
					_, _ = rebuild(index, func(at string) {
						if at == step {
							panic(crash{})
						}
					})
				}()
				require.NoError(t, index.Close())

				index = openAt(t, dir, "")
				defer func() { require.NoError(t, index.Close()) }()
				require.Len(t, heldIn(t, index), len(events))
				if blocked := step == "block" || step == "copy the rest"; blocked {
					_, _, err := index.EraseRecipient(ctx, "w", "jo@acme.example")
					require.ErrorIs(t, err, event.ErrUnavailable, "nobody opens a week that is being moved")
					infos, err := index.WeekInfos(ctx)
					require.NoError(t, err)
					require.False(t, infos[0].Sealed, "the nightly run seals it again")
				}
				require.NoError(t, index.Unseal(ctx, faultWeek))
				createAll(t, index, someOpens(25))
				_, err := rebuild(index, nil)
				require.NoError(t, err)
				require.Len(t, heldIn(t, index), 25)
				deleted, _, err := index.EraseRecipient(ctx, "w", "jo@acme.example")
				require.NoError(t, err)
				require.Len(t, deleted, 25)
			})
		}
	}
}

func TestADiscardedRebuildLeavesTheWeekAsItWas(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		t.Run(fmt.Sprintf("sealed %t", sealed), func(t *testing.T) {
			ctx := context.Background()
			index := openAt(t, t.TempDir(), "")
			defer func() { require.NoError(t, index.Close()) }()
			createAll(t, index, someOpens(20))
			if sealed {
				require.NoError(t, index.Seal(ctx, faultWeek))
			}
			g, err := index.NextGeneration(ctx, faultWeek)
			require.NoError(t, err)
			n, err := g.Copy(ctx, secondJudge)
			require.NoError(t, err)
			require.Equal(t, 20, n)
			require.NoError(t, g.Block(ctx))
			outcomes, err := index.Create(ctx, someOpens(21)[20:])
			require.NoError(t, err)
			require.Equal(t, &event.WeekBlocked{Week: faultWeek}, outcomes[0].Err)
			require.NoError(t, g.Discard(ctx))
			infos, err := index.WeekInfos(ctx)
			require.NoError(t, err)
			require.Equal(t, sealed, infos[0].Sealed)
			if !sealed {
				createAll(t, index, someOpens(21))
			}
			for _, e := range heldIn(t, index) {
				require.Zero(t, e.Verdict.Version)
			}
		})
	}
}
