package api_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/live"
	"tidings/notify"
	"tidings/store/sqlite"
)

// quiet is nobody who watches, and a history without events.
type quiet struct{}

func (quiet) Decided(notify.Decision) {}

func (quiet) Beyond(string) {}

func (quiet) EachOf(context.Context, event.MessageKey, func([]event.Event) error) error { return nil }

// deciding is an engine on stores of its own that announces on a stream.
func deciding(t *testing.T, to notify.Announcer) *notify.Engine {
	t.Helper()
	dir := t.TempDir()
	states, err := sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	store, err := sqlite.OpenNotify(filepath.Join(dir, "notify.db"))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, store.Close())
		require.NoError(t, states.Close())
	})
	clock := func() time.Time { return time.Unix(liveTime+60, 0) }
	return notify.NewEngine(notify.Config{
		Store: store, Books: notify.NewBooks(states, clock), People: account.NewDirectory(states, clock), History: quiet{},
		Announcer: to, Observer: quiet{}, Clock: clock,
	})
}

// Ana looks at two processes, Eve at one: what Ana is told reaches both of hers and no
// other; what she reads in one is read in the other; what turns out to be a scanner's is
// taken back everywhere.
func TestNotificationsReachTheirPersonInEveryProcess(t *testing.T) {
	real, closed := openStream(t, t.TempDir())
	var engine *notify.Engine
	follow := func(c *live.Config, h *api.LiveHandler) {
		c.Log = real
		h.Unread = func(ctx context.Context, workspace, user string) (int, error) {
			return notify.UnreadOf(ctx, engine.Store, workspace, user)
		}
	}
	one, other := newLiveSite(t, follow), newLiveSite(t, follow)
	engine = deciding(t, real) // ends before the sites look for what is left running
	defer func() {
		one.stop()
		other.stop()
		closed()
	}()
	listen := func(s *liveSite, key string) *client {
		c := s.connect(key)
		c.say(`{"op":"subscribe","id":"n","to":"notifications"}`)
		begun := c.hear()
		require.Equal(t, "subscribed", begun.Op)
		require.Zero(t, *begun.Unread)
		return c
	}
	here, there, eve := listen(one, "ana"), listen(other, "ana"), listen(other, "nobody")

	open := announced("w", "ana", event.Open, "m1", "Pricing").Event
	open.Recipient = &event.Person{Email: "jo@dox.test"}
	handle := func(kind string) {
		require.NoError(t, engine.Handle(t.Context(), []event.Trigger{{Kind: kind, Event: *open}}))
	}
	handle(event.AnnounceEvent)
	for _, c := range []*client{here, there} {
		f := c.hear()
		require.Equal(t, event.AnnounceNotification, f.Op)
		require.Equal(t, "n", f.ID)
		require.Equal(t, open.ID, f.Notification.Event.ID)
		require.Equal(t, 1, *f.Unread)
	}
	require.NoError(t, engine.Read(t.Context(), "w", "ana", nil))
	for _, c := range []*client{here, there} {
		f := c.hear()
		require.Equal(t, event.AnnounceRead, f.Op)
		require.Zero(t, *f.Unread)
	}
	open.Verdict = event.Verdict{Is: event.Machine, Rule: "r"}
	handle(event.AnnounceChanged)
	for _, c := range []*client{here, there} {
		f := c.hear()
		require.Equal(t, event.AnnounceWithdrawn, f.Op)
		require.Equal(t, notify.Withdrawn, f.Notification.Outcome)
	}
	require.NoError(t, engine.Read(t.Context(), "w", "eve", nil))
	require.Equal(t, event.AnnounceRead, eve.hear().Op, "the first that she hears is her own")
}

func TestWhoIsNotNotifiedIsTold(t *testing.T) {
	s := newLiveSite(t)
	c := s.connect("ana")
	c.say(`{"op":"subscribe","id":"n","to":"notifications"}`)
	require.Equal(t, 501, c.hear().Problem.Status, "notifications are kept nowhere")
	s.handler.Unread = func(context.Context, string, string) (int, error) { return 0, nil }
	c.say(`{"op":"subscribe","id":"n","to":"everything"}`)
	require.Equal(t, 422, c.hear().Problem.Status)
	c.say(`{"op":"subscribe","id":"n","to":"notifications","q":"acme"}`)
	require.Equal(t, 422, c.hear().Problem.Status)
	for parameters, status := range map[string]int{"&tz=Europe/Berlin": 200, "&user=ana": 422, "&automated=show": 422, "&q=acme": 422} {
		_, response := s.events("ana", "to=notifications"+parameters, "")
		require.Equal(t, status, response.StatusCode, parameters)
	}
	nobody := s.connect("admin")
	nobody.say(`{"op":"subscribe","id":"n","to":"notifications"}`)
	require.Equal(t, 422, nobody.hear().Problem.Status)
}
