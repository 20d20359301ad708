package stream

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// childDir tells a copy of the test binary to publish into a directory, and
// childDisk that its disk is to fill up.
const (
	childDir  = "TIDINGS_STREAM_CHILD"
	childDisk = "TIDINGS_STREAM_CHILD_DISK"
)

func runChild(dir string) {
	if os.Getenv(childDisk) != "" {
		meetAFullDisk(dir)
		return
	}
	publishUntilKilled(dir)
}

// publishUntilKilled publishes from several goroutines and prints the id of
// each event once it is said to be durable.
func publishUntilKilled(dir string) {
	s, err := Open(context.Background(), Config{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for c := range 4 {
		go func() {
			for n := 0; ; n += 7 {
				events := someEvents("acme", c*1_000_000+n, 7)
				if s.Publish(context.Background(), event.LaneLive, events) != nil {
					return
				}
				for _, e := range events {
					fmt.Println(e.ID)
				}
			}
		}()
	}
	select {}
}

func TestAcknowledgedEventsSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	durable := map[string]bool{}
	for round := range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
		child.Env = append(os.Environ(), childDir+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		lines := bufio.NewScanner(out)
		for n := 0; n < 500*(round+1) && lines.Scan(); n++ {
			durable[lines.Text()] = true
		}
		require.NoError(t, child.Process.Kill())
		for lines.Scan() { // what it had printed is acknowledged too
			if len(lines.Text()) == 26 {
				durable[lines.Text()] = true
			}
		}
		require.Error(t, child.Wait())
	}
	require.Greater(t, len(durable), 700)

	s := openIn(t, Config{Dir: dir})
	for len(durable) > 0 {
		for _, d := range pull(t, s, 1) {
			delete(durable, decode(t, d).ID.String())
			require.NoError(t, d.Ack())
			require.True(t, d.Repeated(), "it may have been given out before the kill")
		}
	}
}

// What was pulled and not acknowledged when a process died comes again at once.
func TestWhatWasInHandsComesAgainAfterAReopen(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, Config{Dir: dir})
	publish(t, s, event.LaneLive, someEvents("acme", 0, 20)...)
	in := pull(t, s, 20)
	ackAll(t, in[:10])
	left := map[event.ID]bool{}
	for _, d := range in[10:] {
		left[decode(t, d).ID] = true
	}
	require.NoError(t, s.Close())

	s = openIn(t, Config{Dir: dir})
	for _, d := range pull(t, s, 10) {
		require.True(t, d.Repeated())
		require.True(t, left[decode(t, d).ID])
		require.NoError(t, d.Ack())
	}
	drained(t, s)
	publish(t, s, event.LaneLive, anEvent("acme", 100))
	require.False(t, pull(t, s, 1)[0].Repeated(), "this one is new")
}
