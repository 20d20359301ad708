package sqlite

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"tidings/crash"
	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// withBlockRows has blocks of few rows until the test ends.
func withBlockRows(t *testing.T, many int) {
	t.Helper()
	before := blockRows
	blockRows = many
	t.Cleanup(func() { blockRows = before })
}

// sealedStory is an index with a sealed week of so many events, some hundred words among them.
func sealedStory(t *testing.T, dir string, many int) (*Index, []event.Event) {
	t.Helper()
	x := openForFaults(t, dir)
	events := storyEvents(rand.New(rand.NewPCG(63, 1)), 0, many)
	for some := range slices.Chunk(events, 50) {
		_, err := x.Create(t.Context(), some)
		require.NoError(t, err)
	}
	require.NoError(t, x.Seal(t.Context(), faultWeek))
	return x, events
}

// numbersOf says whether the words of a week are of numbers, and how many blocks it has.
func numbersOf(t *testing.T, x *Index) (are bool, blocks int) {
	t.Helper()
	require.NoError(t, x.using(t.Context(), faultWeek, false, func(file *weekFile, _ bool) error {
		for _, of := range file.numbers {
			blocks += len(of)
		}
		are = file.numbers != nil
		return nil
	}))
	return are, blocks
}

func TestWordsOfASealedWeekAreOfNumbers(t *testing.T) {
	withBlockRows(t, 40)
	dir := t.TempDir()
	x, events := sealedStory(t, dir, 300)
	are, blocks := numbersOf(t, x)
	require.True(t, are)
	require.Greater(t, blocks, 300/40)
	requireStored(t, x, faultWeek, events)
	require.Equal(t, 1, segmentsOf(t, x, faultWeek))

	require.NoError(t, x.Unseal(t.Context(), faultWeek))
	are, blocks = numbersOf(t, x)
	require.False(t, are, "an open week goes by rowids")
	require.Zero(t, blocks)
	requireStored(t, x, faultWeek, events)
	require.NoError(t, x.Seal(t.Context(), faultWeek))
	are, _ = numbersOf(t, x)
	require.True(t, are)
}

// TestASealedFileUnderAnOpenOnesNameIsWrittenOn: somebody has renamed it.
func TestASealedFileUnderAnOpenOnesNameIsWrittenOn(t *testing.T) {
	dir := t.TempDir()
	x, events := sealedStory(t, dir, 300)
	require.NoError(t, x.Close())
	require.NoError(t, os.Rename(filepath.Join(dir, faultWeek.String()+sealedEnding), filepath.Join(dir, faultWeek.String()+openEnding)))
	x = openForFaults(t, dir)
	requireStored(t, x, faultWeek, events)
	late := storyEvents(rand.New(rand.NewPCG(63, 2)), 300, 350)
	_, err := x.Create(t.Context(), late)
	require.NoError(t, err)
	requireStored(t, x, faultWeek, append(events, late...))
}

