package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"tidings/apiclient"
	"tidings/app"
	"tidings/event"
)

// Attack is all at once what one workspace may do to a server: bodies that come slowly,
// compressed ones that unfold, webhooks that nobody signed, pages of mailings, exports
// that are read slowly and sockets that do not answer. Beside it another workspace sends
// events and reads its page. Each kind comes from an address of its own where the machine
// has several (127.0.0.0/8 on Linux), and of a workspace of its own where it needs none
// with mailings, so that the bounds of one keep none of the others out.
type Attack struct {
	// Data is an empty directory on the disk to be measured.
	Data string
	// Memory is the server's --memory.
	Memory app.Memory
	// For is how long the attack lasts, and Quiet how long the page is timed before.
	For, Quiet time.Duration
	// Mailings is how many sends of a thousand recipients the attacker has.
	Mailings int
}

// attackLeast is how long an attack takes at least whose times and memory are judged.
const attackLeast = 2 * time.Minute

// Run measures, and fails where the report does not show what it must.
func (c *Attack) Run(ctx context.Context, env Env) error {
	if entries, err := os.ReadDir(c.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", c.Data)
	}
	server, err := serveChild(ctx, c.Data, "127.0.0.1:0", "--memory", strconv.FormatInt(int64(c.Memory), 10))
	if err != nil {
		return err
	}
	report, err := c.measure(ctx, server)
	if err := errors.Join(err, server.stop()); err != nil {
		return err
	}
	machine, err := Describe(ctx, c.Data)
	if err != nil {
		return err
	}
	report.figures(env.Found)
	if _, err := fmt.Fprintf(env.Out, "%s\n%s", machine.Markdown(), report); err != nil {
		return err
	}
	return notShown(report.notShown())
}

// attacked is the server, and what two workspaces know of it.
type attacked struct {
	*child
	attacker, victim string // keys
	slow, unfolding  string // keys of two more attackers
	hook             string // the key of a fourth, and then the path of their source
}

// keyOf makes a key of a workspace, as the operator may.
func keyOf(ctx context.Context, server *child, workspace string) (_ string, err error) {
	operator, err := server.client(ctx, workspace)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, operator.Close()) }()
	var key struct {
		Key string `json:"key"`
	}
	err = operator.Call(ctx, http.MethodPost, "/v1/keys", map[string]any{"role": "admin", "name": "bench"}, &key)
	return key.Key, err
}

// as asks with a key, or with none.
func (a *attacked) as(key string) *apiclient.Client {
	return apiclient.New("http://"+a.address, key)
}

// reading asks for a path.
func reading(client *apiclient.Client, path string) func(context.Context) error {
	return func(ctx context.Context) error {
		return client.Send(ctx, http.MethodGet, path, "", nil, new(json.RawMessage))
	}
}

// measure times the page while it is quiet and while it is not.
func (c *Attack) measure(ctx context.Context, server *child) (*attackReport, error) {
	attacker, err := keyOf(ctx, server, "attacker")
	if err != nil {
		return nil, err
	}
	victim, err := keyOf(ctx, server, "victim")
	if err != nil {
		return nil, err
	}
	a := &attacked{child: server, attacker: attacker, victim: victim}
	// Attackers of their own: what one may not do any more another goes on with.
	if a.slow, err = keyOf(ctx, server, "slow"); err != nil {
		return nil, err
	}
	if a.unfolding, err = keyOf(ctx, server, "unfolding"); err != nil {
		return nil, err
	}
	if a.hook, err = keyOf(ctx, server, "unsigned"); err != nil {
		return nil, err
	}
	report := &attackReport{memory: int64(c.Memory), took: c.For, answers: make(map[string]map[string]int), quiet: NewTiming(), page: NewTiming(), health: NewTiming()}
	if err := c.prepare(ctx, a); err != nil {
		return nil, err
	}
	if err := a.indexed(ctx, c.Mailings); err != nil {
		return nil, err
	}
	sent := new(ledger)
	phase := func(length time.Duration, page, health *Timing, more ...func(context.Context)) {
		running, cancel := context.WithTimeout(ctx, length)
		defer cancel()
		var group sync.WaitGroup
		for _, work := range append(more,
			func(ctx context.Context) {
				timed(ctx, reading(a.as(a.victim), "/v1/feed?limit=50"), page, &report.failedPages)
			},
			func(ctx context.Context) { timed(ctx, reading(a.as(""), "/healthz"), health, &report.failedHealth) },
			func(ctx context.Context) { sent.send(ctx, a.as(a.victim)) },
		) {
			group.Go(func() { work(running) })
		}
		group.Wait()
	}
	phase(c.Quiet, report.quiet, NewTiming())
	report.quietFailed, report.failedPages = report.failedPages, 0
	phase(c.For, report.page, report.health, append(c.attacks(a, report), func(ctx context.Context) { report.watch(ctx, a.command.Process.Pid) })...)
	report.acknowledged = len(sent.ids)
	report.lost, err = sent.lost(ctx, a.as(a.victim))
	return report, err
}

// indexed waits until the mailings are, so that it is quiet then.
func (a *attacked) indexed(ctx context.Context, mailings int) error {
	for ctx.Err() == nil {
		var page struct {
			Items []json.RawMessage `json:"items"`
		}
		if err := a.as(a.attacker).Call(ctx, http.MethodGet, "/v1/feed?limit=200", nil, &page); err != nil {
			return err
		}
		if len(page.Items) >= min(mailings, 200) {
			return nil
		}
		pause(ctx, 200*time.Millisecond)
	}
	return ctx.Err()
}

// prepare sends the mailings and makes a source.
func (c *Attack) prepare(ctx context.Context, a *attacked) error {
	var made struct {
		Path string `json:"path"`
	}
	if err := a.as(a.hook).Call(ctx, http.MethodPut, "/v1/sources/calendar", map[string]any{"provider": "calendly", "keys": []string{"the secret of a benchmark"}}, &made); err != nil {
		return err
	}
	a.hook = made.Path
	client := a.as(a.attacker)
	people := make([]event.Person, event.MaxRecipients)
	for i := range people {
		people[i] = event.Person{Email: fmt.Sprintf("person.number.%d@customer-%d.example", i, i%50), Name: fmt.Sprintf("Person Number %d", i)}
	}
	const atOnce = 20
	for from := 0; from < c.Mailings; from += atOnce {
		var batch []map[string]any
		for i := from; i < min(from+atOnce, c.Mailings); i++ {
			batch = append(batch, map[string]any{
				"id": fmt.Sprint("mailing-", i), "type": "send", "message": fmt.Sprint("mailing-", i), "user": "u_eve", "subject": "Offer",
				"time": time.Now().Add(-time.Duration(i) * time.Minute).Format(time.RFC3339), "recipients": people,
			})
		}
		if err := client.Call(ctx, http.MethodPost, "/v1/events", batch, nil); err != nil {
			return err
		}
	}
	return nil
}
