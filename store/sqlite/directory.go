package sqlite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tidings/event"
	"tidings/migrations"
)

// asideMark is in the name of a file that was replaced or is not used, and kept. It
// is followed by when that was. Nothing reads or deletes such files: people do.
const asideMark = ".aside-"

// weekFiles are the files of a week, which has both while it is being sealed or opened.
type weekFiles struct{ open, sealed bool }

// readDirectory finds the weeks. Where a week is there both sealed and open, a swap
// was interrupted, or somebody put one beside the other; see choose.
func (x *Index) readDirectory(ctx context.Context) error {
	entries, err := os.ReadDir(x.dir)
	if err != nil {
		return err
	}
	weeks := make(map[event.Week]weekFiles)
	for _, entry := range entries {
		name := entry.Name()
		if strings.Contains(name, newEnding) && !strings.Contains(name, asideMark) {
			if err := os.Remove(filepath.Join(x.dir, name)); err != nil {
				return err
			}
			continue
		}
		stem, sealed := strings.CutSuffix(name, sealedEnding)
		if !sealed {
			stem = strings.TrimSuffix(name, openEnding)
		}
		week, err := event.ParseWeek(stem)
		if err != nil {
			continue
		}
		files := weeks[week]
		files.open, files.sealed = files.open || !sealed, files.sealed || sealed
		weeks[week] = files
	}
	// In their order, so that the first that stops the start is always the same.
	for _, week := range slices.Sorted(maps.Keys(weeks)) {
		if err := x.adopt(ctx, week, weeks[week]); err != nil {
			return err
		}
	}
	return nil
}

// adopt takes in a week that has files. One whose file is no database is damaged,
// which is no matter of the other weeks.
func (x *Index) adopt(ctx context.Context, week event.Week, files weekFiles) error {
	slot := x.slot(week)
	sealed := files.sealed
	if files.open && files.sealed {
		var err error
		if sealed, err = x.choose(ctx, week); err != nil {
			return err
		}
	}
	slot.exists, slot.sealed = true, sealed
	err := x.present(week, x.path(week, endingOf(sealed)))
	if errors.Is(err, errEmptied) && !sealed {
		// Nothing was ever written to it: the file of a week that is being made.
		slot.exists = false
		return nil
	}
	if err == nil {
		path := x.path(week, endingOf(sealed))
		err = checkVersion(path, "week "+week.String(), weekSchema)
		other, mismatched := errors.AsType[*migrations.Mismatch](err)
		if mismatched && isEnough(other.Have, other.Want) {
			err = nil
		} else if mismatched {
			// One that migrate up went past, since it is damaged, keeps nobody from starting.
			if _, broken := verifyFile(ctx, path, sealed); causeOf(broken) != "" {
				err = broken
			}
		}
	}
	if blamed := x.blame(slot, err); errors.Is(blamed, event.ErrUnavailable) {
		x.config.Logger.ErrorContext(ctx, "a week is damaged", "week", week.String(), "error", blamed)
		return nil
	}
	return err
}

// choose says whether the sealed file of a week is kept, of one that has both. A swap
// that was interrupted left two files with the same events, and the open one is kept,
// as writes may have come. An open file that cannot be read or has fewer events took
// nobody's place: it is set aside.
func (x *Index) choose(ctx context.Context, week event.Week) (sealed bool, err error) {
	open, openErr := x.verify(ctx, week, false)
	closed, closedErr := x.verify(ctx, week, true)
	switch {
	case openErr != nil && closedErr != nil:
		return true, nil // Neither can be read: the week is damaged, and nothing is touched.
	case openErr != nil || closedErr == nil && open < closed:
		x.config.Logger.ErrorContext(ctx, "a week had a second file beside its sealed one; it is set aside",
			"week", week.String(), "events", open, "sealed_events", closed, "error", openErr)
		return true, x.setAside(week, openEnding)
	case closedErr != nil:
		x.config.Logger.ErrorContext(ctx, "a week had a sealed file that cannot be read beside its open one; it is set aside",
			"week", week.String(), "error", closedErr)
		return false, x.setAside(week, sealedEnding)
	}
	return false, errors.Join(x.remove(week, sealedEnding), syncDirectory(x.dir))
}

// verify reads a file of a week from end to end, and returns how many events it has.
func (x *Index) verify(ctx context.Context, week event.Week, sealed bool) (events int64, err error) {
	path := x.path(week, endingOf(sealed))
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return 0, errors.Join(err, errEmptied)
	}
	return verifyFile(ctx, path, sealed)
}

// verifyFile runs SQLite's checks on a file of a week, and counts its events.
func verifyFile(ctx context.Context, path string, sealed bool) (events int64, err error) {
	pool, err := openPool(path, access{sealed: sealed, connections: 1, cacheKB: 2 << 10})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	var verdict string
	if err := pool.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return 0, err
	}
	if verdict != "ok" {
		return 0, fmt.Errorf("%w: %s", errPages, verdict)
	}
	err = pool.QueryRowContext(ctx, "SELECT count(*) FROM event").Scan(&events)
	return events, err
}

// setAside gives a week's file, with what SQLite keeps beside it, a name that nothing
// reads.
func (x *Index) setAside(week event.Week, ending string) error {
	mark := asideMark + time.Now().UTC().Format("20060102T150405.000")
	var errs []error
	for _, beside := range []string{"-wal", "-shm", "-journal", ""} {
		path := x.path(week, ending) + beside
		if err := rename(path, x.path(week, ending)+mark+beside); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, syncDirectory(x.dir))...)
}
