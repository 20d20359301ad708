package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"tidings/apiclient"
)

// Notify measures how fast it is decided who is told, how long an event takes to a bell, and
// how long it takes to say why and what other settings would have told.
type Notify struct {
	// Data is an empty directory.
	Data string
	// Users each have Rules of their own, and together Events of which all are told.
	Users, Rules, Events int
	// Rate is how many replies a second ring a bell, For so long.
	Rate int
	For  time.Duration
	// Week is how many events a simulated week has.
	Week int
	// Questions is how often each question is asked.
	Questions int
	// Ingested are the events of a mixture that are taken in with notifications and
	// without, Rounds times in turns, 0 for never; Asked people of a workspace have rules.
	// Workspaces is how many workspaces there are in the case that the design asks about.
	Ingested, Asked, Workspaces, Rounds int
	// Kept is how many decisions the log has before, Waiting how many sends nobody opened, and
	// Deliveries how many events are sent on at once; 0 leaves those out, but for Kept.
	Kept, Waiting, Deliveries int
}

const (
	notifyWorkspace = "notify"
	// notifyBatch is how many events a request brings.
	notifyBatch = 500
	// notifyWait is how long is waited for what follows from events.
	notifyWait = 2 * time.Minute
	// mostRung is how many a person is told of in an hour, and mostRules a workspace has.
	mostRung, mostRules = 500, 1000
	// bellMust and the others are what the design asks for, of 99 in 100.
	bellMust, askMust, weekMust = 500 * time.Millisecond, 50 * time.Millisecond, 2 * time.Second
)

// Run prints a table.
func (c *Notify) Run(ctx context.Context, env Env) error {
	if entries, err := os.ReadDir(c.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", c.Data)
	}
	if c.Users < 1 || c.Rate < 1 || c.Users*c.Rules > mostRules {
		return fmt.Errorf("--users and --rate are 1 or more, and a workspace has %d rules at most", mostRules)
	}
	if rung := int(float64(c.Rate) * c.For.Seconds()); rung < 1 || rung > mostRung || c.Events > mostRung*c.Users {
		return fmt.Errorf("a person is told of 1 to %d events in an hour: change --rate, --for, --events or --users", mostRung)
	}
	if err := c.keep(ctx, env, filepath.Join(c.Data, "served")); err != nil {
		return err
	}
	server, err := serveChild(ctx, filepath.Join(c.Data, "served"), "127.0.0.1:0")
	if err != nil {
		return err
	}
	table, err := c.measure(ctx, env, server)
	if err := errors.Join(err, server.stop()); err != nil {
		return err
	}
	for _, measured := range []func(context.Context, Env) (string, error){c.delivers, c.waiting, c.cost} {
		rows, err := measured(ctx, env)
		if err != nil {
			return err
		}
		table += rows
	}
	_, err = io.WriteString(env.Out, table)
	return err
}

func (c *Notify) measure(ctx context.Context, env Env, server *child) (_ string, err error) {
	client, err := server.client(ctx, notifyWorkspace)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	fmt.Fprintf(env.Err, "making %d people with %d rules each …\n", c.Users, c.Rules)
	if err := c.people(ctx, client, server); err != nil {
		return "", err
	}
	fmt.Fprintf(env.Err, "%d events are decided about …\n", c.Events)
	took, err := c.decide(ctx, client, server)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(env.Err, "a bell rings for %v …\n", c.For)
	rang, err := c.ring(ctx, client, server.address)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%d people with %d rules each\n\n| | | must |\n| --- | --- | --- |\n", c.Users, c.Rules)
	env.Found.Add("posted, indexed, decided and told", "events/s", float64(c.Events)/took.Seconds())
	fmt.Fprintf(&out, "| posted, indexed, decided and told | %d in %s, %.0f a second | |\n", c.Events, round(took), float64(c.Events)/took.Seconds())
	fmt.Fprintf(&out, "| from an event to a bell | %s | p99 %s |\n", rang, bellMust)
	pages, whys, err := c.ask(ctx, client)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&out, "| a page of the log of %d decisions | %s | p99 %s |\n| why | %s | p99 %s |\n", c.Kept+c.Events, pages, askMust, whys, askMust)
	fmt.Fprintf(env.Err, "a week of %d events is simulated …\n", c.Week)
	simulated, err := c.simulate(ctx, client, server, &out)
	if err != nil {
		return "", err
	}
	notifyReport{rang: rang, pages: pages, whys: whys, simulated: simulated}.figures(env.Found)
	return out.String(), nil
}

