package indexer_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/verdict"
)

var testRules = func() *verdict.Rules {
	rules, err := verdict.New(verdict.Config{})
	if err != nil {
		panic(err)
	}
	return rules
}()

// pending keeps lists in memory; they outlive the indexers that noted them.
type pending struct {
	mu    sync.Mutex
	lists map[string][]event.MessageKey
}

func newPending() *pending { return &pending{lists: make(map[string][]event.MessageKey)} }

func (p *pending) Note(_ context.Context, id string, keys []event.MessageKey) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lists[id] = keys
	return nil
}

func (p *pending) Noted(context.Context) (map[string][]event.MessageKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.lists), nil
}

func (p *pending) Forget(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.lists, id)
	return nil
}

// nobody is a directory without users.
type nobody struct{}

func (nobody) Names(context.Context, string) (map[string]string, error) { return nil, nil }

// reevaluator corrects the stores on a clock that quiet moves.
func (s stores) reevaluator(l *listener) *testReevaluator {
	c := &testReevaluator{now: time.Unix(start, 0)}
	reader := feed.NewReader(feed.Config{
		Index: s.index, States: s.state, Catalogue: s.state, Directory: nobody{},
		Clock: func() time.Time { return time.Unix(start, 0) },
	})
	c.Reevaluator = &indexer.Reevaluator{
		Rules: testRules, Index: s.index, States: s.state, History: reader, Pending: s.pending, Announcer: l,
		Logger: slog.New(slog.DiscardHandler), InFlight: 10 * time.Second, Clock: func() time.Time { return c.now },
	}
	return c
}

type testReevaluator struct {
	*indexer.Reevaluator
	now time.Time
}

// quiet makes passes until nothing is pending any more.
func (c *testReevaluator) quiet(t require.TestingT, s stores) {
	for range 50 {
		if lists, _ := s.pending.Noted(context.Background()); len(lists) == 0 {
			return
		}
		require.NoError(t, c.Pass(context.Background()))
		c.now = c.now.Add(5 * time.Second)
	}
	require.Fail(t, "corrections never end")
}

// nearEvent draws something that happens to one of two recipients of a message,
// within seconds of everything else.
func nearEvent(t *rapid.T) event.Event {
	e := event.Event{
		Workspace: "w", Message: "m-1", Source: "api",
		Type: rapid.SampledFrom([]event.Type{
			event.Send, event.Delivery, event.Open, event.Open, event.Click, event.Click, event.Click, event.Download, event.Reply,
		}).Draw(t, "type"),
		Time: start + rapid.Int64Range(0, 25).Draw(t, "time"),
	}
	if e.Type == event.Send {
		e.Subject, e.User, e.Recipients = "Pricing", "u_ana", people[:2]
	} else {
		e.Recipient = &event.Person{Email: rapid.SampledFrom(people[:2]).Draw(t, "recipient").Email}
	}
	agent := ""
	if verdict.Judged(e.Type) {
		agent = rapid.SampledFrom([]string{"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/150.0", "curl/8.5.0"}).Draw(t, "agent")
		e.Client = &event.Client{UserAgent: &agent}
	}
	if e.Type == event.Click {
		e.Link = rapid.SampledFrom([]string{"https://a.example/", "https://b.example/"}).Draw(t, "link")
	}
	key := fmt.Sprint(e.Type, e.Recipient, e.Link, agent, rapid.IntRange(0, 1).Draw(t, "key"))
	e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, []byte(key))
	return e
}

