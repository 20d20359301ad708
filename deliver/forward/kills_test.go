package forward_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/deliver"
	"tidings/deliver/forward"
	"tidings/event"
	"tidings/notify"
	"tidings/outbound"
	"tidings/query"
)

var kills = flag.Int("kills", 0, "how often a notifier is killed; 0 is 60 times, and 8 on MongoDB")

// usualKills is how often a notifier is killed where nothing else is asked for.
var usualKills = 60

var errKilled = errors.New("killed")

// mortal is all that a notifier and a worker write to. It is killed at one write, before or
// after it; until it is revived, nothing is written any more.
type mortal struct {
	notify.Store

	mu    sync.Mutex
	left  int // writes until it dies, -1 for never
	after bool
	dead  bool
	kills int
}

// doom has it killed at a write that comes.
func (m *mortal) doom(left int, after bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left, m.after, m.dead = left, after, false
}

// revive begins another process, and reports whether the one before was killed.
func (m *mortal) revive() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.dead
	m.dead, m.left = false, -1
	return was
}

func (m *mortal) step(write func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errKilled
	}
	dies := m.left == 0
	m.left = max(m.left-1, -1)
	if dies {
		m.kills++
		m.dead = true
		if !m.after {
			return errKilled
		}
	}
	if err := write(); err != nil || !dies {
		return err
	}
	return errKilled
}

func (m *mortal) Add(ctx context.Context, decisions []notify.Decision) error {
	return m.step(func() error { return m.Store.Add(ctx, decisions) })
}

func (m *mortal) Replace(ctx context.Context, d notify.Decision) (done bool, err error) {
	err = m.step(func() (err error) { done, err = m.Store.Replace(ctx, d); return err })
	return done, err
}

func (m *mortal) Claim(ctx context.Context, claims []notify.Claim, at int64) (holders []event.ID, err error) {
	err = m.step(func() (err error) { holders, err = m.Store.Claim(ctx, claims, at); return err })
	return holders, err
}

func (m *mortal) Release(ctx context.Context, workspace, key string, id event.ID) error {
	return m.step(func() error { return m.Store.Release(ctx, workspace, key, id) })
}

func (m *mortal) SwapNote(ctx context.Context, workspace, key string, old, doc []byte, at int64) (done bool, err error) {
	err = m.step(func() (err error) { done, err = m.Store.SwapNote(ctx, workspace, key, old, doc, at); return err })
	return done, err
}

func (m *mortal) Announce(context.Context, []event.Announcement) error {
	return m.step(func() error { return nil })
}

// dying is the outbox of a mortal.
type dying struct {
	deliver.Outbox
	m *mortal
}

func (d dying) Add(ctx context.Context, deliveries []deliver.Delivery) error {
	return d.m.step(func() error { return d.Outbox.Add(ctx, deliveries) })
}

func (d dying) Claim(ctx context.Context, wants []deliver.Want, now, lease time.Time) (claimed []deliver.Delivery, err error) {
	err = d.m.step(func() (err error) { claimed, err = d.Outbox.Claim(ctx, wants, now, lease); return err })
	return claimed, err
}

func (d dying) Resolve(ctx context.Context, one deliver.Delivery, lease int64) error {
	return d.m.step(func() error { return d.Outbox.Resolve(ctx, one, lease) })
}

func (d dying) Change(ctx context.Context, workspace string, filter deliver.Filter, change func(*deliver.Delivery) bool) (n int, err error) {
	err = d.m.step(func() (err error) { n, err = d.Outbox.Change(ctx, workspace, filter, change); return err })
	return n, err
}

// notifier is an installation whose notifying may be killed: Ana is told at once by a
// webhook, Jo of her team's replies once an hour, and rules count and wait.
type notifier struct {
	t         *testing.T
	directory *account.Directory
	states    account.Records
	store     notify.Store
	outbox    deliver.Outbox
	mortal    *mortal
	out       *outbound.Client
	server    *httptest.Server

	engine *notify.Engine
	worker *deliver.Worker

	mu     sync.Mutex
	now    time.Time
	events []event.Event
	state  map[string]event.State
	got    map[string]int // by id
	lines  map[string]int // of the digests, by id
}

