package storetest

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/query"
)

// AnswersHarness opens the stores whose answering are compared.
type AnswersHarness struct {
	// Open opens an empty index and the states of its messages. The suite closes
	// neither.
	Open func(t testing.TB) (Index, AnswersStates)
	// Refresh makes what was written visible; nil when it is at once.
	Refresh func(index Index) error
	// Questions is how many are asked of each generated set of events, 0 for
	// 20: with rapid's own 100 sets that is 2,000 pairs.
	Questions int
	// Sets is on how many sets, 0 for as many as rapid is told.
	Sets int
}

// RunAnswers holds four ways of asking the same to one answer: matching in
// memory, as the socket does; the feed, page by page; the export; and the
// statistics. The index counts where it is a feed.Aggregator, and else events are
// read to be counted.
func RunAnswers(t *testing.T, h AnswersHarness) {
	index, states := h.Open(t)
	now := time.Unix(allWeeks[0].End()+3600, 0)
	aggregator, _ := index.(feed.Aggregator)
	statuses, _ := states.(feed.Statuses)
	a := answering{
		index: index, states: states, refresh: h.Refresh,
		reader: feed.NewReader(feed.Config{
			Index: index, States: states, Catalogue: states, Directory: answersNames{}, Aggregator: aggregator, Statuses: statuses,
			Clock: func() time.Time { return now }, // which never says that time is spent
		}),
	}
	questions := h.Questions
	if questions == 0 {
		questions = 20
	}
	if h.Sets > 0 {
		checks := flag.Lookup("rapid.checks").Value
		before := checks.String()
		require.NoError(t, checks.Set(strconv.Itoa(h.Sets)))
		t.Cleanup(func() { require.NoError(t, checks.Set(before)) })
	}
	var cases atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		workspace := fmt.Sprintf("w-%d", cases.Add(1))
		events := rapid.SliceOfNDistinct(genEvent(workspace), 1, 30, func(e event.Event) event.ID { return e.ID }).Draw(t, "events")
		a.write(t, events)
		for range questions {
			a.ask(t, genQuestion(workspace).Draw(t, "question"), events)
		}
	})
}

type answering struct {
	index   Index
	states  AnswersStates
	refresh func(Index) error
	reader  *feed.Reader
}

// answersNames is a directory of those users who have a name.
type answersNames struct{}

func (answersNames) Names(context.Context, string) (map[string]string, error) {
	return map[string]string{"u_ana": "Ana Moreira", "u_jo": "Jo"}, nil
}

// write is what the indexer does: state and catalogue, then index.
func (a answering) write(t *rapid.T, events []event.Event) {
	ctx := context.Background()
	for _, e := range events {
		_, err := a.states.Apply(ctx, []event.Change{event.ChangeOf(e)},
			[]indexer.WorkspaceWeek{{Workspace: e.Workspace, Week: e.Week()}})
		require.NoError(t, err)
	}
	outcomes, err := a.index.Create(ctx, events)
	require.NoError(t, err)
	for _, outcome := range outcomes {
		require.NoError(t, outcome.Err)
	}
	if a.refresh != nil {
		require.NoError(t, a.refresh(a.index))
	}
}

// ask asks one question in all four ways.
func (a answering) ask(t *rapid.T, question feed.PageRequest, events []event.Event) {
	ctx := context.Background()
	_, q, err := a.reader.Understand(ctx, question)
	require.NoError(t, err)
	live, known := a.live(t, q, events)
	want := newestFirst(live)
	if strings.Contains(question.Text, "oldest") {
		slices.Reverse(want)
	}

	require.Equal(t, want, a.pages(t, question), "the feed")

	exported := []event.ID{}
	err = a.reader.Export(ctx, feed.ExportRequest{Scope: question.Scope, Text: question.Text, Filter: question.Filter},
		func(items []feed.Item) error {
			for _, item := range items {
				exported = append(exported, item.ID)
			}
			return nil
		})
	require.NoError(t, err)
	require.Equal(t, want, exported, "the export")

	stats, err := a.reader.Stats(ctx, feed.StatsRequest{
		Scope: question.Scope, Text: question.Text, Filter: question.Filter, WeekStart: time.Monday,
	})
	require.NoError(t, err)
	require.False(t, stats.Partial)
	require.Empty(t, stats.Approximate)
	compareStats(t, q, live, known, stats)

	stats, err = a.reader.Stats(ctx, feed.StatsRequest{
		Scope: question.Scope, Text: question.Text, Filter: question.Filter, Fields: []feed.StatsField{feed.FieldAnswerTimes},
	})
	require.NoError(t, err)
	require.Equal(t, answerTimes(question.Scope, live, events, known), stats.AnswerTimes)
}

