package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"tidings/crash"
	"tidings/event"
)

// WeekInfos describes every week, newest first; of a damaged one it tells no more
// than that.
func (x *Index) WeekInfos(ctx context.Context) ([]event.WeekInfo, error) {
	var infos []event.WeekInfo
	for _, week := range x.known() {
		err := x.using(ctx, week, false, func(file *weekFile, sealed bool) error {
			info := event.WeekInfo{Week: week, Sealed: sealed}
			if err := file.read.events.QueryRowContext(ctx).Scan(&info.Events); err != nil {
				return err
			}
			bytes, err := x.bytes(week)
			info.Bytes = bytes
			infos = append(infos, info)
			return err
		})
		if damaged, ok := errors.AsType[*event.WeekDamaged](err); ok {
			infos = slices.DeleteFunc(infos, func(info event.WeekInfo) bool { return info.Week == week })
			infos = append(infos, event.WeekInfo{Week: week, Sealed: x.slot(week).isSealed(), Damage: damaged})
			continue
		}
		if err != nil {
			return nil, failed("describing week "+week.String(), err)
		}
	}
	return infos, nil
}

// bytes is what a week takes on disk.
func (x *Index) bytes(week event.Week) (int64, error) {
	var total int64
	for _, ending := range []string{openEnding, openEnding + "-wal", sealedEnding} {
		info, err := os.Stat(x.path(week, ending))
		switch {
		case err == nil:
			total += info.Size()
		case !errors.Is(err, os.ErrNotExist):
			return 0, err
		}
	}
	return total, nil
}

// Prepare makes a week that does not exist yet.
func (x *Index) Prepare(ctx context.Context, week event.Week) error {
	err := x.writing(ctx, week, true, func(*weekFile, bool) error { return nil })
	return failed("preparing week "+week.String(), err)
}

// Seal makes a week small and fast to read, and refuses writes to it from then
// on. Reading goes on meanwhile, writes to it wait. Sealing a week that is
// sealed, or that does not exist, does nothing.
func (x *Index) Seal(ctx context.Context, week event.Week) error {
	err := x.exclusively(ctx, week, func(slot *weekSlot) error {
		made, sealed, err := x.compact(ctx, week)
		if err != nil || sealed {
			return err
		}
		return x.swap(ctx, slot, made, true)
	})
	return failed("sealing week "+week.String(), err)
}

// compact writes a week's file anew with its index merged and of numbers, and returns the new
// file's path.
func (x *Index) compact(ctx context.Context, week event.Week) (made string, sealed bool, err error) {
	made = x.path(week, newEnding)
	sealed = true
	err = x.using(ctx, week, false, func(file *weekFile, isSealed bool) error {
		if sealed = isSealed; sealed {
			return nil
		}
		return x.compactInto(ctx, file, made)
	})
	return made, sealed, err
}

// compactInto writes a file anew at a path, with its index merged and of numbers, and its
// columns stored.
func (x *Index) compactInto(ctx context.Context, file *weekFile, made string) (err error) {
	wide := x.path(file.week, wideEnding)
	if err := errors.Join(os.RemoveAll(made), os.RemoveAll(made+"-journal"), os.RemoveAll(wide)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(wide)) }()
	if err := file.packDocuments(ctx, x.documents, nil); err != nil {
		return err
	}
	if _, err := file.writer.ExecContext(ctx, "DELETE FROM facts; DELETE FROM links"); err != nil {
		return err
	}
	if err := x.saveColumns(ctx, file); err != nil {
		return err
	}
	if _, err := file.writer.ExecContext(ctx, "VACUUM INTO ?", wide); err != nil {
		return err
	}
	return x.numberRows(ctx, file.week, wide, made)
}

// Unseal lets a week be written again. A week that is not sealed, or that does
// not exist, stays as it is.
func (x *Index) Unseal(ctx context.Context, week event.Week) error {
	err := x.exclusively(ctx, week, func(slot *weekSlot) error {
		if !slot.isSealed() {
			return nil
		}
		made := x.path(week, newEnding)
		if err := copyFile(made, x.path(week, sealedEnding)); err != nil {
			return err
		}
		if err := x.nameRows(ctx, week, made, noJournal); err != nil {
			return x.blame(slot, err)
		}
		return x.blame(slot, x.swap(ctx, slot, made, false))
	})
	return failed("unsealing week "+week.String(), err)
}

