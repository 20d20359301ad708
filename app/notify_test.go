package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/notify"
)

// The figures of a report are those of the statistics: of its owner's search, in its week.
func TestFiguresOfAReportAreThoseOfTheStatistics(t *testing.T) {
	a, err := Open(t.Context(), Settings{Data: t.TempDir()}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	from := time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)
	jo, li := event.Person{Email: "jo@acme.example"}, event.Person{Email: "li@globex.example"}
	var events []event.Event
	add := func(kind event.Type, user, message string, at time.Time, people ...event.Person) {
		e := event.Event{Workspace: "w", Source: "api", Type: kind, User: user, Message: message, Time: at.Unix(), Subject: "Pricing"}
		if e.Recipients = people; kind != event.Send {
			e.Recipients, e.Recipient = nil, &people[0]
		}
		e.ID = event.NewID(e.Time, "w", "api", true, []byte(string(kind)+message))
		events = append(events, e)
	}
	add(event.Send, "u_ana", "before", from.Add(-time.Hour), jo)
	add(event.Send, "u_ana", "a", from.Add(time.Hour), jo, li)
	add(event.Open, "u_ana", "a", from.Add(2*time.Hour), jo)
	add(event.Reply, "u_ana", "a", from.Add(4*time.Hour), jo)
	add(event.Send, "u_ana", "b", from.Add(9*time.Hour), jo)
	add(event.Send, "u_jo", "c", from.Add(time.Hour), jo)
	for _, e := range events {
		_, err := a.State.Apply(t.Context(), []event.Change{event.ChangeOf(e)}, []indexer.WorkspaceWeek{{Workspace: e.Workspace, Week: e.Week()}})
		require.NoError(t, err)
	}
	_, err = a.Index.Create(t.Context(), events)
	require.NoError(t, err)

	reader := feed.NewReader(feed.Config{
		Index: a.Index, States: a.State, Catalogue: a.State, Directory: account.NewDirectory(a.State, time.Now), Clock: func() time.Time { return from.AddDate(0, 0, 8) },
	})
	found, err := ruleSearches{reader}.Figures(t.Context(), "w", "u_ana", []string{"u_ana"}, "pricing", from, from.AddDate(0, 0, 7))
	require.NoError(t, err)
	rate := func(rate float64) *float64 { return &rate }
	took := func(d time.Duration) *time.Duration { return &d }
	require.Equal(t, notify.Figures{
		Sends: 2, Recipients: 3, SendsBefore: 1,
		Open:  notify.Change{Now: rate(1.0 / 3), Before: rate(0)},
		Click: notify.Change{Now: rate(0), Before: rate(0)}, Reply: notify.Change{Now: rate(1.0 / 3), Before: rate(0)}, Bounce: notify.Change{Now: rate(0), Before: rate(0)},
		Theirs: took(3 * time.Hour), Ours: took(5 * time.Hour),
	}, found)
}

// Decisions that cannot be read stop nothing: they are set aside and begun anew, which is
// said until the process ends.
func TestDamagedDecisionsAreSetAside(t *testing.T) {
	data := t.TempDir()
	start := func() *App {
		a, err := Open(t.Context(), Settings{Data: data}, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		return a
	}
	a := start()
	names, err := a.backupBeside(t.Context(), t.TempDir())
	require.NoError(t, err)
	require.True(t, slices.Contains(names, decisionsName))
	require.NoError(t, a.Close())
	require.NoError(t, os.WriteFile(filepath.Join(data, decisionsName), []byte("this is no database, and never was"), 0o600))

	a = start()
	require.NotNil(t, a.notifier)
	require.ErrorAs(t, a.Readiness(t.Context())[decisionsName], new(*event.Degraded))
	aside, err := filepath.Glob(filepath.Join(data, decisionsName+".aside-*"))
	require.NoError(t, err)
	require.Len(t, aside, 1)
	require.NoError(t, a.Close())

	a = start()
	require.NoError(t, a.Readiness(t.Context())[decisionsName])
	require.NoError(t, a.checkFiles(t.Context()))
	require.NoError(t, a.Close())
}
