package limit_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/limit"
)

func TestABucketFillsAgain(t *testing.T) {
	now := time.Date(2026, time.November, 16, 12, 0, 0, 0, time.UTC)
	b := limit.NewBuckets[string](limit.Rate{PerSecond: 2, Burst: 10}, 100, func() time.Time { return now })
	require.Equal(t, 4, b.Take("a", 6).Left)
	refused := b.Take("a", 6)
	require.Equal(t, time.Second, refused.After)
	require.Equal(t, 4, refused.Left, "nothing is taken")
	require.Equal(t, 3*time.Second, refused.Full)
	require.Zero(t, b.Take("b", 10).After, "another key has a bucket of its own")
	now = now.Add(time.Second)
	require.Zero(t, b.Take("a", 6).After)
	b.Give("a", 3)
	require.Equal(t, 3, b.Take("a", 0).Left)
	now = now.Add(time.Hour)
	require.Zero(t, b.Take("a", 50).After, "more than a bucket holds is taken from a full one")
	require.Equal(t, 5*time.Second, limit.Rate{PerSecond: 2, Burst: 10}.Window())
}

// However many of one group wait, another's first waits for at most one round.
func TestSlotsAreTakenByTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := limit.NewSlots(1, 1, 40)
		held, err := s.Take(t.Context(), "busy", "a")
		require.NoError(t, err)
		let := make(chan string, 100)
		wait := func(group, member string) {
			go func() {
				release, err := s.Take(t.Context(), group, member)
				if err != nil {
					let <- err.Error()
					return
				}
				let <- group + "/" + member
				release()
			}()
			synctest.Wait()
		}
		for range 40 {
			wait("busy", "a")
		}
		wait("busy", "a")
		require.Equal(t, limit.ErrTooMany.Error(), <-let)
		wait("busy", "b")
		wait("quiet", "c")
		held()
		synctest.Wait()
		require.Equal(t, "busy/a", <-let)
		require.Equal(t, "quiet/c", <-let)
		require.Equal(t, "busy/b", <-let)
		require.Len(t, let, 39)
		release, err := s.Take(t.Context(), "busy", "a")
		require.NoError(t, err, "the slot is free again")
		release()
		release()
	})
}

// However long those of one group take, one slot is left for who comes from another.
func TestAGroupLeavesASlotToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := limit.NewSlots(4, 1, 40)
		var held []func()
		for range 3 {
			release, err := s.Take(t.Context(), "busy", "a")
			require.NoError(t, err)
			held = append(held, release)
		}
		let := make(chan func(), 1)
		go func() {
			if release, err := s.Take(t.Context(), "busy", "b"); err == nil {
				let <- release
			}
		}()
		synctest.Wait()
		require.Empty(t, let)
		other, err := s.Take(t.Context(), "quiet", "c")
		require.NoError(t, err)
		other()
		synctest.Wait()
		require.Empty(t, let, "a slot that is given back stays for others")
		held[0]()
		synctest.Wait()
		require.Empty(t, let, "another has asked just now")
		time.Sleep(time.Minute)
		held[1]()
		(<-let)()
	})
}

// While others ask, one group has its share; what it waits for it has once they do not.
func TestAGroupHasItsShareWhileOthersAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := limit.NewSlots(8, 2, 40)
		take := func(group string) func() {
			release, err := s.Take(t.Context(), group, "a")
			require.NoError(t, err)
			return release
		}
		for _, other := range []string{"one", "another", "one"} {
			take(other)()
		}
		held := []func(){take("busy"), take("busy")}
		let := make(chan func(), 10)
		for range 5 {
			go func() {
				if release, err := s.Take(t.Context(), "busy", "b"); err == nil {
					let <- release
				}
			}()
		}
		synctest.Wait()
		require.Empty(t, let)
		held[0]()
		synctest.Wait()
		require.Len(t, let, 1, "one for one")
		time.Sleep(time.Minute)
		held[1]()
		synctest.Wait()
		require.Len(t, let, 5, "all that wait, when nobody else asks any more")
		for range 5 {
			(<-let)()
		}
	})
}

// What takes long has half of a group's share, and what is short all of it.
func TestASlotThatWasHeldForLongRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := limit.NewSlots(4, 1, 40)
		hold := func(group string, length time.Duration) {
			release, err := s.Take(t.Context(), group, "a")
			require.NoError(t, err)
			time.Sleep(length)
			release()
		}
		busy := func(length time.Duration, others bool) time.Duration {
			began := time.Now()
			for range 10 {
				if others {
					hold("quiet", 0)
				}
				hold("busy", length)
			}
			return time.Since(began)
		}
		require.Equal(t, 1900*time.Millisecond, busy(100*time.Millisecond, true), "it begins again after as long")
		time.Sleep(time.Minute)
		require.Equal(t, 100*time.Millisecond, busy(10*time.Millisecond, true))
		time.Sleep(time.Minute)
		require.Equal(t, 27*time.Second, busy(2*time.Second+700*time.Millisecond, false), "nobody else asks")
		require.Equal(t, 36*time.Second, busy(2*time.Second+700*time.Millisecond, true), "no longer than a second")
	})
}

func TestSlotsAreNeitherLostNorMade(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(t *testing.T) {
			n := rapid.IntRange(1, 3).Draw(rt, "slots")
			s := limit.NewSlots(n, 1, 5)
			var running atomic.Int64
			for range rapid.IntRange(1, 30).Draw(rt, "takers") {
				group := fmt.Sprint(rapid.IntRange(0, 2).Draw(rt, "group"))
				member := fmt.Sprint(rapid.IntRange(0, 2).Draw(rt, "member"))
				patience := time.Duration(rapid.IntRange(0, 5).Draw(rt, "patience"))
				work := time.Duration(rapid.IntRange(0, 40).Draw(rt, "work"))
				go func() {
					ctx, cancel := context.WithTimeout(t.Context(), patience*time.Millisecond)
					defer cancel()
					release, err := s.Take(ctx, group, member)
					if err != nil {
						return
					}
					if now := running.Add(1); now > int64(n) {
						rt.Errorf("%d run at once", now)
					}
					time.Sleep(work * time.Millisecond)
					running.Add(-1)
					release()
				}()
				synctest.Wait()
			}
			time.Sleep(3 * time.Second)
			for i := range n {
				_, err := s.Take(t.Context(), fmt.Sprint("last-", i), "last")
				require.NoError(rt, err)
			}
		})
	})
}
