package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"tidings/event"
	"tidings/notify"
)

// notifySchema is the history of notify.db; a step is never changed once it was released.
var notifySchema = []string{`
CREATE TABLE decision(space TEXT, id TEXT, user TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL, message TEXT NOT NULL,
  kind TEXT NOT NULL, outcome TEXT NOT NULL, unread INTEGER NOT NULL, version INTEGER NOT NULL, doc BLOB NOT NULL,
  PRIMARY KEY(space, id)) WITHOUT ROWID;
CREATE INDEX decision_user ON decision(space, user, at DESC, id DESC);
CREATE INDEX decision_time ON decision(space, at DESC, id DESC);
CREATE INDEX decision_event ON decision(space, event);
CREATE INDEX decision_unread ON decision(space, user) WHERE unread;
CREATE INDEX decision_age ON decision(at);
CREATE TABLE claim(space TEXT, key TEXT, event TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(space, key)) WITHOUT ROWID;
CREATE INDEX claim_age ON claim(at);
`, `
CREATE TABLE note(space TEXT, key TEXT, doc BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(space, key)) WITHOUT ROWID;
CREATE INDEX note_age ON note(at);
`, `-- write each decision once and its keys three times, instead of all of it by its hash and five keys
DROP INDEX decision_user; DROP INDEX decision_time; DROP INDEX decision_event; DROP INDEX decision_unread; DROP INDEX decision_age;
ALTER TABLE decision RENAME TO decision_before;
CREATE TABLE decision(n INTEGER PRIMARY KEY, space TEXT NOT NULL, id TEXT NOT NULL, user TEXT NOT NULL, at INTEGER NOT NULL,
  event TEXT NOT NULL, message TEXT NOT NULL, kind TEXT NOT NULL, outcome TEXT NOT NULL, unread INTEGER NOT NULL, version INTEGER NOT NULL,
  doc BLOB NOT NULL, UNIQUE(space, id));
INSERT INTO decision(space, id, user, at, event, message, kind, outcome, unread, version, doc)
  SELECT space, id, user, at, event, message, kind, outcome, unread, version, doc FROM decision_before ORDER BY at, id;
DROP TABLE decision_before;
CREATE INDEX decision_user ON decision(space, user, at DESC, id DESC);
CREATE INDEX decision_event ON decision(space, event);
CREATE INDEX decision_unread ON decision(space, user) WHERE unread;
DROP INDEX claim_age;
DROP INDEX note_age;
`}

// Notify keeps decisions and claims, in a file of its own: state.db has one writer, which
// the indexer needs.
type Notify struct {
	path           string
	writer, reader *sql.DB
	statements     []*sql.Stmt

	add, claim, holder, ofEvents, countUnread *sql.Stmt
	// unread are the counts of those whom the newest decisions were about.
	unread *unreadCounts
}

// OpenNotify opens the file, making it where there is none.
//
//nolint:contextcheck // a store outlives the call that opens it
func OpenNotify(path string) (*Notify, error) {
	ctx := context.Background()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("opening the store of notifications: %w", err)
	}
	n := &Notify{path: path, unread: newUnreadCounts()}
	if errors.Is(isFile(path), errNoFile) {
		return nil, failed("opening the store of notifications", &event.Degraded{Words: "notify.db cannot be opened (" + errNoFile.Error() + ")"})
	}
	var err error
	if n.writer, err = openPool(path, access{write: true, overwrites: true, cacheKB: 4 << 10, connections: 1}); err == nil {
		err = upgrade(ctx, n.writer, "the store of notifications", notifySchema)
	}
	if err == nil {
		n.reader, err = openPool(path, access{cacheKB: 1 << 10, connections: 2})
	}
	if err == nil {
		err = n.prepare(ctx)
	}
	if err == nil {
		err = syncDirectory(filepath.Dir(path))
	}
	if err == nil {
		return n, nil
	}
	if cause := causeOf(err); cause != "" && !errors.Is(err, os.ErrPermission) {
		err = errors.Join(err, &event.Degraded{Words: "notify.db cannot be opened (" + cause + ")"})
	}
	return nil, failed("opening the store of notifications", errors.Join(err, n.Close()))
}

