package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/migrations"
	"tidings/query"
)

// A week whose words are an older analysis's has them made anew, sealed or not.
func TestWordsAreMadeAnewWhereTheAnalysisHasChanged(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	weeks := filepath.Join(dir, "weeks")
	index := openForFaults(t, weeks)
	kickoff := func(id string, later int64) event.Event {
		e := faultEvent("w", id, "")
		e.Time += later
		e.Subject, e.ID = "Our kick-off", event.NewID(e.Time, "w", "s", true, []byte(id))
		return e
	}
	events := []event.Event{kickoff("a", 0), kickoff("b", 14*86_400)}
	_, err := index.Create(ctx, events)
	require.NoError(t, err)
	require.NoError(t, index.Seal(ctx, faultWeek))
	require.NoError(t, index.Close())
	schema := NewSchema(weeks, filepath.Join(dir, "state.db"))
	files, err := schema.files()
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, file := range files {
		pool, err := openPool(file.path, access{write: true, journal: "DELETE", connections: 1, cacheKB: 1 << 10})
		require.NoError(t, err)
		require.NoError(t, transact(ctx, pool, func(tx *sql.Tx) error {
			_, err := tx.Exec("INSERT INTO words(words) VALUES('delete-all')")
			require.NoError(t, err)
			_, err = tx.Exec("PRAGMA user_version = 3")
			return err
		}))
		require.NoError(t, pool.Close())
	}
	_, err = OpenIndex(weeks, IndexConfig{})
	require.ErrorContains(t, err, "tidings migrate up")
	for _, file := range files {
		require.NoError(t, schema.Up(ctx, file.part))
	}
	parts, err := schema.Parts(ctx)
	require.NoError(t, err)
	require.NotContains(t, parts, migrations.Part{Have: 3})

	again := openForFaults(t, weeks)
	hits, err := again.Search(ctx, feed.Search{
		Workspace: "w", Weeks: []event.Week{events[1].Week(), events[0].Week()}, Limit: 10,
		Query: query.Query{Where: query.Words{Form: query.FormStem, Terms: []string{"kickoff"}}},
	})
	require.NoError(t, err)
	require.Len(t, hits, 2)
	infos, err := again.WeekInfos(ctx)
	require.NoError(t, err)
	require.True(t, infos[1].Sealed, "a sealed week stays sealed")
}
