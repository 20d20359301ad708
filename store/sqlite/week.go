package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"tidings/event"
	"tidings/store/sqlite/columns"
	"tidings/store/sqlite/rowids"
)

// weekSchema is the history of a week's file; a step is never changed once it
// was released. The words table keeps no text: an event's terms are made
// again from its document when it leaves. Those of new events are written past
// FTS5 (see wordTables), as many segments at a time merged as FTS5 would merge;
// MergeWords merges what that leaves, and sealing leaves one segment. A page of
// words fills one of the file's. The tables facts and links hold the columns that
// statistics count; they are filled at sealing and mean nothing while the week is open.
var weekSchema = []string{`
CREATE TABLE event(k INTEGER PRIMARY KEY, space INTEGER NOT NULL, id BLOB NOT NULL, doc BLOB NOT NULL);
CREATE TABLE space(n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE total(events INTEGER NOT NULL);
INSERT INTO total VALUES(0);
CREATE VIRTUAL TABLE words USING fts5(body, subject, people, link, file,
  content='', columnsize=0, detail=full, tokenize='` + tokenize + `');
INSERT INTO words(words, rank) VALUES('automerge', 64);
INSERT INTO words(words, rank) VALUES('crisismerge', 64);
INSERT INTO words(words, rank) VALUES('pgsz', 8000);
`, `
CREATE TABLE facts(space INTEGER PRIMARY KEY, doc BLOB NOT NULL);
`, `
CREATE TABLE links(space INTEGER PRIMARY KEY, doc BLOB NOT NULL);
`, reanalyse, `-- keep what the documents of a sealed week are packed against
CREATE TABLE IF NOT EXISTS dictionary(n INTEGER PRIMARY KEY, text BLOB NOT NULL, samples BLOB NOT NULL);
`, `-- keep which rows the words of a sealed week are of, by number
CREATE TABLE IF NOT EXISTS number(k INTEGER PRIMARY KEY, low INTEGER NOT NULL, many INTEGER NOT NULL, steps BLOB NOT NULL);
`}

// weekFile is an open week. It is safe for concurrent use; one transaction
// writes at a time.
type weekFile struct {
	week    event.Week
	columns *columns.Cache // nil for a file that is being made
	events  *eventCache    // nil for a file that is being made
	blocks  *numberCache   // nil for a file that may be written
	// changes is odd while events that are there are being changed or taken out, and greater
	// behind each transaction that did. Until then eventCache may have what was there before.
	changes  atomic.Uint64
	writer   *sql.DB // nil when sealed
	reader   *sql.DB
	write    weekWrites
	read     weekReads
	prepared []*sql.Stmt
	// writeLog hears which rowids were written; it may be nil.
	writeLog *writeLog
	// dictionaries are what its documents are packed against, nil where there is none.
	dictionaries atomic.Pointer[dictionaries]
	// numbers say which rows its words are of, nil where these say it themselves.
	numbers numbers
	// merged says that there is nothing to merge among the words.
	merged atomic.Bool
	// wordsWritten says that words were written past FTS5, see rereadWords. It is the
	// writer's.
	wordsWritten bool

	mu sync.Mutex
	// workspaceIDs numbers the workspaces and names them. Numbers are given out
	// before they are on disk; saved has those that are there.
	workspaceIDs map[string]int64
	names        map[int64]string
	saved        map[int64]bool
	last         int64
}

// weekWrites are prepared on the one writing connection.
type weekWrites struct {
	addWorkspace, create, run, add, replace, drop *sql.Stmt
	addWords, dropWords, count                    *sql.Stmt
	readBlock, writeBlock                         *sql.Stmt
	words                                         wordTables
}

type weekReads struct {
	run, rows, there, near, page, pageOldest, events *sql.Stmt
	rowids, rowidsNewest, rowidsOldest, blocks, leaf *sql.Stmt
	block                                            *sql.Stmt // nil where there are no numbers
}

// weekSettings are how the files of weeks are opened.
type weekSettings struct {
	// writer and reader are the page caches of connections in KB.
	writer, reader int
	// installation is what IndexConfig says of it.
	installation string
}

// openWeek opens a week's file, and makes it when there is none and it is not
// to be a sealed one.
func openWeek(ctx context.Context, path string, week event.Week, a access, caches weekSettings) (*weekFile, error) {
	w := &weekFile{
		week:         week,
		workspaceIDs: make(map[string]int64), names: make(map[int64]string), saved: make(map[int64]bool),
	}
	if err := w.open(ctx, path, a, caches); err != nil {
		return nil, errors.Join(fmt.Errorf("opening week %s: %w", week, err), w.close())
	}
	return w, nil
}

