package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// However the end of a transaction is met, its error is that of what stopped it.
func TestWhatStoppedIsTheError(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	closed := errors.New("sql: statement is closed")
	for _, err := range []error{sql.ErrTxDone, closed, fmt.Errorf("applying: %w", closed)} {
		require.ErrorIs(t, stopped(ended, err), context.Canceled)
		require.Equal(t, err, stopped(t.Context(), err), "nothing stopped it")
	}
	require.ErrorIs(t, stopped(ended, event.ErrConflict), event.ErrConflict)
	require.NoError(t, stopped(ended, nil))
}

// Statements do not watch their context; what ends it is the error all the same.
func TestAStoppedTransactionSaysWhatStoppedIt(t *testing.T) {
	state := openTestState(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	change := event.Change{MessageKey: event.MessageKey{Workspace: "w", Message: "m"}, Sent: true, At: 1}
	err := state.transact(ctx, func(tx *stateTx) error {
		cancel()
		for {
			// The transaction ends when it has seen that; no statement of it works then.
			if _, err := tx.apply(change); err != nil {
				require.Regexp(t, "context canceled|sql: (transaction has already been committed or rolled back|statement is closed)", err.Error())
				return fmt.Errorf("applying: %w", err)
			}
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	states, err := state.Read(t.Context(), []event.MessageKey{change.MessageKey})
	require.NoError(t, err)
	require.Empty(t, states)
	_, err = state.Read(ctx, []event.MessageKey{change.MessageKey})
	require.ErrorIs(t, err, context.Canceled)
}
