package migrations_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/migrations"
	"tidings/query"
	"tidings/store/sqlite"
)

// progress is kept in memory.
type progress struct {
	begun bool
	weeks map[event.Week]migrations.Digest
}

func (p *progress) Begun(context.Context) (bool, error) { return p.begun, nil }

func (p *progress) Begin(context.Context) error {
	p.begun = true
	return nil
}

func (p *progress) Copied(_ context.Context, week event.Week) (migrations.Digest, bool, error) {
	digest, ok := p.weeks[week]
	return digest, ok, nil
}

func (p *progress) NoteCopied(_ context.Context, week event.Week, digest migrations.Digest) error {
	p.weeks[week] = digest
	return nil
}

// cutOff is a target that goes away after some calls.
type cutOff struct {
	*sqlite.Index
	calls int
}

var errAway = fmt.Errorf("the target is away: %w", event.ErrUnavailable)

func (c *cutOff) Create(ctx context.Context, events []event.Event) ([]event.Outcome, error) {
	if c.calls--; c.calls < 0 {
		return nil, errAway
	}
	return c.Index.Create(ctx, events)
}

func (c *cutOff) Get(ctx context.Context, workspace string, ids []event.ID) ([]event.Event, error) {
	if c.calls--; c.calls < 0 {
		return nil, errAway
	}
	return c.Index.Get(ctx, workspace, ids)
}

// forgetful is a target that loses an event.
type forgetful struct{ *sqlite.Index }

func (f forgetful) Create(ctx context.Context, events []event.Event) ([]event.Outcome, error) {
	outcomes, err := f.Index.Create(ctx, events[1:])
	return append([]event.Outcome{{Created: true}}, outcomes...), err
}

func copier(from *sqlite.Index, to migrations.EventTarget, sealer migrations.Sealer, p *progress) *migrations.Copier {
	return &migrations.Copier{Events: from, To: to, Sealer: sealer, Progress: p, Logger: slog.New(slog.DiscardHandler)}
}

// everything is what an index holds, by week and id.
func everything(t *testing.T, index *sqlite.Index) (events map[event.ID]event.Event, infos []event.WeekInfo) {
	t.Helper()
	infos, err := index.WeekInfos(t.Context())
	require.NoError(t, err)
	var weeks []event.Week
	for i := range infos {
		weeks = append(weeks, infos[i].Week)
		infos[i].Bytes = 0
	}
	events = make(map[event.ID]event.Event)
	for _, workspace := range []string{"w", "v"} {
		hits, err := index.Search(t.Context(), feed.Search{
			Workspace: workspace, Weeks: weeks, Limit: 1 << 20, Query: query.Query{Automated: query.AutomatedShow},
		})
		require.NoError(t, err)
		for _, hit := range hits {
			events[hit.Event.ID] = hit.Event
		}
	}
	return events, infos
}

