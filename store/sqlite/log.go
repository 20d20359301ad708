package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"

	"tidings/event"
)

// A week's writing connection leaves its log unsynced (synchronous=NORMAL), and
// whoever wrote syncs it once the next one may write: with one sync a batch in
// its own turn, half of a busy writer's time is waiting for the disk. What a
// writing call wrote is on disk when it returns, as with synchronous=FULL; it
// can be seen before. The log's header, and all that a checkpoint needs, SQLite
// syncs by itself.

// syncFile makes what was written to a file durable. A log that is not there was
// checkpointed into its file, which is synced before the log goes.
func syncFile(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(syncData(file), file.Close())
}

// syncLog makes what was written to a week durable. After a failure the system
// may take the log for written, and the next sync may succeed without it. So the
// slot is unsynced until what the log has was written again, to the week's file.
func (x *Index) syncLog(slot *weekSlot) error {
	if err := x.named(slot); err != nil {
		return err
	}
	if err := x.sync(x.path(slot.week, openEnding) + "-wal"); err != nil {
		slot.unsynced.Store(true)
		return fmt.Errorf("%w: syncing the log of week %s: %w", event.ErrUnavailable, slot.week, err)
	}
	return nil
}

// named refuses an open week whose file somebody deleted: what is open has no name, and is
// gone when it is closed.
func (x *Index) named(slot *weekSlot) error {
	slot.mu.RLock()
	defer slot.mu.RUnlock()
	if !slot.exists || slot.sealed {
		return nil
	}
	if _, err := os.Stat(x.pathHeld(slot)); errors.Is(err, os.ErrNotExist) {
		return x.blameHeld(slot, errGone)
	}
	return nil
}

// rewriteLog copies what a log has that could not be synced into its file. The caller has the
// right to write the week.
func (x *Index) rewriteLog(ctx context.Context, slot *weekSlot) error {
	if !slot.unsynced.Load() {
		return nil
	}
	err := x.using(ctx, slot.week, false, func(file *weekFile, sealed bool) error {
		if sealed {
			return nil
		}
		var busy, frames, moved int
		row := file.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(RESTART)")
		if err := row.Scan(&busy, &frames, &moved); err != nil {
			return err
		}
		if busy != 0 {
			return fmt.Errorf("%w: week %s is being read while its log is to be written again", event.ErrUnavailable, slot.week)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing a log again that could not be synced: %w", err)
	}
	slot.unsynced.Store(false)
	return nil
}
