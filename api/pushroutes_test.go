package api_test

import (
	"crypto/rand"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/deliver"
	"tidings/deliver/forward"
	"tidings/deliver/webpush/webpushtest"
	"tidings/outbound"
	"tidings/secret"
	"tidings/store/sqlite"
)

// pushed is a site whose people are pushed to.
func pushed(t *testing.T) (*site, *webpushtest.Service) {
	t.Helper()
	service := webpushtest.NewService(t)
	outbox, err := sqlite.OpenOutbox(filepath.Join(t.TempDir(), "deliveries.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, outbox.Close()) })
	allow, err := outbound.ParseAllow([]string{service.Listener.Addr().String()})
	require.NoError(t, err)
	out := outbound.New(allow)
	t.Cleanup(out.HTTP().CloseIdleConnections)
	file := filepath.Join(t.TempDir(), "secrets.key")
	s := newSite(t, func(c *api.Config) {
		c.Secrets, c.Outbound, c.Understander = secret.New(file, true, c.Records), out, plain{}
		directory := deliver.NewDirectory(c.Records, c.Secrets, nil)
		directory.Devices.Clock, directory.Devices.Changed = c.Clock, c.Notify.Books.SetDevices
		c.Endpoints = &api.Endpoints{
			Directory: directory, Outbox: outbox, Sender: deliver.NewSender(out, c.Clock), Source: &forward.EventSource{Directory: directory},
		}
	})
	service.Clock = s.clock
	return s, service
}

func (b browser) pushDevices() (list api.PushDeviceList) {
	b.do(call{method: "GET", path: "/v1/push-devices"}).is(200).json(&list)
	return list
}

// register has a browser pushed to by a service.
func (b browser) register(service *webpushtest.Service) (endpoint string, device api.PushDevice) {
	b.t.Helper()
	mine := webpushtest.NewBrowser(b.t)
	endpoint = service.Subscribe(mine)
	body := map[string]any{"endpoint": endpoint, "keys": map[string]any{"p256dh": mine.P256dh(), "auth": mine.Auth()}}
	b.do(call{method: "POST", path: "/v1/push-devices", body: body, header: b.headers()}).is(200).json(&device)
	return endpoint, device
}

func TestADeviceIsRegisteredTriedAndRemoved(t *testing.T) {
	s, service := pushed(t)
	admin := s.key("acme", account.RoleAdmin, "")
	ana, _ := s.accepted(admin, map[string]any{"name": "Ana", "role": "member"})
	service.Key = func() string { return ana.pushDevices().Key }
	require.NotEmpty(t, ana.pushDevices().Key)
	endpoint, device := ana.register(service)
	require.True(t, device.Current)
	require.Equal(t, []api.PushDevice{device}, ana.pushDevices().Items)

	test := func(b browser, status int) (came api.EndpointTest) {
		a := b.do(call{method: "POST", path: "/v1/push-devices/" + device.ID + "/test", header: b.headers()}).is(status)
		if status == 200 {
			a.json(&came)
		}
		return came
	}
	require.True(t, test(ana, 200).OK)
	require.Contains(t, string(service.Pushed(endpoint)[0].Text), "This is a test from Tidings")
	require.Empty(t, service.Faults())

	ben, _ := s.accepted(admin, map[string]any{"name": "Ben", "role": "member"})
	require.Empty(t, ben.pushDevices().Items)
	test(ben, 404)
	ben.do(call{method: "DELETE", path: "/v1/push-devices/" + device.ID, header: ben.headers()}).is(404)

	service.Refuse(endpoint, webpushtest.Refusal{Status: 410})
	require.False(t, test(ana, 200).OK)
	require.Empty(t, ana.pushDevices().Items, "its browser has no subscription any more")

	_, device = ana.register(service)
	ana.do(call{method: "DELETE", path: "/v1/push-devices/" + device.ID, header: ana.headers()}).is(204)
	require.Empty(t, ana.pushDevices().Items)
}

func TestADeviceEndsWithItsSession(t *testing.T) {
	s, service := pushed(t)
	admin := s.key("acme", account.RoleAdmin, "")
	first, _ := s.accepted(admin, map[string]any{"name": "Ana", "role": "member"})
	var view api.SessionView
	first.do(call{method: "GET", path: "/v1/session"}).is(200).json(&view)
	ana := view.User.ID
	sessions := account.NewSessions(s.records, s.keys, nil, account.Lives{}, s.clock, rand.Reader)
	again := func() browser {
		token, err := sessions.Offer(t.Context(), "acme", ana, account.RoleRead, 0)
		require.NoError(t, err)
		return s.signIn(map[string]string{"token": token})
	}
	phone, laptop := again(), again()
	for _, b := range []browser{first, phone, laptop} {
		b.register(service)
	}
	ids := func(b browser) (ids []string) {
		for _, device := range b.pushDevices().Items {
			ids = append(ids, device.ID)
		}
		slices.Sort(ids)
		return ids
	}
	require.Len(t, ids(first), 3)
	phone.do(call{method: "DELETE", path: "/v1/session", header: phone.headers()}).is(204)
	require.Len(t, ids(first), 2, "signing out ends it")
	phone = again()
	_, device := phone.register(service)
	first.do(call{method: "DELETE", path: "/v1/sessions", header: first.headers()}).is(204)
	require.Len(t, ids(first), 1, "signing out everywhere ends the others")
	require.NotContains(t, ids(first), device.ID)

	phone = again()
	phone.register(service)
	s.pass(15 * 24 * time.Hour) // the session has ended by itself: nobody signed out
	first = again()
	require.Len(t, ids(first), 2)
	first.do(call{method: "DELETE", path: "/v1/sessions", header: first.headers()}).is(204)
	require.Empty(t, ids(first), "what registered here long ago may be anybody's by now")

	first.register(service)
	s.change(admin, ana, `{"state":"suspended"}`).is(200)
	s.change(admin, ana, `{"state":"active"}`).is(200)
	require.Empty(t, ids(again()), "who is suspended is signed out everywhere")
	first = again()
	first.register(service)
	s.do(call{method: "DELETE", path: "/v1/users/" + ana, key: admin}).is(204)
	left, err := s.records.List(t.Context(), "acme", "push-device/"+ana)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestWhatIsNoDevice(t *testing.T) {
	s, service := pushed(t)
	admin := s.key("acme", account.RoleAdmin, "")
	ana, _ := s.accepted(admin, map[string]any{"name": "Ana", "role": "member"})
	mine := webpushtest.NewBrowser(t)
	keys := map[string]any{"p256dh": mine.P256dh(), "auth": mine.Auth()}
	for name, body := range map[string]map[string]any{
		"an address inside":  {"endpoint": "https://10.0.0.1/send", "keys": keys},
		"no HTTPS":           {"endpoint": "http://push.example/send", "keys": keys},
		"no address":         {"endpoint": "push", "keys": keys},
		"no keys":            {"endpoint": service.URL + "/send", "keys": map[string]any{"p256dh": "AAAA", "auth": mine.Auth()}},
		"something unusable": {"endpoint": service.URL + "/send"},
	} {
		refused := ana.do(call{method: "POST", path: "/v1/push-devices", body: body, header: ana.headers()})
		require.Equal(t, http.StatusBadRequest, refused.status, name)
	}
	good := map[string]any{"endpoint": service.URL + "/send", "keys": keys}
	s.do(call{method: "POST", path: "/v1/push-devices", body: good, key: s.key("acme", account.RoleRead, "u_ana")}).is(422)
	for range deliver.MaxDevices {
		ana.register(service)
	}
	ana.do(call{method: "POST", path: "/v1/push-devices", body: good, header: ana.headers()}).is(409)
	var list api.PushDeviceList
	s.do(call{method: "GET", path: "/v1/push-devices", key: s.key("acme", account.RoleRead, "")}).is(200).json(&list)
	require.Equal(t, "This key belongs to nobody.", list.Why)
}
