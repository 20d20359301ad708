package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tidings/event"
	"tidings/migrations"
)

// Schema is the schema of the files in a data directory, whatever its version.
// It may be looked at while another process has the directory; Up and Note need
// the directory for themselves.
type Schema struct {
	weeks string
	state string
}

// NewSchema is the schema of an index's directory and a state store's file.
// Either need not exist.
func NewSchema(weeks, state string) *Schema { return &Schema{weeks: weeks, state: state} }

// statePart is the name of state.db; a week's is "week 2026-w47".
const statePart = "state"

// schemaFile is a file and the history that it should have behind it.
type schemaFile struct {
	part   string
	path   string
	sealed bool
	steps  []string
	week   event.Week // of a week's file
}

// files are the state store's and then the weeks', the oldest first.
func (s *Schema) files() ([]schemaFile, error) {
	var files []schemaFile
	if _, err := os.Stat(s.state); err == nil {
		files = append(files, schemaFile{part: statePart, path: s.state, steps: stateSchema})
	}
	entries, err := os.ReadDir(s.weeks)
	if errors.Is(err, os.ErrNotExist) {
		return files, nil
	}
	for _, entry := range entries {
		stem, sealed := strings.CutSuffix(entry.Name(), sealedEnding)
		week, parseErr := event.ParseWeek(strings.TrimSuffix(stem, openEnding))
		if parseErr != nil || filepath.Ext(entry.Name()) != openEnding {
			continue
		}
		files = append(files, schemaFile{
			part: "week " + week.String(), path: filepath.Join(s.weeks, entry.Name()), sealed: sealed, steps: weekSchema, week: week,
		})
	}
	return files, err
}

