package stream

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/live"
)

// filesWith are the files below a directory that hold a text.
func filesWith(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte(text)) {
			found = append(found, path)
		}
		return err
	}))
	return found
}

func TestWhatIsDoneWithLeavesTheFilesOfTheQueue(t *testing.T) {
	s := open(t, quick(1))
	events := someEvents("acme", 0, 30)
	for i := range events {
		events[i].Subject = "a subject that went"
	}
	poison := anEvent("acme", 31)
	poison.Subject = "a poisoned subject"
	waits := anEvent("acme", 40)
	waits.Subject = "a subject that waits"
	publish(t, s, event.LaneLive, append(events, poison)...)
	in := pull(t, s, 31)
	ackAll(t, in[:30])
	require.NoError(t, in[30].Fail(t.Context(), os.ErrInvalid))
	drained(t, s)
	publish(t, s, event.LaneLive, waits)
	e := events[0]
	require.NoError(t, s.Announce(t.Context(), []event.Announcement{{Kind: event.AnnounceEvent, Workspace: "acme", Event: &e}}))
	require.NotEmpty(t, filesWith(t, s.cfg.Dir, "a subject that went"))

	require.NoError(t, s.Drop(t.Context(), "acme", poison.ID.String()))
	ackAll(t, pull(t, s, 1))
	drained(t, s)
	require.NoError(t, s.Clear(t.Context(), nil))
	for _, text := range []string{"a subject that went", "a subject that waits", "a poisoned subject", "jo@acme.example"} {
		require.Empty(t, filesWith(t, s.cfg.Dir, text), text)
	}
	publish(t, s, event.LaneLive, anEvent("acme", 50))
	require.Len(t, pull(t, s, 1), 1, "the queue goes on")
}

func TestADeadLetterThatIsReplacedIsOverwritten(t *testing.T) {
	s := open(t, quick(1))
	e := anEvent("acme", 1)
	e.Subject = "the first text"
	publish(t, s, event.LaneLive, e)
	require.NoError(t, pull(t, s, 1)[0].Fail(t.Context(), os.ErrInvalid))
	e.Subject = "the second text"
	publish(t, s, event.LaneLive, e)
	require.NoError(t, pull(t, s, 1)[0].Fail(t.Context(), os.ErrInvalid))
	drained(t, s)
	require.NoError(t, s.Clear(t.Context(), nil))
	require.Empty(t, filesWith(t, s.cfg.Dir, "the first text"))
	require.Len(t, filesWith(t, s.cfg.Dir, "the second text"), 1)
}

func TestWhatWaitsStaysInTheQueue(t *testing.T) {
	s := open(t, Config{})
	publish(t, s, event.LaneLive, someEvents("acme", 0, 3)...)
	in := pull(t, s, 3)
	ackAll(t, in[:1])
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Clear(ctx, nil), event.ErrUnavailable)
	ackAll(t, in[1:])
	drained(t, s)
	require.NoError(t, s.Clear(t.Context(), nil))
}

// An announcement that was not forwarded to endpoints yet stays, and goes afterwards.
func TestWhatWasNotForwardedStays(t *testing.T) {
	s := open(t, Config{Clock: func() time.Time { return time.Now().Add(time.Minute) }})
	for i := range 3 {
		require.NoError(t, s.Announce(t.Context(), []event.Announcement{{Workspace: "acme", Kind: event.AnnounceEvent, Event: &someEvents("acme", i, 1)[0]}}))
	}
	bounds, err := s.Bounds(t.Context())
	require.NoError(t, err)
	for _, checkpoint := range []live.Checkpoint{{}, {Incarnation: "another", Next: 4}, {Incarnation: bounds.Incarnation, Next: bounds.Last}} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		err := s.Clear(ctx, func(context.Context) (live.Checkpoint, error) { return checkpoint, nil })
		cancel()
		require.ErrorIs(t, err, event.ErrUnavailable)
		now, err := s.Bounds(t.Context())
		require.NoError(t, err)
		require.Equal(t, bounds.Last, now.Last)
		require.LessOrEqual(t, now.First, max(checkpoint.Next, 1), "%v", checkpoint)
	}
	require.NoError(t, s.Clear(t.Context(), func(context.Context) (live.Checkpoint, error) {
		return live.Checkpoint{Incarnation: bounds.Incarnation, Next: bounds.Last + 1}, nil
	}))
	now, err := s.Bounds(t.Context())
	require.NoError(t, err)
	require.Equal(t, bounds.Last+1, now.First)
}
