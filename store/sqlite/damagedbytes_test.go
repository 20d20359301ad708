//go:build !race

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/store/sqlite"
)

// Whoever reads or writes a week with damaged bytes gets what is there or hears of the
// damage, at once, and the other weeks are as they were.
func TestWhatIsInABadWeekHarmsNobody(t *testing.T) {
	for _, sealed := range []bool{true, false} {
		t.Run(fmt.Sprint("sealed ", sealed), func(t *testing.T) {
			ctx, dir := context.Background(), t.TempDir()
			index := openIndex(t, dir)
			bad := opensIn(badWeek, 300)
			createAll(t, index, append(bad, opensIn(goodWeek, 3)...)...)
			path := filepath.Join(dir, badWeek.String()+".db")
			if sealed {
				require.NoError(t, index.Seal(ctx, badWeek))
				path = filepath.Join(dir, badWeek.String()+".sealed.db")
			}
			require.NoError(t, index.Close())
			whole, err := os.ReadFile(path)
			require.NoError(t, err)
			rapid.Check(t, func(t *rapid.T) {
				damaged := append([]byte(nil), whole...)
				first := rapid.IntRange(0, 99).Draw(t, "header")
				if rapid.Bool().Draw(t, "anywhere") {
					first = rapid.IntRange(0, len(whole)-1).Draw(t, "at")
				}
				copy(damaged[first:], rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "bytes"))
				for _, beside := range []string{"-wal", "-shm", "-journal"} {
					_ = os.Remove(path + beside)
				}
				require.NoError(t, os.WriteFile(path, damaged, 0o600))
				index, err := sqlite.OpenIndex(dir, sqlite.IndexConfig{})
				if err != nil {
					require.ErrorContains(t, err, "version")
					return
				}
				defer func() { require.NoError(t, index.Close()) }()
				onlyDamage := func(err error) {
					_, other := event.SplitDamaged(err)
					require.NoError(t, other)
				}
				weeks := []event.Week{goodWeek, badWeek}
				hits, err := index.Search(ctx, feed.Search{Workspace: "w", Weeks: weeks, Limit: 1000})
				onlyDamage(err)
				require.GreaterOrEqual(t, len(hits), 3)
				for _, week := range weeks {
					_, err = index.Aggregate(ctx, feed.AggregateRequest{Workspace: "w", Week: week, Parts: feed.PartUsers | feed.PartTimes})
					onlyDamage(err)
					_, err = index.Terms(ctx, "w", week, "p", 10)
					onlyDamage(err)
					_, _, err = index.Scan(ctx, week, "", 100)
					onlyDamage(err)
				}
				_, err = index.Get(ctx, "w", []event.ID{bad[0].ID, bad[299].ID})
				onlyDamage(err)
				for _, outcome := range createAll(t, index, append(opensIn(badWeek, 2), opensIn(goodWeek, 3)...)...) {
					if !errors.Is(outcome.Err, event.ErrUnavailable) {
						onlyDamage(outcome.Err)
					}
				}
				onlyDamage(index.Check(ctx, badWeek))
				require.NoError(t, index.Check(ctx, goodWeek))
			})
		})
	}
}

// TestFlippedBytesAreFound flips a byte anywhere in a sealed week.
func TestFlippedBytesAreFound(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	index := openIndex(t, dir)
	createAll(t, index, opensIn(badWeek, 300)...)
	require.NoError(t, index.Seal(ctx, badWeek))
	require.NoError(t, index.Check(ctx, badWeek))
	require.NoError(t, index.Close())
	path := filepath.Join(dir, badWeek.String()+".sealed.db")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(whole)-1).Draw(t, "at")
		flipped := append([]byte(nil), whole...)
		flipped[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		require.NoError(t, os.WriteFile(path, flipped, 0o600))
		require.NoError(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
		index, err := sqlite.OpenIndex(dir, sqlite.IndexConfig{})
		if err != nil { // The version of its schema.
			return
		}
		err = index.Check(ctx, badWeek)
		require.NoError(t, index.Close())
		damaged, other := event.SplitDamaged(err)
		require.NoError(t, other)
		require.Len(t, damaged, 1)
	})
}
