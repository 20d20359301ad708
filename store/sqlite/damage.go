package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"
	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tidings/event"
	"tidings/store/sqlite/columns"
)

// damageRetry is after how long a damaged week is looked at again although its file
// is as it was: a disk may read again what it could not.
const damageRetry = time.Minute

// damage is what was found wrong with a week's file. The week is left alone from then
// on, until its file is another one or it is time to look again.
type damage struct {
	cause string
	file  fileStamp
	until time.Time
}

// fileStamp tells a file from one that took its place.
type fileStamp struct {
	inode    uint64
	size     int64
	modified time.Time
}

func stampOf(path string) fileStamp {
	info, err := os.Stat(path)
	if err != nil {
		return fileStamp{}
	}
	stamp := fileStamp{size: info.Size(), modified: info.ModTime()}
	if system, ok := info.Sys().(*syscall.Stat_t); ok {
		stamp.inode = system.Ino
	}
	return stamp
}

// errGone and errEmptied are what is wrong with a file that cannot be opened.
var (
	errGone    = errors.New("its file is missing")
	errEmptied = errors.New("its file is empty")
	errPages   = errors.New("its file has damaged pages")
	// errNoDatabase is a file that is no database of SQLite's.
	errNoDatabase = errors.New("its file is no database")
)

// causeOf says in words what is wrong with a week's file, "" where the error is none
// of the file's.
func causeOf(err error) string {
	switch {
	case errors.Is(err, errGone), errors.Is(err, os.ErrNotExist):
		return errGone.Error()
	case errors.Is(err, errEmptied):
		return errEmptied.Error()
	case errors.Is(err, os.ErrPermission):
		return "its file cannot be read by this user"
	case errors.Is(err, columns.ErrDamaged), errors.Is(err, errDocument), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, zstd.ErrCRCMismatch):
		return "what is in its file cannot be read"
	case errors.Is(err, errSum):
		return errSum.Error()
	case errors.Is(err, errPages):
		return errPages.Error()
	case errors.Is(err, errNoDatabase):
		return errNoDatabase.Error()
	}
	var vendor *modernc.Error
	if !errors.As(err, &vendor) {
		return ""
	}
	switch vendor.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT:
		return errPages.Error()
	case sqlite3.SQLITE_NOTADB:
		return errNoDatabase.Error()
	case sqlite3.SQLITE_READONLY:
		return "its file cannot be written"
	case sqlite3.SQLITE_IOERR:
		switch vendor.Code() {
		case sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS:
			return "the disk cannot read its file"
		}
	case sqlite3.SQLITE_ERROR:
		for _, sign := range []string{"no such table", "no such column", "file format", "malformed", "constructor failed"} {
			if strings.Contains(vendor.Error(), sign) {
				return "its file lacks tables, or has others"
			}
		}
	}
	return ""
}

// blame notes that the week of a slot is damaged where an error says so, and makes an
// event.WeekDamaged of it.
func (x *Index) blame(slot *weekSlot, err error) error {
	if err == nil {
		return nil
	}
	if _, known := errors.AsType[*event.WeekDamaged](err); known {
		return err
	}
	cause := causeOf(err)
	if cause == "" {
		return err
	}
	slot.damage.Store(&damage{cause: cause, file: stampOf(x.pathOf(slot)), until: time.Now().Add(damageRetry)})
	return fmt.Errorf("%w (%w)", damagedWeek(slot.week, cause), err)
}

func damagedWeek(week event.Week, cause string) *event.WeekDamaged {
	return &event.WeekDamaged{
		Week: week, Cause: cause,
		Remedy: fmt.Sprintf("restore it with tidings restore --data DIR --week %s --from BACKUP", week),
	}
}

func (x *Index) pathOf(slot *weekSlot) string {
	slot.mu.RLock()
	defer slot.mu.RUnlock()
	return x.path(slot.week, endingOf(slot.sealed))
}

// undamaged is nil unless the week of a slot is known to be damaged. When its file is
// another one by now, or it is time to look again, the week gets another chance.
func (x *Index) undamaged(slot *weekSlot) error {
	found := slot.damage.Load()
	if found == nil {
		return nil
	}
	path := x.pathOf(slot)
	if stampOf(path) == found.file && time.Now().Before(found.until) {
		return damagedWeek(slot.week, found.cause)
	}
	slot.mu.Lock()
	defer slot.mu.Unlock()
	if !slot.damage.CompareAndSwap(found, nil) {
		return nil
	}
	x.unused(slot)
	x.columns.Forget(slot.week)
	// What closing fails to do is of the file that is no more.
	_ = slot.close()
	return nil
}

// present refuses a file that is missing or empty although the week is known.
// Opening it would make an empty week in silence.
func (x *Index) present(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return errGone
	case err != nil:
		return err
	case info.Size() > 0:
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		return file.Close()
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return nil
	}
	return errEmptied
}

// Damaged are the weeks that are known to be damaged, newest first.
func (x *Index) Damaged(context.Context) event.DamagedWeeks {
	var weeks event.DamagedWeeks
	for _, week := range x.known() {
		if found := x.slot(week).damage.Load(); found != nil {
			weeks = append(weeks, damagedWeek(week, found.cause))
		}
	}
	return weeks
}
