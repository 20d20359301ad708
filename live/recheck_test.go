package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/query"
	"tidings/store/sqlite"
	"tidings/verdict"
)

// site is a feed on real stores whose announcements a hub hears at once.
type site struct {
	t       *rapid.T
	now     time.Time
	index   *sqlite.Index
	state   *sqlite.State
	reader  *feed.Reader
	hub     *Hub
	indexer *indexer.Indexer
	fixer   *indexer.Reevaluator
	next    uint64
	pending map[string][]event.MessageKey
}

var siteRules = func() *verdict.Rules {
	rules, err := verdict.New(verdict.Config{})
	if err != nil {
		panic(err)
	}
	return rules
}()

type siteNames struct{}

func (siteNames) Names(context.Context, string) (map[string]string, error) {
	return map[string]string{"u_ana": "Ana Moreira", "u_bo": "Bo Lund"}, nil
}

const siteStart = 1_790_000_000

func openSite(t *rapid.T) (*site, func()) {
	dir, err := os.MkdirTemp("", "live")
	require.NoError(t, err)
	s := &site{t: t, now: time.Unix(siteStart, 0), next: 1, pending: make(map[string][]event.MessageKey)}
	s.index, err = sqlite.OpenIndex(filepath.Join(dir, "weeks"), sqlite.IndexConfig{})
	require.NoError(t, err)
	s.state, err = sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	clock := func() time.Time { return s.now }
	s.hub = NewHub(Config{Render: render, Logger: slog.New(slog.DiscardHandler), Clock: clock})
	s.hub.adopt(Bounds{Incarnation: "one", First: 1})
	s.reader = feed.NewReader(feed.Config{
		Index: s.index, States: s.state, Catalogue: s.state, Directory: siteNames{}, Positions: s.hub, Clock: clock,
	})
	s.hub.RecheckBy(s.reader)
	s.fixer = &indexer.Reevaluator{
		Rules: siteRules, Index: s.index, States: s.state, History: s.reader, Pending: s, Announcer: s,
		Logger: slog.New(slog.DiscardHandler), InFlight: time.Second, Clock: clock,
	}
	s.indexer = indexer.New(indexer.Config{
		Index: s.index, States: s.state, Erasures: s.state, Announcer: s, Rules: siteRules, Reevaluations: s.fixer,
		Logger: slog.New(slog.DiscardHandler),
	})
	return s, func() { require.NoError(t, errors.Join(s.index.Close(), s.state.Close(), os.RemoveAll(dir))) }
}

func (s *site) Announce(_ context.Context, announcements []event.Announcement) error {
	for _, a := range announcements {
		s.hub.add(entryOf(s.next, s.now, a), nil)
		s.next++
	}
	return nil
}

func (s *site) Note(_ context.Context, id string, keys []event.MessageKey) error {
	s.pending[id] = keys
	return nil
}

func (s *site) Noted(context.Context) (map[string][]event.MessageKey, error) {
	return maps.Clone(s.pending), nil
}

func (s *site) Forget(_ context.Context, id string) error {
	delete(s.pending, id)
	return nil
}

// given is a delivery of an event that is given out once.
type given struct{ e event.Event }

func (g given) Event() (event.Event, error)           { return g.e, nil }
func (given) Repeated() bool                          { return false }
func (given) Ack() error                              { return nil }
func (given) Extend() error                           { return nil }
func (given) Retry(time.Duration) error               { return nil }
func (given) Fail(_ context.Context, e error) error   { return e }
func (given) Reject(_ context.Context, e error) error { return e }

var sitePeople = []event.Person{
	{Email: "jo@acme.example", Name: "Jo Reyes"}, {Email: "li@acme.example", Name: "Li Wu"}, {Email: "cy@globex.example", Name: "Cy"},
}

// happen indexes something that happens to one of three messages.
func (s *site) happen(i int) {
	t := s.t
	message := rapid.IntRange(1, 3).Draw(t, "message")
	e := event.Event{
		Workspace: "w", Message: fmt.Sprint("m-", message), Source: "api", Time: s.now.Unix() - rapid.Int64Range(0, 3600).Draw(t, "ago"),
		Type: rapid.SampledFrom([]event.Type{
			event.Send, event.Send, event.Open, event.Open, event.Click, event.Reply, event.Bounce, event.Delivery, event.Download,
		}).Draw(t, "type"),
	}
	if e.Type == event.Send {
		e.Subject, e.User = []string{"Pricing proposal", "Kickoff notes", "Pricing again"}[message-1], []string{"u_ana", "u_bo", "u_ana"}[message-1]
		e.Recipients = sitePeople[:1+message%3]
	} else {
		person := rapid.SampledFrom(sitePeople).Draw(t, "recipient")
		e.Recipient = &person
	}
	if verdict.Judged(e.Type) {
		agent := rapid.SampledFrom([]string{"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/150.0", "curl/8.5.0"}).Draw(t, "agent")
		e.Client = &event.Client{UserAgent: &agent}
	}
	e.ID = event.NewID(e.Time, "w", "api", true, fmt.Append(nil, i))
	require.NoError(t, s.indexer.Handle(context.Background(), []indexer.Delivery{given{e}}))
}