// edit changes a week that nobody else writes, when there is something to
// change. A sealed week is written anew beside the one that is read, and takes
// its place.
func (x *Index) edit(
	ctx context.Context, slot *weekSlot, needed func(*weekFile) (bool, error), change func(*weekFile) error,
) error {
	sealed, found := slot.isSealed(), false
	err := x.using(ctx, slot.week, false, func(file *weekFile, _ bool) error {
		var err error
		if found, err = needed(file); err != nil || !found || sealed {
			return err
		}
		return change(file)
	})
	if err != nil || !found {
		return err
	}
	if !sealed {
		return x.syncLog(slot)
	}
	made := x.path(slot.week, newEnding)
	if err := copyFile(made, x.path(slot.week, sealedEnding)); err != nil {
		return err
	}
	file, err := openWeek(ctx, made, slot.week, access{journal: "DELETE", connections: 1}, x.caches())
	if err != nil {
		return err
	}
	file.writeLog = &slot.writeLog
	if err = change(file); err == nil {
		err = x.saveColumns(ctx, file)
	}
	if err := errors.Join(err, file.close()); err != nil {
		return x.blame(slot, err)
	}
	return x.blame(slot, x.swap(ctx, slot, made, true))
}

// Drop deletes a week with all its events, once nobody reads it any more.
func (x *Index) Drop(ctx context.Context, week event.Week) error {
	err := x.exclusively(ctx, week, func(slot *weekSlot) error {
		slot.mu.Lock()
		defer slot.mu.Unlock()
		x.unused(slot)
		err := slot.close()
		slot.exists, slot.sealed = false, false
		x.columns.Forget(week)
		return errors.Join(err, x.dropSum(week), x.remove(week, openEnding), x.remove(week, sealedEnding), syncDirectory(x.dir))
	})
	return failed("dropping week "+week.String(), err)
}

// swap puts the file made in the place of a week's file, open or sealed, once
// nobody reads it any more. The caller has the right to write the week.
func (x *Index) swap(ctx context.Context, slot *weekSlot, made string, sealed bool) error {
	if err := finalize(ctx, made); err != nil {
		return err
	}
	if _, err := verifyFile(ctx, made, true); err != nil {
		return fmt.Errorf("week %s was not written well, and stays as it was: %w: %w", slot.week, event.ErrUnavailable, err)
	}
	noted, err := sumOf(ctx, made)
	if err != nil {
		return err
	}
	slot.mu.Lock()
	defer slot.mu.Unlock()
	x.unused(slot)
	x.columns.Forget(slot.week)
	if err := slot.close(); err != nil {
		return err
	}
	ending, before := openEnding, sealedEnding
	if sealed {
		ending, before = sealedEnding, openEnding
	}
	if info, err := os.Stat(x.path(slot.week, ending) + "-wal"); err == nil && info.Size() > 0 {
		return fmt.Errorf("week %s could not be closed: its log is left: %w", slot.week, event.ErrUnavailable)
	}
	if err := x.dropSum(slot.week); err != nil {
		return err
	}
	if err := rename(made, x.path(slot.week, ending)); err != nil {
		return err
	}
	// Were both there after a crash, the open file would be taken: it has all
	// that the sealed one has until this is done.
	if err := syncDirectory(x.dir); err != nil {
		return err
	}
	slot.sealed = sealed
	if sealed {
		err = x.writeSum(slot.week, noted)
	}
	return errors.Join(err, x.remove(slot.week, before), syncDirectory(x.dir))
}

// remove deletes a week's file with what SQLite keeps beside it.
func (x *Index) remove(week event.Week, ending string) error {
	var errs []error
	for _, beside := range []string{"", "-wal", "-shm", "-journal"} {
		crash.At("remove " + ending + beside)
		if err := os.Remove(x.path(week, ending) + beside); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (slot *weekSlot) isSealed() bool {
	slot.mu.RLock()
	defer slot.mu.RUnlock()
	return slot.sealed
}

// finalize takes a new file out of WAL mode, so that it can be read alone, and
// makes it durable.
func finalize(ctx context.Context, path string) error {
	pool, err := openPool(path, access{write: true, journal: "DELETE", connections: 1, cacheKB: 1 << 10})
	if err != nil {
		return err
	}
	if err := errors.Join(pool.PingContext(ctx), pool.Close()); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

func copyFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(filepath.Clean(to), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
