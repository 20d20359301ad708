package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

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
				require.ErrorIs(t, err, sql.ErrTxDone)
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
