package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// syncs counts how often logs are synced, and fails as long as it is told to.
type syncs struct {
	made    int
	failing bool
}

func (s *syncs) sync(path string) error {
	if s.failing {
		return errors.New("input/output error")
	}
	s.made++
	return syncFile(path)
}

func TestWhatIsWrittenIsSyncedBeforeTheCallReturns(t *testing.T) {
	ctx, disk := context.Background(), &syncs{}
	index := openForFaults(t, t.TempDir())
	index.sync = disk.sync
	e := faultEvent("w", "a", "Pricing")

	_, err := index.Create(ctx, []event.Event{e})
	require.NoError(t, err)
	require.Equal(t, 1, disk.made, "after creating")

	e.Subject = "Prices"
	require.NoError(t, index.Rewrite(ctx, []event.Event{e}))
	require.Equal(t, 2, disk.made, "after rewriting")

	_, _, err = index.EraseRecipient(ctx, "w", "jo@acme.example")
	require.NoError(t, err)
	require.Equal(t, 3, disk.made, "after erasing")
}

func TestALogThatCouldNotBeSyncedIsWrittenAgain(t *testing.T) {
	ctx, dir, disk := context.Background(), t.TempDir(), &syncs{failing: true}
	index := openForFaults(t, dir)
	index.sync = disk.sync
	events := []event.Event{faultEvent("w", "a", "Pricing")}

	_, err := index.Create(ctx, events)
	require.ErrorIs(t, err, event.ErrUnavailable, "nothing is acknowledged that is not on disk")

	disk.failing = false
	outcomes, err := index.Create(ctx, events)
	require.NoError(t, err)
	require.Equal(t, []event.Outcome{{}}, outcomes, "it is there already")

	// The system may have taken the log for written when the sync failed, so
	// the file must have the event without it.
	alone := t.TempDir()
	name := faultWeek.String() + openEnding
	file, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(alone, name), file, 0o600))
	require.Equal(t, 1, countIn(t, openForFaults(t, alone), "w"))
}
