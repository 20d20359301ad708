package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tidings/event"
	"tidings/migrations"
)

// StateConfig is what OpenState needs to know beside the path.
type StateConfig struct {
	// Grace is how long the state of a message that everyone has opened is
	// kept in full, longer than any event may be repeated. 0 means 30 days.
	Grace time.Duration
	// Readers bounds the connections that read at once. 0 means 4.
	Readers int
	// WriterCacheKB and ReaderCacheKB bound the page caches of the connection that
	// writes and of each that reads. 0 means 32 MiB and 4 MiB.
	WriterCacheKB, ReaderCacheKB int
	// CacheKB bounds what is kept in memory of states that were read for pages, 0 for 32 MiB.
	CacheKB int
	// Now is the clock, the system's when nil.
	Now func() time.Time
}

// State keeps what is known of messages, in which weeks a workspace has
// events, who was erased, and small records. It is safe for concurrent use, and
// the only process's on its file.
type State struct {
	path   string
	grace  time.Duration
	now    func() time.Time
	writer *sql.DB
	reader *sql.DB
	write  stateWrites
	read   stateReads
	secret []byte
	// stateCache are those that were read for pages.
	stateCache *stateCache
	// statuses are of the workspaces whose recipients were asked about.
	statusCache *statusCache
	// prepared are all statements, to be finalised before the pools close.
	prepared []*sql.Stmt

	mu sync.Mutex
	// workspaceIDs numbers the workspaces that are on disk.
	workspaceIDs map[string]int64
	// marked are the weeks that are in the catalogue on disk.
	marked map[workspaceWeek]bool
	// catalogue is what was read of it, by workspace. It is as on disk but while a change
	// is being committed; catalogueChanges counts these, and what was read before one is
	// not kept behind it.
	catalogue        map[int64][]event.Week
	catalogueChanges uint64
}

type workspaceWeek struct {
	workspaceID int64
	week        event.Week
}

// stateSchema is the history of state.db; a step is never changed once it was
// released. Workspaces are numbered so that rows stay small. Rows of state are
// in the order in which messages became known, so that a batch touches few
// pages; recipient finds a person's messages for an erasure. finished is when a
// state was reduced, until its sends are purged.
var stateSchema = []string{`
CREATE TABLE space(n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE state(n INTEGER PRIMARY KEY, space INTEGER NOT NULL, message TEXT NOT NULL,
  at INTEGER NOT NULL, waiting INTEGER NOT NULL, expire INTEGER NOT NULL, doc BLOB NOT NULL);
CREATE UNIQUE INDEX state_message ON state(space, message);
CREATE INDEX state_waiting ON state(space, at, message) WHERE waiting;
CREATE INDEX state_expire ON state(expire) WHERE expire > 0;
CREATE TABLE recipient(space INTEGER, hash INTEGER, state INTEGER,
  PRIMARY KEY(space, hash, state)) WITHOUT ROWID;
CREATE TABLE week(space INTEGER, week INTEGER, PRIMARY KEY(space, week)) WITHOUT ROWID;
CREATE TABLE record(space TEXT, kind TEXT, id TEXT, doc BLOB NOT NULL,
  PRIMARY KEY(space, kind, id)) WITHOUT ROWID;
CREATE TABLE secret(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO secret VALUES('erasure', randomblob(32));
`, `-- note when a state was reduced, so that its sends can be purged
ALTER TABLE state ADD COLUMN finished INTEGER NOT NULL DEFAULT 0;
CREATE INDEX state_finished ON state(finished) WHERE finished > 0;
`, `-- have messages looked for that several users have sent
INSERT INTO record SELECT '', '` + migrations.KindSearch + `', 'senders', '{}' WHERE EXISTS(SELECT 1 FROM state);
`}

// stateWrites are prepared on the one writing connection.
type stateWrites struct {
	addWorkspace, mark, find, insert, update, drop    *sql.Stmt
	addRecipient, dropRecipient, ofRecipient, expired *sql.Stmt
	finish, finished, purged, scan                    *sql.Stmt
	putRecord, dropRecord, takeRecord                 *sql.Stmt
	makeRecord, swapRecord                            *sql.Stmt
}

type stateReads struct {
	find, findAll, waiting, weeks, record, records, anyRecord *sql.Stmt
}

