package sqlite

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

const faultWeek = event.Week(2900)

func faultEvent(workspace, key, subject string) event.Event {
	at := faultWeek.Start() + 60
	return event.Event{
		ID: event.NewID(at, workspace, "s", true, []byte(key)), Workspace: workspace, Type: event.Open, Time: at,
		Message: "m", Source: "s", Subject: subject, Recipient: &event.Person{Email: "jo@acme.example"},
	}
}

func openForFaults(t *testing.T, dir string) *Index {
	t.Helper()
	index, err := OpenIndex(dir, IndexConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, index.Close()) })
	return index
}

func countIn(t *testing.T, index *Index, workspace string) int {
	t.Helper()
	hits, err := index.Search(context.Background(), feed.Search{Workspace: workspace, Weeks: []event.Week{faultWeek}, Limit: 10_000})
	require.NoError(t, err)
	return len(hits)
}

// limitPages makes a week's file full at a number of pages.
func limitPages(t *testing.T, index *Index, pages int) {
	t.Helper()
	err := index.using(context.Background(), faultWeek, false, func(file *weekFile, _ bool) error {
		var limit int
		return file.writer.QueryRow("PRAGMA max_page_count = " + strconv.Itoa(pages)).Scan(&limit)
	})
	require.NoError(t, err)
}

func TestFullDisk(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	index := openForFaults(t, dir)
	_, err := index.Create(ctx, []event.Event{faultEvent("w", "first", "Pricing")})
	require.NoError(t, err)
	limitPages(t, index, 1)
	var batch []event.Event
	for i := range 300 {
		batch = append(batch, faultEvent("new", strconv.Itoa(i), "Pricing proposal"))
	}
	_, err = index.Create(ctx, batch)
	require.ErrorIs(t, err, event.ErrUnavailable)
	require.Equal(t, 1, countIn(t, index, "w"), "reads go on")
	require.Zero(t, countIn(t, index, "new"))

	limitPages(t, index, 1<<30)
	outcomes, err := index.Create(ctx, batch)
	require.NoError(t, err)
	for _, outcome := range outcomes {
		require.True(t, outcome.Created)
	}
	require.NoError(t, index.Close())
	again := openForFaults(t, dir)
	require.Equal(t, 300, countIn(t, again, "new"))
}

func TestNewerSchemaIsRefused(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	index := openForFaults(t, filepath.Join(dir, "weeks"))
	_, err := index.Create(ctx, []event.Event{faultEvent("w", "a", "")})
	require.NoError(t, err)
	err = index.using(ctx, faultWeek, false, func(file *weekFile, _ bool) error {
		_, err := file.writer.Exec("PRAGMA user_version = 99")
		return err
	})
	require.NoError(t, err)
	require.NoError(t, index.Close())
	_, err = OpenIndex(filepath.Join(dir, "weeks"), IndexConfig{})
	require.ErrorContains(t, err, "newer version of Tidings")

	path := filepath.Join(dir, "state.db")
	state, err := OpenState(path, StateConfig{})
	require.NoError(t, err)
	_, err = state.writer.Exec("PRAGMA user_version = 99")
	require.NoError(t, err)
	require.NoError(t, state.Close())
	_, err = OpenState(path, StateConfig{})
	require.ErrorContains(t, err, "newer version of Tidings")
}

// TestInterruptedSwap opens what a crash in the middle of Seal or Unseal leaves.
func TestInterruptedSwap(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	index := openForFaults(t, dir)
	_, err := index.Create(ctx, []event.Event{faultEvent("w", "a", ""), faultEvent("w", "b", "")})
	require.NoError(t, err)
	require.NoError(t, index.Seal(ctx, faultWeek))
	require.NoError(t, index.Close())
	sealed, open := filepath.Join(dir, "2025-w31.sealed.db"), filepath.Join(dir, "2025-w31.db")
	require.Equal(t, "2025-w31", faultWeek.String())
	require.FileExists(t, sealed)
	require.NoFileExists(t, open)
	require.NoError(t, copyFile(open, sealed))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "2025-w31.new"), []byte("half a file"), 0o600))

	again := openForFaults(t, dir)
	require.NoFileExists(t, sealed)
	require.NoFileExists(t, filepath.Join(dir, "2025-w31.new"))
	require.Equal(t, 2, countIn(t, again, "w"))
	outcomes, err := again.Create(ctx, []event.Event{faultEvent("w", "c", ""), faultEvent("w", "a", "")})
	require.NoError(t, err)
	require.True(t, outcomes[0].Created)
	require.False(t, outcomes[1].Created)
	require.NoError(t, again.Seal(ctx, faultWeek))
	require.Equal(t, 3, countIn(t, again, "w"))
}

