package cli_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// noted is a frame about notifications.
type noted struct {
	Op           string `json:"op"`
	Notification *struct {
		Outcome string `json:"outcome"`
		Event   *struct {
			ID      string `json:"id"`
			Subject string `json:"subject"`
		} `json:"event"`
	} `json:"notification"`
	Unread  int `json:"unread"`
	Problem any `json:"problem"`
}

// bellOf notes what a person's socket at a process hears of notifications.
type bellOf struct {
	mu    sync.Mutex
	heard []noted
	when  []time.Time
}

func ringing(t *testing.T, address, key string) *bellOf {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"tidings.v1"}}
	socket, response, err := dialer.DialContext(t.Context(), "ws://"+address+"/v1/live", http.Header{"Authorization": {"Bearer " + key}})
	require.NoError(t, err)
	defer response.Body.Close()
	require.NoError(t, socket.WriteJSON(map[string]any{"op": "subscribe", "id": "n", "to": "notifications"}))
	b := &bellOf{}
	subscribed, done := make(chan noted, 1), make(chan struct{})
	go func() {
		defer close(done)
		for first := true; ; first = false {
			var frame noted
			if socket.ReadJSON(&frame) != nil {
				return
			}
			if first {
				subscribed <- frame
			}
			b.mu.Lock()
			b.heard, b.when = append(b.heard, frame), append(b.when, time.Now())
			b.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = socket.Close()
		<-done
	})
	select {
	case frame := <-subscribed:
		require.Nil(t, frame.Problem)
	case <-time.After(time.Minute):
		t.Fatal("a socket did not subscribe")
	}
	return b
}

// of are the times at which it was told something of a mail.
func (b *bellOf) of(op, subject string) (when []time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, frame := range b.heard {
		if frame.Op == op && frame.Notification != nil && frame.Notification.Event != nil && frame.Notification.Event.Subject == subject {
			when = append(when, b.when[i])
		}
	}
	return when
}

// receiver takes webhooks.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  map[string]int // by id and subject
	when map[string]time.Time
}

func receive(t *testing.T) *receiver {
	r := &receiver{got: make(map[string]int), when: make(map[string]time.Time)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var body struct {
			Data struct {
				Item struct{ Subject string }
			}
		}
		raw, err := io.ReadAll(request.Body)
		if err != nil || json.Unmarshal(raw, &body) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got[request.Header.Get("webhook-id")+" "+body.Data.Item.Subject]++
		r.when[body.Data.Item.Subject] = time.Now()
	}))
	t.Cleanup(r.Close)
	return r
}

// of counts the deliveries, each by its id, that were about a mail.
func (r *receiver) of(subject string) (count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for about := range r.got {
		if strings.HasSuffix(about, " "+subject) {
			count++
		}
	}
	return count
}

// settingsKnown is for how long a process goes by the settings that it has read, which the
// product promises to be a second: what it read before they were changed is older then.
const settingsKnown = 1100 * time.Millisecond

