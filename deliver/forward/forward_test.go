package forward_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tidings/deliver"
	"tidings/deliver/forward"
	"tidings/event"
	"tidings/feed"
	"tidings/live"
	"tidings/outbound"
	"tidings/query"
	"tidings/secret"
	"tidings/store/sqlite"
	"tidings/stream"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server/ats.init.0.func1"))
}

var begin = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// post is one installation: endpoints and deliveries on disk, a receiver outside, and
// what was announced and is indexed.
type post struct {
	t         *testing.T
	directory *deliver.Directory
	outbox    *sqlite.Outbox
	server    *httptest.Server
	worker    *deliver.Worker

	mu        sync.Mutex
	now       time.Time
	announced []live.Entry
	indexed   map[event.ID]event.Event
	got       []string // the ids of what was received
	bad       bool     // whether the next search that is understood panics
}

func newPost(t *testing.T) *post {
	t.Helper()
	dir := t.TempDir()
	state, err := sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	outbox, err := sqlite.OpenOutbox(filepath.Join(dir, "deliveries.db"))
	require.NoError(t, err)
	p := &post{t: t, outbox: outbox, now: begin, indexed: make(map[event.ID]event.Event)}
	p.directory = deliver.NewDirectory(state, secret.New(filepath.Join(dir, "secrets.key"), true, state), nil)
	p.server = httptest.NewServer(http.HandlerFunc(p.receive))
	allow, err := outbound.ParseAllow([]string{p.server.Listener.Addr().String()})
	require.NoError(t, err)
	out := outbound.New(allow)
	t.Cleanup(func() {
		out.HTTP().CloseIdleConnections()
		p.server.Close()
		require.NoError(t, errors.Join(outbox.Close(), state.Close()))
	})
	p.worker = deliver.NewWorker(deliver.Config{
		Outbox: outbox, Endpoints: p.directory, Sender: deliver.NewSender(out, p.clock), Clock: p.clock,
		Source: &forward.EventSource{Events: p, Names: p, Searches: p, Directory: p.directory},
	})
	return p
}

func (p *post) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *post) pass(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

func (p *post) receive(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, r.Header.Get("webhook-id"))
}

// Get, Names and Understand are the ports of an EventSource.
func (p *post) Get(_ context.Context, _ string, ids []event.ID) ([]event.Event, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []event.Event
	for _, id := range ids {
		if e, is := p.indexed[id]; is {
			found = append(found, e)
		}
	}
	return found, nil
}

func (p *post) Names(context.Context, string) (map[string]string, error) { return nil, nil }

func (p *post) Understand(_ context.Context, request feed.PageRequest) (feed.Understood, query.Query, error) {
	if p.bad {
		p.bad = false
		panic("a bad search")
	}
	if request.Text == "broken" {
		return feed.Understood{}, query.Query{}, event.Invalid("q", "is broken")
	}
	return feed.Understood{}, query.Parse(request.Text, query.Options{Now: p.clock()}).Query, nil
}

// Bounds and FollowFrom are the LIVE stream: it ends with what is announced.
func (p *post) Bounds(context.Context) (live.Bounds, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return live.Bounds{First: 1, Last: uint64(len(p.announced))}, nil
}

func (p *post) FollowFrom(_ context.Context, from live.Checkpoint, each func(live.Entry)) error {
	for i := int(max(from.Next, 1)) - 1; ; i++ {
		p.mu.Lock()
		left := p.announced[i:]
		p.mu.Unlock()
		if len(left) == 0 {
			return nil
		}
		each(left[0])
	}
}

// checkpoints remembers how far forwarding has come.
type checkpoints struct {
	mu         sync.Mutex
	checkpoint live.Checkpoint
}

func (p *checkpoints) Forwarded(context.Context) (live.Checkpoint, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.checkpoint, nil
}

func (p *checkpoints) NoteForwarded(_ context.Context, checkpoint live.Checkpoint) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checkpoint = checkpoint
	return nil
}

