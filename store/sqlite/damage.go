package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"
	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tidings/event"
	"tidings/store/sqlite/columns"
	"tidings/store/sqlite/segments"
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
	errCut     = errors.New("its file is cut short")
	errPages   = errors.New("its file has damaged pages")
	// errForeign is a file that was written in another data directory, or for another week.
	errForeign = errors.New("its file belongs to another data directory, or to another week")
	// errNoDatabase is a file that is no database of SQLite's.
	errNoDatabase = errors.New("its file is not a database")
	// errNoFile is a folder, a pipe or a device in a file's place.
	errNoFile = errors.New("what is there, or its log, is not a file")
)

// otherTables is what is wrong with a file whose tables are not those of a week.
const otherTables = "its file lacks tables, or has others"

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
	case errors.Is(err, columns.ErrDamaged), errors.Is(err, segments.ErrDamaged), errors.Is(err, errDocument), errors.Is(err, errNumbers), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, zstd.ErrCRCMismatch), errors.Is(err, sql.ErrNoRows), unscannable(err):
		return "what is in its file cannot be read"
	case errors.Is(err, errSum):
		return errSum.Error()
	case errors.Is(err, errCut):
		return errCut.Error()
	case errors.Is(err, errPages):
		return errPages.Error()
	case errors.Is(err, errForeign):
		return errForeign.Error()
	case errors.Is(err, errNoDatabase):
		return errNoDatabase.Error()
	case errors.Is(err, errNoFile):
		return errNoFile.Error()
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
		if errors.Is(err, errPreparing) { // They are always the same: its tables are not.
			return otherTables
		}
		for _, sign := range []string{"no such table", "no such column", "no such module", "file format", "malformed", "constructor failed", "already exists"} {
			if strings.Contains(vendor.Error(), sign) {
				return otherTables
			}
		}
	}
	return ""
}

// unscannable reports whether a row has other values than its table's: NULL for a number,
// or text. database/sql has no error of its own for it.
func unscannable(err error) bool {
	return err != nil && strings.Contains(err.Error(), "sql: Scan error")
}

// blame notes that the week of a slot is damaged where an error says so, and makes an
// event.WeekDamaged of it.
func (x *Index) blame(slot *weekSlot, err error) error {
	if err == nil {
		return nil
	}
	slot.mu.RLock()
	defer slot.mu.RUnlock()
	return x.blameHeld(slot, err)
}

// blameHeld is blame for whoever holds the slot's mu, and held it when the error came: a
// week that is sealed, opened or replaced in between has another file, which is not to
// blame.
func (x *Index) blameHeld(slot *weekSlot, err error) error {
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
	slot.damage.Store(&damage{cause: cause, file: stampOf(x.pathHeld(slot)), until: time.Now().Add(damageRetry)})
	return fmt.Errorf("%w (%w)", damagedWeek(slot.week, cause), err)
}

func damagedWeek(week event.Week, cause string) *event.WeekDamaged {
	return &event.WeekDamaged{
		Week: week, Cause: cause,
		Remedy: fmt.Sprintf("restore it with tidings restore --data DIR --week %s --from BACKUP", week),
	}
}

// pathHeld is where the week's file is; the caller holds the slot's mu.
func (x *Index) pathHeld(slot *weekSlot) string {
	return x.path(slot.week, endingOf(slot.sealed))
}

// undamaged is nil unless the week of a slot is known to be damaged. When its file is
// another one by now, or it is time to look again, the week gets another chance.
func (x *Index) undamaged(slot *weekSlot) error {
	found := slot.damage.Load()
	if found == nil {
		return nil
	}
	if x.isAsFound(slot, found) {
		return damagedWeek(slot.week, found.cause)
	}
	slot.mu.Lock()
	defer slot.mu.Unlock()
	if !slot.damage.CompareAndSwap(found, nil) {
		return nil
	}
	if _, err := os.Stat(x.pathHeld(slot)); errors.Is(err, os.ErrNotExist) {
		// It may have come back in its other form.
		if _, err := os.Stat(x.path(slot.week, endingOf(!slot.sealed))); err == nil {
			slot.sealed = !slot.sealed
		}
	}
	x.unused(slot)
	x.columns.Forget(slot.week)
	// What closing fails to do is of the file that is no more.
	_ = slot.close()
	return nil
}

