package sqlite

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// storyEvents are events of one week whose texts have much in common, and each a name of its own.
func storyEvents(random *rand.Rand, from, until int) []event.Event {
	var events []event.Event
	for key := from; key < until; key++ {
		e := wordyEvent(random, key, 40)
		e.Body = fmt.Sprintf("Dear person%d, thank you for what you wrote of the matter of number %d. ", key, random.IntN(1<<30)) +
			strings.Repeat(fmt.Sprintf("%x ", random.Uint64()), 8)
		e.Recipient = &event.Person{Email: fmt.Sprintf("person%d@acme.example", key), Name: fmt.Sprintf("Person Number%d", key)}
		events = append(events, e)
	}
	return events
}

// requireStored holds a week to the events that it should have, each in its very words.
func requireStored(t *testing.T, x *Index, week event.Week, want []event.Event) {
	t.Helper()
	var have []string
	for after := ""; ; {
		events, next, err := x.Scan(t.Context(), week, after, 100)
		require.NoError(t, err)
		for _, e := range events {
			have = append(have, string(e.AppendJSON(nil)))
		}
		if after = next; next == "" {
			break
		}
	}
	texts := make([]string, len(want))
	for i, e := range want {
		texts[i] = string(e.AppendJSON(nil))
	}
	slices.Sort(have)
	slices.Sort(texts)
	require.Equal(t, texts, have)
	require.NoError(t, x.Check(t.Context(), week))
	hits, err := x.Search(t.Context(), feed.Search{
		Workspace: "w", Weeks: []event.Week{week}, Query: query.Query{Automated: query.AutomatedShow}, Limit: 10_000,
	})
	require.NoError(t, err)
	for _, hit := range hits {
		require.Contains(t, texts, string(hit.Event.AppendJSON(nil)))
	}
}

// packedIn is how many documents of a week are packed against its dictionary, and how many
// dictionaries it has.
func packedIn(t *testing.T, x *Index, week event.Week) (documents, dictionaries int) {
	t.Helper()
	require.NoError(t, x.using(t.Context(), week, false, func(file *weekFile, _ bool) error {
		return file.reader.QueryRow("SELECT (SELECT count(*) FROM event WHERE substr(doc, 1, 1) = x'03'), (SELECT count(*) FROM dictionary)").
			Scan(&documents, &dictionaries)
	}))
	return documents, dictionaries
}

// TestDocumentsOfASealedWeekArePackedAgainstIt goes through what can happen to a week, with
// what is in it compared behind each step.
func TestDocumentsOfASealedWeekArePackedAgainstIt(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	dir := t.TempDir()
	x := openForFaults(t, dir)
	events := storyEvents(random, 0, 600)
	_, err := x.Create(t.Context(), events)
	require.NoError(t, err)
	week := events[0].Week()
	requireStored(t, x, week, events)
	before := documentBytes(t, x, week)

	require.NoError(t, x.Seal(t.Context(), week))
	requireStored(t, x, week, events)
	packed, dictionaries := packedIn(t, x, week)
	require.Equal(t, len(events), packed)
	require.Equal(t, 1, dictionaries)
	require.Less(t, documentBytes(t, x, week), before*9/10)

	// Late events come in beside what is packed, and one is judged anew.
	require.NoError(t, x.Unseal(t.Context(), week))
	late := storyEvents(random, 600, 650)
	_, err = x.Create(t.Context(), append(late[:50:50], events[:20]...))
	require.NoError(t, err)
	events = append(events, late...)
	events[3].Verdict = event.Verdict{Is: event.Machine, Rule: "r", By: "rule", Version: 7}
	require.NoError(t, x.Rewrite(t.Context(), []event.Event{events[3], events[4]}))
	requireStored(t, x, week, events)
	packed, _ = packedIn(t, x, week)
	require.Equal(t, 599, packed, "what was not changed stays as it is")
	require.NoError(t, x.Seal(t.Context(), week))
	requireStored(t, x, week, events)
	packed, dictionaries = packedIn(t, x, week)
	require.Equal(t, 650, packed)
	require.Equal(t, 1, dictionaries)

	// It is read by whoever opens it next.
	require.NoError(t, x.Close())
	x = openForFaults(t, dir)
	requireStored(t, x, week, events)
	backup := filepath.Join(t.TempDir(), "backup")
	_, err = x.Backup(t.Context(), backup)
	require.NoError(t, err)
	requireStored(t, openForFaults(t, backup), week, events)
}

func documentBytes(t *testing.T, x *Index, week event.Week) (total int) {
	require.NoError(t, x.using(t.Context(), week, false, func(file *weekFile, _ bool) error {
		return file.reader.QueryRow("SELECT sum(length(doc)) FROM event").Scan(&total)
	}))
	return total
}

