package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// segmentsOf is in how many segments the words of the only week are.
func segmentsOf(t *testing.T, x *Index, week event.Week) (count int) {
	require.NoError(t, x.using(t.Context(), week, false, func(file *weekFile, _ bool) error {
		return file.reader.QueryRow("SELECT count(DISTINCT segid) FROM words_idx").Scan(&count)
	}))
	return count
}

// inPieces writes events in as many transactions.
func inPieces(t *testing.T, x *Index, from, until int) event.Week {
	var week event.Week
	for i := from; i < until; i++ {
		e := faultEvent("w", fmt.Sprint(i), fmt.Sprintf("prices word%d", i%7))
		week = e.Week()
		outcomes, err := x.Create(t.Context(), []event.Event{e})
		require.NoError(t, err)
		require.True(t, outcomes[0].Created)
	}
	return week
}

// found are the events of a word, newest first.
func found(t *testing.T, x *Index, week event.Week, word string) []event.ID {
	where := query.Parse(word, query.Options{}).Query.Where
	hits, err := x.Search(t.Context(), feed.Search{Workspace: "w", Weeks: []event.Week{week}, Query: query.Query{Where: where}, Limit: 1000})
	require.NoError(t, err)
	ids := make([]event.ID, len(hits))
	for i, hit := range hits {
		ids[i] = hit.Event.ID
	}
	return ids
}

func TestWordsOfManyTransactionsAreMergedWhenItIsQuiet(t *testing.T) {
	x := openForFaults(t, t.TempDir())
	week := inPieces(t, x, 0, 50)
	before := found(t, x, week, "word3")
	require.Len(t, before, 7)
	require.Greater(t, segmentsOf(t, x, week), 40)

	require.NoError(t, x.MergeWords(t.Context(), 0))
	require.Less(t, segmentsOf(t, x, week), 8)
	require.False(t, x.unmerged(week), "there is nothing more to do")
	require.Equal(t, before, found(t, x, week, "word3"))

	inPieces(t, x, 50, 57)
	require.True(t, x.unmerged(week))
	require.Len(t, found(t, x, week, "word3"), 8)
}

func TestWordsAreKeptMergedUntilTheEnd(t *testing.T) {
	x := openForFaults(t, t.TempDir())
	week := inPieces(t, x, 0, 50)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.KeepMerged(ctx, slog.New(slog.DiscardHandler)) }()
	require.Eventually(t, func() bool { return !x.unmerged(week) }, time.Minute, 10*time.Millisecond)
	require.Less(t, segmentsOf(t, x, week), 8)
	stop()
	require.NoError(t, <-done)
}

// TestWordsAreLeftAloneWhileEventsPourIn lets every second be one in which as many
// came in as must not be disturbed, and then one in which fewer did.
func TestWordsAreLeftAloneWhileEventsPourIn(t *testing.T) {
	x := openForFaults(t, t.TempDir())
	week := inPieces(t, x, 0, 50)
	require.NoError(t, x.MergeWords(t.Context(), 0))
	require.False(t, x.unmerged(week))
	inPieces(t, x, 50, 57)
	unmerged := segmentsOf(t, x, week)

	pouring, dry := context.WithCancel(t.Context())
	poured := make(chan struct{})
	go func() {
		defer close(poured)
		for pouring.Err() == nil {
			x.created.Add(mergeBelow)
			pause(pouring, mergeEvery/100)
		}
	}()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.KeepMerged(ctx, slog.New(slog.DiscardHandler)) }()
	require.Never(t, func() bool { return !x.unmerged(week) }, 3*mergeEvery, mergeEvery/10)
	require.Equal(t, unmerged, segmentsOf(t, x, week))
	dry()
	<-poured
	require.Eventually(t, func() bool { return !x.unmerged(week) }, time.Minute, 10*time.Millisecond)
	stop()
	require.NoError(t, <-done)
}

// TestWordsOfAWeekThatTakesNoWritesAreLeftAlone: merging ends, rather than trying
// until the week is free.
func TestWordsOfAWeekThatTakesNoWritesAreLeftAlone(t *testing.T) {
	x := openForFaults(t, t.TempDir())
	week := inPieces(t, x, 0, 50)
	before := segmentsOf(t, x, week)
	g, err := x.NextGeneration(t.Context(), week)
	require.NoError(t, err)
	require.NoError(t, g.Block(t.Context()))
	require.NoError(t, x.MergeWords(t.Context(), 0))
	require.Equal(t, before, segmentsOf(t, x, week))
	require.NoError(t, g.Discard(t.Context()))
	require.NoError(t, x.MergeWords(t.Context(), 0))
	require.Less(t, segmentsOf(t, x, week), before)

	require.NoError(t, x.Seal(t.Context(), week))
	require.NoError(t, x.MergeWords(t.Context(), 0))
	require.False(t, x.unmerged(week))
}

func TestPagesOfEveryFileHaveTheSizeThatWasChosen(t *testing.T) {
	dir := t.TempDir()
	x := openForFaults(t, dir)
	week := inPieces(t, x, 0, 1)
	size := func() (bytes int) {
		require.NoError(t, x.using(t.Context(), week, false, func(file *weekFile, _ bool) error {
			return file.reader.QueryRow("PRAGMA page_size").Scan(&bytes)
		}))
		return bytes
	}
	require.Equal(t, pageSize, size())
	require.NoError(t, x.Seal(t.Context(), week))
	require.Equal(t, pageSize, size(), "sealed")

	state, err := OpenState(dir+"/state.db", StateConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, state.Close()) }()
	var bytes int
	require.NoError(t, state.reader.QueryRow("PRAGMA page_size").Scan(&bytes))
	require.Equal(t, pageSize, bytes, "state")
}
