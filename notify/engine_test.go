package notify_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/account"
	"tidings/event"
	"tidings/notify"
	"tidings/query"
	"tidings/store/sqlite"
)

// office is an engine on stores of its own, with Ana and Jo in one team and Ben apart.
type office struct {
	t         testing.TB
	engine    *notify.Engine
	store     notify.Store
	books     *notify.Books
	now       time.Time
	events    []event.Event
	decisions int
	said      []event.Announcement
	states    map[string]event.State
	counts    map[event.Type]int
	records   notify.Records
	path      string
	beyond    map[string]int
	visited   int
	figures   notify.Figures
	reported  []string
}

func (o *office) Count(context.Context, string, string, []string, string, time.Time) (map[event.Type]int, error) {
	return o.counts, nil
}

func (o *office) Figures(_ context.Context, _, user string, users []string, text string, from, until time.Time) (notify.Figures, error) {
	o.reported = append(o.reported, fmt.Sprintf("%s of %v: %s, %s to %s", user, users, text, from.Format(time.RFC3339), until.Format(time.RFC3339)))
	return o.figures, nil
}

func (o *office) Announce(_ context.Context, said []event.Announcement) error {
	o.said = append(o.said, said...)
	return nil
}

// Search reads a text as the feed does.
func (o *office) Search(_ context.Context, _, user, text string) (query.Query, string, error) {
	read := query.Parse(text, query.Options{Now: o.now, Me: user})
	for _, chip := range read.Chips {
		if chip.Field == "time" {
			return read.Query, chip.Text, nil
		}
	}
	return read.Query, "", nil
}

// Find finds among the events that there are.
func (o *office) Find(_ context.Context, _ string, q query.Query, limit int) (found []event.Event, _ map[string]event.State, _ error) {
	for _, e := range o.events {
		if q.Match(query.NewDocument(e), nil) {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b event.Event) int { return int(b.Time - a.Time) })
	return found[:min(limit, len(found))], o.states, nil
}

// FindEach visits them, some at once.
func (o *office) FindEach(
	ctx context.Context, workspace string, q query.Query, atOnce int, visit func([]event.Event, map[string]event.State) (bool, error),
) error {
	found, states, err := o.Find(ctx, workspace, q, len(o.events))
	for some := range slices.Chunk(found, atOnce) {
		if more, err := visit(some, states); err != nil || !more {
			return err
		}
	}
	return err
}

// Get finds events by their ids.
func (o *office) Get(_ context.Context, _ string, ids []event.ID) (found []event.Event, _ error) {
	for _, e := range o.events {
		if slices.Contains(ids, e.ID) {
			found = append(found, e)
		}
	}
	return found, nil
}

func (o *office) Decided(notify.Decision) { o.decisions++ }

func (o *office) Beyond(limit string) {
	if o.beyond == nil {
		o.beyond = make(map[string]int)
	}
	o.beyond[limit]++
}

// EachOf visits the events that there are, newest first, ten at once.
func (o *office) EachOf(_ context.Context, _ event.MessageKey, visit func([]event.Event) error) error {
	sorted := slices.Clone(o.events)
	slices.SortStableFunc(sorted, func(a, b event.Event) int { return int(b.Time - a.Time) })
	for some := range slices.Chunk(sorted, 10) {
		o.visited += len(some)
		if err := visit(some); err != nil {
			return err
		}
	}
	return nil
}

// openStores opens what an office keeps: in SQLite, or where TestOnMongoDB says.
var openStores = openSQLite

func openSQLite(t testing.TB, dir string) (account.Records, notify.Store) {
	state, err := sqlite.OpenState(dir+"/state.db", sqlite.StateConfig{})
	require.NoError(t, err)
	store, err := sqlite.OpenNotify(dir + "/notify.db")
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, store.Close())
		require.NoError(t, state.Close())
	})
	return state, store
}

func newOffice(t testing.TB) *office {
	ctx := context.Background()
	dir := t.TempDir()
	state, store := openStores(t, dir)
	o := &office{t: t, store: store, records: state, path: dir + "/notify.db", states: make(map[string]event.State), now: time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return o.now }
	directory := account.NewDirectory(state, clock)
	for _, user := range []string{"u_ana", "u_jo", "u_ben"} {
		_, err := directory.PutUser(ctx, "w", user, account.MemberRequest{Name: user, Emails: []string{user + "@acme.test"}})
		require.NoError(t, err)
	}
	_, err := directory.PutTeam(ctx, "w", "t", account.TeamRequest{Name: "t", Members: []string{"u_ana", "u_jo"}})
	require.NoError(t, err)
	o.books = notify.NewBooks(state, clock)
	o.engine = notify.NewEngine(notify.Config{Store: store, Books: o.books, People: directory, History: o, Events: o, Searches: o, Feed: o, Counts: o, Announcer: o, Observer: o, Clock: clock})
	return o
}

// open is an open of Ana's message m_1 by Lee, so many minutes ago.
func (o *office) open(minutes int, by string) event.Event {
	at := o.now.Add(-time.Duration(minutes) * time.Minute).Unix()
	e := event.Event{
		ID: event.NewID(at, "w", "test", true, fmt.Appendf(nil, "open-%d", minutes)), Workspace: "w", Type: event.Open, Time: at,
		Message: "m_1", User: "u_ana", Recipient: &event.Person{Email: "lee@dox.test"}, Source: "test",
		Verdict: event.Verdict{Is: by, Rule: "r"},
	}
	o.events = append(o.events, e)
	return e
}

