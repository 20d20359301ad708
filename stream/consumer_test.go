package stream

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// What a consumer has acknowledged is in a file of its own. Where that cannot be read, what
// the queue holds is given out again, and nothing is lost.
func TestAConsumerWhoseFileIsDamagedBeginsAnew(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"garbage": func(path string) error { return os.WriteFile(path, []byte("garbage garbage garbage"), 0o600) },
		"empty":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"missing": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openIn(t, Config{Dir: dir, Triggers: true})
			publish(t, s, event.LaneLive, someEvents("acme", 0, 20)...)
			ackAll(t, pull(t, s, 10))
			require.NoError(t, s.Trigger(t.Context(), []event.Trigger{{Kind: event.AnnounceEvent, Event: anEvent("acme", 1)}}))
			told := func(s *Stream) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				took := make(chan struct{}, 100)
				ended := make(chan error, 1)
				go func() {
					ended <- s.Triggers(ctx, func(context.Context, []event.Trigger) error {
						took <- struct{}{}
						return event.ErrUnavailable // it comes again
					}, func(uint64) {})
				}()
				select {
				case <-took:
				case err := <-ended:
					require.NoError(t, err)
				}
				cancel()
				<-ended
			}
			told(s)
			require.NoError(t, s.Close())
			for _, consumer := range []string{"EVENTS/obs/live", "EVENTS/obs/bulk", "TRIGGERS/obs/notify"} {
				require.NoError(t, damage(filepath.Join(dir, "jetstream", "$G", "streams", consumer, "o.dat")), consumer)
			}

			s = openIn(t, Config{Dir: dir, Triggers: true})
			left := map[event.ID]bool{}
			for _, e := range someEvents("acme", 10, 10) {
				left[e.ID] = true
			}
			for len(left) > 0 {
				for _, d := range pull(t, s, 1) {
					delete(left, decode(t, d).ID)
					require.NoError(t, d.Ack())
				}
			}
			told(s)
		})
	}
}

func TestAFolderInTheQueueIsNamed(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, Config{Dir: dir})
	publish(t, s, event.LaneLive, someEvents("acme", 0, 3)...)
	require.NoError(t, s.Close())
	blocks, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", eventsName, "msgs", "*.blk"))
	require.NoError(t, err)
	require.NotEmpty(t, blocks)
	require.NoError(t, os.Remove(blocks[0]))
	require.NoError(t, os.Mkdir(blocks[0], 0o700))
	_, err = Open(t.Context(), Config{Dir: dir})
	require.ErrorIs(t, err, event.ErrUnavailable)
	require.ErrorContains(t, err, blocks[0])
}