// TestAWeekSealedByTheVersionBeforeIsReadAndWrittenOn opens a file that version 5 of the
// schema sealed, whose words are of rowids.
func TestAWeekSealedByTheVersionBeforeIsReadAndWrittenOn(t *testing.T) {
	packed, err := os.ReadFile("testdata/sealed-version-5.db.zst")
	require.NoError(t, err)
	unpacker, err := zstd.NewReader(nil)
	require.NoError(t, err)
	defer unpacker.Close()
	raw, err := unpacker.DecodeAll(packed, nil)
	require.NoError(t, err)
	dir := t.TempDir()
	path := filepath.Join(dir, faultWeek.String()+sealedEnding)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	version, err := versionOf(path)
	require.NoError(t, err)
	require.Equal(t, 5, version)

	events := storyEvents(rand.New(rand.NewPCG(5, 6)), 0, 60)
	x := openForFaults(t, dir)
	requireStored(t, x, faultWeek, events)
	are, _ := numbersOf(t, x)
	require.False(t, are)
	// Whom it names is erased from it as it is.
	deleted, _, err := x.EraseRecipient(t.Context(), events[5].Workspace, events[5].Recipient.Email)
	require.NoError(t, err)
	require.Equal(t, []event.ID{events[5].ID}, deleted)
	events = slices.Delete(events, 5, 6)
	requireStored(t, x, faultWeek, events)
	are, _ = numbersOf(t, x)
	require.False(t, are)
	// Late events open it, and sealing it again numbers its rows.
	require.NoError(t, x.Unseal(t.Context(), faultWeek))
	late := storyEvents(rand.New(rand.NewPCG(5, 7)), 60, 90)
	_, err = x.Create(t.Context(), late)
	require.NoError(t, err)
	require.NoError(t, x.Seal(t.Context(), faultWeek))
	requireStored(t, x, faultWeek, append(events, late...))
	are, _ = numbersOf(t, x)
	require.True(t, are)
	version, err = versionOf(path)
	require.NoError(t, err)
	require.Equal(t, len(weekSchema), version)
}

// TestDamagedNumbersAreADamagedWeek breaks them in several ways: nobody is told of another
// event than the one that was meant, and nobody is told of fewer.
func TestDamagedNumbersAreADamagedWeek(t *testing.T) {
	withBlockRows(t, 40)
	for name, breaks := range map[string]string{
		"a block is gone":         "DELETE FROM number WHERE k = (SELECT k FROM number LIMIT 1 OFFSET 1)",
		"the last is gone":        "DELETE FROM number WHERE k = (SELECT max(k) FROM number)",
		"all are gone":            "DELETE FROM number",
		"a block is cut":          "UPDATE number SET steps = substr(steps, 1, 20)",
		"a block is empty":        "UPDATE number SET steps = x''",
		"a block has fewer":       "UPDATE number SET many = many - 1",
		"one has less, one more":  "UPDATE number SET many = many - 1 WHERE k = (SELECT max(k) FROM number WHERE k < 2 << 20); UPDATE number SET many = many + 1 WHERE k = (SELECT max(k) FROM number)",
		"one begins later":        "UPDATE number SET low = low + 1 WHERE k = (SELECT min(k) FROM number)",
		"a step is another":       "UPDATE number SET steps = substr(steps, 1, 2) || x'01' || substr(steps, 4)",
		"two are changed over":    "UPDATE number SET k = -k WHERE k IN (SELECT k FROM number LIMIT 2); UPDATE number SET k = (1 << 20) + (1 << 20) + 1 + k WHERE k < 0",
		"two workspaces' are":     "UPDATE number SET k = -k; UPDATE number SET k = (3 << 20) + k + 2 * (-k & ((1 << 20) - 1))",
		"it does not say":         "DELETE FROM words_config WHERE k = 'numbered'",
		"it says another":         "UPDATE words_config SET v = v + 1 WHERE k = 'numbered'",
		"the table is gone":       "DROP TABLE number",
		"a row is beside its own": "UPDATE event SET k = k - 1 WHERE k = (SELECT max(k) FROM event)",
		"a row is another's":      "UPDATE event SET k = k + (1 << 30) WHERE k = (SELECT max(k) FROM event)",
	} {
		t.Run(name, func(t *testing.T) {
			requireDamagedNumbers(t, func(pool *sql.DB) {
				_, err := pool.Exec(breaks)
				require.NoError(t, err)
			})
		})
	}
	// Blocks whose sums fit were written by a program that was wrong.
	for name, breaks := range map[string]func(block, next []int64){
		"a rowid is not ascending": func(block, _ []int64) { block[3], block[4] = block[4], block[3] },
		"a rowid is there twice":   func(block, _ []int64) { block[4] = block[3] },
		"a block reaches the next": func(block, next []int64) { block[len(block)-1] = next[0] },
		"a block is behind it":     func(block, next []int64) { block[len(block)-1] = next[5] },
	} {
		t.Run(name, func(t *testing.T) {
			requireDamagedNumbers(t, func(pool *sql.DB) {
				block, key := firstBlock(t, pool, 0)
				next, _ := firstBlock(t, pool, 1)
				breaks(block, next)
				_, err := pool.Exec("UPDATE number SET steps = ? WHERE k = ?", packBlock(key, block), key)
				require.NoError(t, err)
			})
		})
	}
}