// people makes those who are told, and their rules.
func (c *Notify) people(ctx context.Context, client *apiclient.Client, server *child) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for n := range c.Users {
		group.Go(func() error {
			key, err := person(ctx, client, fmt.Sprintf("u_%d", n))
			if err != nil {
				return err
			}
			own := apiclient.New("http://"+server.address, key)
			for r := range c.Rules {
				err := own.Call(ctx, http.MethodPut, fmt.Sprintf("/v1/notification-rules/r%d", r), map[string]any{
					"q": fmt.Sprintf("replies from company%d.example", r), "enabled": true,
					"do": map[string]any{"often": "every", "channels": []string{"inpage"}},
				}, nil)
				if err != nil {
					return errors.Join(err, own.Close())
				}
			}
			return own.Close()
		})
	}
	return group.Wait()
}

// messagesOf is how many messages everybody has sent.
const messagesOf = 5

// person makes somebody who sent something, and a key of theirs.
func person(ctx context.Context, client *apiclient.Client, id string) (string, error) {
	var key struct {
		Key string `json:"key"`
	}
	sends := make([]map[string]any, messagesOf)
	for n := range sends {
		sends[n] = map[string]any{
			"type": "send", "time": time.Now().UTC().Format(time.RFC3339), "user": id, "message": messageOf(id, n), "subject": "Pricing",
			"recipients": []any{map[string]string{"email": "jo@acme.example"}},
		}
	}
	for _, call := range []struct {
		method, path string
		body, out    any
	}{
		{http.MethodPut, "/v1/users/" + id, map[string]any{"name": id, "emails": []string{id + "@bench.example"}}, nil},
		{http.MethodPost, "/v1/keys", map[string]any{"role": "read", "name": id, "user": id}, &key},
		{http.MethodPost, "/v1/events", sends, nil},
	} {
		if err := client.Call(ctx, call.method, call.path, call.body, call.out); err != nil {
			return "", err
		}
	}
	return key.Key, nil
}

func messageOf(user string, n int) string { return fmt.Sprintf("m-%s-%d", user, n%messagesOf) }

// replyOf is a reply to a message of somebody's, by somebody else each time.
func replyOf(user string, n int, at time.Time) map[string]any {
	return map[string]any{
		"id": fmt.Sprintf("%s-%d", user, n), "type": "reply", "time": at.UTC().Format(time.RFC3339), "user": user,
		"message": messageOf(user, n), "recipient": map[string]string{"email": fmt.Sprintf("p%d@company%d.example", n, n%1000)},
	}
}

// decide posts all events and waits until as many decisions were made.
func (c *Notify) decide(ctx context.Context, client *apiclient.Client, server *child) (time.Duration, error) {
	began := time.Now()
	for first := 0; first < c.Events; first += notifyBatch {
		batch := make([]map[string]any, 0, notifyBatch)
		for n := first; n < min(first+notifyBatch, c.Events); n++ {
			batch = append(batch, replyOf(fmt.Sprintf("u_%d", n%c.Users), n/c.Users, began))
		}
		if err := client.Call(ctx, http.MethodPost, "/v1/events", batch, nil); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, notifyWait)
	defer cancel()
	for {
		decided, err := server.sum(ctx, "tidings_notify_decisions_total")
		switch {
		case err != nil:
			return 0, err
		case int(decided) >= c.Events:
			return time.Since(began), nil
		case wait(ctx, 20*time.Millisecond) != nil:
			return 0, fmt.Errorf("%d of %d events were decided about within %v", int(decided), c.Events, notifyWait)
		}
	}
}

// sum is what a metric comes to over its labels.
func (c *child) sum(ctx context.Context, metric string) (float64, error) {
	return sumOf(ctx, c.address, metric, "")
}

// sumOf is what a server's metric comes to over its labels, of those with one of them.
func sumOf(ctx context.Context, address, metric, label string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 8<<20))
	sum := 0.0
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if base, labels, _ := strings.Cut(name, "{"); base != metric || !strings.Contains(labels, label) {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", metric, err)
		}
		sum += number
	}
	return sum, err
}