// OpenState opens the state store at path, and makes it when there is none.
//
//nolint:contextcheck // a store outlives the call that opens it
func OpenState(path string, config StateConfig) (*State, error) {
	if config.Grace == 0 {
		config.Grace = 30 * 24 * time.Hour
	}
	if config.Readers == 0 {
		config.Readers = 4
	}
	if config.WriterCacheKB == 0 {
		config.WriterCacheKB = 32 << 10
	}
	if config.ReaderCacheKB == 0 {
		config.ReaderCacheKB = 4 << 10
	}
	if config.CacheKB == 0 {
		config.CacheKB = 32 << 10
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("opening the state store: %w", err)
	}
	s := &State{
		path: path, grace: config.Grace, now: config.Now,
		workspaceIDs: make(map[string]int64), marked: make(map[workspaceWeek]bool),
		catalogue:   make(map[int64][]event.Week),
		statusCache: newStatusCache(mostStatuses), stateCache: newStateCache(config.CacheKB << 10),
	}
	if err := s.open(path, config); err != nil {
		return nil, failed("opening the state store", errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *State) open(path string, config StateConfig) error {
	ctx := context.Background()
	var err error
	if s.writer, err = openPool(path, access{write: true, overwrites: true, cacheKB: config.WriterCacheKB, connections: 1}); err != nil {
		return err
	}
	if err := create(ctx, s.writer, "the state store", stateSchema); err != nil {
		return err
	}
	if s.reader, err = openPool(path, access{cacheKB: config.ReaderCacheKB, connections: config.Readers}); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.writer.QueryRowContext(ctx, "SELECT value FROM secret WHERE name = 'erasure'").Scan(&s.secret); err != nil {
		return err
	}
	return errors.Join(s.loadWorkspaces(ctx), syncDirectory(filepath.Dir(path)))
}

func (s *State) prepare(ctx context.Context) error {
	p := preparer{ctx: ctx, pool: s.writer}
	s.write = stateWrites{
		addWorkspace:  p.prepare("INSERT INTO space(name) VALUES(?) ON CONFLICT(name) DO UPDATE SET name = name RETURNING n"),
		mark:          p.prepare("INSERT INTO week VALUES(?, ?) ON CONFLICT DO NOTHING"),
		find:          p.prepare("SELECT n, doc FROM state WHERE space = ? AND message = ?"),
		insert:        p.prepare("INSERT INTO state(space, message, at, waiting, expire, doc) VALUES(?, ?, ?, ?, ?, ?)"),
		update:        p.prepare("UPDATE state SET at = ?, waiting = ?, expire = ?, doc = ? WHERE n = ?"),
		drop:          p.prepare("DELETE FROM state WHERE n = ?"),
		addRecipient:  p.prepare("INSERT INTO recipient VALUES(?, ?, ?) ON CONFLICT DO NOTHING"),
		dropRecipient: p.prepare("DELETE FROM recipient WHERE space = ? AND hash = ? AND state = ?"),
		ofRecipient: p.prepare(`SELECT s.n, s.message, s.doc FROM recipient r JOIN state s ON s.n = r.state
			WHERE r.space = ? AND r.hash = ? ORDER BY s.n`),
		expired: p.prepare(`SELECT s.n, p.name, s.message, s.doc FROM state s JOIN space p ON p.n = s.space
			WHERE s.expire > 0 AND s.expire <= ? ORDER BY s.expire LIMIT +?`),
		finish: p.prepare("UPDATE state SET finished = ? WHERE n = ? AND finished = 0"),
		finished: p.prepare(`SELECT s.n, p.name, s.message, s.doc FROM state s JOIN space p ON p.n = s.space
			WHERE s.finished > 0 AND s.finished <= ? ORDER BY s.finished LIMIT +?`),
		purged: p.prepare("UPDATE state SET finished = 0 WHERE n = ? AND finished > 0"),
		scan: p.prepare(`SELECT s.n, p.name, s.message, s.doc FROM state s JOIN space p ON p.n = s.space
			WHERE s.n > ? ORDER BY s.n LIMIT +?`),
		putRecord: p.prepare(`INSERT INTO record VALUES(?, ?, ?, ?)
			ON CONFLICT(space, kind, id) DO UPDATE SET doc = excluded.doc`),
		makeRecord: p.prepare("INSERT INTO record VALUES(?, ?, ?, ?) ON CONFLICT(space, kind, id) DO NOTHING"),
		swapRecord: p.prepare("UPDATE record SET doc = ? WHERE space = ? AND kind = ? AND id = ? AND doc = ?"),
		dropRecord: p.prepare("DELETE FROM record WHERE space = ? AND kind = ? AND id = ?"),
		takeRecord: p.prepare("DELETE FROM record WHERE space = ? AND kind = ? AND id = ? RETURNING doc"),
	}
	p.pool = s.reader
	s.read = stateReads{
		find: p.prepare("SELECT doc FROM state WHERE space = ? AND message = ?"),
		findAll: p.prepare(`SELECT s.message, s.doc FROM json_each(?) asked
			CROSS JOIN state s ON s.space = ? AND s.message = asked.value`),
		waiting: p.prepare(`SELECT message, doc FROM state WHERE space = ? AND waiting AND (at, message) < (?, ?)
			ORDER BY at DESC, message DESC LIMIT +?`),
		weeks:     p.prepare("SELECT week FROM week WHERE space = ? ORDER BY week DESC"),
		record:    p.prepare("SELECT doc FROM record WHERE space = ? AND kind = ? AND id = ?"),
		records:   p.prepare("SELECT id, doc FROM record WHERE space = ? AND kind = ? ORDER BY id"),
		anyRecord: p.prepare("SELECT EXISTS(SELECT 1 FROM record WHERE space = ? AND kind = ?)"),
	}
	s.prepared = p.all
	return p.err
}

func (s *State) loadWorkspaces(ctx context.Context) error {
	rows, err := s.reader.QueryContext(ctx, "SELECT name, n FROM space")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			return err
		}
		s.workspaceIDs[name] = n
	}
	return rows.Err()
}

// Ping reports whether the store can be read.
func (s *State) Ping(ctx context.Context) error {
	return failed("reaching the state store", s.reader.PingContext(ctx))
}

// Check runs SQLite's checks over the whole file. What they find is a Degraded.
func (s *State) Check(ctx context.Context) error {
	return checkPages(ctx, s.reader, "state.db", "restore a backup into a new directory (tidings restore)")
}

// Close waits for what is under way, puts everything into the one file and
// closes it.
func (s *State) Close() error {
	return failed("closing the state store", closePools(s.prepared, s.reader, s.writer))
}
