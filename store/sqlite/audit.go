package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tidings/audit"
	"tidings/event"
)

// auditSchema is that of a day. Its rows are added and read; who runs other
// statements by this program gets an error.
const auditSchema = `
CREATE TABLE IF NOT EXISTS log (
	w TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL,
	kind TEXT NOT NULL, actor TEXT NOT NULL, route TEXT NOT NULL, doc BLOB NOT NULL, hash TEXT NOT NULL,
	PRIMARY KEY (w, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS log_actor ON log (w, actor, seq);
CREATE TABLE IF NOT EXISTS about (
	w TEXT NOT NULL, subject TEXT NOT NULL, seq INTEGER NOT NULL,
	PRIMARY KEY (w, subject, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS about_seq ON about (w, seq);
CREATE TRIGGER IF NOT EXISTS log_kept BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER IF NOT EXISTS log_stays BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER IF NOT EXISTS about_kept BEFORE UPDATE ON about BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER IF NOT EXISTS about_stays BEFORE DELETE ON about BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
`

const auditColumns = "seq, id, at, kind, actor, route, doc, hash, (SELECT group_concat(subject, char(10)) FROM about WHERE about.w = log.w AND about.seq = log.seq)"

// Audit is the store of the audit log: a file a day in one directory.
type Audit struct {
	dir string

	mu   sync.Mutex
	day  audit.Day
	pool *sql.DB
	row  *sql.Stmt
	item *sql.Stmt
}

// OpenAudit opens the directory, making it where there is none.
func OpenAudit(dir string) (*Audit, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the audit log: %w", err)
	}
	return &Audit{dir: dir}, nil
}

// Close closes the day that is being written.
func (a *Audit) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return failed("closing the audit log", a.leave())
}

func (a *Audit) leave() error {
	if a.pool == nil {
		return nil
	}
	err := closePools([]*sql.Stmt{a.row, a.item}, a.pool)
	a.pool, a.row, a.item, a.day = nil, nil, nil, ""
	return err
}

func (a *Audit) path(day audit.Day) string { return filepath.Join(a.dir, string(day)+".db") }

// enter makes a day the one that is written. The caller holds mu.
//
//nolint:contextcheck // the file outlives the call that opens it
func (a *Audit) enter(day audit.Day) error {
	if a.day == day {
		return nil
	}
	if err := a.leave(); err != nil {
		return err
	}
	if err := a.begin(day); err != nil {
		return err
	}
	pool, err := openPool(a.path(day), access{write: true, cacheKB: 1 << 10, connections: 1})
	if err != nil {
		return err
	}
	ctx := context.Background()
	_, err = pool.ExecContext(ctx, auditSchema)
	p := preparer{ctx: ctx, pool: pool}
	if err == nil {
		a.row = p.prepare("INSERT INTO log (w, seq, id, at, kind, actor, route, doc, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
		a.item = p.prepare("INSERT OR IGNORE INTO about (w, subject, seq) VALUES (?, ?, ?)")
		err = errors.Join(p.err, syncDirectory(a.dir))
	}
	if err != nil {
		return errors.Join(err, closePools(p.all, pool))
	}
	a.pool, a.day = pool, day
	return nil
}

// begin makes the file of a day that has none. It has its name once it has its tables: a disk
// that is full in between would leave one that is read as damaged for good.
//
//nolint:contextcheck // the file outlives the call that makes it
func (a *Audit) begin(day audit.Day) error {
	path := a.path(day)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	making := path + newEnding
	if err := removeDatabase(making); err != nil {
		return err
	}
	pool, err := openPool(making, access{write: true, cacheKB: 1 << 10, connections: 1})
	if err != nil {
		return errors.Join(err, removeDatabase(making))
	}
	ctx := context.Background()
	_, err = pool.ExecContext(ctx, auditSchema)
	if err = errors.Join(err, pool.Close()); err == nil {
		err = finalize(ctx, making)
	}
	if err == nil {
		err = rename(making, path)
	}
	if err != nil {
		return errors.Join(err, removeDatabase(making))
	}
	return syncDirectory(a.dir)
}

// removeDatabase removes a file of SQLite's and what is beside it; there need be none.
func removeDatabase(path string) error {
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Append adds entries, all of them or none.
func (a *Audit) Append(ctx context.Context, day audit.Day, entries []audit.Entry) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.enter(day); err != nil {
		return 0, failed("opening the audit log", err)
	}
	err := transact(ctx, a.pool, func(tx *sql.Tx) error {
		row, item := tx.StmtContext(ctx, a.row), tx.StmtContext(ctx, a.item)
		for _, e := range entries {
			if _, err := row.ExecContext(ctx, e.Workspace, e.Seq, e.ID, e.At.UnixMilli(), string(e.Kind), e.Actor, e.Route, e.Doc, e.Hash); err != nil {
				return err
			}
			for _, subject := range e.About {
				if _, err := item.ExecContext(ctx, e.Workspace, subject, e.Seq); err != nil {
					return err
				}
			}
		}
		return nil
	})
	var vendor *modernc.Error
	if errors.As(err, &vendor) && vendor.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
		return 0, fmt.Errorf("adding to the audit log: %w", event.ErrConflict)
	}
	if err != nil {
		return 0, failed("adding to the audit log", err)
	}
	return len(entries), nil
}