// TestADictionaryHasNothingOfWhomWasErased erases people of whose events it was made, and
// others, from a sealed week and from one that was opened again.
func TestADictionaryHasNothingOfWhomWasErased(t *testing.T) {
	for _, sealed := range []bool{true, false} {
		t.Run(fmt.Sprint("sealed ", sealed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(2, 2))
			x := openForFaults(t, t.TempDir())
			events := storyEvents(random, 0, 400)
			_, err := x.Create(t.Context(), events)
			require.NoError(t, err)
			week := events[0].Week()
			require.NoError(t, x.Seal(t.Context(), week))
			if !sealed {
				require.NoError(t, x.Unseal(t.Context(), week))
			}
			var sampled []event.Event
			require.NoError(t, x.using(t.Context(), week, false, func(file *weekFile, _ bool) error {
				rows, err := file.rowsBetween(t.Context(), 0, 1<<62)
				require.NoError(t, err)
				for _, r := range rows {
					if file.samplesAny([]int64{r.rowid}) {
						e, err := x.documents.unpack(r.id, file.nameOf(r.workspaceID), r.doc)
						require.NoError(t, err)
						sampled = append(sampled, e)
					}
				}
				return nil
			}))
			require.Greater(t, len(sampled), 3)
			for _, gone := range append(sampled[:3:3], events[7]) {
				deleted, _, err := x.EraseRecipient(t.Context(), gone.Workspace, gone.Recipient.Email)
				require.NoError(t, err)
				events = slices.DeleteFunc(events, func(e event.Event) bool { return slices.Contains(deleted, e.ID) })
				requireStored(t, x, week, events)
				_, dictionaries := packedIn(t, x, week)
				require.Equal(t, 1, dictionaries)
				require.NoError(t, x.using(t.Context(), week, false, func(file *weekFile, _ bool) error {
					for _, text := range fileDictionaries(t, file) {
						require.False(t, bytes.Contains(text, []byte(gone.Recipient.Email)), gone.Recipient.Email)
					}
					return nil
				}))
			}
			require.NoError(t, x.Unseal(t.Context(), week))
			require.NoError(t, x.Seal(t.Context(), week))
			requireStored(t, x, week, events)
		})
	}
}

// fileDictionaries are the texts that a file has, as a program that opens it reads them.
func fileDictionaries(t *testing.T, file *weekFile) (texts map[uint32][]byte) {
	other := &weekFile{week: file.week}
	require.NoError(t, other.loadDictionaries(t.Context(), file.reader))
	return other.dictionaries.Load().texts
}

// TestPackingThatWasInterruptedIsDoneAgain ends packing behind its dictionary and behind
// some of its documents.
func TestPackingThatWasInterruptedIsDoneAgain(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	dir := t.TempDir()
	x := openForFaults(t, dir)
	events := storyEvents(random, 0, 400)
	_, err := x.Create(t.Context(), events)
	require.NoError(t, err)
	week := events[0].Week()
	require.NoError(t, x.Seal(t.Context(), week))
	require.NoError(t, x.Unseal(t.Context(), week))
	require.NoError(t, x.using(t.Context(), week, false, func(file *weekFile, _ bool) error {
		text, samples, err := file.sampleDocuments(t.Context(), x.documents, nil)
		require.NoError(t, err)
		number, err := file.putDictionary(t.Context(), file.dictionaries.Load(), text[:len(text)/2], samples)
		require.NoError(t, err)
		packer, err := newPacker(number, text[:len(text)/2])
		require.NoError(t, err)
		n, _, err := file.packSome(t.Context(), x.documents, packer, file.lastOf(t, 300))
		require.NoError(t, err)
		require.Less(t, n, 200)
		return nil
	}))
	requireStored(t, x, week, events)
	require.NoError(t, x.Close())
	x = openForFaults(t, dir)
	requireStored(t, x, week, events)
	_, dictionaries := packedIn(t, x, week)
	require.Equal(t, 2, dictionaries)
	require.NoError(t, x.Seal(t.Context(), week))
	requireStored(t, x, week, events)
	_, dictionaries = packedIn(t, x, week)
	require.Equal(t, 1, dictionaries)
}

// lastOf is the rowid of the last of the first rows.
func (w *weekFile) lastOf(t *testing.T, n int) (rowid int64) {
	require.NoError(t, w.reader.QueryRow("SELECT k FROM event ORDER BY k LIMIT 1 OFFSET ?", n-1).Scan(&rowid))
	return rowid
}

// TestAWeekWithoutItsDictionaryIsDamaged breaks what the documents need in several ways.
func TestAWeekWithoutItsDictionaryIsDamaged(t *testing.T) {
	for name, breaks := range map[string]string{
		"gone":      "DELETE FROM dictionary",
		"cut":       "UPDATE dictionary SET text = substr(text, 1, 100)",
		"other":     "UPDATE dictionary SET n = n + 1",
		"no rows":   "UPDATE dictionary SET samples = x'00'",
		"no number": "UPDATE dictionary SET n = -1",
		"no table":  "DROP TABLE dictionary",
	} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(4, 4))
			dir := t.TempDir()
			x := openForFaults(t, dir)
			events := storyEvents(random, 0, 300)
			_, err := x.Create(t.Context(), events)
			require.NoError(t, err)
			week := events[0].Week()
			require.NoError(t, x.Seal(t.Context(), week))
			require.NoError(t, x.Close())
			path := filepath.Join(dir, week.String()+sealedEnding)
			require.NoError(t, os.Remove(filepath.Join(dir, week.String()+sumEnding)))
			pool, err := openPool(path, access{write: true, journal: "DELETE", connections: 1, cacheKB: 1 << 10})
			require.NoError(t, err)
			_, err = pool.Exec(breaks)
			require.NoError(t, err)
			require.NoError(t, pool.Close())

			x = openForFaults(t, dir)
			_, _, err = x.Scan(t.Context(), week, "", 100)
			var damaged *event.WeekDamaged
			require.ErrorAs(t, err, &damaged)
		})
	}
}