func newNotifier(t *testing.T) *notifier {
	states, store, outbox := openStores(t)
	n := &notifier{t: t, states: states, store: store, outbox: outbox, now: begin, got: make(map[string]int), lines: make(map[string]int), mortal: &mortal{Store: store, left: -1}}
	n.server = httptest.NewServer(http.HandlerFunc(n.receive))
	allow, err := outbound.ParseAllow([]string{n.server.Listener.Addr().String()})
	require.NoError(t, err)
	n.out = outbound.New(allow)
	t.Cleanup(func() {
		n.out.HTTP().CloseIdleConnections()
		n.server.Close()
	})
	n.directory = account.NewDirectory(states, n.clock)
	for _, user := range []string{"u_ana", "u_jo"} {
		_, err := n.directory.PutUser(t.Context(), "w", user, account.MemberRequest{Name: user, Emails: []string{user + "@acme.test"}})
		require.NoError(t, err)
	}
	_, err = n.directory.PutTeam(t.Context(), "w", "t", account.TeamRequest{Name: "t", Members: []string{"u_ana", "u_jo"}})
	require.NoError(t, err)
	chat := notify.Cell{Often: notify.Every, Channels: []notify.Channel{notify.InPage, notify.Chat}}
	first := notify.Cell{Often: notify.FirstPerRecipient, Channels: chat.Channels}
	books := notify.NewBooks(states, n.clock)
	for user, change := range map[string]notify.Settings{
		"u_ana": {Chat: "now", Cells: notify.Cells{notify.Mine: {"open": first, "click": chat, "reply": chat}}},
		"u_jo":  {Chat: "hourly", Digest: &notify.Digest{Every: "1h"}, Cells: notify.Cells{notify.Team: {"reply": chat, "open": first}}},
	} {
		_, err := books.ChangeSettings(t.Context(), "w", user, func(s *notify.Settings) error { *s = change; return nil })
		require.NoError(t, err)
	}
	for name, ask := range map[string]notify.Ask{
		"hot":    {On: notify.OnCount, Count: 2, Within: "1h", Per: "message", Q: "opens from dox.test", Cell: chat},
		"silent": {On: notify.OnAbsence, No: notify.NoReply, After: "1h", Cell: chat},
	} {
		ask.Enabled = true
		_, err := books.PutRule(t.Context(), "w", notify.Rule{Name: name, Owner: "u_ana", Ask: ask})
		require.NoError(t, err)
	}
	n.start()
	return n
}

// start begins a process: nothing is remembered of the one before.
func (n *notifier) start() {
	outbox := dying{n.outbox, n.mortal}
	books := notify.NewBooks(n.states, n.clock)
	notes := &forward.Notes{
		Settle:    forward.Settle,
		Decisions: n.store, Books: books, People: n.directory, Events: n, Names: n.directory, Outbox: outbox, Clock: n.clock,
	}
	n.engine = notify.NewEngine(notify.Config{
		Store: n.mortal, Books: books, People: n.directory, History: n, Events: n, Searches: n, Feed: n, Announcer: n.mortal, Outbox: notes,
		Observer: n, Clock: n.clock,
	})
	n.worker = deliver.NewWorker(deliver.Config{
		Outbox: outbox, Endpoints: n, Source: notes, Sender: deliver.NewSender(n.out, n.clock), Clock: n.clock, Random: func() float64 { return 0.5 },
	})
}

