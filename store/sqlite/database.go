package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	modernc "modernc.org/sqlite"

	"tidings/crash"
	"tidings/event"
)

// pageSize is the page of every file, in bytes.
const pageSize = 8192

// idleTime is how long a connection that nobody uses keeps its memory.
const idleTime = 2 * time.Minute

// access is how a pool of connections uses a file.
type access struct {
	// write opens for writing: one connection, each transaction immediate.
	write bool
	// existing makes no file where there is none.
	existing bool
	// sealed opens a file that nothing writes any more.
	sealed bool
	// journal is how writes are made safe, WAL when empty.
	journal string
	// synced says that whoever writes syncs the log, see writing.
	synced bool
	// overwrites says that what is deleted is overwritten in the file.
	overwrites bool
	// cacheKB bounds each connection's page cache.
	cacheKB int
	// connections bounds the pool.
	connections int
}

// openPool opens a pool of connections on a file. Nothing is touched until the
// first statement.
//
//nolint:contextcheck // a pool outlives the call that opens it
func openPool(path string, a access) (*sql.DB, error) {
	if a.journal == "" {
		a.journal = "WAL"
	}
	options := url.Values{}
	pragma := func(name, value string) { options.Add("_pragma", name+"("+value+")") }
	pragma("busy_timeout", "10000")
	switch {
	case a.sealed:
		options.Set("mode", "ro")
		options.Set("immutable", "1")
	case a.write:
		options.Set("_txlock", "immediate")
		if a.existing {
			options.Set("mode", "rw")
		}
		pragma("page_size", strconv.Itoa(pageSize))
		// The driver runs its pragmas by name, and this one after them: it makes
		// the file, whose page size is fixed then.
		options.Set("_journal_mode", a.journal)
		if a.synced {
			pragma("synchronous", "NORMAL")
		} else {
			pragma("synchronous", "FULL")
		}
		if a.overwrites {
			pragma("secure_delete", "ON")
		}
		pragma("wal_autocheckpoint", "8000")
	default:
		options.Set("mode", "rw")
		pragma("query_only", "1")
	}
	pragma("cache_size", strconv.Itoa(-a.cacheKB))
	pragma("mmap_size", "0")
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}).String()
	connector, err := modernc.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("opening a database: %w", err)
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(a.connections)
	pool.SetMaxIdleConns(a.connections)
	pool.SetConnMaxIdleTime(idleTime)
	return pool, nil
}

// preparer prepares statements on a pool, and keeps the first failure.
type preparer struct {
	ctx  context.Context
	pool *sql.DB
	all  []*sql.Stmt
	err  error
}

// errPreparing is a statement of ours that a database did not take.
var errPreparing = errors.New("preparing")

func (p *preparer) prepare(text string) *sql.Stmt {
	if p.err != nil {
		return nil
	}
	statement, err := p.pool.PrepareContext(p.ctx, text)
	if err != nil {
		p.err = fmt.Errorf("%w %q: %w", errPreparing, text, err)
		return nil
	}
	p.all = append(p.all, statement)
	return statement
}

// closePools finalises statements before it closes the pools in their order.
// The last connection to close a file checkpoints its log.
func closePools(statements []*sql.Stmt, pools ...*sql.DB) error {
	var errs []error
	for _, statement := range statements {
		errs = append(errs, statement.Close())
	}
	for _, pool := range pools {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// syncDirectory makes the names in a directory durable.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

// transact runs do in one transaction, which is on disk when nil is returned.
func transact(ctx context.Context, pool *sql.DB, do func(*sql.Tx) error) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	crash.At("commit")
	return tx.Commit()
}

// rename puts a file in a place.
func rename(from, to string) error {
	crash.At("rename to " + filepath.Base(to))
	return os.Rename(from, to)
}

// ignoreDone drops the complaint that a cancelled context already rolled back.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// stopped is the error of ctx where its end rolled back a transaction whose statements do not
// watch it. One that is run meanwhile finds the transaction done, or itself closed, for which
// database/sql has no name.
func stopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && (errors.Is(err, sql.ErrTxDone) || strings.Contains(err.Error(), "sql: statement is closed")) {
		return ctx.Err()
	}
	return err
}

// failed wraps an error with the operation and translates the vendor's into the
// kinds of package event. Errors that already have a kind keep it.
func failed(operation string, err error) error {
	if err == nil {
		return nil
	}
	var vendor *modernc.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", operation, err)
	case errors.Is(err, event.ErrInvalid), errors.Is(err, event.ErrNotFound), errors.Is(err, event.ErrUnavailable):
		return fmt.Errorf("%s: %w", operation, err)
	case errors.As(err, &vendor), errors.Is(err, sql.ErrConnDone):
		return fmt.Errorf("%s: %w: %w", operation, event.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", operation, err)
}