func TestACopyThatIsCutOffIsTakenUpAndFollowsWhatChanged(t *testing.T) {
	ctx := t.Context()
	from, to := openIndex(t, t.TempDir()), openIndex(t, t.TempDir())
	defer func() { require.NoError(t, errors.Join(from.Close(), to.Close())) }()
	var all []event.Event
	for n := range 1300 {
		for i, workspace := range []string{"w", "v"} {
			e := opened(workspace, n)
			e.Time += int64(i*7) * 86_400
			e.ID = event.NewID(e.Time, workspace, "s", true, fmt.Append(nil, n))
			all = append(all, e)
		}
	}
	_, err := from.Create(ctx, all)
	require.NoError(t, err)
	require.NoError(t, from.Seal(ctx, week))

	p := &progress{weeks: map[event.Week]migrations.Digest{}}
	cut := &cutOff{to, 3}
	_, err = copier(from, cut, to, p).Weeks(ctx, true)
	require.ErrorIs(t, err, event.ErrUnavailable)
	changed := opened("w", 1)
	changed.Subject = "Changed after it was copied"
	require.NoError(t, from.Unseal(ctx, week))
	require.NoError(t, from.Rewrite(ctx, []event.Event{changed}))
	require.NoError(t, from.Seal(ctx, week))
	done, err := copier(from, to, to, p).Weeks(ctx, true)
	require.NoError(t, err)
	require.Equal(t, migrations.Copied{Weeks: 1, Events: 1300}, done)

	// The installation goes on: somebody is erased, and an event comes late.
	gone, _, err := from.EraseRecipient(ctx, "w", "r3@acme.example")
	require.NoError(t, err)
	require.NotEmpty(t, gone)
	require.NoError(t, from.Unseal(ctx, week))
	_, err = from.Create(ctx, []event.Event{opened("w", 5000)})
	require.NoError(t, err)
	require.NoError(t, from.Seal(ctx, week))

	for calls := 0; ; calls++ { // cut off everywhere
		_, err := copier(from, &cutOff{to, calls}, to, p).Weeks(ctx, false)
		if err == nil {
			break
		}
		require.ErrorIs(t, err, event.ErrUnavailable)
	}
	have, haveInfos := everything(t, from)
	got, gotInfos := everything(t, to)
	require.Equal(t, have, got)
	require.Equal(t, haveInfos, gotInfos)
	done, err = copier(from, to, to, p).Weeks(ctx, false)
	require.NoError(t, err)
	require.Equal(t, migrations.Copied{Kept: 2}, done, "nothing changed since")
}

// killed is a Progress whose process ends before the n-th note.
type killed struct {
	*progress
	notes int
}

func (k *killed) NoteCopied(ctx context.Context, week event.Week, digest migrations.Digest) error {
	if k.notes--; k.notes < 0 {
		return errAway
	}
	return k.progress.NoteCopied(ctx, week, digest)
}

func TestACopyThatWasKilledBetweenSealingAndNotingIsTakenUp(t *testing.T) {
	ctx := t.Context()
	from, to := openIndex(t, t.TempDir()), openIndex(t, t.TempDir())
	defer func() { require.NoError(t, errors.Join(from.Close(), to.Close())) }()
	_, err := from.Create(ctx, []event.Event{opened("w", 1), opened("w", 2)})
	require.NoError(t, err)
	require.NoError(t, from.Seal(ctx, week))
	p := &progress{weeks: map[event.Week]migrations.Digest{}}
	c := copier(from, to, to, p)
	c.Progress = &killed{p, 0}
	_, err = c.Weeks(ctx, true)
	require.ErrorIs(t, err, event.ErrUnavailable)

	done, err := copier(from, to, to, p).Weeks(ctx, true)
	require.NoError(t, err)
	require.Equal(t, migrations.Copied{Weeks: 1, Events: 2}, done)
	have, haveInfos := everything(t, from)
	got, gotInfos := everything(t, to)
	require.Equal(t, have, got)
	require.Equal(t, haveInfos, gotInfos)
}

func TestACopyThatReadsDifferentlyIsNotTaken(t *testing.T) {
	ctx := t.Context()
	from, to := openIndex(t, t.TempDir()), openIndex(t, t.TempDir())
	defer func() { require.NoError(t, errors.Join(from.Close(), to.Close())) }()
	_, err := from.Create(ctx, []event.Event{opened("w", 1), opened("w", 2)})
	require.NoError(t, err)
	p := &progress{weeks: map[event.Week]migrations.Digest{}}
	_, err = copier(from, forgetful{to}, to, p).Weeks(ctx, false)
	require.ErrorIs(t, err, event.ErrConflict)
	require.Empty(t, p.weeks)

	_, err = copier(from, to, to, &progress{weeks: p.weeks}).Weeks(ctx, false)
	require.ErrorContains(t, err, "give one that is empty")
}

// catalogued is a state store as a copy writes its catalogue.
type catalogued struct{ *sqlite.State }

func (c catalogued) ListWeeks(ctx context.Context, workspace string, weeks []event.Week) error {
	for _, week := range weeks {
		if _, err := c.Apply(ctx, nil, []indexer.WorkspaceWeek{{Workspace: workspace, Week: week}}); err != nil {
			return err
		}
	}
	return nil
}

