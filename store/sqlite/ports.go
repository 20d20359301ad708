package sqlite

import (
	"context"
	"database/sql"
)

// queries is a database or a transaction that is asked.
type queries interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
