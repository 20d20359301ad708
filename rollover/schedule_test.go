package rollover_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/rollover"
)

// quiet is an installation in which nothing is to be done; it notes when it was
// asked to expire states, which every run does once, and what was opened.
type quiet struct {
	mu     sync.Mutex
	runs   []time.Time
	opened []event.Week
	away   bool
	// damaged is a week that cannot be opened.
	damaged event.Week
}

func (q *quiet) WeekInfos(context.Context) ([]event.WeekInfo, error) { return nil, nil }
func (q *quiet) Prepare(context.Context, event.Week) error           { return nil }
func (q *quiet) Drop(context.Context, event.Week) error              { return nil }
func (q *quiet) Seal(context.Context, event.Week) error              { return nil }
func (q *quiet) Unlist(context.Context, event.Week) error            { return nil }
func (q *quiet) Purged(context.Context, []event.MessageKey) error    { return nil }
func (q *quiet) Forget(context.Context, time.Time) (int, error)      { return 0, nil }

func (q *quiet) RemoveSends(context.Context, event.Week, []event.MessageKey) (int, error) {
	return 0, nil
}

func (q *quiet) Finished(context.Context, time.Time, int) ([]rollover.Finished, error) {
	return nil, nil
}

func (q *quiet) Unseal(_ context.Context, week event.Week) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if week == q.damaged {
		return &event.WeekDamaged{Week: week}
	}
	q.opened = append(q.opened, week)
	return nil
}

func (q *quiet) Expire(_ context.Context, now time.Time) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.away {
		q.away = false
		return 0, errors.New("the state store is away")
	}
	q.runs = append(q.runs, now.UTC().Round(0))
	return 0, nil
}

func (q *quiet) made() []time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]time.Time(nil), q.runs...)
}

// oneAtATime is a lease between goroutines.
type oneAtATime struct{ mu sync.Mutex }

func (l *oneAtATime) RunUnderLease(ctx context.Context, _ string, _ time.Duration, f func(context.Context) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return f(ctx)
}

func keeping(q *quiet, n *notes, leases rollover.Leases) *rollover.Rollover {
	return rollover.New(rollover.Config{
		Weeks: q, Blocks: q, States: q, Catalogue: q, Notes: n, Leases: leases, Logger: slog.New(slog.DiscardHandler),
	})
}

func TestARunIsMadeAtStartAndEachNightByOneProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, n, leases := &quiet{}, &notes{wanted: map[event.Week]bool{}}, &oneAtATime{}
		ctx, stop := context.WithCancel(t.Context())
		began := time.Now().UTC()
		night := rollover.TimeOfDay{Hour: 2, Minute: 30}
		var keepers sync.WaitGroup
		for range 3 {
			keepers.Go(func() { require.NoError(t, keeping(q, n, leases).Keep(ctx, night)) })
		}
		time.Sleep(2*24*time.Hour + time.Hour)
		first := night.Next(began)
		require.Equal(t, []time.Time{began, first, first.AddDate(0, 0, 1)}, q.made())
		stop()
		keepers.Wait()
	})
}

func TestARunThatFailedIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, n := &quiet{away: true}, &notes{wanted: map[event.Week]bool{}}
		ctx, stop := context.WithCancel(t.Context())
		began := time.Now().UTC()
		keeper := keeping(q, n, nobodyElse{})
		var running sync.WaitGroup
		running.Go(func() {
			require.NoError(t, keeper.Keep(ctx, rollover.TimeOfDay{Hour: 23, Minute: 59}))
		})
		time.Sleep(time.Minute)
		require.True(t, keeper.LastMade().IsZero())
		time.Sleep(time.Hour)
		require.Equal(t, []time.Time{began.Add(5 * time.Minute)}, q.made())
		require.True(t, began.Add(5*time.Minute).Equal(keeper.LastMade()))
		stop()
		running.Wait()
	})
}

func TestAWantedWeekIsOpenWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, n := &quiet{}, &notes{wanted: map[event.Week]bool{}}
		ctx, stop := context.WithCancel(t.Context())
		var keeper sync.WaitGroup
		keeper.Go(func() { require.NoError(t, keeping(q, n, nobodyElse{}).KeepUnblocking(ctx)) })
		time.Sleep(10 * time.Second)
		require.Empty(t, q.opened)
		n.want(2900)
		time.Sleep(time.Second + time.Millisecond)
		synctest.Wait()
		require.Equal(t, []event.Week{2900}, q.opened)
		left, err := n.WantedWeeks(ctx)
		require.NoError(t, err)
		require.Empty(t, left)
		stop()
		keeper.Wait()
	})
}

// The events of a damaged week wait elsewhere, so nobody waits for it to be opened, and
// those behind it are.
func TestADamagedWeekThatIsWantedHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, n := &quiet{damaged: 2900}, &notes{wanted: map[event.Week]bool{}}
		ctx, stop := context.WithCancel(t.Context())
		var keeper sync.WaitGroup
		keeper.Go(func() { require.NoError(t, keeping(q, n, nobodyElse{}).KeepUnblocking(ctx)) })
		n.want(2900)
		n.want(2901)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		left, err := n.WantedWeeks(ctx)
		require.NoError(t, err)
		require.Empty(t, left)
		require.Equal(t, []event.Week{2901}, q.opened)
		stop()
		keeper.Wait()
	})
}

func TestNextIsLaterThanNow(t *testing.T) {
	night := rollover.TimeOfDay{Hour: 2, Minute: 30}
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return parsed
	}
	for _, c := range []struct{ now, next string }{
		{"2026-11-21T02:29:59Z", "2026-11-21T02:30:00Z"},
		{"2026-11-21T02:30:00Z", "2026-11-22T02:30:00Z"},
		{"2026-12-31T23:00:00Z", "2027-01-01T02:30:00Z"},
		{"2026-11-21T01:00:00-05:00", "2026-11-22T02:30:00Z"},
	} {
		require.Equal(t, at(c.next), night.Next(at(c.now)), c.now)
	}
	var read rollover.TimeOfDay
	require.NoError(t, read.UnmarshalText([]byte("2:30")))
	require.Equal(t, night, read)
	require.ErrorContains(t, read.UnmarshalText([]byte("24:00")), "not a time of day")
}

func TestANightFollowsAClockThatIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, n := &quiet{}, &notes{wanted: map[event.Week]bool{}}
		ctx, stop := context.WithCancel(t.Context())
		var ahead atomic.Int64
		keeper := keeping(q, n, nobodyElse{})
		keeper.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		var running sync.WaitGroup
		running.Go(func() { require.NoError(t, keeper.Keep(ctx, rollover.TimeOfDay{Hour: 23, Minute: 59})) })
		time.Sleep(time.Second)
		require.Len(t, q.made(), 1)
		ahead.Store(int64(24 * time.Hour))
		time.Sleep(2 * time.Minute)
		require.Len(t, q.made(), 2, "the night came with the clock")
		stop()
		running.Wait()
	})
}
