package forward_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/deliver"
	"tidings/deliver/webpush"
	"tidings/deliver/webpush/webpushtest"
	"tidings/event"
	"tidings/notify"
	"tidings/outbound"
	"tidings/secret"
	"tidings/store/sqlite"
)

// pushing is what notifications are pushed from, to a push service that reads them.
type pushing struct {
	*noted
	states    *sqlite.State
	directory *deliver.Directory
	service   *webpushtest.Service
	worker    *deliver.Worker
	secrets   string
	mu        sync.Mutex
	tried     []string // state of each try
}

// message is what the page's service worker reads.
type message struct {
	ID, Title, Body, Path string
	At                    int64
	Taken                 bool
}

func newPushing(t *testing.T) *pushing {
	t.Helper()
	p := &pushing{noted: newNoted(t), service: webpushtest.NewService(t), secrets: filepath.Join(t.TempDir(), "secrets.key")}
	states, err := sqlite.OpenState(filepath.Join(t.TempDir(), "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, states.Close()) })
	p.states = states
	p.open(t)
	p.service.Clock = p.clock
	p.service.Key = func() string {
		key, err := p.directory.Devices.Key(t.Context())
		require.NoError(t, err)
		return key.Public()
	}
	allow, err := outbound.ParseAllow([]string{p.service.Listener.Addr().String()})
	require.NoError(t, err)
	out := outbound.New(allow)
	t.Cleanup(out.HTTP().CloseIdleConnections)
	p.worker = deliver.NewWorker(deliver.Config{
		Outbox: p.outbox, Endpoints: p.directory, Source: p.Notes, Sender: deliver.NewSender(out, p.clock), Clock: p.clock, Random: func() float64 { return 0.5 },
		Observer: p,
	})
	return p
}

// Tried is told by the worker of each try.
func (p *pushing) Tried(kind deliver.Kind, result string, _, _ time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if kind != deliver.Push {
		result = string(kind)
	}
	p.tried = append(p.tried, result)
}

// Turned is told by the worker of endpoints.
func (*pushing) Turned(deliver.Kind, deliver.Mode) {}

// open begins a process: nothing is remembered of the one before.
func (p *pushing) open(t *testing.T) {
	t.Helper()
	p.directory = deliver.NewDirectory(p.states, secret.New(p.secrets, true, p.states), nil)
	devices := p.directory.Devices
	devices.Clock, devices.Subject, devices.Changed = p.clock, "mailto:ops@example.com", p.Books.SetDevices
	p.Notes.Devices = devices
}

func (p *pushing) clock() time.Time { return p.now }

// register has a new browser of Ana's pushed to.
func (p *pushing) register(t *testing.T, session string) (endpoint string, device deliver.Device) {
	t.Helper()
	browser := webpushtest.NewBrowser(t)
	keys, err := webpush.ParseKeys(browser.P256dh(), browser.Auth())
	require.NoError(t, err)
	endpoint = p.service.Subscribe(browser)
	device, err = p.directory.Devices.Put(t.Context(), "w", deliver.Device{User: "u_ana", Name: "Firefox", Session: session}, endpoint, keys)
	require.NoError(t, err)
	return endpoint, device
}

// pushes decides that Ana is told of an open on her devices, and delivers.
func (p *pushing) pushes(t *testing.T, id string, window time.Time) notify.Decision {
	t.Helper()
	e := event.Event{
		ID: event.NewID(p.now.Unix(), "w", "test", true, []byte(id)), Workspace: "w", Type: event.Open, Time: p.now.Unix(), Message: "m/1", User: "u_ana",
		Subject: id, Recipient: &event.Person{Email: "lee@dox.test", Name: "Lee"},
	}
	p.events = append(p.events, e)
	d := notify.Decision{
		ID: notify.IDOf("w", id, "", "u_ana"), Workspace: "w", User: "u_ana", Event: e.ID, Message: e.Message, Kind: "open", Outcome: notify.Notified, Reasons: []notify.Reason{notify.ReasonYours},
		Channels: []notify.Channel{notify.InPage, notify.Push}, At: p.now.UnixMilli(), Found: "You are told.", Version: 1,
	}
	if !window.IsZero() {
		d.PushWindow = window.Unix()
	}
	require.NoError(t, p.decisions.Add(t.Context(), []notify.Decision{d}))
	for range 2 { // it may be repeated
		require.NoError(t, p.Deliver(t.Context(), []notify.Decision{d}))
	}
	return d
}

func (p *pushing) look(t *testing.T) {
	t.Helper()
	for range 3 {
		require.NoError(t, p.worker.Look(t.Context()))
		p.worker.Idle()
	}
}

func (p *pushing) read(t *testing.T, endpoint string) (all []message) {
	t.Helper()
	for _, pushed := range p.service.Pushed(endpoint) {
		var m message
		require.NoError(t, json.Unmarshal(pushed.Text, &m))
		all = append(all, m)
	}
	require.Empty(t, p.service.Faults())
	return all
}

func TestANotificationIsPushedToEachDeviceOnce(t *testing.T) {
	p := newPushing(t)
	phone, _ := p.register(t, "s1")
	laptop, _ := p.register(t, "s2")
	d := p.pushes(t, "Pricing", time.Time{})
	p.look(t)
	require.Empty(t, p.read(t, phone), "opens wait: scanners are found out in that time")
	p.now = p.now.Add(p.Settle)
	p.look(t)
	for _, endpoint := range []string{phone, laptop} {
		require.Equal(t, []message{{ID: d.ID, Title: "Lee opened “Pricing”", Body: "You are told. Change what you are told in Settings.", Path: "/?open=m%2F1", At: d.At}}, p.read(t, endpoint))
		pushed := p.service.Pushed(endpoint)[0]
		require.Equal(t, []string{"86400", "normal", d.ID}, []string{pushed.TTL, pushed.Urgency, pushed.Topic})
		require.Equal(t, "mailto:ops@example.com", pushed.Claims.Subject)
	}
	require.Equal(t, []string{"sent", "sent"}, p.tried)
}

// What turns out to be a machine's is replaced on the devices that may have it, under the
// same topic, and is not pushed to those that it has not reached.
func TestWhatIsWithdrawnIsReplacedOnTheDevice(t *testing.T) {
	p := newPushing(t)
	phone, _ := p.register(t, "s")
	sent := p.pushes(t, "Sent", time.Time{})
	p.now = p.now.Add(p.Settle)
	p.look(t)
	waiting := p.pushes(t, "Waiting", time.Time{})
	flying := p.pushes(t, "Flying", time.Time{})
	p.now = p.now.Add(p.Settle)
	device := deliver.EndpointKey{Workspace: "w", Endpoint: deliver.PushTo("u_ana", deliver.DeviceID(phone))}
	claimed, err := p.outbox.Claim(t.Context(), []deliver.Want{{EndpointKey: device, Most: 1}}, p.now, p.now.Add(time.Minute))
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	if claimed[0].Decision == waiting.ID {
		waiting, flying = flying, waiting
	}
	for _, d := range []notify.Decision{sent, waiting, flying} {
		d.Outcome, d.Version, d.Found = notify.Withdrawn, 2, "It turned out that a machine did this (rule burst)."
		done, err := p.decisions.Replace(t.Context(), d)
		require.NoError(t, err)
		require.True(t, done)
		for range 2 {
			require.NoError(t, p.Cancel(t.Context(), d))
		}
	}
	p.look(t)
	taken := func(d notify.Decision) []message {
		return slices.DeleteFunc(p.read(t, phone), func(m message) bool { return m.ID != d.ID || !m.Taken })
	}
	require.Equal(t, "Taken back: a machine did it", taken(sent)[0].Title)
	require.Len(t, taken(sent), 1)
	require.Len(t, taken(flying), 1, "a try was under way")
	require.Empty(t, taken(waiting))
	for _, pushed := range p.service.Pushed(phone)[1:] {
		require.Contains(t, []string{sent.ID, flying.ID}, pushed.Topic)
		require.Equal(t, "low", pushed.Urgency)
	}
}

func TestWhatPushServicesAnswer(t *testing.T) {
	for _, c := range []struct {
		refusal webpushtest.Refusal
		state   deliver.State
		stays   bool
		due     time.Duration // until the next try
	}{
		{webpushtest.Refusal{Status: 404}, deliver.Cancelled, false, 0},
		{webpushtest.Refusal{Status: 410}, deliver.Cancelled, false, 0},
		{webpushtest.Refusal{Status: 413}, deliver.Failed, true, 0},
		{webpushtest.Refusal{Status: 403}, deliver.Failed, true, 0},
		{webpushtest.Refusal{Status: 429, RetryAfter: time.Hour}, deliver.Waiting, true, time.Hour},
		{webpushtest.Refusal{Status: 500}, deliver.Waiting, true, 30 * time.Second},
	} {
		p := newPushing(t)
		phone, device := p.register(t, "s")
		p.service.Refuse(phone, c.refusal)
		p.pushes(t, "One", time.Time{})
		p.now = p.now.Add(p.Settle)
		p.look(t)
		kept := p.kept(t)
		require.Len(t, kept, 1, c.refusal.Status)
		require.Equal(t, c.state, kept[0].State, c.refusal.Status)
		require.Equal(t, c.refusal.Status, kept[0].Tries[0].Status)
		all, err := p.directory.Devices.Of(t.Context(), "w", "u_ana")
		require.NoError(t, err)
		require.Equal(t, c.stays, len(all) == 1, c.refusal.Status)
		book, err := p.Books.Load(t.Context(), "w")
		require.NoError(t, err)
		require.Equal(t, c.stays, book.Devices["u_ana"], "who has no device is not told on it")
		if c.state != deliver.Waiting {
			continue
		}
		require.Equal(t, p.now.Add(c.due).UnixMilli(), kept[0].Due, c.refusal.Status)
		p.now = p.now.Add(c.due)
		p.look(t)
		require.Len(t, p.read(t, phone), 1, "%d of %s", c.refusal.Status, device.ID)
	}
}

// What quiet hours hold comes as one, of what was not seen meanwhile.
func TestAWindowIsOnePush(t *testing.T) {
	p := newPushing(t)
	phone, _ := p.register(t, "s")
	morning := time.Date(2026, 11, 19, 8, 0, 0, 0, time.UTC)
	seen := p.pushes(t, "Seen", morning)
	p.pushes(t, "One", morning)
	p.now = p.now.Add(time.Minute)
	p.pushes(t, "Two", morning)
	require.NoError(t, p.decisions.Read(t.Context(), "w", "u_ana", []string{seen.ID}))
	p.look(t)
	require.Empty(t, p.read(t, phone))
	p.now = morning
	p.look(t)
	read := p.read(t, phone)
	require.Len(t, read, 1)
	require.Equal(t, "2 notifications", read[0].Title)
	require.Equal(t, "Lee opened “One”\nLee opened “Two”", read[0].Body)
}

func TestADeviceIsItsBrowsersLastReader(t *testing.T) {
	p := newPushing(t)
	devices := p.directory.Devices
	browser := webpushtest.NewBrowser(t)
	keys, err := webpush.ParseKeys(browser.P256dh(), browser.Auth())
	require.NoError(t, err)
	endpoint := p.service.Subscribe(browser)
	put := func(workspace, user string) (deliver.Device, error) {
		return devices.Put(t.Context(), workspace, deliver.Device{User: user, Session: "s"}, endpoint, keys)
	}
	count := func(workspace, user string) int {
		all, err := devices.Of(t.Context(), workspace, user)
		require.NoError(t, err)
		return len(all)
	}
	for range 2 { // the same again is the same
		_, err := put("w", "u_ana")
		require.NoError(t, err)
	}
	require.Equal(t, 1, count("w", "u_ana"))
	_, err = put("v", "u/ben/push")
	require.NoError(t, err)
	require.Zero(t, count("w", "u_ana"), "somebody else signed in there")
	require.Equal(t, 1, count("v", "u/ben/push"))
	e, err := p.directory.Endpoint(t.Context(), deliver.EndpointKey{Workspace: "v", Endpoint: deliver.PushTo("u/ben/push", deliver.DeviceID(endpoint))})
	require.NoError(t, err)
	require.Equal(t, endpoint, e.URL)

	// What it takes to push is nowhere in the clear.
	for _, at := range []struct{ workspace, kind string }{{"v", "push-device/u/ben/push"}, {"", "push-subscription"}, {"", deliver.KindPushKey}} {
		records, err := p.states.List(t.Context(), at.workspace, at.kind)
		require.NoError(t, err)
		require.Len(t, records, 1, at)
		for _, secret := range []string{strings.TrimPrefix(endpoint, p.service.URL), browser.Auth()} {
			require.NotContains(t, string(records[0].Doc), secret)
		}
	}
	// A browser that has not come by for long is let go.
	p.now = p.now.AddDate(0, 0, 91)
	require.Zero(t, count("v", "u/ben/push"))
	for range deliver.MaxDevices {
		p.register(t, "s")
	}
	_, err = put("w", "u_ana")
	require.ErrorIs(t, err, event.ErrConflict)
}

// A restored directory has no key for its secrets: nothing is pushed by what is sealed by
// the one before, and nothing stops. When the page is opened, the device registers anew.
func TestDevicesRegisterAnewWhereTheKeyOfSecretsIsLost(t *testing.T) {
	p := newPushing(t)
	phone, _ := p.register(t, "s")
	before := p.service.Key()
	p.secrets = filepath.Join(t.TempDir(), "secrets.key")
	p.open(t)
	_, err := p.directory.Endpoint(t.Context(), deliver.EndpointKey{Workspace: "w", Endpoint: deliver.PushTo("u_ana", deliver.DeviceID(phone))})
	require.ErrorIs(t, err, event.ErrNotFound)
	require.NotEqual(t, before, p.service.Key(), "browsers subscribe again by another key")
	again, device := p.register(t, "s")
	e, err := p.directory.Endpoint(t.Context(), deliver.EndpointKey{Workspace: "w", Endpoint: deliver.PushTo("u_ana", device.ID)})
	require.NoError(t, err)
	require.Equal(t, again, e.URL)

	// A rotation of the secrets goes on with the same devices and key.
	key := p.service.Key()
	box := secret.New(p.secrets, false, p.states)
	directory := deliver.NewDirectory(p.states, box, nil)
	_, err = box.Rotate(t.Context(), directory.Reseal)
	require.NoError(t, err)
	p.open(t)
	require.Equal(t, key, p.service.Key())
	e, err = p.directory.Endpoint(t.Context(), deliver.EndpointKey{Workspace: "w", Endpoint: deliver.PushTo("u_ana", device.ID)})
	require.NoError(t, err)
	require.Equal(t, again, e.URL)
}

// Nobody is pushed what they may not see any more.
func TestWhoMaySeeNothingAnyMoreIsPushedNothing(t *testing.T) {
	p := newPushing(t)
	phone, _ := p.register(t, "s")
	p.pushes(t, "One", time.Time{})
	directory := p.People.(*account.Directory)
	suspended := account.StateSuspended
	_, err := directory.PutUser(t.Context(), "w", "u_admin", account.MemberRequest{Name: "Admin", Role: account.RoleAdmin})
	require.NoError(t, err)
	_, err = directory.ChangeUser(t.Context(), "w", "u_ana", account.Change{State: &suspended})
	require.NoError(t, err)
	p.now = p.now.Add(time.Minute)
	p.look(t)
	require.Empty(t, p.read(t, phone))
	require.Equal(t, deliver.Cancelled, p.kept(t)[0].State)
}

// meanwhile registers a browser while another is being registered: after its owner's were
// counted, and before it is kept.
type meanwhile struct {
	deliver.Records
	register func()
}

func (m *meanwhile) Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error {
	if register := m.register; register != nil && strings.HasPrefix(kind, "push-device/") {
		m.register = nil
		register()
	}
	return m.Records.Put(ctx, workspace, kind, id, doc)
}

// Two that register at once for the last place do not make one too many.
func TestTwoThatRegisterAtOnceMakeNoEleventh(t *testing.T) {
	p := newPushing(t)
	records := &meanwhile{Records: p.states}
	directory := deliver.NewDirectory(records, secret.New(p.secrets, true, p.states), nil)
	put := func() error {
		browser := webpushtest.NewBrowser(t)
		keys, err := webpush.ParseKeys(browser.P256dh(), browser.Auth())
		require.NoError(t, err)
		_, err = directory.Devices.Put(t.Context(), "w", deliver.Device{User: "u_ana", Session: "s"}, p.service.Subscribe(browser), keys)
		return err
	}
	directory.Devices.Clock = p.clock
	for range deliver.MaxDevices - 1 {
		require.NoError(t, put())
	}
	records.register = func() { require.NoError(t, put()) }
	require.ErrorIs(t, put(), event.ErrConflict)
	all, err := directory.Devices.Of(t.Context(), "w", "u_ana")
	require.NoError(t, err)
	require.Len(t, all, deliver.MaxDevices)
}

// becomes says what is known of a decision's event now: a machine's, or a person's after all.
func (p *pushing) becomes(t *testing.T, d *notify.Decision, outcome notify.Outcome) {
	t.Helper()
	d.Outcome, d.Version = outcome, d.Version+1
	done, err := p.decisions.Replace(t.Context(), *d)
	require.NoError(t, err)
	require.True(t, done)
	for range 2 { // it may be repeated
		if outcome == notify.Withdrawn {
			require.NoError(t, p.Cancel(t.Context(), *d))
		} else {
			require.NoError(t, p.Deliver(t.Context(), []notify.Decision{*d}))
		}
	}
}

// What is a person's, a machine's, and a person's after all, is told on a device each time
// in turn; what had not left yet leaves then, and a mail that was sent does not come twice.
func TestWhatIsTrueAfterAllIsToldAnew(t *testing.T) {
	p := newPushing(t)
	phone, _ := p.register(t, "s")
	pass := func() {
		p.now = p.now.Add(p.Settle)
		p.look(t)
	}
	titles := func() (all []string) {
		for _, m := range p.read(t, phone) {
			all = append(all, m.Title)
		}
		return all
	}
	told, taken := "Lee opened “Pricing”", "Taken back: a machine did it"
	d := p.pushes(t, "Pricing", time.Time{})
	pass()
	require.Equal(t, []string{told}, titles())
	p.becomes(t, &d, notify.Withdrawn)
	pass()
	p.becomes(t, &d, notify.Notified)
	pass()
	require.Equal(t, []string{told, taken, told}, titles())
	p.becomes(t, &d, notify.Withdrawn)
	pass()
	require.Equal(t, []string{told, taken, told, taken}, titles())
	p.becomes(t, &d, notify.Notified)
	p.becomes(t, &d, notify.Withdrawn) // before it left
	pass()
	require.Equal(t, []string{told, taken, told, taken}, titles(), "it says so already")

	early := p.pushes(t, "Early", time.Time{})
	p.becomes(t, &early, notify.Withdrawn)
	p.becomes(t, &early, notify.Notified)
	pass()
	require.Equal(t, []string{told, taken, told, taken, "Lee opened “Early”"}, titles(), "it had reached nobody")
}

// A mail that was taken back before it was sent is sent after all; one that was sent stands.
func TestAMailOfWhatIsTrueAfterAllComesOnce(t *testing.T) {
	n := newNoted(t)
	becomes := func(d *notify.Decision, outcome notify.Outcome) {
		d.Outcome, d.Version = outcome, d.Version+1
		done, err := n.decisions.Replace(t.Context(), *d)
		require.NoError(t, err)
		require.True(t, done)
		if outcome == notify.Withdrawn {
			require.NoError(t, n.Cancel(t.Context(), *d))
		} else {
			require.NoError(t, n.Deliver(t.Context(), []notify.Decision{*d}))
		}
	}
	d := n.tell(t, "one", time.Time{})
	becomes(&d, notify.Withdrawn)
	require.Equal(t, deliver.Cancelled, n.kept(t)[0].State)
	n.now = n.now.Add(time.Hour)
	becomes(&d, notify.Notified)
	require.Len(t, n.kept(t), 1, "under the same id")
	require.Equal(t, deliver.Waiting, n.kept(t)[0].State)
	require.Equal(t, n.now.Add(n.Settle).UnixMilli(), n.kept(t)[0].Due)
	_, err := n.outbox.Change(t.Context(), "w", deliver.Filter{}, func(one *deliver.Delivery) bool {
		one.State, one.Ended = deliver.Sent, n.now.UnixMilli()
		return true
	})
	require.NoError(t, err)
	becomes(&d, notify.Withdrawn)
	becomes(&d, notify.Notified)
	require.Len(t, n.kept(t), 1)
	require.Equal(t, deliver.Sent, n.kept(t)[0].State)
}