// isAsFound reports whether a damaged week's file is the one that was found damaged, and
// it is not yet time to look again.
func (x *Index) isAsFound(slot *weekSlot, found *damage) bool {
	slot.mu.RLock()
	defer slot.mu.RUnlock()
	_, err := os.Stat(x.path(slot.week, openEnding))
	came := err == nil && found.file == (fileStamp{})
	return stampOf(x.pathHeld(slot)) == found.file && !came && time.Now().Before(found.until)
}

// present refuses a file that is missing, empty or cut short although the week is
// known. Opening it would make an empty week in silence.
func (x *Index) present(week event.Week, path string) error {
	if err := isFile(path); errors.Is(err, os.ErrNotExist) {
		return errGone
	} else if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 && info.Size() == 0 {
		return nil // All that there is is in the log.
	}
	if info.Size() == 0 {
		return errEmptied
	}
	// https://www.sqlite.org/fileformat2.html#the_database_header
	var header [100]byte
	if _, err := io.ReadFull(file, header[:]); err != nil || string(header[:16]) != "SQLite format 3\x00" {
		return errNoDatabase
	}
	// Files of before there were marks of weeks have the directory's.
	of, installation := binary.BigEndian.Uint32(header[68:]), x.config.Installation
	if of != 0 && installation != "" && of != weekMark(installation, week) && of != markOf(installation) {
		return errForeign
	}
	page, pages := int64(binary.BigEndian.Uint16(header[16:])), int64(binary.BigEndian.Uint32(header[28:]))
	if page == 1 {
		page = 1 << 16
	}
	current := string(header[24:28]) == string(header[92:96])
	if current && info.Size() < page*pages {
		return stillCut(path, page, pages)
	}
	return nil
}

// isFile is nil where a file is one, and what SQLite keeps beside it too: to open a pipe
// would wait for who writes to it. errNoFile otherwise, or why it cannot be looked at.
func isFile(path string) error {
	for _, beside := range []string{"", "-wal", "-shm", "-journal"} {
		info, err := os.Stat(path + beside)
		switch {
		case err == nil && !info.Mode().IsRegular(), errors.Is(err, syscall.ELOOP):
			return errNoFile
		case err != nil && (beside == "" || !errors.Is(err, os.ErrNotExist)):
			return err
		}
	}
	return nil
}

// markOf is how a file says which installation it belongs to, in SQLite's application id.
// 0 is a file from before there were marks.
func markOf(installation string) uint32 {
	return crc32.ChecksumIEEE([]byte(installation))&math.MaxInt32 | 1
}

// weekMark is that of a week's file. Rows count from the beginning of their week, so that
// those of another one would be read as of other times.
func weekMark(installation string, week event.Week) uint32 {
	return markOf(installation + " " + week.String())
}

// Mark reads which installation a file of this program that nobody has open belongs to,
// 0 where it does not say. What is wrong with the file is an event.Degraded.
func Mark(ctx context.Context, path string) (mark uint32, err error) {
	if err = isFile(path); err == nil {
		var pool *sql.DB
		if pool, err = openPool(path, access{connections: 1, cacheKB: 1 << 10}); err == nil {
			err = errors.Join(pool.QueryRowContext(ctx, "PRAGMA application_id").Scan(&mark), pool.Close())
		}
	}
	if cause := causeOf(err); cause != "" {
		return 0, &event.Degraded{Words: cause}
	}
	return mark, failed("reading where a file belongs", err)
}

// Belongs reports whether what Mark read is that of an installation.
func Belongs(mark uint32, installation string) bool { return mark == markOf(installation) }

// putMark has a file belong to an installation.
func putMark(ctx context.Context, pool *sql.DB, installation string) error {
	var mark uint32
	err := pool.QueryRowContext(ctx, "PRAGMA application_id").Scan(&mark)
	if err == nil && !Belongs(mark, installation) {
		_, err = pool.ExecContext(ctx, markStatement(markOf(installation)))
	}
	return err
}

