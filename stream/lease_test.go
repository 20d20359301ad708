package stream

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const shortLease = 400 * time.Millisecond

func TestOneOfTwoContendersHoldsTheLease(t *testing.T) {
	s := open(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	var overlaps, terms atomic.Int64
	var holder atomic.Pointer[context.Context]
	done := make(chan error, 2)
	for range 2 {
		go func() {
			var err error
			for err == nil {
				err = s.RunUnderLease(ctx, "job", shortLease, func(ctx context.Context) error {
					// Who has been told that it is over may need a moment to go.
					if other := holder.Swap(&ctx); other != nil && (*other).Err() == nil {
						overlaps.Add(1)
					}
					defer holder.CompareAndSwap(&ctx, nil)
					terms.Add(1)
					select {
					case <-ctx.Done():
					case <-time.After(2 * shortLease): // longer than it lasts unrenewed
					}
					return ctx.Err()
				})
			}
			done <- err
		}()
	}
	eventually(t, "several terms", func() bool { return terms.Load() >= 4 })
	cancel()
	for range 2 {
		require.ErrorIs(t, <-done, context.Canceled)
	}
	require.Zero(t, overlaps.Load())
}

func TestOtherLeasesAreIndependent(t *testing.T) {
	s := open(t, Config{})
	err := s.RunUnderLease(t.Context(), "one", time.Minute, func(ctx context.Context) error {
		return s.RunUnderLease(ctx, "two.*", time.Minute, func(context.Context) error { return errors.New("ran") })
	})
	require.EqualError(t, err, "ran")
	// Given back: it can be had again at once.
	require.NoError(t, s.RunUnderLease(t.Context(), "one", time.Minute, func(context.Context) error { return nil }))
}

func TestALeaseThatIsTakenEndsItsContext(t *testing.T) {
	s := open(t, Config{})
	runs := 0
	err := s.RunUnderLease(t.Context(), "job", shortLease, func(ctx context.Context) error {
		runs++
		if runs == 2 {
			return nil
		}
		_, err := s.leases.Put(t.Context(), token("job"), []byte("someone else"))
		require.NoError(t, err)
		select {
		case <-ctx.Done():
		case <-time.After(patience):
			t.Error("the context did not end")
		}
		require.ErrorIs(t, context.Cause(ctx), ErrLeaseLost)
		return ctx.Err()
	})
	require.NoError(t, err)
	require.Equal(t, 2, runs, "had again once the other one let it run out")
}

// A holder who dies without giving it back is followed by someone else, after
// the lease has run out and not before.
func TestADeadHoldersLeaseRunsOut(t *testing.T) {
	s := open(t, Config{})
	_, err := s.leases.Create(t.Context(), token("job"), []byte("the dead"))
	require.NoError(t, err)
	begun := time.Now()
	require.NoError(t, s.RunUnderLease(t.Context(), "job", shortLease, func(context.Context) error { return nil }))
	require.GreaterOrEqual(t, time.Since(begun), shortLease)
}

func TestLeasesOfAProcessThatDiedAreFreeInItsDirectory(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, Config{Dir: dir})
	_, err := s.leases.Create(t.Context(), token("job"), []byte("the dead"))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	s = openIn(t, Config{Dir: dir})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, s.RunUnderLease(ctx, "job", time.Hour, func(context.Context) error { return nil }))
}