func (n *notifier) clock() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *notifier) pass(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

func (n *notifier) receive(w http.ResponseWriter, r *http.Request) {
	var body struct{ Data struct{ Lines []string } }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	id := r.Header.Get("X-Tidings-Delivery")
	n.got[id]++
	n.lines[id] = len(body.Data.Lines)
}

// Decided, Beyond, Get, EachOf, Search and Find are ports of an Engine and of Notes.
func (n *notifier) Decided(notify.Decision) {}

func (n *notifier) Beyond(string) {}

func (n *notifier) Get(_ context.Context, _ string, ids []event.ID) (found []event.Event, _ error) {
	for _, e := range n.events {
		for _, id := range ids {
			if e.ID == id {
				found = append(found, e)
			}
		}
	}
	return found, nil
}

func (n *notifier) EachOf(_ context.Context, _ event.MessageKey, visit func([]event.Event) error) error {
	return visit(n.events)
}

func (n *notifier) Search(_ context.Context, _, user, text string) (query.Query, string, error) {
	return query.Parse(text, query.Options{Now: n.clock(), Me: user}).Query, "", nil
}

func (n *notifier) Find(_ context.Context, _ string, q query.Query, limit int) (found []event.Event, _ map[string]event.State, _ error) {
	for _, e := range n.events {
		if q.Match(query.NewDocument(e), nil) && len(found) < limit {
			found = append(found, e)
		}
	}
	return found, n.state, nil
}

func (n *notifier) FindEach(
	ctx context.Context, workspace string, q query.Query, atOnce int, visit func([]event.Event, map[string]event.State) (bool, error),
) error {
	found, states, err := n.Find(ctx, workspace, q, atOnce)
	if err == nil {
		_, err = visit(found, states)
	}
	return err
}

// Endpoint and Health are the ports of a Worker.
func (n *notifier) Endpoint(_ context.Context, key deliver.EndpointKey) (deliver.Endpoint, error) {
	return deliver.Endpoint{
		EndpointKey: key, Kind: deliver.Webhook, URL: n.server.URL, Enabled: true,
		Secrets: []deliver.SigningSecret{{Text: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},
	}, nil
}

// Gone is of devices.
func (n *notifier) Gone(context.Context, deliver.EndpointKey) error { return nil }

func (n *notifier) Health(context.Context, deliver.EndpointKey, func(*deliver.Health)) (deliver.Health, error) {
	return deliver.Health{}, nil
}

// until does something, and again in another process where it was killed.
func (n *notifier) until(do func() error) {
	n.t.Helper()
	for tries := 0; ; tries++ {
		err := do()
		n.worker.Idle()
		if n.mortal.revive() {
			n.start()
			require.Less(n.t, tries, 2)
			continue
		}
		require.NoError(n.t, err)
		return
	}
}

func (n *notifier) look() {
	n.until(func() error { return n.worker.Look(n.t.Context()) })
}

// act is something that happens to a notifier.
type act struct {
	what  string
	event event.Event
	pass  time.Duration
	// left and after are when it is killed; left is -1 for not.
	left  int
	after bool
}

// story is what happens to one message, with the events that there are at its end.
func story(r *rand.Rand, round int, now time.Time) (send event.Event, acts []act) {
	message := fmt.Sprintf("m_%d", round)
	made := func(i int, kind event.Type, ago time.Duration) event.Event {
		at := now.Add(-ago).Unix()
		return event.Event{
			ID: event.NewID(at, "w", "test", true, fmt.Appendf(nil, "%s-%d", message, i)), Workspace: "w", Type: kind, Time: at, Message: message,
			User: "u_ana", Source: "test", Verdict: event.Verdict{Is: event.Human, Rule: "r"},
		}
	}
	send = made(0, event.Send, 0)
	send.Recipients = []event.Person{{Email: "lee@dox.test"}, {Email: "max@dox.test"}}
	var happened []event.Event
	for i := range 2 + r.IntN(4) {
		kind := []event.Type{event.Open, event.Open, event.Open, event.Click, event.Reply}[r.IntN(5)]
		e := made(i+1, kind, time.Duration(20-i)*time.Minute)
		e.Recipient = &send.Recipients[r.IntN(2)]
		happened = append(happened, e)
	}
	add := func(what string, e event.Event) {
		one := act{what: what, event: e, pass: time.Duration(r.IntN(30)) * time.Second, left: r.IntN(7), after: r.IntN(2) == 0}
		if r.IntN(4) == 0 {
			one.left = -1
		}
		acts = append(acts, one)
	}
	for _, i := range r.Perm(len(happened)) {
		add(event.AnnounceEvent, happened[i])
		if r.IntN(3) == 0 {
			add(event.AnnounceEvent, happened[i]) // it is given out again
		}
		if r.IntN(3) == 0 {
			add("look", event.Event{})
		}
		if happened[i].Type == event.Open && r.IntN(2) == 0 {
			machine := happened[i]
			machine.Verdict.Is = event.Machine
			add(event.AnnounceChanged, machine)
			if r.IntN(2) == 0 {
				add(event.AnnounceChanged, happened[i])
			}
		}
	}
	add("wait", event.Event{})
	add("tick", event.Event{})
	add("look", event.Event{})
	add("wait", event.Event{})
	add("look", event.Event{})
	return send, acts
}

// live has a story happen, with its kills or without them.
func (n *notifier) live(send event.Event, acts []act, killed bool) {
	n.t.Helper()
	ctx := n.t.Context()
	known := make(map[event.ID]bool)
	n.events = []event.Event{send}
	s := event.State{
		MessageKey: event.MessageKey{Workspace: "w", Message: send.Message}, Sent: true, User: send.User, At: send.Time,
		Recipients: make(map[event.RecipientKey]event.Person),
	}
	for _, p := range send.Recipients {
		s.Recipients[event.KeyOf(p.Email)] = p
	}
	n.state = map[string]event.State{send.Message: s}
	for _, one := range acts {
		if killed && one.left >= 0 {
			n.mortal.doom(one.left, one.after)
		}
		switch one.what {
		case "look":
			n.look()
		case "tick":
			n.until(func() error { return n.engine.Tick(ctx) })
		case "wait":
			n.pass(2 * time.Hour)
		default:
			if !known[one.event.ID] {
				known[one.event.ID] = true
				n.events = append(n.events, one.event)
			}
			for i := range n.events {
				if n.events[i].ID == one.event.ID {
					n.events[i] = one.event
				}
			}
			n.until(func() error { return n.engine.Handle(ctx, []event.Trigger{{Kind: one.what, Event: one.event}}) })
		}
		n.mortal.revive()
		n.pass(one.pass)
	}
	for range 3 { // what was under way when it was killed is free after a minute
		n.pass(2 * time.Minute)
		n.look()
	}
	n.pass(time.Hour - 6*time.Minute)
}

// decided are the decisions about a message, or of rules about none, in words.
func (n *notifier) decided(message string) (all map[string]string, withdrawn bool) {
	n.t.Helper()
	all = make(map[string]string)
	for after, more := "", true; more; {
		page, next, err := n.store.Page(n.t.Context(), "w", notify.Filter{Message: message}, after, 100)
		require.NoError(n.t, err)
		for _, d := range page {
			require.NotContains(n.t, all, d.ID, "no decision is there twice")
			all[d.ID] = fmt.Sprintf("%s %s %s %s %s", d.User, d.Kind, d.Event, d.Outcome, d.Check)
			withdrawn = withdrawn || d.Outcome == notify.Withdrawn || d.Version > 1
		}
		after, more = next, next != ""
	}
	return all, withdrawn
}

// A notifier that is killed at any write, between it and the next, is like one that never
// was: no decision is missing, none is there twice or another. What was under way at a kill
// comes once more, under its id, and that is less than one delivery a kill.
func TestKillsBetweenAnyTwoStepsLoseAndDoubleNothing(t *testing.T) {
	most := *kills
	if most == 0 {
		most = usualKills
	}
	calm, killed := newNotifier(t), newNotifier(t)
	r := rand.New(rand.NewPCG(1, 0x6b696c6c))
	extra := 0
	for round := 0; killed.mortal.kills < most; round++ {
		before := killed.mortal.kills
		send, acts := story(r, round, calm.clock())
		calm.live(send, acts, false)
		killed.live(send, acts, true)
		require.Equal(t, calm.clock(), killed.clock())
		want, withdrawn := calm.decided(send.Message)
		got, _ := killed.decided(send.Message)
		require.NotEmpty(t, want)
		require.Equal(t, want, got, "round %d: %+v", round, acts)
		if !withdrawn { // else what was late may have been taken back before it left
			for id := range calm.got {
				require.Contains(t, killed.got, id, "round %d", round)
			}
		}
		for id := range killed.got {
			require.Contains(t, calm.got, id, "round %d", round)
		}
		clear(calm.got)
		for id, times := range killed.got { // what was under way came to its end, and nobody knew
			require.LessOrEqual(t, times-1, killed.mortal.kills-before, "round %d: %s", round, id)
			extra += times - 1
		}
		clear(killed.got)
	}
	require.LessOrEqual(t, extra, killed.mortal.kills)
	t.Logf("%d kills, %d deliveries came once more", killed.mortal.kills, extra)
}
