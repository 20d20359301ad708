package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

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
`}

// Notify keeps decisions and claims, in a file of its own: state.db has one writer, which
// the indexer needs.
type Notify struct {
	path           string
	writer, reader *sql.DB
}

// OpenNotify opens the file, making it where there is none.
//
//nolint:contextcheck // a store outlives the call that opens it
func OpenNotify(path string) (*Notify, error) {
	ctx := context.Background()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("opening the store of notifications: %w", err)
	}
	n := &Notify{path: path}
	if errors.Is(isFile(path), errNoFile) {
		return nil, failed("opening the store of notifications", &event.Degraded{Words: "notify.db cannot be opened (" + errNoFile.Error() + ")"})
	}
	var err error
	if n.writer, err = openPool(path, access{write: true, overwrites: true, cacheKB: 4 << 10, connections: 1}); err == nil {
		err = create(ctx, n.writer, "the store of notifications", notifySchema)
	}
	if err == nil {
		n.reader, err = openPool(path, access{cacheKB: 1 << 10, connections: 2})
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

// Check runs SQLite's checks over the whole file. What they find is a Degraded.
func (n *Notify) Check(ctx context.Context) error {
	return checkPages(ctx, n.reader, "notify.db", "start once with --begin-anew=notify.db: who was told of what is begun anew")
}

// Mark has the file belong to an installation; see Mark.
func (n *Notify) Mark(ctx context.Context, installation string) error {
	return failed("marking the store of notifications", putMark(ctx, n.writer, installation))
}

// Close closes the file.
func (n *Notify) Close() error { return closePools(nil, n.reader, n.writer) }

// Backup writes it into a file, from where OpenNotify opens it.
func (n *Notify) Backup(ctx context.Context, path string) error {
	return failed("backing up the store of notifications", errors.Join(snapshot(ctx, path, n.path), syncDirectory(filepath.Dir(path))))
}

func unread(d notify.Decision) bool {
	return !d.Read && d.Outcome == notify.Notified && !d.Shadow
}

// Add writes decisions that are not there yet.
func (n *Notify) Add(ctx context.Context, decisions []notify.Decision) error {
	return failed("adding decisions", transact(ctx, n.writer, func(tx *sql.Tx) error {
		for _, d := range decisions {
			doc, err := json.Marshal(d)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, "INSERT INTO decision VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
				d.Workspace, d.ID, d.User, d.At, d.Event.String(), d.Message, d.Kind, d.Outcome, unread(d), d.Version, doc)
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// Replace writes a decision over the version before.
func (n *Notify) Replace(ctx context.Context, d notify.Decision) (bool, error) {
	doc, err := json.Marshal(d)
	if err != nil {
		return false, fmt.Errorf("replacing a decision: %w", err)
	}
	done, err := n.writer.ExecContext(ctx, `UPDATE decision SET at = ?, kind = ?, outcome = ?, unread = ?, version = ?, doc = ?
		WHERE space = ? AND id = ? AND version = ?`, d.At, d.Kind, d.Outcome, unread(d), d.Version, doc, d.Workspace, d.ID, d.Version-1)
	if err != nil {
		return false, failed("replacing a decision", err)
	}
	rows, err := done.RowsAffected()
	return rows == 1, failed("replacing a decision", err)
}

// OfEvents returns all decisions about events.
func (n *Notify) OfEvents(ctx context.Context, workspace string, ids []event.ID) ([]notify.Decision, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := []any{workspace}
	for _, id := range ids {
		args = append(args, id.String())
	}
	rows, err := n.reader.QueryContext(ctx, "SELECT doc, unread FROM decision WHERE space = ? AND event IN (?"+
		strings.Repeat(",?", len(ids)-1)+") ORDER BY id", args...)
	return decisionsOf(rows, err)
}

// Page returns decisions, newest first.
func (n *Notify) Page(ctx context.Context, workspace string, f notify.Filter, after string, most int) ([]notify.Decision, string, error) {
	where, args := []string{"space = ?"}, []any{workspace}
	and := func(condition string, values ...any) { where, args = append(where, condition), append(args, values...) }
	for column, value := range map[string]string{"id": f.ID, "user": f.User, "outcome": string(f.Outcome), "kind": string(f.Kind), "message": f.Message} {
		if value != "" {
			and(column+" = ?", value)
		}
	}
	if f.Unread {
		and("unread")
	}
	if after != "" {
		at, id, _ := strings.Cut(after, ".")
		millis, err := strconv.ParseInt(at, 10, 64)
		if err != nil || id == "" {
			return nil, "", failed("reading decisions", event.Invalid("cursor", "is not a position"))
		}
		and("(at, id) < (?, ?)", millis, id)
	}
	rows, err := n.reader.QueryContext(ctx, "SELECT doc, unread FROM decision WHERE "+strings.Join(where, " AND ")+
		" ORDER BY at DESC, id DESC LIMIT ?", append(args, most)...)
	page, err := decisionsOf(rows, err)
	if err != nil || len(page) < most {
		return page, "", err
	}
	last := page[len(page)-1]
	return page, strconv.FormatInt(last.At, 10) + "." + last.ID, nil
}

func decisionsOf(rows *sql.Rows, err error) ([]notify.Decision, error) {
	if err != nil {
		return nil, failed("reading decisions", err)
	}
	defer rows.Close()
	var all []notify.Decision
	for rows.Next() {
		var doc []byte
		var unread bool
		if err := rows.Scan(&doc, &unread); err != nil {
			return nil, failed("reading decisions", err)
		}
		var d notify.Decision
		if err := json.Unmarshal(doc, &d); err != nil {
			return nil, failed("reading decisions", err)
		}
		d.Read = d.Outcome == notify.Notified && !d.Shadow && !unread
		all = append(all, d)
	}
	return all, failed("reading decisions", rows.Err())
}

// Unread counts what a user has not read.
func (n *Notify) Unread(ctx context.Context, workspace, user string, most int) (count int, err error) {
	err = n.reader.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM decision WHERE space = ? AND user = ? AND unread LIMIT ?)`,
		workspace, user, most).Scan(&count)
	return count, failed("counting notifications", err)
}