// TestAWeekFromBeforeDictionariesIsReadAndWrittenOn opens files of the version before, one
// of them sealed, without migrating them.
func TestAWeekFromBeforeDictionariesIsReadAndWrittenOn(t *testing.T) {
	for _, sealed := range []bool{true, false} {
		t.Run(fmt.Sprint("sealed ", sealed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(5, 5))
			dir := t.TempDir()
			x := openForFaults(t, dir)
			events := storyEvents(random, 0, 12) // so few have no dictionary
			_, err := x.Create(t.Context(), events)
			require.NoError(t, err)
			week, ending := events[0].Week(), openEnding
			if sealed {
				require.NoError(t, x.Seal(t.Context(), week))
				ending = sealedEnding
			}
			require.NoError(t, x.Close())
			pool, err := openPool(filepath.Join(dir, week.String()+ending), access{write: true, journal: "DELETE", connections: 1, cacheKB: 1 << 10})
			require.NoError(t, err)
			_, err = pool.Exec(fmt.Sprint("DROP TABLE dictionary; PRAGMA user_version = ", withoutDictionaries))
			require.NoError(t, err)
			require.NoError(t, pool.Close())
			if sealed {
				require.NoError(t, os.Remove(filepath.Join(dir, week.String()+sumEnding)))
			}

			x = openForFaults(t, dir)
			requireStored(t, x, week, events)
			deleted, _, err := x.EraseRecipient(t.Context(), events[0].Workspace, events[0].Recipient.Email)
			require.NoError(t, err)
			require.Len(t, deleted, 1)
			events = events[1:]
			requireStored(t, x, week, events)
			require.NoError(t, x.Unseal(t.Context(), week))
			more := storyEvents(random, 12, 400)
			_, err = x.Create(t.Context(), more)
			require.NoError(t, err)
			events = append(events, more...)
			require.NoError(t, x.Seal(t.Context(), week))
			requireStored(t, x, week, events)
			packed, _ := packedIn(t, x, week)
			require.Equal(t, len(events), packed)
		})
	}
}

// TestAWeekIsReadWhileItsDocumentsArePackedAgain reads a week from before it is packed
// again until it is sealed.
func TestAWeekIsReadWhileItsDocumentsArePackedAgain(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	x := openForFaults(t, t.TempDir())
	events := storyEvents(random, 0, 300)
	_, err := x.Create(t.Context(), events)
	require.NoError(t, err)
	week := events[0].Week()
	require.NoError(t, x.Seal(t.Context(), week))
	require.NoError(t, x.Unseal(t.Context(), week))
	require.NoError(t, x.using(t.Context(), week, false, func(file *weekFile, _ bool) error {
		before, err := file.reader.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { require.NoError(t, before.Rollback()) }()
		var first int64
		require.NoError(t, before.QueryRow("SELECT min(k) FROM event").Scan(&first))
		require.NoError(t, file.packDocuments(t.Context(), x.documents, nil))
		rows, err := before.Query("SELECT k, space, id, doc FROM event ORDER BY k")
		require.NoError(t, err)
		earlier, err := file.scanRows(rows)
		require.NoError(t, err, "who reads an earlier moment knows the dictionary of then")
		require.Len(t, earlier, len(events))
		now, err := file.rowsBetween(t.Context(), 0, 1<<62)
		require.NoError(t, err)
		require.Len(t, now, len(events))
		return nil
	}))
	done := make(chan error, 1)
	go func() { done <- x.Seal(t.Context(), week) }()
	for sealing := true; sealing; {
		select {
		case err := <-done:
			require.NoError(t, err)
			sealing = false
		default:
			found, _, err := x.Scan(t.Context(), week, "", 1000)
			require.NoError(t, err)
			require.Len(t, found, len(events))
		}
	}
	requireStored(t, x, week, events)
}

// wordyEvent is an event of a few of so many words, which may be long.
func wordyEvent(random *rand.Rand, key, words int) event.Event {
	e := faultEvent([]string{"w", "v"}[random.IntN(2)], fmt.Sprint(key), "")
	text := func(most int) (text string) {
		for range random.IntN(most) {
			n := random.IntN(words)
			text += fmt.Sprintf("%cord%ding ", 'a'+n%26, n)
		}
		return text
	}
	e.Subject, e.Body = text(8), text(60)
	e.Recipient = &event.Person{Email: fmt.Sprintf("jo%d@acme.example", random.IntN(40))}
	if random.IntN(80) == 0 {
		e.Body = text(3000)
	}
	return e
}