// Two processes take requests and one decides, on MongoDB and NATS. An open that the first
// takes reaches Ana's socket at the second and a receiver outside, and nothing of Ben's. Ana
// mutes Jo at the first: what Jo opens next is in the log at the second, with why. What a
// scanner did is taken back at both.
func TestAnOpenTakenByOneProcessRingsAtAnother(t *testing.T) {
	t.Parallel()
	x := startTopology(t)
	outside := receive(t)
	address := strings.TrimPrefix(outside.URL, "http://")
	secrets := filepath.Join(t.TempDir(), "secrets.key")
	require.NoError(t, os.WriteFile(secrets, []byte(base64.StdEncoding.EncodeToString(make([]byte, 32))), 0o600))
	x.stores = append(x.stores, "--outbound-allow", address, "--secrets-key", secrets)
	first, second := x.startAPI("127.0.0.1:0"), x.startAPI("127.0.0.1:0")
	x.stores = append(x.stores, "--settle", "0s")
	x.startIndexer()
	at := func(p *process, method, path, key, body string, out any) {
		t.Helper()
		if out == nil {
			out = new(any)
		}
		var sent []byte
		if body != "" {
			sent = []byte(body)
		}
		require.NoError(t, request(method, "http://"+p.address+path, key, "application/json", sent, out))
	}
	var keys [2]string
	for i, user := range []string{"u_ana", "u_ben"} {
		at(first, http.MethodPut, "/v1/users/"+user, x.key, fmt.Sprintf(`{"name":%q,"emails":["%s@acme.example"]}`, user, user), nil)
		var made struct{ Key string }
		at(first, http.MethodPost, "/v1/keys", x.key, fmt.Sprintf(`{"name":%q,"role":"read","user":%q}`, user, user), &made)
		keys[i] = made.Key
	}
	ana, ben := keys[0], keys[1]
	at(first, http.MethodPut, "/v1/endpoints/mine", x.key, fmt.Sprintf(`{"kind":"webhook","url":"http://%s/tidings","search":"opens"}`, address), nil)
	bells := []*bellOf{ringing(t, first.address, ana), ringing(t, second.address, ana)}
	bens := []*bellOf{ringing(t, first.address, ben), ringing(t, second.address, ben)}
	await := func(what string, condition func() bool) {
		t.Helper()
		require.Eventually(t, condition, time.Minute, 10*time.Millisecond, what)
	}
	now := time.Now().Add(-time.Minute).Unix()
	for _, subject := range []string{"Proposal", "Renewal", "Contract"} {
		at(first, http.MethodPost, "/v1/events", x.key, fmt.Sprintf(`{"id":"s-%[1]s","type":"send","time":%[2]d,"message":"m-%[1]s","user":"u_ana",
			"subject":%[1]q,"recipients":[{"email":"jo@dox.example"}]}`, subject, now), nil)
	}
	// The first events make the week's index: times are of a server that runs.
	await("the sends are there", func() bool {
		var page struct{ Items []any }
		at(second, http.MethodGet, "/v1/feed", x.key, "", &page)
		return len(page.Items) == 3
	})
	open := func(subject string) time.Time {
		t.Helper()
		sent := time.Now()
		at(first, http.MethodPost, "/v1/events", x.key, fmt.Sprintf(`{"id":"o-%[1]s","type":"open","time":%[2]d,"message":"m-%[1]s",
			"recipient":{"email":"jo@dox.example"}}`, subject, now+30), nil)
		return sent
	}

	sent := open("Proposal")
	await("both of Ana's sockets ring", func() bool {
		return len(bells[0].of("notification", "Proposal")) == 1 && len(bells[1].of("notification", "Proposal")) == 1
	})
	await("the receiver has it", func() bool { return outside.of("Proposal") == 1 })
	t.Logf("an open taken by one process: a bell at another after %v, a webhook after %v",
		bells[1].of("notification", "Proposal")[0].Sub(sent), outside.when["Proposal"].Sub(sent))

	at(first, http.MethodPatch, "/v1/notification-settings", ana, `{"mute":{"what":"person","id":"jo@dox.example"}}`, nil)
	time.Sleep(settingsKnown) // the other process may go by what it read before
	open("Renewal")
	var log struct {
		Items []struct {
			Outcome, Check, Found string
			Event                 *struct{ ID, Subject string }
		}
	}
	await("it is in the log", func() bool {
		at(second, http.MethodGet, "/v1/decisions?outcome=not", ana, "", &log)
		return len(log.Items) == 1
	})
	require.Equal(t, "mute", log.Items[0].Check)
	require.Equal(t, "Renewal", log.Items[0].Event.Subject)
	require.Equal(t, "You muted this person for ever.", log.Items[0].Found)
	var why struct {
		Fixes []struct{ Change json.RawMessage }
	}
	at(second, http.MethodGet, "/v1/notifications/why?event="+log.Items[0].Event.ID, ana, "", &why)
	require.Len(t, why.Fixes, 1)
	at(second, http.MethodPatch, "/v1/notification-settings", ana, string(why.Fixes[0].Change), nil)
	time.Sleep(settingsKnown) // the other process may go by what it read before

	open("Contract")
	await("it rings again", func() bool {
		return len(bells[0].of("notification", "Contract")) == 1 && len(bells[1].of("notification", "Contract")) == 1
	})
	var told struct {
		Items []struct{ Event *struct{ ID, Subject string } }
	}
	at(second, http.MethodGet, "/v1/notifications", ana, "", &told)
	require.Equal(t, "Contract", told.Items[0].Event.Subject)
	at(second, http.MethodPut, "/v1/events/"+told.Items[0].Event.ID+"/verdict", x.key, `{"is":"machine","reason":"It reads every mail at once."}`, nil)
	await("it is taken back at both", func() bool {
		return len(bells[0].of("withdrawn", "Contract")) == 1 && len(bells[1].of("withdrawn", "Contract")) == 1
	})
	for _, p := range []*process{first, second} {
		at(p, http.MethodGet, "/v1/decisions?outcome=withdrawn", ana, "", &log)
		require.Len(t, log.Items, 1)
		require.Equal(t, "Contract", log.Items[0].Event.Subject)
	}
	for _, bell := range bells {
		require.Empty(t, bell.of("notification", "Renewal"))
	}
	for _, bell := range bens {
		for _, subject := range []string{"Proposal", "Renewal", "Contract"} {
			require.Empty(t, bell.of("notification", subject))
			require.Empty(t, bell.of("withdrawn", subject))
		}
	}
	at(first, http.MethodGet, "/v1/decisions", ben, "", &log)
	require.Empty(t, log.Items)
}