// A process goes on where the one before has come to: what was announced while none ran
// is forwarded however much it is, and what was forwarded is not looked at again.
func TestForwardingGoesOnWhereItEnded(t *testing.T) {
	p := newPost(t)
	p.endpoint("crm", "replies")
	kept := &checkpoints{}
	first := p.forwarder()
	first.Checkpoints = kept
	p.announce(event.AnnounceEvent, p.event(1, event.Reply))
	p.announce(event.AnnounceEvent, p.event(2, event.Reply))
	require.NoError(t, first.Run(t.Context()))
	require.Equal(t, uint64(3), kept.checkpoint.Next, "it is noted at the end")

	for i := range 3 {
		p.announce(event.AnnounceEvent, p.event(3+i, event.Reply))
	}
	looked := 0
	second := p.forwarder()
	second.Checkpoints, second.Wake = kept, func() { looked++ }
	require.NoError(t, second.Run(t.Context()))
	require.Equal(t, 3, looked)
	require.Len(t, p.deliveries(), 5)
	require.Equal(t, uint64(6), kept.checkpoint.Next)
}

// What was discarded before it was looked at is an error where an endpoint has missed it.
func TestWhatWasDiscardedIsSaidWhereSomebodyMissesIt(t *testing.T) {
	for _, endpoints := range []int{0, 1} {
		p := newPost(t)
		for range endpoints {
			p.endpoint("crm", "replies")
		}
		p.announce(event.AnnounceEvent, p.event(1, event.Open))
		p.announced[0].Sequence = 5
		var said strings.Builder
		f := p.forwarder()
		f.Checkpoints, f.Logger = &checkpoints{checkpoint: live.Checkpoint{Next: 1}}, slog.New(slog.NewTextHandler(&said, nil))
		require.NoError(t, f.Run(t.Context()))
		require.Equal(t, endpoints, strings.Count(said.String(), "discarded"), said.String())
		require.Equal(t, endpoints, strings.Count(said.String(), "count=4"))
	}
}

// A panic about one event is logged, and the next is forwarded.
func TestAPanicAboutAnEventIsItsOwn(t *testing.T) {
	p := newPost(t)
	p.endpoint("crm", "opens")
	p.bad = true
	for n := range 3 {
		p.announce(event.AnnounceEvent, p.event(n, event.Open))
	}
	var said strings.Builder
	f := p.forwarder()
	f.Logger = slog.New(slog.NewTextHandler(&said, nil))
	require.NoError(t, f.Run(t.Context()))
	require.Equal(t, 1, strings.Count(said.String(), "a bad search"), said.String())
	deliveries, _, err := p.outbox.List(t.Context(), "w", deliver.Filter{}, "", 10)
	require.NoError(t, err)
	require.Len(t, deliveries, 2)
}

// forwarder is the one of a process.
func (p *post) forwarder() *forward.Forwarder {
	return &forward.Forwarder{
		Settle: forward.Settle,
		Log:    p, Checkpoints: &checkpoints{}, Directory: p.directory, Searches: p, Outbox: p.outbox, Clock: p.clock, Logger: slog.New(slog.DiscardHandler),
		Sleep: func(_ context.Context, d time.Duration) { p.pass(d) },
	}
}

