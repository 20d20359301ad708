package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// A week holds the events of all workspaces; each is told its own number.
func TestEachWorkspaceIsToldItsOwnEvents(t *testing.T) {
	a := mustOpen(t, t.TempDir())
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	for _, c := range []struct {
		workspace, id string
		week          event.Week
	}{{"acme", "one", 2940}, {"acme", "two", 2940}, {"acme", "three", 2941}, {"globex", "one", 2940}} {
		at := c.week.Start() + 5
		e := event.Event{
			ID: event.NewID(at, c.workspace, "api", true, []byte(c.id)), Workspace: c.workspace, Type: event.Open, Time: at,
			Message: "m", Source: "api", Recipient: &event.Person{Email: "jo@acme.example"},
		}
		outcomes, err := a.Index.Create(t.Context(), []event.Event{e})
		require.NoError(t, err)
		require.NoError(t, outcomes[0].Err)
		require.NoError(t, listing{a.State}.ListWeeks(t.Context(), c.workspace, []event.Week{c.week}))
	}
	for workspace, want := range map[string]map[event.Week]int64{
		"acme": {2940: 2, 2941: 1}, "globex": {2940: 1}, "initech": {},
	} {
		counts, err := countedWeeks{a.Index, a.State}.WorkspaceEvents(t.Context(), workspace)
		require.NoError(t, err)
		got := map[event.Week]int64{}
		for week, n := range counts {
			require.NotNil(t, n, "%s %s", workspace, week)
			got[week] = *n
		}
		require.Equal(t, want, got, workspace)
	}
}