// judgedModel is what each event's verdict and the message's state must come to,
// from the set of its events alone.
func judgedModel(events []event.Event, overridden map[event.ID]string) (map[event.ID]string, event.State) {
	arrived := make(map[string]int64)
	sent := int64(0)
	clicks := make(map[string][]event.Clicked)
	once := make(map[event.ID]event.Event)
	for _, e := range events {
		if _, known := once[e.ID]; known {
			continue
		}
		once[e.ID] = e
		switch {
		case e.Type == event.Send && (sent == 0 || e.Time < sent):
			sent = e.Time
		case e.Type == event.Delivery && (arrived[e.Recipient.Email] == 0 || e.Time < arrived[e.Recipient.Email]):
			arrived[e.Recipient.Email] = e.Time
		case e.Type == event.Click:
			clicks[e.Recipient.Email] = append(clicks[e.Recipient.Email], event.ClickedOf(e))
		}
	}
	verdicts := make(map[event.ID]string)
	var state event.State
	for id, e := range once {
		known := verdict.Context{}
		if e.Recipient != nil {
			known = verdict.Context{Arrived: arrived[e.Recipient.Email], Clicks: clicks[e.Recipient.Email]}
			if known.Arrived == 0 {
				known.Arrived = sent
			}
		}
		if is, ok := overridden[id]; ok {
			known.Override = &event.Override{Is: is}
		}
		e.Verdict = testRules.Judge(e, known)
		verdicts[id] = e.Verdict.Is
		state.Apply(event.ChangeOf(e))
	}
	return verdicts, state
}

func checkJudged(t require.TestingT, s stores, events []event.Event, overridden map[event.ID]string) {
	verdicts, want := judgedModel(events, overridden)
	found, err := s.index.Get(context.Background(), "w", slices.Collect(maps.Keys(verdicts)))
	require.NoError(t, err)
	require.Len(t, found, len(verdicts))
	for _, e := range found {
		require.Equal(t, verdicts[e.ID], e.Verdict.Is, "%s at %d: %s", e.Type, e.Time-start, e.Verdict.Rule)
	}
	states, err := s.state.Of(context.Background(), "w", []string{"m-1"})
	require.NoError(t, err)
	state := states["m-1"]
	if diff := cmp.Diff(want.First, state.First); diff != "" {
		require.Fail(t, diff)
	}
	require.Equal(t, want.Sent && want.Complete(), state.Expire != 0)
}

func TestVerdictsFollowFromTheEventsWhenSeveralIndexersAndACorrectorWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(nearEvent), 2, 20).Draw(t, "events")
		s, closeStores := openStores(t)
		defer closeStores()
		q, l := newQueue(events...), &listener{}
		c := s.reevaluator(l)
		size := rapid.IntRange(1, 4).Draw(t, "batch")
		for q.waiting() > 0 {
			var all sync.WaitGroup
			for range 2 {
				batch := q.take(size)
				all.Go(func() {
					if err := indexer.New(s.config(q, l)).Handle(context.Background(), batch); err != nil {
						t.Error(err)
					}
				})
			}
			all.Go(func() {
				if err := c.Pass(context.Background()); err != nil {
					t.Error(err)
				}
			})
			all.Wait()
			q.redeliver()
		}
		c.now = c.now.Add(time.Hour)
		c.quiet(t, s)
		checkJudged(t, s, events, nil)
	})
}

// What another batch brings while a batch is under way is judged again where the two
// together say otherwise.
func TestWhatComesBetweenTheStepsOfABatchIsJudgedByBoth(t *testing.T) {
	of := func(e event.Event, at int64) event.Event {
		e.Workspace, e.Message, e.Source, e.Time = "w", "m-1", "api", start+at
		if e.Type == event.Send {
			e.User, e.Recipients = "u_ana", people[:2]
		} else {
			agent := "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/150.0"
			e.Recipient, e.Client = &event.Person{Email: people[0].Email}, &event.Client{UserAgent: &agent}
		}
		e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, []byte(e.Link))
		return e
	}
	first, second := of(event.Event{Type: event.Click, Link: "https://a.example/"}, 24), of(event.Event{Type: event.Click, Link: "https://b.example/"}, 25)
	for name, test := range map[string]struct{ batch, between []event.Event }{
		"a click of the batch, without the other that makes a burst of both": {[]event.Event{first, second}, []event.Event{first}},
		"a click, too soon after a send that was not the first": {
			[]event.Event{of(event.Event{Type: event.Send}, 7)}, []event.Event{first, of(event.Event{Type: event.Send}, 22)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, closeStores := openStores(t)
			defer closeStores()
			l := &listener{}
			between := newQueue(test.between...)
			config := s.config(between, l)
			config.Between = func(step indexer.Step) {
				if step == indexer.StepEnrich {
					require.NoError(t, indexer.New(s.config(between, l)).Handle(t.Context(), between.take(2)))
				}
			}
			require.NoError(t, indexer.New(config).Handle(t.Context(), newQueue(test.batch...).take(2)))
			s.reevaluator(l).quiet(t, s)
			checkJudged(t, s, append(test.batch, test.between...), nil)
		})
	}
}

