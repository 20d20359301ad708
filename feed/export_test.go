package feed_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

func TestAnExportHasEverythingOnceNewestFirst(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	var want []event.ID
	var events []event.Event
	for i := range 730 {
		e := open(i, now.Add(-time.Duration(i)*time.Hour))
		events, want = append(events, e), append(want, e.ID)
	}
	f.put(events...)
	f.put(send("sent", now.Add(-800*time.Hour), jo, li), did(event.Open, "sent", now.Add(-799*time.Hour), jo))
	var got []feed.Item
	most := 0
	require.NoError(t, f.Export(t.Context(), feed.ExportRequest{Scope: feed.Scope{Workspace: "w"}}, func(items []feed.Item) error {
		most = max(most, len(items))
		got = append(got, items...)
		if len(got) < 300 {
			f.put(open(10_000+len(got), now.Add(-time.Minute))) // what arrives meanwhile changes nothing
		}
		return nil
	}))
	require.LessOrEqual(t, most, 200, "no more than that is in memory")
	require.Equal(t, want, ids(got)[:730])
	require.Equal(t, 732, len(got))
	require.Equal(t, 1, *got[731].Unopened, "sends have the state of their recipients")
	require.Equal(t, "Ana Moreira", got[731].User.Name)
}

func TestAnExportOfOneWeekHasIt(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(open(1, now))
	var got []feed.Item
	require.NoError(t, f.Export(t.Context(), feed.ExportRequest{Scope: feed.Scope{Workspace: "w"}}, func(items []feed.Item) error {
		got = append(got, items...)
		return nil
	}))
	require.Len(t, got, 1)
}

func TestAnExportEndsWhenItsReaderDoes(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	for i := range 500 {
		f.put(open(i, now.Add(-time.Duration(i)*time.Hour)))
	}
	request := feed.ExportRequest{Scope: feed.Scope{Workspace: "w"}, Filter: query.Filter{Types: []event.Type{event.Open}}}
	gone := errors.New("gone")
	visits := 0
	require.ErrorIs(t, f.Export(t.Context(), request, func([]feed.Item) error { visits++; return gone }), gone)
	require.Equal(t, 1, visits)

	ctx, cancel := context.WithCancel(t.Context())
	visits = 0
	err := f.Export(ctx, request, func([]feed.Item) error { visits++; cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, visits)
}

func TestAnExportDuringADropEndsWithAnError(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	for i := range 300 {
		f.put(open(i, now.Add(-time.Duration(i)*3*time.Hour)))
	}
	oldest := event.WeekOf(now.Add(-299 * 3 * time.Hour).Unix())
	err := f.Export(t.Context(), feed.ExportRequest{Scope: feed.Scope{Workspace: "w"}}, func([]feed.Item) error {
		return errors.Join(f.state.Unlist(t.Context(), oldest+1), f.store.Drop(t.Context(), oldest))
	})
	require.ErrorIs(t, err, event.ErrUnavailable)
	require.ErrorContains(t, err, oldest.String())
}
