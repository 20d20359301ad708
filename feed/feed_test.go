package feed_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/query"
	"tidings/store/sqlite"
)

// now is a Wednesday, so that the newest week has some days.
var now = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)

// builder is an index and a state store that count what they are asked.
type builder struct {
	*sqlite.Index
	state           *sqlite.State
	searches, reads int
	// took is how long a search takes on the reader's clock.
	took time.Duration
	at   time.Time
}

func (c *builder) Search(ctx context.Context, s feed.Search) ([]feed.Hit, error) {
	c.searches++
	c.at = c.at.Add(c.took)
	return c.Index.Search(ctx, s)
}

func (c *builder) Of(ctx context.Context, workspace string, messages []string) (map[string]event.State, error) {
	c.reads++
	return c.state.Of(ctx, workspace, messages)
}

// names is a directory of two.
type names struct{}

func (names) Names(context.Context, string) (map[string]string, error) {
	return map[string]string{"u_ana": "Ana Moreira", "u_ben": "Ben Adeyemi"}, nil
}

// fixture is a reader over real stores.
type fixture struct {
	*feed.Reader
	t     require.TestingT
	store *builder
	state *sqlite.State
}

func newFixture(t require.TestingT, dir string) *fixture {
	index, err := sqlite.OpenIndex(filepath.Join(dir, "weeks"), sqlite.IndexConfig{})
	require.NoError(t, err)
	state, err := sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	c := &builder{Index: index, state: state, at: now}
	reader := feed.NewReader(feed.Config{
		Index: c, States: c, Catalogue: state, Directory: names{}, Clock: func() time.Time { return c.at },
		Aggregator: c, WithTimeout: patient,
	})
	return &fixture{reader, t, c, state}
}