// TestErasedTextIsOverwritten looks for what was erased in the bytes on disk.
func TestErasedTextIsOverwritten(t *testing.T) {
	for name, seal := range map[string]bool{"open": false, "sealed": true} {
		t.Run(name, func(t *testing.T) {
			ctx, dir := context.Background(), t.TempDir()
			index := openForFaults(t, dir)
			for i := range 40 { // several segments, so that some are merged
				e := faultEvent("w", strconv.Itoa(i), "common words")
				e.Recipient = &event.Person{Email: "kim@acme.example"}
				_, err := index.Create(ctx, []event.Event{e})
				require.NoError(t, err)
			}
			e := faultEvent("w", "gone", "xyzzyplugh")
			_, err := index.Create(ctx, []event.Event{e})
			require.NoError(t, err)
			if seal {
				require.NoError(t, index.Seal(ctx, faultWeek))
			}
			require.True(t, onDisk(t, dir, "xyzzyplugh"))
			deleted, _, err := index.EraseRecipient(ctx, "w", "jo@acme.example")
			require.NoError(t, err)
			require.Len(t, deleted, 1)
			require.False(t, onDisk(t, dir, "xyzzyplugh"))
			require.False(t, onDisk(t, dir, "jo@acme.example"))
			require.Equal(t, 40, countIn(t, index, "w"))
		})
	}
}

func onDisk(t *testing.T, dir, text string) bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		if bytes.Contains(raw, []byte(text)) {
			return true
		}
	}
	return false
}

func TestClosedIndex(t *testing.T) {
	ctx := context.Background()
	index, err := OpenIndex(t.TempDir(), IndexConfig{})
	require.NoError(t, err)
	require.NoError(t, index.Ping(ctx))
	require.NoError(t, index.Close())
	require.ErrorIs(t, index.Ping(ctx), event.ErrUnavailable)
	_, err = index.Create(ctx, []event.Event{faultEvent("w", "a", "")})
	require.ErrorIs(t, err, event.ErrUnavailable)
}

// TestCancelled shows that a search which costs too much can be stopped.
func TestCancelled(t *testing.T) {
	index := openForFaults(t, t.TempDir())
	_, err := index.Create(context.Background(), []event.Event{faultEvent("w", "a", "Pricing")})
	require.NoError(t, err)
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	_, err = index.Search(ctx, feed.Search{
		Workspace: "w", Weeks: []event.Week{faultWeek}, Limit: 1,
		Query: query.Query{Where: query.Words{Form: query.FormPrefix, Terms: []string{"p"}}},
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, 1, countIn(t, index, "w"))
}

func TestSearchStreams(t *testing.T) {
	index := openForFaults(t, t.TempDir())
	_, err := index.Create(context.Background(), []event.Event{faultEvent("w", "a", "Pricing")})
	require.NoError(t, err)
	err = index.using(context.Background(), faultWeek, false, func(file *weekFile, _ bool) error {
		plan, err := file.reader.Query(`EXPLAIN QUERY PLAN SELECT e.k, e.space, e.id, e.doc FROM words CROSS JOIN event e ON e.k = words.rowid
			WHERE words MATCH '"2_a"' AND words.rowid >= 1 AND words.rowid < 9 ORDER BY words.rowid DESC LIMIT 5`)
		require.NoError(t, err)
		defer plan.Close()
		var steps []string
		for plan.Next() {
			var id, parent, unused int
			var step string
			require.NoError(t, plan.Scan(&id, &parent, &unused, &step))
			steps = append(steps, step)
		}
		require.Len(t, steps, 2, "%q: two lookups and no sorting", steps)
		return plan.Err()
	})
	require.NoError(t, err)
}
