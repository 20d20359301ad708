//go:build linux

package stream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// meetAFullDisk publishes until no file may grow any more, makes room and
// publishes again. It prints what was acknowledged.
func meetAFullDisk(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := Open(context.Background(), Config{Dir: dir})
	check(err)
	limit := func(bytes uint64) {
		var old syscall.Rlimit
		check(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
		check(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: old.Max}))
	}
	unlimited := ^uint64(0)
	n := 0
	put := func(size int) error {
		events := someEvents("acme", n, size)
		n += size
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		err := s.Publish(ctx, event.LaneLive, events)
		if err == nil {
			for _, e := range events {
				fmt.Println(e.ID)
			}
		}
		return err
	}
	for range 10 {
		check(put(5))
	}
	limit(64 << 10)
	var failed error
	for i := 0; failed == nil && i < 1000; i++ {
		failed = put(5 + i%2*20)
	}
	if !errors.Is(failed, event.ErrUnavailable) {
		check(fmt.Errorf("the full disk was met with: %w", failed))
	}
	limit(unlimited)
	for deadline := time.Now().Add(patience); put(20) != nil; {
		if time.Now().After(deadline) {
			check(errors.New("it did not recover"))
		}
	}
	check(put(1))
	check(s.Close())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestAFullDiskIsUnavailableAndRecovers(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), childDir+"="+dir, childDisk+"=1")
	child.Stderr = os.Stderr
	out, err := child.Output()
	require.NoError(t, err)
	durable := map[string]bool{}
	for len(out) >= 27 {
		durable[string(out[:26])] = true
		out = out[27:]
	}
	require.Greater(t, len(durable), 70)
	s := openIn(t, Config{Dir: dir})
	for len(durable) > 0 {
		for _, d := range pull(t, s, 1) {
			delete(durable, decode(t, d).ID.String())
			require.NoError(t, d.Ack())
		}
	}
}

func TestEventsHaveHalfOfTheDiskAtMost(t *testing.T) {
	dir := t.TempDir()
	free, total, ok := diskRoom(dir)
	require.True(t, ok)
	require.LessOrEqual(t, free, total)
	require.Positive(t, free)
	require.EqualValues(t, 1<<20, diskShare(dir, 1<<20, 0))
	require.InEpsilon(t, float64(free)/2, float64(diskShare(dir, unbounded, 0)), 0.05)
	require.InEpsilon(t, float64(free)/2+1<<29, float64(diskShare(dir, unbounded, 1<<30)), 0.05, "what it uses counts as free")
	require.False(t, diskLow(dir+"/none"), "what is not known refuses nothing")
}