// requireDamagedNumbers breaks a sealed week, and asks it.
func requireDamagedNumbers(t *testing.T, breaks func(pool *sql.DB)) {
	dir := t.TempDir()
	x, events := sealedStory(t, dir, 300)
	require.NoError(t, x.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, faultWeek.String()+sumEnding)))
	path := filepath.Join(dir, faultWeek.String()+sealedEnding)
	pool, err := openPool(path, access{write: true, journal: "DELETE", connections: 1, cacheKB: 1 << 10})
	require.NoError(t, err)
	breaks(pool)
	require.NoError(t, pool.Close())

	texts := make(map[string]bool)
	for _, e := range events {
		texts[string(e.AppendJSON(nil))] = true
	}
	var found *event.WeekDamaged
	require.ErrorAs(t, openForFaults(t, dir).Check(t.Context(), faultWeek), &found, "the nightly check finds it without being asked")
	x = openForFaults(t, dir)
	for _, workspace := range []string{"w", "v"} {
		for _, where := range []query.Expr{nil, query.Words{Form: query.FormPrefix, Terms: []string{"person"}}} {
			s := feed.Search{Workspace: workspace, Weeks: []event.Week{faultWeek}, Query: query.Query{Where: where, Automated: query.AutomatedShow}, Limit: 10_000}
			hits, err := x.Search(t.Context(), s)
			whole := 0
			for _, e := range events {
				if e.Workspace == workspace {
					whole++
				}
			}
			var damaged event.DamagedWeeks
			if err != nil {
				require.ErrorAs(t, err, &damaged)
			} else {
				require.Len(t, hits, whole)
			}
			seen := make(map[event.ID]bool)
			for _, hit := range hits {
				require.True(t, texts[string(hit.Event.AppendJSON(nil))])
				require.Equal(t, workspace, hit.Event.Workspace)
				require.False(t, seen[hit.Event.ID], "nobody's event is there in the place of another")
				seen[hit.Event.ID] = true
			}
		}
	}
}

// firstBlock is a block of the first workspace.
func firstBlock(t *testing.T, pool *sql.DB, at int) (block []int64, key int64) {
	var low int64
	var many int
	var steps []byte
	require.NoError(t, pool.QueryRow("SELECT k, low, many, steps FROM number ORDER BY k LIMIT 1 OFFSET ?", at).Scan(&key, &low, &many, &steps))
	block, err := unpackBlock(key, low, many, steps)
	require.NoError(t, err)
	return block, key
}