// reading runs a query on a day's file; there need not be one.
func (a *Audit) reading(ctx context.Context, day audit.Day, text string, arguments []any, each func(*sql.Rows) error) (err error) {
	if err := isFile(a.path(day)); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return failedDay(day, err)
	}
	defer func() {
		if err != nil && a.isDropped(day) {
			err = nil
		}
	}()
	// A file that is being made is whole once mu is free.
	a.mu.Lock()
	pool, err := openPool(a.path(day), access{cacheKB: 1 << 10, connections: 1})
	a.mu.Unlock()
	if err != nil {
		return failedDay(day, err)
	}
	defer func() { err = errors.Join(err, failed("closing the audit log", pool.Close())) }()
	rows, err := pool.QueryContext(ctx, text, arguments...)
	if err != nil {
		return failedDay(day, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return failedDay(day, err)
		}
	}
	return failedDay(day, rows.Err())
}

// isDropped reports whether a day has no file any more.
func (a *Audit) isDropped(day audit.Day) bool {
	_, err := os.Stat(a.path(day))
	return errors.Is(err, os.ErrNotExist)
}

// failedDay is failed for a day's file. One that is damaged is an event.Degraded.
func failedDay(day audit.Day, err error) error {
	if err == nil {
		return nil
	}
	if cause := causeOf(err); cause != "" {
		err = fmt.Errorf("%w: %w", &event.Degraded{Words: cause + "; take audit/" + string(day) + ".db from a backup"}, err)
	}
	return failed("reading the audit log of "+string(day), err)
}

func (a *Audit) entries(ctx context.Context, day audit.Day, workspace, rest string, arguments ...any) ([]audit.Entry, error) {
	var all []audit.Entry
	err := a.reading(ctx, day, "SELECT "+auditColumns+" FROM log WHERE w = ? "+rest, append([]any{workspace}, arguments...), func(rows *sql.Rows) error {
		e := audit.Entry{Workspace: workspace}
		var at int64
		var about sql.NullString
		if err := rows.Scan(&e.Seq, &e.ID, &at, &e.Kind, &e.Actor, &e.Route, &e.Doc, &e.Hash, &about); err != nil {
			return err
		}
		e.At = time.UnixMilli(at).UTC()
		if about.Valid {
			e.About = strings.Split(about.String, "\n")
		}
		all = append(all, e)
		return nil
	})
	return all, err
}

// Chain returns the rows of a workspace and day in order, from behind a Seq.
func (a *Audit) Chain(ctx context.Context, workspace string, day audit.Day, after int64, limit int) ([]audit.Entry, error) {
	return a.entries(ctx, day, workspace, "AND seq > ? ORDER BY seq LIMIT +?", after, limit)
}

// Last returns the last row of a workspace and day, or event.ErrNotFound.
func (a *Audit) Last(ctx context.Context, workspace string, day audit.Day) (audit.Entry, error) {
	all, err := a.entries(ctx, day, workspace, "ORDER BY seq DESC LIMIT 1")
	if err == nil && len(all) == 0 {
		return audit.Entry{}, fmt.Errorf("reading the audit log: %w", event.ErrNotFound)
	}
	if err != nil {
		return audit.Entry{}, err
	}
	return all[0], nil
}