// checkPages runs SQLite's checks over a whole file. What they find is a Degraded.
func checkPages(ctx context.Context, pool *sql.DB, name, remedy string) error {
	var verdict string
	err := pool.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict)
	if err == nil && verdict == "ok" {
		return nil
	}
	if err != nil && causeOf(err) == "" {
		return failed("checking "+name, err)
	}
	return &event.Degraded{Words: name + " has damaged pages; stop the server and " + remedy}
}

// setMark has a week's file that nobody has open belong to an installation.
func setMark(ctx context.Context, path, installation string, week event.Week) error {
	if installation == "" {
		return nil
	}
	pool, err := openPool(path, access{write: true, journal: "DELETE", connections: 1, cacheKB: 1 << 10})
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, markStatement(weekMark(installation, week)))
	return errors.Join(err, pool.Close())
}

// markStatement is without an argument, which a pragma does not take.
func markStatement(mark uint32) string { return fmt.Sprintf("PRAGMA application_id = %d", mark) }

// Expect says that a week should be there. Where it is not, it is damaged.
func (x *Index) Expect(ctx context.Context, week event.Week) {
	slot := x.slot(week)
	slot.mu.Lock()
	if slot.exists {
		slot.mu.Unlock()
		return
	}
	slot.exists, slot.sealed = true, true
	err := x.blameHeld(slot, errGone)
	slot.mu.Unlock()
	x.config.Logger.ErrorContext(ctx, "a week is missing", "week", week.String(), "error", err)
}

// Look looks at the beginning and the length of every week's file, which takes a
// fraction of a millisecond each.
func (x *Index) Look(ctx context.Context) event.DamagedWeeks {
	for _, week := range x.known() {
		slot := x.slot(week)
		if slot.damage.Load() != nil {
			_ = x.undamaged(slot)
			continue
		}
		if err := x.look(slot); err != nil && slot.damage.Load() != nil {
			x.config.Logger.ErrorContext(ctx, "a week is damaged", "week", week.String(), "error", err)
		}
	}
	return x.Damaged(ctx)
}

func (x *Index) look(slot *weekSlot) error {
	slot.mu.RLock()
	defer slot.mu.RUnlock()
	if !slot.exists {
		return nil
	}
	return x.blameHeld(slot, x.present(slot.week, x.pathHeld(slot)))
}

// Usable is nil where a week can be read and written as far as is known, or does not
// exist.
func (x *Index) Usable(ctx context.Context, week event.Week) error {
	var events int64
	return x.using(ctx, week, false, func(file *weekFile, _ bool) error {
		return file.read.events.QueryRowContext(ctx).Scan(&events)
	})
}

// Replace puts a file in the place of a week's, whatever is wrong with that. The file
// made is beside the weeks, and is read from end to end before. What was there is set
// aside.
func (x *Index) Replace(ctx context.Context, week event.Week, made string, sealed bool) error {
	err := x.exclusively(ctx, week, func(slot *weekSlot) error {
		if _, err := verifyFile(ctx, made, true); err != nil {
			return fmt.Errorf("what is to take its place: %w", err)
		}
		// It may be of another directory: whoever puts it here makes it this one's.
		if err := setMark(ctx, made, x.config.Installation, week); err != nil {
			return fmt.Errorf("what is to take its place: %w", err)
		}
		slot.mu.Lock()
		defer slot.mu.Unlock()
		x.unused(slot)
		x.columns.Forget(week)
		_ = slot.close() // What it fails to do is of the file that is set aside.
		err := errors.Join(x.dropSum(week), x.setAside(week, openEnding), x.setAside(week, sealedEnding))
		if err != nil {
			return err
		}
		if err := rename(made, x.path(week, endingOf(sealed))); err != nil {
			return err
		}
		slot.exists, slot.sealed = true, sealed
		slot.damage.Store(nil)
		slot.unsynced.Store(false)
		return syncDirectory(x.dir)
	})
	return failed("replacing week "+week.String(), err)
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