// prepare makes the statements of the way of a trigger.
func (n *Notify) prepare(ctx context.Context) error {
	write, read := preparer{ctx: ctx, pool: n.writer}, preparer{ctx: ctx, pool: n.reader}
	n.add = write.prepare(`INSERT INTO decision(space, id, user, at, event, message, kind, outcome, unread, version, doc)
		VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`)
	n.claim = write.prepare("INSERT INTO claim VALUES(?,?,?,?) ON CONFLICT DO NOTHING")
	n.holder = write.prepare("SELECT event FROM claim WHERE space = ? AND key = ?")
	n.ofEvents = read.prepare(`SELECT d.doc, d.unread FROM json_each(?) AS about
		CROSS JOIN decision AS d INDEXED BY decision_event ON d.space = about.value->>0 AND d.event = about.value->>1 ORDER BY d.space, d.id`)
	n.countUnread = read.prepare(`SELECT asked.value->>2, (SELECT COUNT(*) FROM (
		SELECT 1 FROM decision INDEXED BY decision_unread WHERE space = asked.value->>0 AND user = asked.value->>1 AND unread LIMIT +?2))
		FROM json_each(?1) AS asked`)
	n.statements = append(write.all, read.all...)
	return errors.Join(write.err, read.err)
}

// Check runs SQLite's checks over the whole file. What they find is a Degraded.
func (n *Notify) Check(ctx context.Context) error {
	return checkPages(ctx, n.reader, "notify.db", "start once with --begin-anew=notify.db: who was told of what is begun anew")
}

// Mark has the file belong to an installation; see Mark.
func (n *Notify) Mark(ctx context.Context, installation string) error {
	return failed("marking the store of notifications", putMark(ctx, n.writer, installation))
}

// Close closes the file.
func (n *Notify) Close() error { return closePools(n.statements, n.reader, n.writer) }

// Backup writes it into a file, from where OpenNotify opens it.
func (n *Notify) Backup(ctx context.Context, path string) error {
	return failed("backing up the store of notifications", errors.Join(snapshot(ctx, path, n.path), syncDirectory(filepath.Dir(path))))
}

// expireAtOnce is how many rows are looked at in one transaction, so that others can write
// between.
const expireAtOnce = 2000

// Expire deletes what is from before a time. Decisions are in the order in which they came;
// claims and notes are looked through from end to end: no write keeps them by age.
func (n *Notify) Expire(ctx context.Context, before int64) error {
	defer n.unread.forget()
	for {
		done, err := n.writer.ExecContext(ctx, `DELETE FROM decision WHERE at < ?1 AND n <= (
			SELECT MAX(n) FROM (SELECT n FROM decision ORDER BY n LIMIT +?2))`, before, expireAtOnce)
		if err != nil {
			return failed("expiring decisions", err)
		}
		if rows, err := done.RowsAffected(); err != nil || rows == 0 {
			break
		}
	}
	for _, table := range []string{"claim", "note"} {
		if err := n.expire(ctx, table, before); err != nil {
			return failed("expiring "+table+"s", err)
		}
	}
	return nil
}

func (n *Notify) expire(ctx context.Context, table string, before int64) error {
	for workspace, key := "", ""; ; {
		var nextWorkspace, nextKey sql.NullString
		err := n.reader.QueryRowContext(ctx, "SELECT space, key FROM "+table+" WHERE (space, key) > (?, ?) ORDER BY space, key LIMIT 1 OFFSET ?",
			workspace, key, expireAtOnce).Scan(&nextWorkspace, &nextKey)
		last := errors.Is(err, sql.ErrNoRows)
		if err != nil && !last {
			return err
		}
		until, args := "", []any{before, workspace, key}
		if !last {
			until, args = " AND (space, key) <= (?, ?)", append(args, nextWorkspace.String, nextKey.String)
		}
		if _, err := n.writer.ExecContext(ctx, "DELETE FROM "+table+" WHERE at < ? AND (space, key) > (?, ?)"+until, args...); err != nil || last {
			return err
		}
		workspace, key = nextWorkspace.String, nextKey.String
	}
}

// Forget takes what an erased person's rules are called out of decisions, claims and notes.
func (n *Notify) Forget(ctx context.Context, workspace string, f notify.Forgotten) error {
	return failed("forgetting a person", transact(ctx, n.writer, func(tx *sql.Tx) error {
		names := maps.Clone(f.Rules)
		if names == nil {
			names = make(map[string]bool)
		}
		rows, err := tx.QueryContext(ctx, "SELECT doc, unread FROM decision WHERE space = ? AND instr(doc, ?)", workspace, []byte(`"rules":[`))
		all, err := decisionsOf(rows, err)
		if err != nil {
			return err
		}
		for _, d := range all {
			gone, named := d.Forget(f)
			if !named {
				continue
			}
			for _, rule := range gone {
				names[rule] = true
			}
			doc, err := json.Marshal(d.Nameless())
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE decision SET doc = ? WHERE space = ? AND id = ?", doc, workspace, d.ID); err != nil {
				return err
			}
		}
		for name := range names {
			for _, table := range []string{"claim", "note"} {
				if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE space = ? AND instr(key, ?)", workspace, "|"+name+"|"); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}