// Parts describes the files.
func (s *Schema) Parts(context.Context) ([]migrations.Part, error) {
	files, err := s.files()
	if err != nil {
		return nil, failed("reading the schema", err)
	}
	parts := make([]migrations.Part, 0, len(files))
	for _, file := range files {
		version, err := versionOf(file.path)
		if damaged := file.damaged(err); damaged != nil {
			parts = append(parts, migrations.Part{Name: file.part, Damage: damaged.Error()})
			continue
		}
		if err != nil {
			return nil, failed("reading the schema of "+file.part, err)
		}
		part := migrations.Part{Name: file.part, Have: version, Want: len(file.steps)}
		for at := version; at < len(file.steps); at++ {
			part.Steps = append(part.Steps, aboutStep(file.steps[at]))
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// aboutStep is what a step says of itself in its first line.
func aboutStep(step string) string {
	about, _, _ := strings.Cut(step, "\n")
	if text, ok := strings.CutPrefix(about, "-- "); ok {
		return text
	}
	return "make its tables"
}

// Up takes a file its next step. A sealed one is written anew beside the one
// that is read, and takes its place.
func (s *Schema) Up(ctx context.Context, part string) error {
	files, err := s.files()
	if err != nil {
		return failed("migrating "+part, err)
	}
	for _, file := range files {
		if file.part == part {
			err := s.up(ctx, file)
			if err == nil {
				return nil
			}
			// A step may stop at what nobody has read for long.
			if _, broken := verifyFile(ctx, file.path, file.sealed); broken != nil {
				err = errors.Join(err, broken)
			}
			if damaged := file.damaged(err); damaged != nil {
				return damaged
			}
			return failed("migrating "+part, err)
		}
	}
	return fmt.Errorf("migrating %s: %w", part, event.ErrNotFound)
}

// damaged is what an error says of a week whose file is damaged, nil for any other.
func (f schemaFile) damaged(err error) *event.WeekDamaged {
	cause := causeOf(err)
	if f.part == statePart || cause == "" {
		return nil
	}
	return &event.WeekDamaged{Week: f.week, Cause: cause, Remedy: "take it from a backup: tidings restore --week " + f.week.String() + " --from BACKUP"}
}

func (s *Schema) up(ctx context.Context, file schemaFile) error {
	if !file.sealed {
		return file.takeStep(ctx, file.path, "WAL")
	}
	made := strings.TrimSuffix(file.path, sealedEnding) + newEnding
	if err := errors.Join(os.RemoveAll(made), os.RemoveAll(made+"-journal")); err != nil {
		return err
	}
	if err := copyFile(made, file.path); err != nil {
		return err
	}
	if err := file.takeStep(ctx, made, "DELETE"); err != nil {
		return err
	}
	if err := finalize(ctx, made); err != nil {
		return err
	}
	if err := rename(made, file.path); err != nil {
		return err
	}
	return syncDirectory(s.weeks)
}

// takeStep takes a file, or a copy of it at path, its next step.
func (f schemaFile) takeStep(ctx context.Context, path, journal string) error {
	pool, err := openPool(path, access{write: true, journal: journal, connections: 1, cacheKB: 32 << 10})
	if err != nil {
		return err
	}
	err = transact(ctx, pool, func(tx *sql.Tx) error {
		version, err := versionIn(ctx, tx)
		if err != nil || version >= len(f.steps) {
			return err
		}
		if err := step(ctx, tx, f.steps, version); err != nil || f.steps[version] != reanalyse {
			return err
		}
		return reword(ctx, tx, f.week)
	})
	return errors.Join(err, pool.Close())
}

// KindIdentity is the kind of the record of no workspace that says which installation
// a state store belongs to, as a JSON string.
const KindIdentity = "identity"

// KindPart is the kind of the records of no workspace that name the parts which a data
// directory has had since a later release.
const KindPart = "part"

// StateIdentity reads that record from a file that nobody else has open, "" where there
// is none. A file that cannot be read from end to end is an error.
//
// parts are the ids of the records of KindPart: what else the directory has had.
func StateIdentity(ctx context.Context, path string) (id string, parts []string, err error) {
	version, err := versionOf(path)
	if err != nil || version == 0 {
		return "", nil, failed("reading the state store", err)
	}
	pool, err := openPool(path, access{connections: 1, cacheKB: 1 << 10})
	if err != nil {
		return "", nil, failed("reading the state store", err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	rows, err := pool.QueryContext(ctx, "SELECT kind, id, doc FROM record WHERE space = '' AND kind IN (?, ?) ORDER BY id", KindIdentity, KindPart)
	if err != nil {
		return "", nil, failed("reading the state store", err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind, name string
		var doc []byte
		if err := rows.Scan(&kind, &name, &doc); err != nil {
			return "", nil, failed("reading the state store", err)
		}
		if kind == KindPart {
			parts = append(parts, name)
		} else if err := json.Unmarshal(doc, &id); err != nil {
			return "", nil, failed("reading the state store", err)
		}
	}
	return id, parts, failed("reading the state store", rows.Err())
}

// kindMigration is the kind of the records that say which steps were taken.
const kindMigration = "migration"

// Note adds a step that was taken to state.db.
func (s *Schema) Note(ctx context.Context, taken migrations.Taken) error {
	doc, err := json.Marshal(taken)
	if err != nil {
		return failed("noting a migration", err)
	}
	pool, err := openPool(s.state, access{write: true, connections: 1, cacheKB: 1 << 10})
	if err != nil {
		return failed("noting a migration", err)
	}
	id := fmt.Sprintf("%s %s %d", taken.At.UTC().Format("2006-01-02T15:04:05.000000000Z"), taken.Part, taken.To)
	_, err = pool.ExecContext(ctx, `INSERT INTO record VALUES('', ?, ?, ?)
		ON CONFLICT(space, kind, id) DO UPDATE SET doc = excluded.doc`, kindMigration, id, doc)
	return failed("noting a migration", errors.Join(err, pool.Close()))
}

// Taken lists the steps that were taken, the oldest first.
func (s *Schema) Taken(ctx context.Context) ([]migrations.Taken, error) {
	if _, err := os.Stat(s.state); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	pool, err := openPool(s.state, access{connections: 1, cacheKB: 1 << 10})
	if err != nil {
		return nil, failed("reading migrations", err)
	}
	taken, err := readTaken(ctx, pool)
	return taken, failed("reading migrations", errors.Join(err, pool.Close()))
}

func readTaken(ctx context.Context, pool *sql.DB) ([]migrations.Taken, error) {
	rows, err := pool.QueryContext(ctx, "SELECT doc FROM record WHERE space = '' AND kind = ? ORDER BY id", kindMigration)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []migrations.Taken
	for rows.Next() {
		var doc []byte
		var taken migrations.Taken
		if err := rows.Scan(&doc); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(doc, &taken); err != nil {
			return nil, err
		}
		all = append(all, taken)
	}
	return all, rows.Err()
}

// create gives a new file all steps in one transaction. A file that has
// another version than the last is refused.
func create(ctx context.Context, pool *sql.DB, what string, steps []string) error {
	return transact(ctx, pool, func(tx *sql.Tx) error {
		version, err := versionIn(ctx, tx)
		if err != nil || version == len(steps) {
			return err
		}
		if version != 0 {
			return &migrations.Mismatch{What: what, Have: version, Want: len(steps)}
		}
		for version := range steps {
			if err := step(ctx, tx, steps, version); err != nil {
				return fmt.Errorf("making %s: %w", what, err)
			}
		}
		return nil
	})
}

// upgrade takes a file that no other program reads to the last step, in one transaction,
// when it is opened. A file of a later program is refused.
func upgrade(ctx context.Context, pool *sql.DB, what string, steps []string) error {
	return transact(ctx, pool, func(tx *sql.Tx) error {
		version, err := versionIn(ctx, tx)
		if err != nil {
			return err
		}
		if version > len(steps) {
			return &migrations.Mismatch{What: what, Have: version, Want: len(steps)}
		}
		for ; version < len(steps); version++ {
			if err := step(ctx, tx, steps, version); err != nil {
				return fmt.Errorf("making %s: %w", what, err)
			}
		}
		return nil
	})
}

func versionIn(ctx context.Context, tx *sql.Tx) (int, error) {
	var version int
	err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	return version, err
}

// step takes a database from a version to the next.
func step(ctx context.Context, tx *sql.Tx, steps []string, version int) error {
	if _, err := tx.ExecContext(ctx, steps[version]); err != nil {
		return fmt.Errorf("schema step %d: %w", version+1, err)
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1))
	return err
}

// checkVersion refuses a file that has another version than the last of steps.
// One without any is being made.
func checkVersion(path, what string, steps []string) error {
	version, err := versionOf(path)
	if err != nil {
		return fmt.Errorf("reading the schema of %s: %w", what, err)
	}
	if version != 0 && version != len(steps) {
		return &migrations.Mismatch{What: what, Have: version, Want: len(steps)}
	}
	return nil
}

// versionOf is the version of a file. It is in the file's header, and where a
// log was left behind, the database knows better.
func versionOf(path string) (int, error) {
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return askVersion(path)
	}
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	// https://www.sqlite.org/fileformat2.html#user_version_number
	var header [64]byte
	if _, err := io.ReadFull(file, header[:]); errors.Is(err, io.EOF) {
		return 0, nil
	} else if err != nil || string(header[:16]) != "SQLite format 3\x00" {
		return 0, fmt.Errorf("%s: %w", filepath.Base(path), errNoDatabase)
	}
	return int(binary.BigEndian.Uint32(header[60:])), nil
}

func askVersion(path string) (int, error) {
	pool, err := openPool(path, access{connections: 1, cacheKB: 1 << 10})
	if err != nil {
		return 0, err
	}
	var version int
	err = pool.QueryRow("PRAGMA user_version").Scan(&version)
	return version, errors.Join(err, pool.Close())
}