func (p *post) endpoint(name, search string) {
	p.t.Helper()
	now := p.clock()
	kept := deliver.Kept{Name: name, Kind: deliver.Webhook, URL: p.server.URL, Enabled: true, Search: search, Created: now, Since: now, Changed: now}
	secrets := deliver.Secrets{Signing: []deliver.SigningSecret{{Text: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}}
	require.NoError(p.t, p.directory.Put(p.t.Context(), "w", kept, secrets))
}

// event is the n-th, of now.
func (p *post) event(n int, kind event.Type) event.Event {
	at := p.clock().Unix()
	return event.Event{
		ID: event.NewID(at, "w", "test", true, fmt.Append(nil, n)), Workspace: "w", Type: kind, Time: at, Message: "m", Subject: "Pricing",
		Recipient: &event.Person{Email: "jo@acme.example"}, Source: "test", Verdict: event.Verdict{Is: event.Human},
	}
}

// announce indexes an event and says so.
func (p *post) announce(kind string, e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.indexed[e.ID] = e
	p.announced = append(p.announced, live.Entry{
		Sequence: uint64(len(p.announced) + 1), At: p.now, Workspace: e.Workspace,
		Read: func() (event.Announcement, error) {
			return event.Announcement{Kind: kind, Workspace: e.Workspace, Event: &e}, nil
		},
	})
}

// run has a process forward what is announced, and deliver what is due after a while.
func (p *post) run(f *forward.Forwarder, after time.Duration) {
	p.t.Helper()
	require.NoError(p.t, f.Run(p.t.Context()))
	p.pass(after)
	require.NoError(p.t, p.worker.Look(p.t.Context()))
	p.worker.Idle()
}

func (p *post) deliveries() []deliver.Delivery {
	p.t.Helper()
	list, _, err := p.outbox.List(p.t.Context(), "w", deliver.Filter{}, "", 1000)
	require.NoError(p.t, err)
	return list
}

func TestWhatASearchFindsIsDeliveredOnce(t *testing.T) {
	p := newPost(t)
	p.announce(event.AnnounceEvent, p.event(0, event.Open)) // before the endpoint was made
	p.pass(time.Second)
	p.endpoint("crm", "opens")
	p.endpoint("broken", "broken") // holds up no other
	opened := p.event(1, event.Open)
	p.announce(event.AnnounceEvent, opened)
	p.announce(event.AnnounceEvent, p.event(2, event.Click))
	p.run(p.forwarder(), 19*time.Second)
	require.Empty(t, p.got, "an open waits, since a scanner may be found out")
	// The process ends and another begins with what is kept, before and after the delivery.
	p.run(p.forwarder(), time.Second)
	p.announce(event.AnnounceChanged, opened) // its subject, for one
	p.run(p.forwarder(), time.Hour)
	list := p.deliveries()
	require.Len(t, list, 1)
	require.Equal(t, opened.ID, list[0].Event)
	require.Equal(t, deliver.Sent, list[0].State)
	require.Equal(t, []string{"msg_" + list[0].ID}, p.got)
	require.Equal(t, deliver.ID("w", opened.ID.String(), "", "crm|2026-11-16T12:00:01Z"), list[0].ID, "the same in any process")
}

// Endpoints are read again where one was changed, and what is announced meanwhile waits for
// nothing.
func TestAnAnnouncementWaitsForAChangedEndpointAlone(t *testing.T) {
	p := newPost(t)
	p.endpoint("crm", "opens")
	var slept time.Duration
	f := p.forwarder()
	f.Sleep = func(_ context.Context, d time.Duration) { slept += d }
	// One more is announced whenever it was looked what there is.
	f.Log = &making{post: p, then: func(n int) {
		if n < 5 {
			p.announce(event.AnnounceEvent, p.event(10+n, event.Open))
		}
	}}
	p.announce(event.AnnounceEvent, p.event(1, event.Open))
	require.NoError(t, f.Run(t.Context()))
	require.Len(t, p.deliveries(), 6)
	require.Zero(t, slept)
}

// The endpoint was answered before the event was announced, however short a time before.
func TestAnEndpointHearsOfWhatComesRightAfterIt(t *testing.T) {
	p := newPost(t)
	p.endpoint("crm", "opens")
	var made []string
	f := p.forwarder()
	reading := &making{post: p, then: func(n int) {
		if n < 4 {
			name := fmt.Sprint("later-", n)
			p.pass(time.Millisecond)
			p.endpoint(name, "replies")
			made = append(made, name)
			p.announce(event.AnnounceEvent, p.event(10+n, event.Reply))
		}
	}}
	f.Log = reading
	p.announce(event.AnnounceEvent, p.event(1, event.Open))
	require.NoError(t, f.Run(t.Context()))
	byEndpoint := map[string]int{}
	for _, d := range p.deliveries() {
		byEndpoint[d.Endpoint]++
	}
	for n, name := range made {
		require.Equal(t, len(made)-n, byEndpoint[name], "%s hears of what came after it", name)
	}
	require.Len(t, made, 4)
}

// making makes something each time when it was asked how far LIVE goes.
type making struct {
	*post
	asked int
	then  func(n int)
}

func (m *making) Bounds(ctx context.Context) (live.Bounds, error) {
	bounds, err := m.post.Bounds(ctx)
	m.then(m.asked)
	m.asked++
	return bounds, err
}

// One entry may have several announcements.
func TestSeveralInOneEntryAreDelivered(t *testing.T) {
	p := newPost(t)
	p.endpoint("crm", "opens")
	p.pass(time.Second)
	several := event.Announcement{Kind: event.AnnounceSeveral, Workspace: "w"}
	for i := range 4 {
		e := p.event(i, []event.Type{event.Open, event.Click}[i%2])
		p.indexed[e.ID] = e
		several.Each = append(several.Each, event.Announcement{Kind: event.AnnounceEvent, Workspace: "w", Event: &e})
	}
	p.announced = append(p.announced, live.Entry{
		Sequence: 1, At: p.now, Workspace: "w", Read: func() (event.Announcement, error) { return several, nil },
	})
	p.run(p.forwarder(), time.Hour)
	require.Len(t, p.deliveries(), 2)
	for _, d := range p.deliveries() {
		require.Equal(t, deliver.Sent, d.State)
	}
}

func TestWhatAMachineDidIsNotDelivered(t *testing.T) {
	p := newPost(t)
	p.endpoint("crm", "opens")
	opened := p.event(1, event.Open)
	p.announce(event.AnnounceEvent, opened)
	f := p.forwarder()
	p.run(f, 10*time.Second)
	opened.Verdict.Is = event.Machine
	p.announce(event.AnnounceChanged, opened)
	p.run(f, 10*time.Second)
	require.Empty(t, p.got)
	list := p.deliveries()
	require.Len(t, list, 1)
	require.Equal(t, deliver.Cancelled, list[0].State)
	require.Equal(t, "it was withdrawn: a machine did it", list[0].Why)

	// Sending it again does not make it a person's.
	now := p.clock().UnixMilli()
	_, err := p.outbox.Change(t.Context(), "w", deliver.Filter{}, func(d *deliver.Delivery) bool { return d.Again(now) })
	require.NoError(t, err)
	p.run(f, 0)
	require.Empty(t, p.got)
	// Judged once more, it is a person's: what was withdrawn can be sent again by hand.
	opened.Verdict.Is = event.Human
	p.announce(event.AnnounceChanged, opened)
	_, err = p.outbox.Change(t.Context(), "w", deliver.Filter{}, func(d *deliver.Delivery) bool { return d.Again(now) })
	require.NoError(t, err)
	p.run(f, 0)
	require.Len(t, p.got, 1)
}

// A correction of an event from before the search was changed is no news: it went out
// under the search before, or was not looked for then.
func TestACorrectionOfAnOlderEventIsNoNews(t *testing.T) {
	p := newPost(t)
	p.endpoint("crm", "opens")
	opened := p.event(1, event.Open)
	p.announce(event.AnnounceEvent, opened)
	p.run(p.forwarder(), time.Minute)
	p.endpoint("crm", "opens pricing")
	opened.Verdict.Rule = "another"
	p.announce(event.AnnounceChanged, opened)
	p.run(p.forwarder(), time.Minute)
	require.Len(t, p.got, 1)
	require.Len(t, p.deliveries(), 1)
}

// An endpoint that was made a moment ago misses nothing, though endpoints are read once a
// second at most.
func TestAnEndpointMissesNothingFromItsFirstMoment(t *testing.T) {
	p := newPost(t)
	f := p.forwarder()
	f.Log = &told{p, func(each func(live.Entry)) {
		p.announce(event.AnnounceEvent, p.event(1, event.Reply))
		each(p.announced[0]) // The endpoints are read: there are none.
		p.endpoint("crm", "replies")
		p.announce(event.AnnounceEvent, p.event(2, event.Reply))
		each(p.announced[1])
	}}
	p.run(f, 0)
	require.Len(t, p.got, 1)
}

// told is a log that gives what its test says.
type told struct {
	*post
	tell func(each func(live.Entry))
}

func (l *told) FollowFrom(_ context.Context, _ live.Checkpoint, each func(live.Entry)) error {
	l.tell(each)
	return nil
}

// An endpoint that takes nothing does not fill the disk.
func TestNoMoreWaitsThanThereIsRoomFor(t *testing.T) {
	p := newPost(t)
	p.endpoint("crm", "replies")
	p.endpoint("chat", "replies")
	f := p.forwarder()
	f.Outbox = full{p.outbox}
	p.announce(event.AnnounceEvent, p.event(1, event.Reply))
	require.NoError(t, f.Run(t.Context()))
	list := p.deliveries()
	require.Len(t, list, 1)
	require.Equal(t, "chat", list[0].Endpoint)
}

// full is an outbox in which the most waits for crm.
type full struct{ deliver.Outbox }

func (full) Waiting(context.Context, string) (map[string]int, error) {
	return map[string]int{"crm": deliver.MaxWaiting, "chat": deliver.MaxWaiting - 1}, nil
}

// Two processes wait for one lease on one stream. The first is stopped between two events:
// the second goes on, and each event is delivered once.
func TestTwoProcessesUnderOneLease(t *testing.T) {
	p := newPost(t)
	p.now = time.Now().Add(-time.Minute) // the server stamps announcements by the real clock
	p.endpoint("crm", "replies")
	log, err := stream.Open(t.Context(), stream.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	woken := make(chan struct{}, 10)
	process := func() (stop func()) {
		f := p.forwarder()
		f.Log, f.Wake = log, func() { woken <- struct{}{} }
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- log.RunUnderLease(ctx, "endpoints", 200*time.Millisecond, f.Run) }()
		return func() {
			cancel()
			require.ErrorIs(t, <-ended, context.Canceled)
		}
	}
	say := func(n int) {
		e := p.event(n, event.Reply)
		p.indexed[e.ID] = e
		require.NoError(t, log.Announce(t.Context(), []event.Announcement{{Kind: event.AnnounceEvent, Workspace: "w", Event: &e}}))
	}
	stopFirst := process()
	say(1)
	<-woken
	defer process()()
	stopFirst()
	say(2)
	<-woken // The second adds the first event again, which is there, and then its own.
	<-woken
	require.NoError(t, p.worker.Look(t.Context()))
	p.worker.Idle()
	require.Len(t, p.got, 2)
	require.NotEqual(t, p.got[0], p.got[1])
}

// A webhook carries the event as the page shows it, and no link of a recipient.
func TestAnEventIsRenderedAsItIsNow(t *testing.T) {
	p := newPost(t)
	p.endpoint("crm", "clicks")
	clicked := p.event(1, event.Click)
	clicked.Recipient.Name = "Jo Reyes"
	p.announce(event.AnnounceEvent, clicked)
	source := &forward.EventSource{Events: p, Names: p, Searches: p, Directory: p.directory, Page: "https://t.example"}
	d := deliver.Delivery{ID: "d", Workspace: "w", Endpoint: "crm", Event: clicked.ID, Type: "click"}
	content, why, err := source.Content(t.Context(), d)
	require.NoError(t, err)
	require.Empty(t, why)
	require.Equal(t, "Jo Reyes clicked in “Pricing”", content.Sentence)
	require.True(t, strings.HasPrefix(content.Link, "https://t.example/?open="), "what the page opens a message by")
	var item struct{ ID string }
	require.NoError(t, json.Unmarshal(content.Item, &item))
	require.Equal(t, clicked.ID.String(), item.ID)
	delete(p.indexed, clicked.ID)
	_, why, err = source.Content(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, "the event was erased", why)
}