// checkJudgedAtOnce looks for overrides without waiting for anything.
func checkJudgedAtOnce(t require.TestingT, s stores, overrides map[event.ID]string) {
	found, err := s.index.Get(context.Background(), "w", slices.Collect(maps.Keys(overrides)))
	require.NoError(t, err)
	require.Len(t, found, len(overrides))
	for _, e := range found {
		want := event.Verdict{
			Is: overrides[e.ID], Rule: verdict.RuleOverride, By: "person", Version: verdict.Version, Reason: "I know.", User: "u_ana",
		}
		require.Equal(t, want, e.Verdict)
	}
}

func TestRulesThatChangedJudgeHistoryAndStatesFollow(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	l := &listener{}
	agent := "curl/8.5.0"
	send := event.Event{
		Workspace: "w", Message: "m-1", Type: event.Send, Time: start, Source: "api", Recipients: people[:1],
	}
	send.ID = event.NewID(start, "w", "api", true, []byte("send"))
	open := event.Event{
		Workspace: "w", Message: "m-1", Type: event.Open, Time: start + 60, Source: "api", Recipient: &people[0],
		Client: &event.Client{UserAgent: &agent}, Verdict: event.Verdict{Is: event.Human, Rule: "person", By: "rule", Version: 1},
	}
	open.ID = event.NewID(open.Time, "w", "api", true, []byte("open"))
	for _, e := range []event.Event{send, open} { // as version 1 left them
		_, err := s.state.Apply(t.Context(), []event.Change{event.ChangeOf(e)}, []indexer.WorkspaceWeek{{Workspace: "w", Week: e.Week()}})
		require.NoError(t, err)
	}
	_, err := s.index.Create(t.Context(), []event.Event{send, open})
	require.NoError(t, err)

	c := s.reevaluator(l)
	judged, err := c.Again(t.Context(), []event.Event{send, open})
	require.NoError(t, err)
	require.Equal(t, send, judged[0])
	require.Equal(t, verdict.RuleScannerAgent, judged[1].Verdict.Rule)
	require.NoError(t, s.index.Rewrite(t.Context(), judged))
	c.quiet(t, s)
	checkJudged(t, s, []event.Event{send, open}, nil)
	again, err := c.Again(t.Context(), judged)
	require.NoError(t, err)
	require.Equal(t, judged, again)
	require.Empty(t, s.pending.lists, "nothing changed, so nothing is re-evaluated")
}

// scanned is a workspace that has adopted a scanner of one domain.
type scanned struct{ domain, network string }

func (s scanned) Internal(context.Context, string) (verdict.Internal, error) {
	return verdict.Internal{Scanners: map[string][]netip.Prefix{s.domain: {netip.MustParsePrefix(s.network)}}}, nil
}

func TestARebuildFollowsTheScannersOfToday(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	c := s.reevaluator(&listener{})
	agent := "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
	click := event.Event{
		Workspace: "w", Message: "m-1", Type: event.Click, Time: start + 600, Source: "api", Recipient: &event.Person{Email: "jo@acme.example"},
		Client: &event.Client{UserAgent: &agent, IP: "192.0.2.7"}, Verdict: event.Verdict{Is: event.Human, Rule: "person", By: "rule"},
	}
	click.ID = event.NewID(click.Time, "w", "api", true, []byte("click"))
	judge := func(internal indexer.Internal) string {
		c.Internal = internal
		judged, err := c.Again(t.Context(), []event.Event{click})
		require.NoError(t, err)
		click = judged[0]
		return click.Verdict.Rule
	}
	require.Equal(t, verdict.RulePerson, judge(scanned{"globex.example", "192.0.2.0/24"}))
	require.Equal(t, verdict.RuleScannerDomain, judge(scanned{"acme.example", "192.0.2.0/24"}))
	require.Len(t, s.pending.lists, 1, "its message is re-evaluated, so that the state follows")
	require.Equal(t, verdict.RulePerson, judge(nil), "taken back")
}