// TestAWeekIsWholeWhereverSealingEnds opens what is left at each write while a week is
// sealed, unsealed, sealed again and erased from.
func TestAWeekIsWholeWhereverSealingEnds(t *testing.T) {
	withBlockRows(t, 40)
	dir, left := t.TempDir(), t.TempDir()
	x := openForFaults(t, dir)
	events := storyEvents(rand.New(rand.NewPCG(63, 3)), 0, 300)
	_, err := x.Create(t.Context(), events)
	require.NoError(t, err)
	gone := events[7]
	var copies []string
	keep := func(where string) {
		to := filepath.Join(left, fmt.Sprintf("%03d", len(copies)))
		require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
		copies = append(copies, where)
	}
	crash.Point = keep
	defer func() { crash.Point = nil }()
	require.NoError(t, x.Seal(t.Context(), faultWeek))
	require.NoError(t, x.Unseal(t.Context(), faultWeek))
	require.NoError(t, x.Seal(t.Context(), faultWeek))
	erasing := len(copies)
	_, _, err = x.EraseRecipient(t.Context(), gone.Workspace, gone.Recipient.Email)
	require.NoError(t, err)
	crash.Point = nil
	require.NoError(t, x.Close())
	require.Greater(t, len(copies), 20)
	seen := strings.Join(copies, "\n")
	for _, where := range []string{"commit", "rename to 2025-w31.sealed.db", "rename to 2025-w31.db", "remove .db", "remove .sealed.db"} {
		require.Contains(t, seen, where)
	}
	for i, where := range copies {
		again, err := OpenIndex(filepath.Join(left, fmt.Sprintf("%03d", i)), IndexConfig{})
		require.NoError(t, err, where)
		want := events
		if i >= erasing {
			all, _, err := again.Scan(t.Context(), faultWeek, "", 1000)
			require.NoError(t, err)
			if len(all) < len(events) {
				want = slices.Delete(slices.Clone(events), 7, 8)
			}
		}
		requireStored(t, again, faultWeek, want)
		require.NoError(t, again.Seal(t.Context(), faultWeek), where)
		requireStored(t, again, faultWeek, want)
		require.NoError(t, again.Close())
	}
}

// TestNumbersSayNothingOfWhoWasErased looks for the rowids of what was taken out.
func TestNumbersSayNothingOfWhoWasErased(t *testing.T) {
	withBlockRows(t, 10)
	x, events := sealedStory(t, t.TempDir(), 100)
	rowidsIn := func() (rowids []int64) {
		require.NoError(t, x.using(t.Context(), faultWeek, false, func(file *weekFile, _ bool) error {
			for workspaceID, blocks := range file.numbers {
				for at := range blocks {
					block, err := file.block(t.Context(), file.read.block, blockKey(workspaceID, at))
					require.NoError(t, err)
					require.True(t, slices.IsSorted(block))
					rowids = append(rowids, block...)
				}
			}
			return nil
		}))
		return rowids
	}
	have := func() map[int64]event.ID {
		there := make(map[int64]event.ID)
		require.NoError(t, x.using(t.Context(), faultWeek, false, func(file *weekFile, _ bool) error {
			rows, err := file.rowsBetween(t.Context(), 0, 1<<62)
			for _, r := range rows {
				there[r.rowid] = r.id
			}
			return err
		}))
		return there
	}
	before := have()
	require.Len(t, rowidsIn(), 100)
	for i := 0; i < 100; i += 1 + i%3 {
		_, _, err := x.EraseRecipient(t.Context(), events[i].Workspace, events[i].Recipient.Email)
		require.NoError(t, err)
	}
	after, kept := have(), rowidsIn()
	require.Less(t, len(after), 70)
	require.Len(t, kept, 100, "a number stays where it is")
	for rowid := range before {
		_, there := after[rowid]
		require.Equal(t, there, slices.Contains(kept, rowid))
	}
	requireNothingTold(t, x)

	// Of rows that follow one another the later are taken out first, or the earlier.
	for i := range events {
		if i%10 > 0 {
			_, _, err := x.EraseRecipient(t.Context(), events[i].Workspace, events[i].Recipient.Email)
			require.NoError(t, err)
			requireNothingTold(t, x)
		}
	}
	require.Len(t, rowidsIn(), 100)
	require.NoError(t, x.Check(t.Context(), faultWeek))
}

// requireNothingTold holds numbers that are nobody's to being told by the row before alone.
func requireNothingTold(t *testing.T, x *Index) {
	t.Helper()
	require.NoError(t, x.using(t.Context(), faultWeek, false, func(file *weekFile, _ bool) error {
		rows, err := file.rowsBetween(t.Context(), 0, 1<<62)
		require.NoError(t, err)
		there := make(map[int64]bool)
		for _, r := range rows {
			there[r.rowid] = true
		}
		for workspaceID, blocks := range file.numbers {
			before := int64(-1)
			for at := range blocks {
				block, err := file.block(t.Context(), file.read.block, blockKey(workspaceID, at))
				require.NoError(t, err)
				for _, rowid := range block {
					if !there[rowid] {
						require.Equal(t, before+1, rowid)
					}
					before = rowid
				}
			}
		}
		return nil
	}))
}