// Find returns the rows of one day that a question asks for, newest first.
func (a *Audit) Find(ctx context.Context, day audit.Day, q audit.Question) ([]audit.Entry, error) {
	var where strings.Builder
	var arguments []any
	and := func(clause string, values ...any) {
		where.WriteString("AND " + clause + " ")
		arguments = append(arguments, values...)
	}
	if q.Kind != "" {
		and("kind = ?", string(q.Kind))
	}
	if q.Actor != "" {
		and("actor = ?", q.Actor)
	}
	if q.Route != "" {
		and("route = ?", q.Route)
	}
	if !q.From.IsZero() {
		and("at >= ?", q.From.UnixMilli())
	}
	if q.Before > 0 {
		and("seq < ?", q.Before)
	}
	if len(q.About) > 0 {
		subjects := make([]any, 0, len(q.About)+1)
		subjects = append(subjects, q.Workspace)
		for _, subject := range q.About {
			subjects = append(subjects, subject)
		}
		and("seq IN (SELECT seq FROM about WHERE w = ? AND subject IN (?"+strings.Repeat(", ?", len(q.About)-1)+"))", subjects...)
	}
	return a.entries(ctx, day, q.Workspace, where.String()+"ORDER BY seq DESC LIMIT +?", append(arguments, q.Limit)...)
}

// Days lists the days that have a file, the oldest first.
func (a *Audit) Days(context.Context) ([]audit.Day, error) {
	files, err := os.ReadDir(a.dir)
	if err != nil {
		return nil, fmt.Errorf("listing the audit log: %w", err)
	}
	var days []audit.Day
	for _, file := range files {
		if day, ok := dayOfFile(file.Name()); ok {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	return days, nil
}

// dayOfFile is the day that a file is of, if it is one of the log's.
func dayOfFile(file string) (audit.Day, bool) {
	name, ok := strings.CutSuffix(file, ".db")
	_, err := time.Parse(time.DateOnly, name)
	return audit.Day(name), ok && err == nil
}

// Workspaces lists those that have rows on a day.
func (a *Audit) Workspaces(ctx context.Context, day audit.Day) ([]string, error) {
	var all []string
	err := a.reading(ctx, day, "SELECT DISTINCT w FROM log ORDER BY w", nil, func(rows *sql.Rows) error {
		var workspace string
		err := rows.Scan(&workspace)
		all = append(all, workspace)
		return err
	})
	return all, err
}

// Droppable lists the days before one.
func (a *Audit) Droppable(ctx context.Context, before audit.Day) ([]audit.Day, error) {
	days, err := a.Days(ctx)
	end, _ := slices.BinarySearch(days, before)
	return days[:end], err
}

// Drop removes the files of the days before one.
func (a *Audit) Drop(ctx context.Context, before audit.Day) error {
	days, err := a.Droppable(ctx, before)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, day := range days {
		if day == a.day {
			if err := a.leave(); err != nil {
				return failed("closing the audit log", err)
			}
		}
		if err := removeDatabase(a.path(day)); err != nil {
			return fmt.Errorf("dropping a day of the audit log: %w", err)
		}
	}
	return failed("dropping days of the audit log", syncDirectory(a.dir))
}

// Backup copies every day into a directory and returns the names of the files.
func (a *Audit) Backup(ctx context.Context, dir string) ([]string, error) {
	days, err := a.Days(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("backing up the audit log: %w", err)
	}
	var names []string
	for _, day := range days {
		name := filepath.Base(a.path(day))
		if err := snapshot(ctx, filepath.Join(dir, name), a.path(day)); err != nil && a.isDropped(day) {
			continue
		} else if err != nil {
			return nil, failed("backing up the audit log", err)
		}
		names = append(names, name)
	}
	err = removeOthers(dir, names, func(name string) bool { _, ok := dayOfFile(name); return ok })
	return names, failed("backing up the audit log", errors.Join(err, syncDirectory(dir)))
}
