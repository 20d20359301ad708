package cli_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ledger is what was sent and acknowledged.
type ledger struct {
	// pause is how long a worker of the load rests after each batch.
	pause time.Duration

	mu sync.Mutex
	// sent holds every acknowledged event by its id.
	sent map[string]bool
	// recipients and opened are the model of each message.
	recipients map[string]map[string]bool
	opened     map[string]map[string]bool
}

func newLedger() *ledger {
	return &ledger{
		sent:       make(map[string]bool),
		recipients: make(map[string]map[string]bool),
		opened:     make(map[string]map[string]bool),
	}
}

// acknowledge writes a batch into the ledger.
func (l *ledger) acknowledge(ids []string, batch []map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		l.sent[id] = true
	}
	for _, e := range batch {
		message := e["message"].(string)
		if l.recipients[message] == nil {
			l.recipients[message], l.opened[message] = map[string]bool{}, map[string]bool{}
		}
		if people, ok := e["recipients"].([]map[string]string); ok {
			for _, person := range people {
				l.recipients[message][person["email"]] = true
			}
			continue
		}
		if e["type"] == "open" || e["type"] == "reply" {
			l.opened[message][e["recipient"].(map[string]string)["email"]] = true
		}
	}
}

// unopened is how many recipients of a message have not opened it.
func (l *ledger) unopened(message string) int {
	n := 0
	for email := range l.recipients[message] {
		if !l.opened[message][email] {
			n++
		}
	}
	return n
}

func (l *ledger) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sent)
}

// check compares the ledger with the feed, the states and the dead letters.
func (l *ledger) check(t *testing.T, address, key string) {
	t.Helper()
	seen := make(map[string]int)
	unopened := make(map[string]int)
	cursor := ""
	for {
		var page struct {
			Items []struct {
				ID       string `json:"id"`
				Type     string `json:"type"`
				Message  string `json:"message"`
				Subject  string `json:"subject"`
				Unopened *int   `json:"unopened"`
			} `json:"items"`
			Next *string `json:"next"`
		}
		at := "http://" + address + "/v1/feed?limit=200&automated=show&cursor=" + url.QueryEscape(cursor)
		require.NoError(t, request(http.MethodGet, strings.TrimSuffix(at, "&cursor="), key, "", nil, &page))
		for _, item := range page.Items {
			seen[item.ID]++
			require.Equal(t, "Ledger "+item.Message, item.Subject, "%s %s", item.Type, item.ID)
			if item.Type == "send" {
				unopened[item.Message] = *item.Unopened
			}
		}
		if page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	lost, double, extra := 0, 0, 0
	for id := range l.sent {
		if seen[id] == 0 {
			lost++
		}
	}
	for id, n := range seen {
		if n > 1 {
			double++
		}
		if !l.sent[id] {
			extra++
		}
	}
	t.Logf("%d events acknowledged: %d lost, %d double, %d not acknowledged", len(l.sent), lost, double, extra)
	require.NotEmpty(t, l.sent)
	require.Zero(t, lost)
	require.Zero(t, double)
	require.Zero(t, extra)
	require.Len(t, unopened, len(l.recipients))
	for message, n := range unopened {
		require.Equal(t, l.unopened(message), n, message)
	}
	var dead struct{ Items []any }
	require.NoError(t, request(http.MethodGet, "http://"+address+"/v1/dead-letters", key, "", nil, &dead))
	require.Empty(t, dead.Items, "no crash makes a dead letter")
}