func (w *weekFile) open(ctx context.Context, path string, a access, caches weekSettings) error {
	reading := access{sealed: a.sealed, cacheKB: caches.reader, connections: a.connections}
	var err error
	if !a.sealed {
		// A file in the making has no slot that syncs its log.
		synced := a.journal == ""
		writing := access{write: true, journal: a.journal, synced: synced, cacheKB: caches.writer, connections: 1}
		if w.writer, err = openPool(path, writing); err != nil {
			return err
		}
		if err := addTables(ctx, w.writer); err != nil {
			return err
		}
		if err := create(ctx, w.writer, "week "+w.week.String(), weekSchema); err != nil {
			return err
		}
		if err := w.markWith(ctx, caches.installation); err != nil {
			return err
		}
	}
	if w.reader, err = openPool(path, reading); err != nil {
		return err
	}
	if err := w.prepare(ctx); err != nil {
		return err
	}
	if err := w.loadWorkspaces(ctx); err != nil {
		return err
	}
	if err := w.loadNumbers(ctx); err != nil {
		return err
	}
	return w.loadDictionaries(ctx, w.reader)
}

// markWith writes which installation and week a file belongs to, unless it says.
func (w *weekFile) markWith(ctx context.Context, installation string) error {
	if installation == "" {
		return nil
	}
	var mark uint32
	if err := w.writer.QueryRowContext(ctx, "PRAGMA application_id").Scan(&mark); err != nil || mark != 0 && mark != markOf(installation) {
		return err
	}
	_, err := w.writer.ExecContext(ctx, markStatement(weekMark(installation, w.week)))
	return err
}

func (w *weekFile) prepare(ctx context.Context) error {
	p := preparer{ctx: ctx, pool: w.reader}
	const run = "SELECT k, space, id, doc FROM event WHERE k BETWEEN ? AND ? ORDER BY k DESC"
	const page = `SELECT e.k, e.space, e.id, e.doc FROM words CROSS JOIN event e ON e.k = words.rowid
			WHERE words MATCH ? AND words.rowid >= ? AND words.rowid < ? ORDER BY words.rowid`
	const pageRowids = "SELECT rowid FROM words WHERE words MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid"
	w.read = weekReads{
		run:   p.prepare(run),
		there: p.prepare("SELECT space FROM event WHERE k BETWEEN ? AND ? AND id = ?"),
		near: p.prepare(`SELECT asked.value FROM json_each(?1) asked
			WHERE EXISTS (SELECT 1 FROM event WHERE k BETWEEN asked.value - ?2 AND asked.value)`),
		page:         p.prepare(page + " DESC LIMIT +?"),
		pageOldest:   p.prepare(page + " LIMIT +?"),
		rows:         p.prepare("SELECT k, space, id, doc FROM event WHERE k IN (SELECT value FROM json_each(?))"),
		rowids:       p.prepare(pageRowids),
		rowidsNewest: p.prepare(pageRowids + " DESC LIMIT +?"),
		rowidsOldest: p.prepare(pageRowids + " LIMIT +?"),
		events:       p.prepare("SELECT events FROM total"),
		blocks:       p.prepare("SELECT id, block FROM words_data WHERE id BETWEEN ? AND ? ORDER BY id"),
		leaf:         p.prepare("SELECT pgno >> 1 FROM words_idx WHERE segid = ? AND term <= ? ORDER BY term DESC LIMIT 1"),
	}
	if p.pool = w.writer; w.writer != nil {
		w.write = weekWrites{
			addWorkspace: p.prepare("INSERT INTO space VALUES(?, ?) ON CONFLICT DO NOTHING"),
			// What fails ends the transaction: without OR FAIL each row is kept aside first,
			// with the whole page that it goes to.
			create: p.prepare(`INSERT OR FAIL INTO event SELECT ?1, ?3, ?4, ?5
				WHERE NOT EXISTS (SELECT 1 FROM event WHERE k BETWEEN ?2 AND ?1)`),
			run:     p.prepare(run),
			add:     p.prepare("INSERT INTO event VALUES(?, ?, ?, ?)"),
			replace: p.prepare("UPDATE event SET doc = ? WHERE k = ?"),
			drop:    p.prepare("DELETE FROM event WHERE k = ?"),
			addWords: p.prepare(`INSERT INTO words(rowid, body, subject, people, link, file)
				VALUES(?, ?, ?, ?, ?, ?)`),
			dropWords: p.prepare(`INSERT INTO words(words, rowid, body, subject, people, link, file)
				VALUES('delete', ?, ?, ?, ?, ?, ?)`),
			count:      p.prepare("UPDATE total SET events = events + ?"),
			readBlock:  p.prepare(selectBlock),
			writeBlock: p.prepare(insertBlock),
			words:      prepareWordTables(&p),
		}
	}
	w.prepared = p.all
	return p.err
}

func (w *weekFile) loadWorkspaces(ctx context.Context) error {
	rows, err := w.reader.QueryContext(ctx, "SELECT n, name FROM space")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var name string
		if err := rows.Scan(&n, &name); err != nil {
			return err
		}
		w.workspaceIDs[name], w.names[n], w.saved[n] = n, name, true
		w.last = max(w.last, n)
	}
	return rows.Err()
}

// close finalises, and puts the log into the file.
func (w *weekFile) close() error {
	if w.events != nil {
		w.events.forget(w)
	}
	w.blocks.forget(w)
	return closePools(w.prepared, w.reader, w.writer)
}

