package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tidings/apiclient"
)

const (
	// faultBatch is how many events a request of the load holds.
	faultBatch = 50
	// faultUnread are the recipients of a send that never open it.
	faultUnread = 5
	// faultOld is how many weeks before now old events are.
	faultOld = 9
)

// faultPost is a request: a send and what its recipients did, the opens first.
type faultPost struct {
	events []map[string]any
	// keys say what each event is about, whatever its id.
	keys []string
	// message is its send, and unopened how many recipients never open it.
	message  string
	unopened int
}

// add adds an event. email is who did it, "" for a send.
func (p *faultPost) add(kind, message, email string, at time.Time, more map[string]any) {
	one := map[string]any{"id": message + "-" + email, "type": kind, "time": at.UTC().Format(time.RFC3339), "message": message}
	if email != "" {
		one["recipient"] = map[string]string{"email": email}
	}
	for name, value := range more {
		one[name] = value
	}
	p.events, p.keys = append(p.events, one), append(p.keys, faultKey(message, email))
}

func faultKey(message, email string) string { return message + " " + email }

// faultEvents are the n-th request, of a number of weeks in turn where that is not 0.
func faultEvents(n, weeks int) faultPost {
	post := faultPost{message: fmt.Sprint("m-", n), unopened: faultUnread}
	at := time.Now().Add(-time.Hour)
	if weeks > 0 {
		at = at.AddDate(0, 0, -7*(faultOld+n%weeks))
	}
	var people []map[string]string
	for i := range faultBatch - 1 + faultUnread {
		email := fmt.Sprintf("p%d@acme.example", i)
		people = append(people, map[string]string{"email": email})
		if i < faultBatch-1 {
			// As people open: minutes later, and one by one.
			post.add("open", post.message, email, at.Add(2*time.Minute+time.Duration(i)*7*time.Second), nil)
		}
	}
	post.add("send", post.message, "", at, map[string]any{"user": "u_ana", "recipients": people})
	return post
}

// faultBook is what was sent, acknowledged and answered.
type faultBook struct {
	mu           sync.Mutex
	offered      map[string]bool // by key
	acknowledged map[string]bool // by id
	// unopened is the model: of each send that was acknowledged, who has not opened it.
	unopened map[string]int
	// answers counts what senders were answered, by status; 0 is no answer.
	answers map[int]int
}

func newFaultBook() *faultBook {
	return &faultBook{offered: make(map[string]bool), acknowledged: make(map[string]bool), unopened: make(map[string]int), answers: make(map[int]int)}
}

func (b *faultBook) offer(post faultPost) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range post.keys {
		b.offered[key] = true
	}
}

func (b *faultBook) acknowledge(post faultPost, ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		b.acknowledged[id] = true
	}
	if post.message != "" {
		b.unopened[post.message] = post.unopened
	}
}

func (b *faultBook) answered(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[status]++
}

func (b *faultBook) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.acknowledged)
}

// takeAnswers says in words what senders were answered since it was asked last.
func (b *faultBook) takeAnswers() (map[int]int, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.answers
	b.answers = make(map[int]int)
	var words []string
	for status, n := range taken {
		name := fmt.Sprint(status)
		if status == 0 {
			name = "none"
		}
		words = append(words, fmt.Sprintf("%s: %d", name, n))
	}
	slices.Sort(words)
	return taken, strings.Join(words, ", ")
}

// faultFound is what a server shows.
type faultFound struct {
	ids, keys map[string]int
	// unopened is of each send who has not opened it.
	unopened map[string]int
}

// missing is how many acknowledged events are not there.
func (b *faultBook) missing(found faultFound) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.acknowledged {
		if found.ids[id] == 0 {
			n++
		}
	}
	return n
}

// compare writes into a row what is not as it was acknowledged.
func (b *faultBook) compare(found faultFound, row *faultRow) {
	row.lost = b.missing(found)
	row.acknowledged, row.twice, row.wrong = len(b.acknowledged), 0, 0
	for key, n := range found.keys {
		if n > 1 {
			row.twice++
		}
		if !b.offered[key] {
			row.wrong++
		}
	}
	for message, n := range b.unopened {
		if found.unopened[message] != n {
			row.wrong++
		}
	}
}

// errBusy is the answer of a server that has to be asked again.
var errBusy = errors.New("export: the server is busy")

// exported counts the events of a workspace.
func exported(ctx context.Context, server *child, workspace string) (found faultFound, err error) {
	client, err := server.client(ctx, workspace)
	if err != nil {
		return found, err
	}
	defer func() { _ = client.Close() }() // it was read
	return exportedBy(ctx, client)
}

// exportedBy is exported, asked by a client.
func exportedBy(ctx context.Context, client *apiclient.Client) (found faultFound, err error) {
	found = faultFound{ids: make(map[string]int), keys: make(map[string]int), unopened: make(map[string]int)}
	err = client.Read(ctx, "/v1/export?format=ndjson&automated=show&since=1", func(body io.Reader) error {
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			var one struct {
				ID, Type, Message string
				Person            struct{ Email string }
				Unopened          *int
			}
			if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
				return err
			}
			found.ids[one.ID]++
			found.keys[faultKey(one.Message, one.Person.Email)]++
			if one.Unopened != nil {
				found.unopened[one.Message] = *one.Unopened
			}
		}
		return lines.Err()
	})
	var refused *apiclient.Error
	switch {
	case errors.As(err, &refused) && (refused.Status == http.StatusServiceUnavailable || refused.Status == http.StatusTooManyRequests):
		return found, errBusy
	case err != nil:
		return found, fmt.Errorf("export: %w", err)
	}
	return found, nil
}
