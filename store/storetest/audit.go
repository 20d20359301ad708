package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/audit"
	"tidings/event"
)

// auditDay is the day of most rows of the suite.
const auditDay = audit.Day("2026-11-16")

func auditEntry(workspace string, seq int64, change func(*audit.Entry)) audit.Entry {
	e := audit.Entry{
		Workspace: workspace, Seq: seq, ID: fmt.Sprintf("%s-%d", workspace, seq), At: time.Date(2026, 11, 16, 12, 0, int(seq), 5e6, time.UTC),
		Kind: audit.KindRead, Actor: "user:u_ana", Route: "GET /v1/feed", Doc: []byte(fmt.Sprintf(`{"seq":%d}`, seq)), Hash: "h",
	}
	if change != nil {
		change(&e)
	}
	return e
}

// RunAudit runs the whole suite of a store of the audit log.
func RunAudit(t *testing.T, open func(t testing.TB) audit.Store) {
	ctx := context.Background()
	store := open(t)
	entries := []audit.Entry{
		auditEntry("acme", 1, nil),
		auditEntry("", 1, func(e *audit.Entry) { e.Kind = audit.KindSignIn }),
		auditEntry("acme", 2, func(e *audit.Entry) { e.Actor, e.About = "key:k", []string{"message:m-1", "user:u_bob"} }),
		auditEntry("acme", 3, func(e *audit.Entry) { e.Route, e.About = "GET /v1/export", []string{audit.EveryUser} }),
	}
	t.Run("nothing is there at first", func(t *testing.T) {
		_, err := store.Last(ctx, "acme", auditDay)
		require.ErrorIs(t, err, event.ErrNotFound)
		days, err := store.Days(ctx)
		require.NoError(t, err)
		require.Empty(t, days)
	})
	t.Run("rows are read as they were written", func(t *testing.T) {
		n, err := store.Append(ctx, auditDay, entries)
		require.NoError(t, err)
		require.Equal(t, 4, n)
		chain, err := store.Chain(ctx, "acme", auditDay, 0, 10)
		require.NoError(t, err)
		require.Equal(t, []audit.Entry{entries[0], entries[2], entries[3]}, chain)
		chain, err = store.Chain(ctx, "acme", auditDay, 1, 1)
		require.NoError(t, err)
		require.Equal(t, entries[2:3], chain)
		last, err := store.Last(ctx, "", auditDay)
		require.NoError(t, err)
		require.Equal(t, entries[1], last)
	})
	t.Run("a place is taken once", func(t *testing.T) {
		n, err := store.Append(ctx, auditDay, []audit.Entry{auditEntry("acme", 3, nil), auditEntry("acme", 4, nil)})
		require.ErrorIs(t, err, event.ErrConflict)
		require.Zero(t, n)
		last, err := store.Last(ctx, "acme", auditDay)
		require.NoError(t, err)
		require.Equal(t, entries[3], last)
	})
	t.Run("rows are found, newest first", func(t *testing.T) {
		for _, c := range []struct {
			name     string
			question audit.Question
			want     []int64
		}{
			{"all", audit.Question{}, []int64{3, 2, 1}},
			{"a limit", audit.Question{Limit: 2}, []int64{3, 2}},
			{"behind one", audit.Question{Before: 3}, []int64{2, 1}},
			{"an actor", audit.Question{Actor: "key:k"}, []int64{2}},
			{"a route", audit.Question{Route: "GET /v1/export"}, []int64{3}},
			{"a kind", audit.Question{Kind: audit.KindSignIn}, nil},
			{"a subject", audit.Question{About: []string{"user:u_bob"}}, []int64{2}},
			{"either subject", audit.Question{About: []string{"user:u_bob", "message:m-1", audit.EveryUser}}, []int64{3, 2}},
			{"a time", audit.Question{From: entries[2].At}, []int64{3, 2}},
			{"another workspace", audit.Question{Workspace: "globex"}, nil},
		} {
			q := c.question
			if q.Workspace == "" {
				q.Workspace = "acme"
			}
			if q.Limit == 0 {
				q.Limit = 10
			}
			found, err := store.Find(ctx, auditDay, q)
			require.NoError(t, err, c.name)
			var seqs []int64
			for _, e := range found {
				seqs = append(seqs, e.Seq)
			}
			require.Equal(t, c.want, seqs, c.name)
		}
	})
	t.Run("old days go, and young ones stay", func(t *testing.T) {
		for _, day := range []audit.Day{"2026-12-01", "2027-01-02"} {
			_, err := store.Append(ctx, day, []audit.Entry{auditEntry("acme", 1, nil)})
			require.NoError(t, err)
		}
		days, err := store.Days(ctx)
		require.NoError(t, err)
		require.Equal(t, []audit.Day{auditDay, "2026-12-01", "2027-01-02"}, days)
		workspaces, err := store.Workspaces(ctx, auditDay)
		require.NoError(t, err)
		require.Equal(t, []string{"", "acme"}, workspaces)
		gone, err := store.Droppable(ctx, "2026-12-01")
		require.NoError(t, err)
		require.Equal(t, []audit.Day{auditDay}, gone)
		require.NoError(t, store.Drop(ctx, "2026-12-01"))
		days, err = store.Days(ctx)
		require.NoError(t, err)
		require.Equal(t, []audit.Day{"2026-12-01", "2027-01-02"}, days)
		_, err = store.Last(ctx, "acme", auditDay)
		require.ErrorIs(t, err, event.ErrNotFound)
	})
}
