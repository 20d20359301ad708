package sqlite

import (
	"context"
	"database/sql"
)

// terms takes what an event is found by, a column's terms in their order. A term is good
// until the call returns.
type terms interface {
	// Add puts a term behind the others of a column.
	Add(column int, term []byte)
	// AddOnce is Add, unless it was called with the term for this event and column before.
	AddOnce(column int, term []byte)
}

// queries is a database or a transaction that is asked.
type queries interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