// ring times replies from when they should be posted until a bell rings.
func (c *Notify) ring(ctx context.Context, client *apiclient.Client, address string) (_ *Timing, err error) {
	key, err := person(ctx, client, "u_bell")
	if err != nil {
		return nil, err
	}
	conn, err := dialLive(ctx, address, key)
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"op":"subscribe","id":"n","to":"notifications"}`)); err != nil {
		return nil, err
	}
	count := int(float64(c.Rate) * c.For.Seconds())
	// Each is another recipient's: who rang says which reply it was.
	due := make([]time.Time, count)
	began := time.Now().Add(100 * time.Millisecond)
	for n := range due {
		due[n] = began.Add(time.Duration(n) * time.Second / time.Duration(c.Rate))
	}
	timing := NewTiming()
	var group errgroup.Group
	group.Go(func() error { return rungAll(conn, due, timing) })
	group.Go(func() error {
		var posts errgroup.Group
		for n, at := range due {
			if err := wait(ctx, time.Until(at)); err != nil {
				return errors.Join(err, conn.Close(), posts.Wait())
			}
			posts.Go(func() error {
				return client.Call(ctx, http.MethodPost, "/v1/events", replyOf("u_bell", n, at), nil)
			})
		}
		return posts.Wait()
	})
	return timing, group.Wait()
}

// rungAll reads a socket until each reply was told.
func rungAll(conn *websocket.Conn, due []time.Time, timing *Timing) error {
	if err := conn.SetReadDeadline(due[len(due)-1].Add(notifyWait)); err != nil {
		return err
	}
	seen := make(map[int]bool)
	for len(seen) < len(due) {
		var frame struct {
			Op           string `json:"op"`
			Notification struct {
				Event struct {
					Person struct {
						Email string `json:"email"`
					} `json:"person"`
				} `json:"event"`
			} `json:"notification"`
		}
		if err := conn.ReadJSON(&frame); err != nil {
			return fmt.Errorf("%d of %d notifications were heard: %w", len(seen), len(due), err)
		}
		var n, company int
		if _, err := fmt.Sscanf(frame.Notification.Event.Person.Email, "p%d@company%d", &n, &company); frame.Op != "notification" || err != nil || seen[n] || n >= len(due) {
			continue
		}
		seen[n] = true
		timing.Record(time.Since(due[n]))
	}
	return nil
}

// ask times a page of the log, and why.
func (c *Notify) ask(ctx context.Context, client *apiclient.Client) (pages, whys *Timing, err error) {
	var page struct {
		Items []struct {
			Event *struct {
				ID string `json:"id"`
			} `json:"event"`
		} `json:"items"`
	}
	of := "user=u_0"
	pages, whys = NewTiming(), NewTiming()
	for n := range c.Questions {
		began := time.Now()
		if err := client.Call(ctx, http.MethodGet, "/v1/decisions?"+of, nil, &page); err != nil {
			return nil, nil, err
		}
		pages.Record(time.Since(began))
		if len(page.Items) == 0 || page.Items[n%len(page.Items)].Event == nil {
			return nil, nil, errors.New("the log has no event")
		}
		began = time.Now()
		why := "/v1/notifications/why?" + of + "&event=" + url.QueryEscape(page.Items[n%len(page.Items)].Event.ID)
		if err := client.Call(ctx, http.MethodGet, why, nil, nil); err != nil {
			return nil, nil, err
		}
		whys.Record(time.Since(began))
	}
	return pages, whys, nil
}

// simulate imports a week of somebody's, of which nobody is told, and times what other
// settings would have told of it.
func (c *Notify) simulate(ctx context.Context, client *apiclient.Client, server *child, out io.Writer) (*Timing, error) {
	key, err := person(ctx, client, "u_week")
	if err != nil {
		return nil, err
	}
	own := apiclient.New("http://"+server.address, key)
	defer own.Close()
	until := time.Now().Add(-26 * time.Hour)
	for first := 0; first < c.Week; first += notifyBatch {
		batch := make([]map[string]any, 0, notifyBatch)
		for n := first; n < min(first+notifyBatch, c.Week); n++ {
			batch = append(batch, replyOf("u_week", n, until.Add(-time.Duration(n)*5*24*time.Hour/time.Duration(c.Week))))
		}
		if err := client.Call(ctx, http.MethodPost, "/v1/events?lane=bulk", batch, nil); err != nil {
			return nil, err
		}
	}
	ask := map[string]any{"settings": map[string]any{"preset": "all"}, "since": until.Add(-6 * 24 * time.Hour).UTC().Format(time.RFC3339)}
	var answer struct {
		Then    int  `json:"then"`
		Partial bool `json:"partial"`
	}
	waiting, cancel := context.WithTimeout(ctx, notifyWait)
	defer cancel()
	for answer.Then < c.Week && !answer.Partial {
		if err := own.Call(waiting, http.MethodPost, "/v1/notifications/simulate", ask, &answer); err != nil {
			return nil, err
		}
		if err := wait(waiting, 100*time.Millisecond); err != nil {
			return nil, fmt.Errorf("%d of %d events of a week were there within %v", answer.Then, c.Week, notifyWait)
		}
	}
	timing := NewTiming()
	for range 5 {
		began := time.Now()
		if err := own.Call(ctx, http.MethodPost, "/v1/notifications/simulate", ask, &answer); err != nil {
			return nil, err
		}
		timing.Record(time.Since(began))
	}
	partial := ""
	if answer.Partial {
		partial = ", as many as are looked at"
	}
	_, err = fmt.Fprintf(out, "| a week of %d events%s, simulated | p50 %s, max %s | %s |\n", c.Week, partial, round(timing.Percentile(50)), round(timing.Max()), weekMust)
	return timing, err
}
