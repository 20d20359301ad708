package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/notify"
)

// NotifyHarness opens the store of notifications under test, empty.
type NotifyHarness struct {
	Open func(t testing.TB) notify.Store
}

func eventOf(workspace, id string) event.ID {
	return event.NewID(1_795_000_000, workspace, "test", true, []byte(id))
}

// concluded is a decision that a user was told of an event.
func concluded(workspace, user, id string, at int64) notify.Decision {
	return notify.Decision{
		ID: id, Workspace: workspace, User: user, Event: eventOf(workspace, "event of "+id), Message: "m", Kind: "open", Outcome: notify.Notified,
		Channels: []notify.Channel{notify.InPage}, At: at, Version: 1,
	}
}

func decisionIDs(decisions []notify.Decision) []string {
	ids := []string{}
	for _, d := range decisions {
		ids = append(ids, d.ID)
	}
	return ids
}

// RunNotify runs the whole suite.
func RunNotify(t *testing.T, h NotifyHarness) {
	t.Run("decisions", func(t *testing.T) { runDecisions(t, h) })
	t.Run("claims and notes", func(t *testing.T) { runClaims(t, h) })
}

func runDecisions(t *testing.T, h NotifyHarness) {
	ctx := context.Background()
	t.Run("what is there is left as it is", func(t *testing.T) {
		store := h.Open(t)
		first := concluded("w", "ana", "a", 1)
		require.NoError(t, store.Add(ctx, []notify.Decision{first}))
		again := first
		again.Outcome = notify.Not
		require.NoError(t, store.Add(ctx, []notify.Decision{again, concluded("v", "ana", "a", 1)}))
		require.NoError(t, store.Add(ctx, nil))
		page, next, err := store.Page(ctx, "w", notify.Filter{}, "", 10)
		require.NoError(t, err)
		require.Empty(t, next)
		require.Equal(t, []notify.Decision{first}, page)
		counts, err := store.Unread(ctx, []notify.Reader{{Workspace: "w", User: "ana"}, {Workspace: "v", User: "ana"}, {Workspace: "w", User: "ben"}}, 10)
		require.NoError(t, err)
		require.Equal(t, []int{1, 1, 0}, counts)
	})
	t.Run("one is replaced over the version before", func(t *testing.T) {
		store := h.Open(t)
		d := concluded("w", "ana", "a", 1)
		require.NoError(t, store.Add(ctx, []notify.Decision{d}))
		unread := func() int {
			counts, err := store.Unread(ctx, []notify.Reader{{Workspace: "w", User: "ana"}}, 10)
			require.NoError(t, err)
			return counts[0]
		}
		require.Equal(t, 1, unread())
		d.Outcome, d.Version = notify.Withdrawn, 2
		for _, want := range []bool{true, false} {
			done, err := store.Replace(ctx, d)
			require.NoError(t, err)
			require.Equal(t, want, done)
		}
		require.Zero(t, unread())
		found, err := store.OfEvents(ctx, []notify.About{{Workspace: "w", Event: d.Event}})
		require.NoError(t, err)
		require.Equal(t, []notify.Decision{d}, found)
	})
	t.Run("those of events, of several workspaces", func(t *testing.T) {
		store := h.Open(t)
		var all []notify.Decision
		var about []notify.About
		for _, workspace := range []string{"v", "w"} {
			for i := range 40 {
				d := concluded(workspace, "ana", fmt.Sprintf("d%02d", i), 1)
				other := d
				other.ID, other.User = d.ID+"-ben", "ben"
				all = append(all, d, other)
				about = append(about, notify.About{Workspace: workspace, Event: d.Event})
			}
		}
		require.NoError(t, store.Add(ctx, all))
		found, err := store.OfEvents(ctx, append(about, notify.About{Workspace: "w", Event: eventOf("w", "unknown")}))
		require.NoError(t, err)
		require.Equal(t, all, found)
		found, err = store.OfEvents(ctx, []notify.About{{Workspace: "v", Event: all[len(all)-1].Event}})
		require.NoError(t, err)
		require.Empty(t, found, "another workspace's")
		found, err = store.OfEvents(ctx, nil)
		require.NoError(t, err)
		require.Empty(t, found)
	})
	t.Run("pages, newest first, of what is asked for", func(t *testing.T) {
		store := h.Open(t)
		var all []notify.Decision
		for i := range 7 {
			d := concluded("w", "ana", fmt.Sprintf("d%d", i), int64(i/2))
			if i%3 == 0 {
				d.Kind, d.Message = "reply", "other"
			}
			if i == 5 {
				d.Outcome, d.Check = notify.Not, notify.CheckMute
			}
			all = append(all, d)
		}
		all = append(all, concluded("w", "ben", "b", 9), concluded("v", "ana", "v", 9))
		require.NoError(t, store.Add(ctx, all))
		var got []string
		for after, more := "", true; more; {
			page, next, err := store.Page(ctx, "w", notify.Filter{User: "ana"}, after, 2)
			require.NoError(t, err)
			got, after, more = append(got, decisionIDs(page)...), next, next != ""
		}
		require.Equal(t, []string{"d6", "d5", "d4", "d3", "d2", "d1", "d0"}, got)
		for _, c := range []struct {
			filter notify.Filter
			want   []string
		}{
			{notify.Filter{User: "ana", Kind: "reply"}, []string{"d6", "d3", "d0"}},
			{notify.Filter{User: "ana", Outcome: notify.Not}, []string{"d5"}},
			{notify.Filter{Message: "other"}, []string{"d6", "d3", "d0"}},
			{notify.Filter{User: "ben"}, []string{"b"}},
			{notify.Filter{ID: "d4", User: "ana"}, []string{"d4"}},
			{notify.Filter{ID: "d4", User: "ben"}, []string{}},
			{notify.Filter{ID: "v"}, []string{}},
		} {
			page, _, err := store.Page(ctx, "w", c.filter, "", 10)
			require.NoError(t, err)
			require.Equal(t, c.want, decisionIDs(page))
		}
		_, _, err := store.Page(ctx, "w", notify.Filter{}, "nonsense", 2)
		require.ErrorIs(t, err, event.ErrInvalid)
	})
	t.Run("what was read is not unread", func(t *testing.T) {
		store := h.Open(t)
		var all []notify.Decision
		for i := range 5 {
			all = append(all, concluded("w", "ana", fmt.Sprintf("d%d", i), int64(i)))
		}
		all = append(all, concluded("w", "ben", "b", 1))
		require.NoError(t, store.Add(ctx, all))
		unread := func(user string, most int) int {
			counts, err := store.Unread(ctx, []notify.Reader{{Workspace: "w", User: user}}, most)
			require.NoError(t, err)
			return counts[0]
		}
		require.Equal(t, 3, unread("ana", 3), "up to most")
		require.NoError(t, store.Read(ctx, "w", "ana", []string{"d1", "d3", "b"}))
		require.Equal(t, 3, unread("ana", 10))
		page, _, err := store.Page(ctx, "w", notify.Filter{User: "ana", Unread: true}, "", 10)
		require.NoError(t, err)
		require.Equal(t, []string{"d4", "d2", "d0"}, decisionIDs(page))
		require.NoError(t, store.Add(ctx, []notify.Decision{concluded("w", "ana", "new", 9)}))
		require.Equal(t, 4, unread("ana", 10))
		require.NoError(t, store.Read(ctx, "w", "ana", nil))
		require.Zero(t, unread("ana", 10))
		require.Equal(t, 1, unread("ben", 10))
		found, err := store.OfEvents(ctx, []notify.About{{Workspace: "w", Event: all[0].Event}})
		require.NoError(t, err)
		require.True(t, found[0].Read)
	})
	t.Run("counts are right while others write", func(t *testing.T) {
		store := h.Open(t)
		var writing sync.WaitGroup
		for writer := range 4 {
			writing.Go(func() {
				for i := range 10 {
					if err := store.Add(ctx, []notify.Decision{concluded("w", "ana", fmt.Sprintf("d%d-%d", writer, i), int64(i))}); err != nil {
						t.Error(err)
					}
					if _, err := store.Unread(ctx, []notify.Reader{{Workspace: "w", User: "ana"}}, 100); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writing.Wait()
		counts, err := store.Unread(ctx, []notify.Reader{{Workspace: "w", User: "ana"}}, 100)
		require.NoError(t, err)
		require.Equal(t, []int{40}, counts)
	})
	t.Run("an erased person's rules have no name any more", func(t *testing.T) {
		store := h.Open(t)
		lee := event.KeyOf("lee@dox.test")
		named, deleted, others := concluded("w", "ana", "named", 1), concluded("w", "ana", "deleted", 2), concluded("w", "ana", "others", 3)
		named.Rules, deleted.Rules, others.Rules = []string{"opens of lee"}, []string{"lee again"}, []string{"hot"}
		deleted.Person = lee
		require.NoError(t, store.Add(ctx, []notify.Decision{named, deleted, others}))
		_, err := store.Claim(ctx, []notify.Claim{{Workspace: "w", Key: "once|ana|lee again|1", Event: named.Event}}, 1)
		require.NoError(t, err)
		for _, key := range []string{"rule|opens of lee|1|x", "rule|hot|1|x"} {
			_, err := store.SwapNote(ctx, "w", key, nil, []byte("{}"), 1)
			require.NoError(t, err)
		}
		for range 2 {
			require.NoError(t, store.Forget(ctx, "w", notify.Forgotten{
				Person: lee, Rules: map[string]bool{"opens of lee": true}, Kept: map[string]bool{"hot": true},
			}))
		}
		page, _, err := store.Page(ctx, "w", notify.Filter{}, "", 10)
		require.NoError(t, err)
		require.Equal(t, []string{"hot"}, page[0].Rules)
		require.Empty(t, page[1].Rules)
		require.Empty(t, page[2].Rules)
		holders, err := store.Claim(ctx, []notify.Claim{{Workspace: "w", Key: "once|ana|lee again|1", Event: deleted.Event}}, 1)
		require.NoError(t, err)
		require.Equal(t, []event.ID{deleted.Event}, holders, "it is free")
		gone, err := store.Note(ctx, "w", "rule|opens of lee|1|x")
		require.NoError(t, err)
		require.Nil(t, gone)
		kept, err := store.Note(ctx, "w", "rule|hot|1|x")
		require.NoError(t, err)
		require.NotNil(t, kept)
	})
}

func runClaims(t *testing.T, h NotifyHarness) {
	ctx := context.Background()
	t.Run("who comes first has a key", func(t *testing.T) {
		store := h.Open(t)
		a, b := eventOf("w", "a"), eventOf("w", "b")
		holders, err := store.Claim(ctx, []notify.Claim{{Workspace: "w", Key: "k", Event: a}, {Workspace: "w", Key: "k", Event: b}, {Workspace: "v", Key: "k", Event: b}}, 1)
		require.NoError(t, err)
		require.Equal(t, []event.ID{a, a, b}, holders)
		require.NoError(t, store.Release(ctx, "w", "k", b))
		holders, err = store.Claim(ctx, []notify.Claim{{Workspace: "w", Key: "k", Event: b}}, 2)
		require.NoError(t, err)
		require.Equal(t, []event.ID{a}, holders, "another's is not taken")
		require.NoError(t, store.Release(ctx, "w", "k", a))
		holders, err = store.Claim(ctx, []notify.Claim{{Workspace: "w", Key: "k", Event: b}}, 2)
		require.NoError(t, err)
		require.Equal(t, []event.ID{b}, holders)
	})
	t.Run("of many at once one has it", func(t *testing.T) {
		store := h.Open(t)
		var asking sync.WaitGroup
		var mu sync.Mutex
		winners := make(map[event.ID]bool)
		for i := range 8 {
			asking.Go(func() {
				holders, err := store.Claim(ctx, []notify.Claim{{Workspace: "w", Key: "k", Event: eventOf("w", fmt.Sprint(i))}}, 1)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				winners[holders[0]] = true
			})
		}
		asking.Wait()
		require.Len(t, winners, 1)
	})
	t.Run("a note is written over the one that was read", func(t *testing.T) {
		store := h.Open(t)
		found, err := store.Note(ctx, "w", "k")
		require.NoError(t, err)
		require.Nil(t, found)
		for _, c := range []struct {
			old, doc string
			done     bool
		}{{"", "1", true}, {"", "2", false}, {"1", "3", true}, {"1", "4", false}} {
			var old []byte
			if c.old != "" {
				old = []byte(c.old)
			}
			done, err := store.SwapNote(ctx, "w", "k", old, []byte(c.doc), 1)
			require.NoError(t, err)
			require.Equal(t, c.done, done)
		}
		found, err = store.Note(ctx, "w", "k")
		require.NoError(t, err)
		require.Equal(t, "3", string(found))
	})
	t.Run("what is old goes", func(t *testing.T) {
		store := h.Open(t)
		var all []notify.Decision
		for i := range 10 {
			all = append(all, concluded("w", "ana", fmt.Sprintf("d%d", i), int64(i)))
		}
		require.NoError(t, store.Add(ctx, all))
		for i := range 10 {
			key := fmt.Sprint("k", i)
			_, err := store.Claim(ctx, []notify.Claim{{Workspace: "w", Key: key, Event: all[i].Event}}, int64(i))
			require.NoError(t, err)
			_, err = store.SwapNote(ctx, "w", key, nil, []byte("{}"), int64(i))
			require.NoError(t, err)
		}
		require.NoError(t, store.Expire(ctx, 7))
		page, _, err := store.Page(ctx, "w", notify.Filter{}, "", 100)
		require.NoError(t, err)
		require.Equal(t, []string{"d9", "d8", "d7"}, decisionIDs(page))
		counts, err := store.Unread(ctx, []notify.Reader{{Workspace: "w", User: "ana"}}, 100)
		require.NoError(t, err)
		require.Equal(t, []int{3}, counts)
		for i := range 10 {
			note, err := store.Note(ctx, "w", fmt.Sprint("k", i))
			require.NoError(t, err)
			require.Equal(t, i >= 7, note != nil)
			holders, err := store.Claim(ctx, []notify.Claim{{Workspace: "w", Key: fmt.Sprint("k", i), Event: eventOf("w", "other")}}, 9)
			require.NoError(t, err)
			require.Equal(t, i < 7, holders[0] == eventOf("w", "other"))
		}
	})
}