// Read marks what a user was notified of as read.
func (n *Notify) Read(ctx context.Context, workspace, user string, ids []string) error {
	only, args := "", []any{workspace, user}
	if len(ids) > 0 {
		only = " AND id IN (?" + strings.Repeat(",?", len(ids)-1) + ")"
		for _, id := range ids {
			args = append(args, id)
		}
	}
	_, err := n.writer.ExecContext(ctx, "UPDATE decision SET unread = 0 WHERE space = ? AND user = ? AND unread"+only, args...)
	return failed("marking notifications as read", err)
}

// Expire deletes what is from before a time.
func (n *Notify) Expire(ctx context.Context, before int64) error {
	return failed("expiring decisions", transact(ctx, n.writer, func(tx *sql.Tx) error {
		for _, table := range []string{"decision", "claim", "note"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE at < ?", min(before, math.MaxInt64)); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Forget takes what an erased person's rules are called out of decisions, claims and notes.
func (n *Notify) Forget(ctx context.Context, workspace string, f notify.Forgotten) error {
	return failed("forgetting a person", transact(ctx, n.writer, func(tx *sql.Tx) error {
		names := maps.Clone(f.Rules)
		rows, err := tx.QueryContext(ctx, "SELECT doc, unread FROM decision WHERE space = ? AND instr(doc, ?)", workspace, []byte(`"rules":[`))
		all, err := decisionsOf(rows, err)
		if err != nil {
			return err
		}
		for _, d := range all {
			theirs := d.Person == f.Person
			if !theirs && !slices.ContainsFunc(d.Rules, func(rule string) bool { return f.Rules[rule] }) {
				continue
			}
			for _, rule := range d.Rules {
				if theirs && !f.Kept[rule] { // it was deleted before
					names[rule] = true
				}
			}
			d.Rules, d.Claim, d.Found = nil, "", "A rule found it, about a person who was erased."
			doc, err := json.Marshal(d)
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

// Claim gives keys to events where nobody has them, and returns who has.
func (n *Notify) Claim(ctx context.Context, workspace string, claims []notify.Claim, at int64) ([]event.ID, error) {
	holders := make([]event.ID, len(claims))
	err := transact(ctx, n.writer, func(tx *sql.Tx) error {
		for i, claim := range claims {
			if _, err := tx.ExecContext(ctx, "INSERT INTO claim VALUES(?,?,?,?) ON CONFLICT DO NOTHING", workspace, claim.Key, claim.Event.String(), at); err != nil {
				return err
			}
			var text string
			err := tx.QueryRowContext(ctx, "SELECT event FROM claim WHERE space = ? AND key = ?", workspace, claim.Key).Scan(&text)
			if err == nil {
				holders[i], err = event.ParseID(text)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return holders, failed("claiming", err)
}

// Release takes a key from an event that has it.
func (n *Notify) Release(ctx context.Context, workspace, key string, id event.ID) error {
	_, err := n.writer.ExecContext(ctx, "DELETE FROM claim WHERE space = ? AND key = ? AND event = ?", workspace, key, id.String())
	return failed("releasing a claim", err)
}

// Note returns what is noted under a key.
func (n *Notify) Note(ctx context.Context, workspace, key string) (doc []byte, err error) {
	err = n.reader.QueryRowContext(ctx, "SELECT doc FROM note WHERE space = ? AND key = ?", workspace, key).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return doc, failed("reading a note", err)
}

// SwapNote writes a note over the one that was read.
func (n *Notify) SwapNote(ctx context.Context, workspace, key string, old, doc []byte, at int64) (bool, error) {
	statement, args := "INSERT INTO note VALUES(?1,?2,?3,?4) ON CONFLICT DO NOTHING", []any{workspace, key, doc, at}
	if old != nil {
		statement, args = "UPDATE note SET doc = ?3, at = ?4 WHERE space = ?1 AND key = ?2 AND doc = ?5", append(args, old)
	}
	done, err := n.writer.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, failed("writing a note", err)
	}
	rows, err := done.RowsAffected()
	return rows == 1, failed("writing a note", err)
}