func TestAStateIsCopiedWithErasuresCatalogueAndRecords(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	open := func(name string) *sqlite.State {
		state, err := sqlite.OpenState(filepath.Join(dir, name), sqlite.StateConfig{Grace: time.Hour})
		require.NoError(t, err)
		return state
	}
	from, to := open("from"), open("to")
	var changes []event.Change
	keys := make([]event.MessageKey, 0, 1100)
	for n := range 1100 {
		e := opened("w", n)
		change := event.ChangeOf(e)
		if n%2 == 0 {
			change.Merge(event.ChangeOf(event.Event{
				Workspace: "w", Message: e.Message, Type: event.Send, Time: e.Time, Subject: "S", User: "u",
				Recipients: []event.Person{*e.Recipient, {Email: "other@acme.example"}},
			}))
		}
		changes, keys = append(changes, change), append(keys, change.MessageKey)
	}
	_, err := from.Apply(ctx, changes, []indexer.WorkspaceWeek{{Workspace: "w", Week: week}, {Workspace: "v", Week: week + 1}})
	require.NoError(t, err)
	done := sendAndOpen("w", "done")
	_, err = from.Apply(ctx, done, nil)
	require.NoError(t, err)
	reduced, err := from.Expire(ctx, time.Now().Add(2*time.Hour))
	require.NoError(t, err)
	require.Equal(t, 1, reduced)
	keys = append(keys, done[0].MessageKey)
	require.NoError(t, from.MarkErased(ctx, "w", "gone@acme.example", 0))
	for n := range 1200 {
		require.NoError(t, from.Put(ctx, "w", "user", fmt.Sprintf("u-%04d", n), json.RawMessage(`{"name":"Ana"}`)))
	}
	require.NoError(t, from.Put(ctx, "", "private", "x", json.RawMessage(`{}`)))

	copier := migrations.StateCopier{From: from, To: to, Records: catalogued{to}, Leave: map[string]bool{"private": true}}
	for range 2 { // it may be repeated
		copied, err := copier.Copy(ctx)
		require.NoError(t, err)
		require.Equal(t, migrations.Copied{States: 1101, Records: 1201}, copied)
	}
	require.NoError(t, to.Close())
	to = open("to") // with the secret that was copied
	defer func() { require.NoError(t, errors.Join(from.Close(), to.Close())) }()
	have, err := from.Read(ctx, keys)
	require.NoError(t, err)
	got, err := to.Read(ctx, keys)
	require.NoError(t, err)
	require.Len(t, have, 1101)
	require.Equal(t, have, got)
	erased, err := to.Erased(ctx, map[string][]string{"w": {"gone@acme.example", "r1@acme.example"}})
	require.NoError(t, err)
	require.Len(t, erased["w"], 1)
	require.Contains(t, erased["w"], "gone@acme.example")
	for workspace, want := range map[string][]event.Week{"w": {week}, "v": {week + 1}} {
		weeks, err := to.Weeks(ctx, workspace)
		require.NoError(t, err)
		require.Equal(t, want, weeks)
	}
	_, err = to.Get(ctx, "", "private", "x")
	require.ErrorIs(t, err, event.ErrNotFound)
	finished, err := to.Finished(ctx, time.Now().Add(time.Hour), 10)
	require.NoError(t, err)
	require.Len(t, finished, 1, "its send may be purged there")
	touched, err := to.EraseRecipient(ctx, "w", "r1@acme.example")
	require.NoError(t, err)
	require.NotEmpty(t, touched, "a person is found in what was copied")
}

// sendAndOpen is a message that everyone has opened.
func sendAndOpen(workspace, message string) []event.Change {
	jo := event.Person{Email: "jo@acme.example"}
	change := event.ChangeOf(event.Event{
		Workspace: workspace, Message: message, Type: event.Send, Time: week.Start(), Recipients: []event.Person{jo},
	})
	change.Merge(event.ChangeOf(event.Event{
		Workspace: workspace, Message: message, Type: event.Open, Time: week.Start() + 1, Recipient: &jo,
	}))
	return []event.Change{change}
}