// workspaceIDOf is the number of a workspace that may have events in the week.
func (w *weekFile) workspaceIDOf(workspace string) (int64, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, known := w.workspaceIDs[workspace]
	return n, known
}

// assignWorkspaceID is the number of a workspace, a new one when it has none.
func (w *weekFile) assignWorkspaceID(workspace string) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, known := w.workspaceIDs[workspace]
	if !known {
		w.last++
		n = w.last
		w.workspaceIDs[workspace], w.names[n] = n, workspace
	}
	return n
}

// nameOf is the workspace of a number.
func (w *weekFile) nameOf(n int64) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.names[n]
}

func (w *weekFile) isSaved(n int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.saved[n]
}

// transactWords is transact where FTS5 takes words in or out.
func (w *weekFile) transactWords(ctx context.Context, do func(*weekTx) error) error {
	if err := w.rereadWords(ctx); err != nil {
		return err
	}
	return w.transact(ctx, do)
}

// transact runs do in one writing transaction. It takes a fraction of a second,
// so it is not stopped half way: watching for that at each statement costs more.
func (w *weekFile) transact(ctx context.Context, do func(*weekTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	t := &weekTx{ctx: ctx, file: w, saved: make(map[int64]bool), workspaceIDs: make(map[int64]bool)}
	defer func() {
		if len(t.changed) > 0 && w.events != nil {
			w.events.changed(w, t.changed)
		}
	}()
	err := transact(ctx, w.writer, func(tx *sql.Tx) error {
		on := func(statement *sql.Stmt) *sql.Stmt { return tx.StmtContext(ctx, statement) }
		t.weekWrites = weekWrites{
			addWorkspace: on(w.write.addWorkspace), create: on(w.write.create), run: on(w.write.run),
			add: on(w.write.add), replace: on(w.write.replace), drop: on(w.write.drop),
			addWords: on(w.write.addWords), dropWords: on(w.write.dropWords), count: on(w.write.count),
			readBlock: on(w.write.readBlock),
			words:     w.write.words.in(ctx, tx),
		}
		if err := do(t); err != nil {
			return err
		}
		if err := w.dropColumns(ctx, tx, t.workspaceIDs); err != nil || t.growth == 0 {
			return err
		}
		_, err := t.count.ExecContext(ctx, t.growth)
		return err
	})
	if err != nil {
		return err
	}
	w.merged.Store(false)
	w.writeLog.note(t.touched)
	w.mu.Lock()
	for n := range t.saved {
		w.saved[n] = true
	}
	w.mu.Unlock()
	w.tell(t)
	return nil
}

// tell makes counts know what was committed.
func (w *weekFile) tell(t *weekTx) {
	switch {
	case w.columns == nil:
	case t.removed:
		w.columns.Forget(w.week)
	default:
		w.columns.Changed(w.week, t.written)
	}
}

// row is a stored event that is not unpacked.
type row struct {
	rowid       int64
	workspaceID int64
	id          event.ID
	doc         []byte
}

// scanRow reads k, space, id and doc. The first four bytes of the id are those
// of its second and are not stored.
func (w *weekFile) scanRow(rows *sql.Rows) (row, error) {
	var r row
	var rest sql.RawBytes
	if err := rows.Scan(&r.rowid, &r.workspaceID, &rest, &r.doc); err != nil {
		return r, err
	}
	if len(rest) != len(r.id)-4 {
		return r, fmt.Errorf("week %s: the row at %d has no id", w.week, r.rowid)
	}
	seconds := uint32(rowids.KeyOf(w.week, r.rowid).Seconds)
	r.id[0], r.id[1], r.id[2], r.id[3] = byte(seconds>>24), byte(seconds>>16), byte(seconds>>8), byte(seconds)
	copy(r.id[4:], rest)
	var err error
	if r.doc, err = w.plain(r.doc); err != nil {
		return r, fmt.Errorf("event %s: %w", r.id, err)
	}
	return r, nil
}

// rowsBetween reads the rows in a range of rowids.
func (w *weekFile) rowsBetween(ctx context.Context, from, to int64) ([]row, error) {
	rows, err := w.read.run.QueryContext(ctx, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []row
	for rows.Next() {
		r, err := w.scanRow(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// find reads the row of an event among the rowids it can have, with the highest
// rowid that is free, -1 when none is.
func (w *weekFile) find(ctx context.Context, run *sql.Stmt, id event.ID) (found row, exists bool, free int64, err error) {
	highest := rowids.Of(id)
	rows, err := run.QueryContext(ctx, highest-rowids.Probes+1, highest)
	if err != nil {
		return row{}, false, 0, err
	}
	defer rows.Close()
	free = highest
	for rows.Next() {
		r, err := w.scanRow(rows)
		if err != nil {
			return row{}, false, 0, err
		}
		if r.id == id {
			found, exists = r, true
		}
		if r.rowid == free {
			free--
		}
	}
	if free <= highest-rowids.Probes {
		free = -1
	}
	return found, exists, free, rows.Err()
}
