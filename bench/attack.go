package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/apiclient"
	"tidings/app"
	"tidings/event"
)

// Attack is what one workspace may do to a server, each kind alone and then all at once:
// bodies that come slowly, compressed ones that unfold, webhooks that nobody signed, small
// requests that are refused, pages of mailings, exports that are read slowly and sockets
// that do not answer. Beside it another workspace sends events and reads its page. A process
// of its own attacks, so that who is timed does not wait for it, and at the lowest priority:
// attackers have processors of their own, and must not take those of the server by being on
// the same machine. Each kind comes from an
// address of its own where the machine has several (127.0.0.0/8 on Linux), and of a workspace
// of its own where it needs none with mailings, so that the bounds of one keep none of the
// others out.
type Attack struct {
	// Data is an empty directory on the disk to be measured.
	Data string
	// Memory is the server's --memory.
	Memory app.Memory
	// For is how long all attack at once, Each how long each kind does alone, and Quiet how
	// long the page is timed before.
	For, Each, Quiet time.Duration
	// Mailings is how many sends of a thousand recipients the attacker has.
	Mailings int
	// Orders makes this the process that attacks: they come on its standard input.
	Orders bool
}

// attackLeast is how long an attack takes at least whose times and memory are judged.
const attackLeast = 2 * time.Minute

// Run measures, and fails where the report does not show what it must.
func (c *Attack) Run(ctx context.Context, env Env) error {
	if c.Orders {
		return attackAsOrdered(ctx, os.Stdin, env.Out)
	}
	if entries, err := os.ReadDir(c.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", c.Data)
	}
	server, err := serveChild(ctx, c.Data, "127.0.0.1:0", "--memory", strconv.FormatInt(int64(c.Memory), 10))
	if err != nil {
		return err
	}
	report, err := c.measure(ctx, server, env)
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

// attacked is the server, and what several workspaces know of it.
type attacked struct {
	*child
	victim string // a key
	orders attackOrders
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

// measure times the page while it is quiet, and then in each phase.
func (c *Attack) measure(ctx context.Context, server *child, env Env) (*attackReport, error) {
	a := &attacked{child: server, orders: attackOrders{Address: server.address}}
	for workspace, key := range map[string]*string{
		"attacker": &a.orders.Attacker, "victim": &a.victim,
		// Attackers of their own: what one may not do any more another goes on with.
		"slow": &a.orders.Slow, "unfolding": &a.orders.Unfolding, "unsigned": &a.orders.Hook,
	} {
		var err error
		if *key, err = keyOf(ctx, server, workspace); err != nil {
			return nil, err
		}
	}
	if err := c.prepare(ctx, a); err != nil {
		return nil, err
	}
	if err := a.indexed(ctx, c.Mailings); err != nil {
		return nil, err
	}
	report, sent := &attackReport{memory: int64(c.Memory), took: c.For}, new(ledger)
	var err error
	if report.quiet, err = a.phase(ctx, "quiet", c.Quiet, nil, sent); err != nil {
		return nil, err
	}
	for _, kind := range attackKinds {
		if err := c.next(ctx, env, a, report, sent, kind.name, c.Each, kind.name); err != nil {
			return nil, err
		}
	}
	if err := c.next(ctx, env, a, report, sent, "all at once", c.For); err != nil {
		return nil, err
	}
	report.acknowledged = len(sent.ids)
	report.lost, err = sent.lost(ctx, a.as(a.victim))
	return report, err
}

// next has some kinds attack, or all when none is named.
func (c *Attack) next(ctx context.Context, env Env, a *attacked, report *attackReport, sent *ledger, name string, length time.Duration, kinds ...string) error {
	if length <= 0 {
		return nil
	}
	orders := a.orders
	orders.Kinds, orders.For = kinds, length
	phase, err := a.phase(ctx, name, length, &orders, sent)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	report.phases = append(report.phases, phase)
	_, err = fmt.Fprintln(env.Err, phase)
	return err
}

// phase times the page and the health of a server, while it is attacked as ordered.
func (a *attacked) phase(ctx context.Context, name string, length time.Duration, orders *attackOrders, sent *ledger) (*attackPhase, error) {
	phase := &attackPhase{name: name, page: NewTiming(), health: NewTiming()}
	began, used := time.Now(), a.processorTime()
	running, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	group, _ := errgroup.WithContext(ctx)
	for _, work := range []func(context.Context){
		func(ctx context.Context) {
			timed(ctx, reading(a.as(a.victim), "/v1/feed?limit=50"), phase.page, &phase.failedPages)
		},
		func(ctx context.Context) {
			timed(ctx, reading(a.as(""), "/healthz"), phase.health, &phase.failedHealth)
		},
		func(ctx context.Context) { sent.send(ctx, a.as(a.victim)) },
		func(ctx context.Context) { phase.watch(ctx, a.command.Process.Pid) },
	} {
		group.Go(func() error { work(running); return nil })
	}
	if orders != nil {
		group.Go(func() (err error) {
			phase.answers, phase.attackers, err = orders.carriedOut(ctx)
			return err
		})
	}
	err := group.Wait()
	phase.took, phase.server = time.Since(began), a.processorTime()-used
	return phase, err
}

// indexed waits until the mailings are, so that it is quiet then.
func (a *attacked) indexed(ctx context.Context, mailings int) error {
	for ctx.Err() == nil {
		var page struct {
			Items []json.RawMessage `json:"items"`
		}
		if err := a.as(a.orders.Attacker).Call(ctx, http.MethodGet, "/v1/feed?limit=200", nil, &page); err != nil {
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
	if err := a.as(a.orders.Hook).Call(ctx, http.MethodPut, "/v1/sources/calendar", map[string]any{"provider": "calendly", "keys": []string{"the secret of a benchmark"}}, &made); err != nil {
		return err
	}
	a.orders.Hook = made.Path
	client := a.as(a.orders.Attacker)
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