// correct makes all passes that are pending.
func (s *site) correct() {
	for range 20 {
		if len(s.pending) == 0 {
			return
		}
		require.NoError(s.t, s.fixer.Pass(context.Background()))
		s.now = s.now.Add(2 * time.Second)
	}
	require.Fail(s.t, "corrections never end")
}

// override lets a person say of an event what it was.
func (s *site) override() {
	hits, _, err := s.reader.Find(context.Background(), "w", query.Query{
		Automated: query.AutomatedShow, Where: query.Types(event.Open, event.Click, event.Download),
	}, 20)
	require.NoError(s.t, err)
	if len(hits) == 0 {
		return
	}
	override := &event.Override{Is: rapid.SampledFrom([]string{event.Human, event.Machine}).Draw(s.t, "is"), User: "u_ana"}
	_, err = s.fixer.Override(context.Background(), rapid.SampledFrom(hits).Draw(s.t, "event"), override)
	require.NoError(s.t, err)
}

// siteQuestions are conditions that are put together to questions.
var siteQuestions = []string{
	"is:unopened", "is:opened", "is:replied", "is:unreplied", "is:clicked", "is:bounced", "-is:opened", "-is:replied", "-is:clicked",
	"to:jo@acme.example", "domain:acme.example", "to:cy", "from:ana", "pricing", "type:send", "type:open", "-type:open", "unopened:>3d",
	"unopened:>1h", "newer_than:2h", "older_than:1h", "automated:show", "-kickoff",
	"type:open times:>1", "nth:1", "nth:>1 -type:delivery", "type:open pause:>1h", "type:reply took:<2h", "opened more than once", "quiet:>2h", "device:computer",
	"opened twice but didn't reply", "type:open times:>1 is:unreplied", "clicked but opened only once", "first open but no reply",
	"not opened by jo@acme.example", "who at acme.example hasn't opened", "opened but didn't reply",
}

// socket is a client that has read a page and follows it.
type socket struct {
	request feed.PageRequest
	reader  *Reader
	shown   map[event.ID]bool
}

func (s *site) page(request feed.PageRequest) (map[event.ID]bool, string) {
	page, err := s.reader.Page(context.Background(), request)
	require.NoError(s.t, err)
	require.Nil(s.t, page.Next)
	shown := make(map[event.ID]bool)
	for _, item := range page.Items {
		shown[item.ID] = true
	}
	return shown, page.Live
}

func (s *site) subscribe(text string, users []string) *socket {
	k := &socket{request: feed.PageRequest{Scope: feed.Scope{Workspace: "w", Users: users}, Text: text, Limit: 200}}
	reader, err := s.hub.Open(context.Background(), "w", users)
	require.NoError(s.t, err)
	k.reader = reader
	s.restart(k)
	return k
}

// restart reads the page again and subscribes behind it.
func (s *site) restart(k *socket) {
	var since string
	k.shown, since = s.page(k.request)
	_, q, err := s.reader.Understand(context.Background(), k.request)
	require.NoError(s.t, err)
	_, err = k.reader.Subscribe("s", q, since)
	require.NoError(s.t, err)
	k.reader.Renew("s", func(ctx context.Context) (query.Query, error) {
		_, q, err := s.reader.Understand(ctx, k.request)
		return q, err
	})
}

// read takes in what the socket is sent.
func (s *site) read(k *socket) {
	for {
		deliveries, err := k.reader.Next(s.t.Context())
		require.NoError(s.t, err)
		if len(deliveries) == 0 {
			return
		}
		for _, d := range deliveries {
			switch d.Kind {
			case KindReset:
				s.restart(k)
			case event.AnnounceGone:
				delete(k.shown, d.Gone)
			case event.AnnounceEvent, event.AnnounceChanged:
				k.shown[d.Event.ID] = true
			}
		}
	}
}

func compareIDs(a, b event.ID) int { return strings.Compare(a.String(), b.String()) }