func (o *office) handle(kind string, e event.Event) {
	o.t.Helper()
	require.NoError(o.t, o.engine.Handle(context.Background(), []event.Trigger{{Kind: kind, Event: e}}))
}

func (o *office) bell(user string) []notify.Decision {
	o.t.Helper()
	page, _, err := o.store.Page(context.Background(), "w", notify.Filter{User: user, Unread: true}, "", 100)
	require.NoError(o.t, err)
	return page
}

func (o *office) log(user string, e event.Event) notify.Decision {
	o.t.Helper()
	all, err := o.store.OfEvents(context.Background(), []notify.About{{Workspace: "w", Event: e.ID}})
	require.NoError(o.t, err)
	for _, d := range all {
		if d.User == user {
			return d
		}
	}
	return notify.Decision{}
}

func TestTheFirstOpenReachesItsOwnersBellAndNobodyElses(t *testing.T) {
	o := newOffice(t)
	first, second := o.open(10, event.Human), o.open(5, event.Human)
	for range 3 {
		o.handle(event.AnnounceEvent, first)
		o.handle(event.AnnounceEvent, second)
	}
	bell := o.bell("u_ana")
	require.Len(t, bell, 1)
	require.Equal(t, first.ID, bell[0].Event)
	require.Equal(t, []notify.Reason{notify.ReasonYours}, bell[0].Reasons)
	require.Empty(t, o.bell("u_jo"))
	require.Empty(t, o.bell("u_ben"))
	require.Equal(t, 2, o.decisions, "each is decided once")
	stopped := o.log("u_ana", second)
	require.Equal(t, notify.CheckFirst, stopped.Check)
	require.Equal(t, first.ID, stopped.Other)

	require.NoError(t, o.store.Read(context.Background(), "w", "u_ana", nil))
	require.Empty(t, o.bell("u_ana"))
}

func TestATeamsEventReachesThoseWhoChoseIt(t *testing.T) {
	o := newOffice(t)
	for _, user := range []string{"u_jo", "u_ben"} {
		_, err := o.books.ChangeSettings(context.Background(), "w", user, func(s *notify.Settings) error {
			s.Cells = notify.Cells{notify.Team: {"open": {Often: notify.Every, Channels: []notify.Channel{notify.InPage}}}}
			return nil
		})
		require.NoError(t, err)
	}
	o.handle(event.AnnounceEvent, o.open(1, event.Human))
	require.Len(t, o.bell("u_jo"), 1)
	require.Empty(t, o.bell("u_ben"), "he may not see it")
}

func TestAMuteStopsAndSaysSo(t *testing.T) {
	o := newOffice(t)
	_, err := o.books.ChangeSettings(context.Background(), "w", "u_ana", func(s *notify.Settings) error {
		s.Mutes = []notify.Mute{{What: notify.MutePerson, ID: "lee@dox.test", Until: o.now.Add(time.Hour).Unix()}}
		return nil
	})
	require.NoError(t, err)
	muted := o.open(1, event.Human)
	o.handle(event.AnnounceEvent, muted)
	require.Empty(t, o.bell("u_ana"))
	require.Equal(t, "You muted this person until Wed 18 Nov, 11:00.", o.log("u_ana", muted).Found)
	o.now = o.now.Add(2 * time.Hour)
	o.handle(event.AnnounceEvent, o.open(1, event.Human))
	require.Len(t, o.bell("u_ana"), 1)
}

func TestAScannersOpenIsWithdrawnAndTheNextIsTold(t *testing.T) {
	o := newOffice(t)
	scanner, person := o.open(10, event.Human), o.open(5, event.Human)
	o.handle(event.AnnounceEvent, scanner)
	o.handle(event.AnnounceEvent, person)
	scanner.Verdict.Is = event.Machine
	o.events[0] = scanner
	for range 2 {
		o.handle(event.AnnounceChanged, scanner)
	}
	require.Equal(t, notify.Withdrawn, o.log("u_ana", scanner).Outcome)
	bell := o.bell("u_ana")
	require.Len(t, bell, 1)
	require.Equal(t, person.ID, bell[0].Event)
	require.Contains(t, bell[0].Reasons, notify.ReasonCorrection)
}

// Each trigger several times in any order: each decided once, and one is told.
func TestTriggersInAnyOrderAreDecidedOnce(t *testing.T) {
	o := newOffice(t)
	message := 0
	rapid.Check(t, func(rt *rapid.T) {
		message++
		var all []event.Event
		for i := range rapid.IntRange(1, 4).Draw(rt, "events") {
			e := o.open(i, event.Human)
			e.Message = fmt.Sprintf("m_%d", message)
			e.ID = event.NewID(e.Time, "w", "test", true, fmt.Appendf(nil, "%s-%d", e.Message, i))
			for range 3 {
				all = append(all, e)
			}
		}
		for _, e := range rapid.Permutation(all).Draw(rt, "order") {
			o.handle(event.AnnounceEvent, e)
		}
		page, _, err := o.store.Page(context.Background(), "w", notify.Filter{Message: all[0].Message}, "", 100)
		require.NoError(rt, err)
		require.Len(rt, page, len(all)/3)
		told := 0
		for _, d := range page {
			if d.Tells() {
				told++
			}
		}
		require.Equal(rt, 1, told)
	})
}