// patient is a timeout that does not come.
func patient(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

func (f *fixture) close() {
	require.NoError(f.t, f.store.Index.Close())
	require.NoError(f.t, f.state.Close())
}

// put writes events as the indexer does: state and catalogue, then index.
func (f *fixture) put(events ...event.Event) {
	for _, e := range events {
		_, err := f.state.Apply(context.Background(), []event.Change{event.ChangeOf(e)},
			[]indexer.WorkspaceWeek{{Workspace: e.Workspace, Week: e.Week()}})
		require.NoError(f.t, err)
	}
	outcomes, err := f.store.Create(context.Background(), events)
	require.NoError(f.t, err)
	for _, outcome := range outcomes {
		require.NoError(f.t, outcome.Err)
	}
}

// page reads a page of workspace w.
func (f *fixture) page(request feed.PageRequest) feed.Page {
	if request.Workspace == "" {
		request.Workspace = "w"
	}
	page, err := f.Page(context.Background(), request)
	require.NoError(f.t, err)
	return page
}

func ids(items []feed.Item) []event.ID {
	out := make([]event.ID, len(items))
	for i, item := range items {
		out[i] = item.ID
	}
	return out
}

var (
	jo = event.Person{Email: "jo@acme.example", Name: "Jo"}
	li = event.Person{Email: "li@globex.example", Name: "Li"}
)

func open(number int, at time.Time) event.Event {
	e := event.Event{
		Workspace: "w", Message: fmt.Sprintf("m-%d", number%7), Type: event.Open, Time: at.Unix(),
		Recipient: &jo, Source: "api", User: "u_ana", Subject: "Pricing proposal",
	}
	e.ID = event.NewID(e.Time, "w", "api", true, fmt.Append(nil, number))
	return e
}

func send(message string, at time.Time, people ...event.Person) event.Event {
	e := event.Event{
		Workspace: "w", Message: message, Type: event.Send, Time: at.Unix(), Source: "api",
		Recipients: people, User: "u_ana", Subject: "Pricing proposal",
	}
	e.ID = event.NewID(e.Time, "w", "api", true, []byte(message))
	return e
}

func TestAPageOfFreshEventsCostsOneSearchAndOneStateRead(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	for i := range 130 {
		f.put(send(fmt.Sprint("m-", i), now.Add(-time.Duration(i)*time.Minute), jo, li))
	}
	page := f.page(feed.PageRequest{Limit: 120})
	require.Len(t, page.Items, 120)
	require.Equal(t, 1, f.store.searches)
	require.Equal(t, 1, f.store.reads)
	require.NotNil(t, page.Next)
}

func TestEventsThinlySpreadOverFortyWeeksTakeAtMostEightSearches(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	for i := range 120 {
		f.put(open(i, now.Add(-time.Duration(i)*56*time.Hour)))
	}
	page := f.page(feed.PageRequest{Limit: 120})
	require.Len(t, page.Items, 120)
	require.LessOrEqual(t, f.store.searches, 8)
	require.Zero(t, f.store.reads, "there is no send to decorate")
}

func TestEmptyWeeksAreNotAsked(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(open(1, now.Add(-40*7*24*time.Hour)))
	page := f.page(feed.PageRequest{})
	require.Len(t, page.Items, 1)
	require.LessOrEqual(t, f.store.searches, 3, "the two newest weeks, and the one that has something")
	require.Nil(t, page.Next)
	require.Equal(t, now.Add(-feed.Horizon), page.Reached)
}

func TestTheHorizonIsPassedOnlyWhenAsked(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(open(1, now.Add(-60*7*24*time.Hour)))
	require.Empty(t, f.page(feed.PageRequest{}).Items)
	since := now.Add(-70 * 7 * 24 * time.Hour).Unix()
	require.Len(t, f.page(feed.PageRequest{Filter: query.Filter{Since: since}}).Items, 1)
}

func TestARareQueryReturnsWithinItsTimeAndGoesOn(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	for week := range 50 {
		f.put(open(week, now.Add(-time.Duration(week)*7*24*time.Hour)))
	}
	f.store.took = time.Second
	seen, cursor := 0, ""
	for pages := 1; ; pages++ {
		page := f.page(feed.PageRequest{Text: "pricing", Cursor: cursor})
		seen += len(page.Items)
		if page.Next == nil {
			require.Greater(t, pages, 1)
			break
		}
		require.Less(t, page.Reached, now)
		cursor = *page.Next
	}
	require.Equal(t, 50, seen)
}

func TestSendsAreDecoratedWithTheStateOfTheirRecipients(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	sent := now.Add(-time.Hour)
	opened := event.Event{
		Workspace: "w", Message: "m-1", Type: event.Open, Time: sent.Unix() + 60, Recipient: &jo, Source: "api",
		Verdict: event.Verdict{Is: event.Human},
	}
	opened.ID = event.NewID(opened.Time, "w", "api", true, []byte("open"))
	f.put(send("m-1", sent, jo, li), opened)

	page := f.page(feed.PageRequest{Filter: query.Filter{Types: []event.Type{event.Send}}})
	require.Len(t, page.Items, 1)
	item := page.Items[0]
	require.Equal(t, 1, *item.Unopened)
	require.Equal(t, feed.OpenedAt(opened.Time), item.Recipients[0].Opened)
	require.Equal(t, feed.Never, item.Recipients[1].Opened)
	require.Equal(t, "Ana Moreira", item.User.Name)
}

func TestWhoHasNotOpenedIsAskedOfTheState(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	for i := range 20 {
		message := fmt.Sprint("m-", i)
		f.put(send(message, now.Add(-time.Duration(i)*time.Hour), jo))
		if i%4 != 0 {
			e := open(100+i, now.Add(-time.Duration(i)*time.Hour+time.Minute))
			e.Message = message
			f.put(e)
		}
	}
	var found []string
	cursor := ""
	for {
		page := f.page(feed.PageRequest{Text: "is:unopened", Limit: 2, Cursor: cursor})
		for _, item := range page.Items {
			found = append(found, item.Message)
		}
		if page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	require.Equal(t, []string{"m-0", "m-4", "m-8", "m-12", "m-16"}, found)
}

func TestACursorBelongsToItsQuestion(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	for i := range 3 {
		f.put(open(i, now.Add(-time.Duration(i)*time.Minute)))
	}
	base := feed.PageRequest{Text: "pricing", Limit: 1}
	next := f.page(base).Next
	require.NotNil(t, next)
	for name, change := range map[string]func(*feed.PageRequest){
		"another text":      func(r *feed.PageRequest) { r.Text = "proposal" },
		"another filter":    func(r *feed.PageRequest) { r.Filter.Users = []string{"u_ana"} },
		"another workspace": func(r *feed.PageRequest) { r.Workspace = "v" },
		"another reader":    func(r *feed.PageRequest) { r.Me = "u_ben" },
		"another zone":      func(r *feed.PageRequest) { r.Zone = time.FixedZone("x", 3600) },
		"no cursor at all":  func(r *feed.PageRequest) { r.Cursor = "nonsense" },
	} {
		t.Run(name, func(t *testing.T) {
			request := base
			request.Workspace, request.Cursor = "w", *next
			change(&request)
			_, err := f.Page(t.Context(), request)
			require.ErrorIs(t, err, event.ErrInvalid)
		})
	}
	base.Cursor, base.Limit = *next, 2
	require.Len(t, f.page(base).Items, 2, "the size of a page may change")
}

func TestARelativeTimeMeansTheSameOnEveryPage(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	for i := range 4 {
		f.put(open(i, now.Add(-time.Duration(i)*50*time.Minute)))
	}
	first := f.page(feed.PageRequest{Text: "newer_than:2h", Limit: 2})
	require.Len(t, first.Items, 2)
	f.store.at = now.Add(time.Hour)
	second := f.page(feed.PageRequest{Text: "newer_than:2h", Limit: 2, Cursor: *first.Next})
	require.Len(t, second.Items, 1, "the event 100 minutes before page one is still within two hours of it")
}

func TestAMemberSeesTheirOwnAndTheirTeamsEventsAlone(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	mine, other := open(1, now.Add(-time.Minute)), open(2, now.Add(-2*time.Minute))
	other.User, other.Message = "u_ben", "m-ben"
	f.put(mine, other, send("m-sent-by-ana", now.Add(-time.Hour), jo))
	scope := feed.Scope{Workspace: "w", Users: []string{"u_ben"}, Me: "u_ben"}
	require.Equal(t, []event.ID{other.ID}, ids(f.page(feed.PageRequest{Scope: scope}).Items))
	require.Empty(t, f.page(feed.PageRequest{Scope: scope, Text: "from:u_ana"}).Items)

	_, err := f.Event(t.Context(), scope, mine.ID)
	require.ErrorIs(t, err, event.ErrNotFound)
	_, err = f.Message(t.Context(), scope, "m-sent-by-ana", "")
	require.ErrorIs(t, err, event.ErrNotFound)
	_, err = f.Timeline(t.Context(), scope, "m-sent-by-ana", "", 10)
	require.ErrorIs(t, err, event.ErrNotFound)
	_, err = f.Message(t.Context(), scope, "m-ben", "")
	require.NoError(t, err)
}

func TestAMessageHasItsRecipientsItsCountsAndItsTimeline(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	sent := now.Add(-10 * 24 * time.Hour)
	f.put(send("m-3", sent, jo, li))
	for i := range 5 {
		e := open(3, sent.Add(time.Duration(i)*40*time.Hour))
		e.ID = event.NewID(e.Time, "w", "api", true, fmt.Append(nil, "of m-3", i))
		if i > 2 {
			e.Verdict.Is = event.Machine
		}
		f.put(e)
	}
	view, err := f.Message(t.Context(), feed.Scope{Workspace: "w"}, "m-3", "")
	require.NoError(t, err)
	require.Equal(t, 1, view.Unopened)
	require.Equal(t, []feed.TypeCount{{Type: event.Send, People: 1}, {Type: event.Open, People: 3, Automated: 2}}, view.Counts)

	var seen []event.ID
	cursor := ""
	for {
		page, err := f.Timeline(t.Context(), feed.Scope{Workspace: "w"}, "m-3", cursor, 2)
		require.NoError(t, err)
		seen = append(seen, ids(page.Items)...)
		if page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	require.Len(t, seen, 6, "automated ones are in a timeline")
	require.True(t, slices.IsSortedFunc(seen, func(a, b event.ID) int { return int(b.Seconds() - a.Seconds()) }))
	_, err = f.Message(t.Context(), feed.Scope{Workspace: "w"}, "nothing", "")
	require.ErrorIs(t, err, event.ErrNotFound)
}