// live are the events that match in memory, and the states of all messages.
func (a answering) live(t *rapid.T, q query.Query, events []event.Event) ([]event.Event, map[string]event.State) {
	messages := make(map[string]bool)
	for _, e := range events {
		messages[e.Message] = true
	}
	known, err := a.states.Of(context.Background(), events[0].Workspace, slices.Collect(maps.Keys(messages)))
	require.NoError(t, err)
	var live []event.Event
	for _, e := range events {
		var state *event.State
		if s, ok := known[e.Message]; ok {
			state = &s
		}
		if q.Match(query.NewDocument(e), state) {
			live = append(live, e)
		}
	}
	return inHistory(q, live, events, known), known
}

// inHistory are those of the matching events for which the query's History holds.
func inHistory(q query.Query, live, events []event.Event, known map[string]event.State) []event.Event {
	if q.History == nil {
		return live
	}
	var series []event.Event
	asked := q.Series(live)
	for _, e := range events {
		var state *event.State
		if s, ok := known[e.Message]; ok {
			state = &s
		}
		if asked.Match(query.NewDocument(e), state) {
			series = append(series, e)
		}
	}
	holds := q.Among(live, series)
	return slices.DeleteFunc(live, func(e event.Event) bool { return !holds[e.ID] })
}

// pages walks the feed to its end.
func (a answering) pages(t *rapid.T, question feed.PageRequest) []event.ID {
	found := []event.ID{}
	for {
		page, err := a.reader.Page(context.Background(), question)
		require.NoError(t, err)
		for _, item := range page.Items {
			found = append(found, item.ID)
		}
		require.Less(t, len(found), endlessWalk)
		if page.Next == nil {
			return found
		}
		question.Cursor = *page.Next
	}
}

// compareStats holds the numbers to the events, counted in the simplest way.
func compareStats(t *rapid.T, q query.Query, live []event.Event, known map[string]event.State, stats feed.Stats) {
	types, users := make(map[event.Type]int), make(map[string]int)
	pairs := make(map[event.Type]map[string]bool)
	recipients := make(map[string]int)
	for _, e := range live {
		types[e.Type]++
		users[e.User]++
		people := e.Recipients
		if e.Recipient != nil {
			people = []event.Person{*e.Recipient}
		}
		for _, person := range people {
			if acts[e.Type] && (!e.Automated() || q.Automated == query.AutomatedOnly) {
				recipients[person.Email]++
			}
			if pairs[e.Type] == nil {
				pairs[e.Type] = make(map[string]bool)
			}
			pairs[e.Type][e.Message+" "+person.Email] = true
		}
	}
	require.Equal(t, &feed.Totals{Events: len(live), Types: types}, stats.Totals)
	require.Equal(t, &feed.Unique{
		Recipients: len(pairs[event.Send]), Opens: len(pairs[event.Open]), Clicks: len(pairs[event.Click]),
		Replies: len(pairs[event.Reply]), Bounces: len(pairs[event.Bounce]),
	}, stats.Unique)
	delivered, opened := rated(q, live, pairs, known)
	require.Equal(t, []int{delivered, opened}, []int{stats.Rates.Open.Of, stats.Rates.Open.Count})
	series, heat := 0, 0
	for _, point := range stats.Series.Points {
		series += point.Events
	}
	for _, row := range stats.Heatmap {
		for _, n := range row {
			heat += n
		}
	}
	require.Equal(t, []int{len(live), len(live)}, []int{series, heat})
	for _, user := range stats.Users {
		id := ""
		if user.User != nil {
			id = user.User.ID
		}
		require.Equal(t, users[id], user.Events)
	}
	require.Len(t, stats.Users, len(users))
	for _, ranked := range stats.Recipients {
		require.Equal(t, recipients[ranked.Name], ranked.Events)
	}
	require.Len(t, stats.Recipients, min(10, len(recipients)))
}

// acts are what recipients do themselves.
var acts = map[event.Type]bool{
	event.Open: true, event.Click: true, event.Download: true, event.Reply: true,
	event.Meeting: true, event.Complaint: true, event.Unsubscribe: true,
}