func TestNumbersSayNothingOfPurgedSends(t *testing.T) {
	withBlockRows(t, 10)
	x := openForFaults(t, t.TempDir())
	events := storyEvents(rand.New(rand.NewPCG(63, 6)), 0, 60)
	var purged []event.MessageKey
	for i := range events {
		if i%3 > 0 {
			events[i].Type, events[i].Message = event.Send, fmt.Sprint("purged-", i)
			events[i].Recipients, events[i].Recipient = []event.Person{*events[i].Recipient}, nil
			purged = append(purged, event.MessageKey{Workspace: events[i].Workspace, Message: events[i].Message})
		}
	}
	_, err := x.Create(t.Context(), events)
	require.NoError(t, err)
	require.NoError(t, x.Seal(t.Context(), faultWeek))
	for some := range slices.Chunk(purged, 15) {
		removed, err := x.RemoveSends(t.Context(), faultWeek, some)
		require.NoError(t, err)
		require.Equal(t, len(some), removed)
		requireNothingTold(t, x)
		require.NoError(t, x.Check(t.Context(), faultWeek))
	}
}

// TestSealingWritesBesideTheWeekAlone: what is of people belongs on the disk of the data, and
// a folder for temporary files may be small, or memory.
func TestSealingWritesBesideTheWeekAlone(t *testing.T) {
	x, err := OpenIndex(t.TempDir(), IndexConfig{WriterCacheKB: 64})
	require.NoError(t, err)
	defer func() { require.NoError(t, x.Close()) }()
	events := storyEvents(rand.New(rand.NewPCG(63, 5)), 0, 1000)
	_, err = x.Create(t.Context(), events)
	require.NoError(t, err)

	elsewhere, long := t.TempDir(), time.Now().Add(-time.Hour).Truncate(time.Second)
	temporaryIn := func(dir string) {
		require.NoError(t, x.using(t.Context(), faultWeek, false, func(file *weekFile, _ bool) error {
			_, err := file.reader.Exec("PRAGMA temp_store_directory = '" + dir + "'")
			return err
		}))
	}
	temporaryIn(elsewhere)
	defer temporaryIn("")
	unwritten := func(do func() error) {
		require.NoError(t, os.Chtimes(elsewhere, long, long))
		require.NoError(t, do())
		info, err := os.Stat(elsewhere)
		require.NoError(t, err)
		require.True(t, info.ModTime().Equal(long), "something was written there")
	}
	unwritten(func() error { return x.Seal(t.Context(), faultWeek) })
	unwritten(func() error {
		_, _, err := x.EraseRecipient(t.Context(), events[3].Workspace, events[3].Recipient.Email)
		return err
	})
	unwritten(func() error { return x.Unseal(t.Context(), faultWeek) })
}

// TestNumbersAreKeptUpToABound reads more blocks than there is room for.
func TestNumbersAreKeptUpToABound(t *testing.T) {
	withBlockRows(t, 10)
	x, events := sealedStory(t, t.TempDir(), 300)
	x.blocks.limit = 2_000
	requireStored(t, x, faultWeek, events)
	require.NotEmpty(t, x.blocks.kept)
	require.LessOrEqual(t, x.blocks.bytes, x.blocks.limit)
	total := 0
	for at := x.blocks.order.Front(); at != nil; at = at.Next() {
		total += at.Value.(*keptBlock).bytes()
	}
	require.Equal(t, total, x.blocks.bytes)
	require.Len(t, x.blocks.kept, x.blocks.order.Len())

	// Nothing is kept of a file that nobody reads any more.
	require.NoError(t, x.Unseal(t.Context(), faultWeek))
	require.Empty(t, x.blocks.kept)
	require.Zero(t, x.blocks.bytes)
}
