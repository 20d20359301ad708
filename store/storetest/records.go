package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// RecordsHarness opens the store of records under test.
type RecordsHarness struct {
	// Open opens the store at a path; see IndexHarness.Open.
	Open func(t testing.TB, path string) Records
	// NoReopening excuses from finding everything again after Close.
	NoReopening Excuse
}

// RunRecords runs the whole suite.
func RunRecords(t *testing.T, h RecordsHarness) {
	ctx := context.Background()
	open := func(t *testing.T) (Records, string) {
		path := t.TempDir() + "/records"
		records := h.Open(t, path)
		t.Cleanup(func() { _ = records.Close() })
		return records, path
	}
	doc := func(text string) json.RawMessage { return json.RawMessage(`{"name":"` + text + `"}`) }

	t.Run("what is put is got", func(t *testing.T) {
		records, _ := open(t)
		require.NoError(t, records.Put(ctx, "w", "user", "u_ana", doc("Ana")))
		require.NoError(t, records.Put(ctx, "w", "user", "u_ana", doc("Ana M.")))
		got, err := records.Get(ctx, "w", "user", "u_ana")
		require.NoError(t, err)
		require.JSONEq(t, string(doc("Ana M.")), string(got))
	})
	t.Run("workspace, kind and id all count", func(t *testing.T) {
		records, _ := open(t)
		require.NoError(t, records.Put(ctx, "w", "user", "u", doc("Ana")))
		for _, key := range [][3]string{{"v", "user", "u"}, {"w", "team", "u"}, {"w", "user", "U"}, {"w", "user", ""}, {"wu", "ser", "u"}} {
			_, err := records.Get(ctx, key[0], key[1], key[2])
			require.ErrorIs(t, err, event.ErrNotFound, "%q", key)
		}
	})
	t.Run("what is deleted is not there", func(t *testing.T) {
		records, _ := open(t)
		require.NoError(t, records.Put(ctx, "w", "key", "k", doc("k")))
		for range 2 {
			require.NoError(t, records.Delete(ctx, "w", "key", "k"))
		}
		_, err := records.Get(ctx, "w", "key", "k")
		require.ErrorIs(t, err, event.ErrNotFound)
	})
	t.Run("of several who swap one succeeds", func(t *testing.T) {
		records, _ := open(t)
		for _, old := range []json.RawMessage{nil, doc("0")} {
			var swapping sync.WaitGroup
			var swapped atomic.Int64
			for range 8 {
				swapping.Go(func() {
					err := records.Swap(ctx, "w", "note", "n", old, doc(strconv.Itoa(len(old))))
					switch {
					case err == nil:
						swapped.Add(1)
					case !errors.Is(err, event.ErrConflict):
						t.Errorf("swapped: %v", err)
					}
				})
			}
			swapping.Wait()
			require.Equal(t, int64(1), swapped.Load())
			got, err := records.Get(ctx, "w", "note", "n")
			require.NoError(t, err)
			require.Equal(t, string(doc(strconv.Itoa(len(old)))), string(got))
		}
		require.ErrorIs(t, records.Swap(ctx, "w", "note", "other", doc("0"), doc("1")), event.ErrConflict)
		require.ErrorIs(t, records.Swap(ctx, "v", "note", "n", doc("0"), doc("1")), event.ErrConflict)
	})
	t.Run("of several takers one has it", func(t *testing.T) {
		records, _ := open(t)
		require.NoError(t, records.Put(ctx, "w", "link", "k", doc("k")))
		var taking sync.WaitGroup
		var taken atomic.Int64
		for range 8 {
			taking.Go(func() {
				got, err := records.Take(ctx, "w", "link", "k")
				switch {
				case err == nil && string(got) == string(doc("k")):
					taken.Add(1)
				case !errors.Is(err, event.ErrNotFound):
					t.Errorf("took %s: %v", got, err)
				}
			})
		}
		taking.Wait()
		require.Equal(t, int64(1), taken.Load())
		_, err := records.Get(ctx, "w", "link", "k")
		require.ErrorIs(t, err, event.ErrNotFound)
	})
	t.Run("a list is of one kind and by id", func(t *testing.T) {
		records, _ := open(t)
		for _, id := range []string{"b", "ä", "a/1", "a", "B"} {
			require.NoError(t, records.Put(ctx, "w", "search", id, doc(id)))
			require.NoError(t, records.Put(ctx, "v", "search", id+"-v", doc(id)))
			require.NoError(t, records.Put(ctx, "w", "team", id+"-t", doc(id)))
		}
		list, err := records.List(ctx, "w", "search")
		require.NoError(t, err)
		var ids []string
		for _, record := range list {
			ids = append(ids, record.ID)
			require.JSONEq(t, string(doc(record.ID)), string(record.Doc))
		}
		require.Equal(t, []string{"B", "a", "a/1", "b", "ä"}, ids)
		list, err = records.List(ctx, "w", "nothing")
		require.NoError(t, err)
		require.Empty(t, list)
	})
	t.Run("records are there after reopening", func(t *testing.T) {
		h.NoReopening.check(t)
		records, path := open(t)
		require.NoError(t, records.Put(ctx, "w", "key", "k", doc("kept")))
		require.NoError(t, records.Close())
		again := h.Open(t, path)
		defer func() { require.NoError(t, again.Close()) }()
		got, err := again.Get(ctx, "w", "key", "k")
		require.NoError(t, err)
		require.JSONEq(t, string(doc("kept")), string(got))
	})
}