// rated is of how many recipients of the sends that match an open is known, and
// how many they are: by the events that match where sends and opens match alike,
// and else by the state of their messages.
func rated(q query.Query, live []event.Event, pairs map[event.Type]map[string]bool, known map[string]event.State) (delivered, opened int) {
	seen := make(map[string]bool)
	for _, e := range live {
		for _, person := range e.Recipients {
			pair := e.Message + " " + person.Email
			if e.Type != event.Send || seen[pair] {
				continue
			}
			seen[pair] = true
			key := event.KeyOf(person.Email)
			did := func(t event.Type, marks ...event.Mark) bool {
				if q.OfMessagesAlone() {
					return pairs[t][pair]
				}
				return slices.ContainsFunc(marks, func(m event.Mark) bool { _, ok := known[e.Message].First[m][key]; return ok })
			}
			if did(event.Bounce, event.MarkBounced) {
				continue
			}
			delivered++
			marks := []event.Mark{event.MarkOpened}
			if q.Automated == query.AutomatedShow {
				marks = append(marks, event.MarkMachineOpened)
			}
			if did(event.Open, marks...) {
				opened++
			}
		}
	}
	return delivered, opened
}

// answerTerms are what people write; several make a question.
var answerTerms = []string{
	"pricing", "proposal", "zurich", "price*", `"pricing proposal"`, "subject:meeting", "to:jo", "jo@acme.example",
	"type:open", "type:send", "type:click", "type:bounce", "from:u_ana", "from:jo", "to:jo@acme.example", "domain:acme.example",
	"message:m-1", "source:sendgrid", "verdict:human", "verdict:machine", "answer:yes", "automated:show", "opens", "replies",
	"is:unopened", "is:opened", "is:clicked", "is:replied", "is:unreplied", "is:bounced", "unopened:>3d",
	"newer_than:3w", "older_than:1w", "since:2026-12-20", "before:2027-01-02", "-pricing", "-type:open", "-is:opened",
	"to:jo is:unopened", "is:opened -is:replied", "domain:acme.example is:clicked", "not opened by jo@acme.example",
	"who at acme.example hasn't opened", "opened but didn't reply", "clicked but did not book", "-is:replied to:ana",
	"(type:open OR pricing)", "(is:unopened OR type:click)", "-(meeting price)", "(since:2027-01-01 OR type:reply)",
}

// historyTerms are conditions that other events decide, and devices.
var historyTerms = []string{
	"times:>1", "times:1", "times:<3", "type:open times:>1", "nth:1", "nth:>1", "type:click nth:2", "pause:>1d", "took:<2d", "took:>1h type:open",
	"quiet:>1d", "quiet:>1w", "opened more than once", "first open", "opened twice but didn't reply", "times:>1 is:unreplied type:open",
	"clicked but opened only once", "opened again but never clicked", "took:<2d -is:replied", "device:phone", "-device:phone type:open", "client:outlook",
}

// genQuestion makes a question of a workspace, as typed and filtered.
func genQuestion(workspace string) *rapid.Generator[feed.PageRequest] {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"}
	return rapid.Custom(func(t *rapid.T) feed.PageRequest {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		require.NoError(t, err)
		request := feed.PageRequest{
			Scope: feed.Scope{Workspace: workspace, Me: "u_ana", Zone: zone},
			Text:  strings.Join(rapid.SliceOfN(rapid.SampledFrom(answerTerms), 0, 3).Draw(t, "said"), " "),
			Limit: rapid.SampledFrom([]int{1, 3, 50}).Draw(t, "limit"),
			Filter: query.Filter{
				Automated: rapid.SampledFrom([]query.Automated{"", "", query.AutomatedHide, query.AutomatedShow, query.AutomatedOnly}).Draw(t, "automated"),
			},
		}
		if rapid.IntRange(0, 3).Draw(t, "counted") == 0 {
			request.Text += " " + rapid.SampledFrom(historyTerms).Draw(t, "history")
		}
		if rapid.IntRange(0, 4).Draw(t, "order") == 0 {
			request.Text += " order:oldest"
		}
		if rapid.IntRange(0, 3).Draw(t, "member") == 0 {
			request.Users = rapid.SliceOfN(rapid.SampledFrom(users[1:]), 0, 2).Draw(t, "visible")
		}
		if rapid.IntRange(0, 3).Draw(t, "typed") == 0 {
			request.Filter.Types = rapid.SliceOfN(rapid.SampledFrom(event.Types), 1, 3).Draw(t, "types")
		}
		if rapid.IntRange(0, 3).Draw(t, "timed") == 0 {
			request.Filter.Since = genTime().Draw(t, "since")
		}
		if rapid.IntRange(0, 3).Draw(t, "ended") == 0 {
			request.Filter.Until = genTime().Draw(t, "until")
		}
		return request
	})
}
