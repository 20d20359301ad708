package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/account"
	"tidings/apiclient"
	"tidings/app"
	"tidings/demo"
	"tidings/event"
	"tidings/notify"
)

// demoCmd shows what the product does without anything to set up.
type demoCmd struct {
	serveFlags
	Data   string  `help:"Where the demo is kept; the next start goes on from there." default:"tidings-demo" placeholder:"DIR" type:"path"`
	Months int     `help:"How many months of history to make." default:"6"`
	Rate   float64 `help:"Events a second that keep coming; 0 for none." default:"0.5"`
}

// Help says what one gets.
func (demoCmd) Help() string {
	return `Starts everything in one directory, fills it with the mail of a made-up company,
prints links that sign you in as one of three people, and keeps events coming. Delete the directory
to start over.`
}

// The demo's workspace and where its randomness begins.
const (
	demoWorkspace = "demo"
	demoSeed      = 20261121
	demoLinkLife  = 24 * time.Hour
)

// Run starts the demo and keeps it going until it is told to stop.
func (c *demoCmd) Run(ctx context.Context, env *environment) error {
	if c.Months < 0 || c.Rate < 0 {
		return &usageError{"--months and --rate cannot be negative"}
	}
	a, err := app.Open(ctx, c.settings(c.Data), env.log)
	if err != nil {
		return err
	}
	made := &demoRun{app: a, env: env, office: demo.New(demoSeed, time.Now()), options: c}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return a.Serve(ctx, c.Listen, c.Data, func(address string) {
			group.Go(func() error { return made.run(ctx, address) })
		})
	})
	err = group.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, a.Close())
}

// demoRun is a running demo.
type demoRun struct {
	app     *app.App
	env     *environment
	office  *demo.Office
	options *demoCmd
}

// run fills the workspace, prints the link and lets events come.
func (d *demoRun) run(ctx context.Context, address string) error {
	if err := d.people(ctx); err != nil {
		return fmt.Errorf("make the demo's people: %w", err)
	}
	if err := d.history(ctx); err != nil {
		return fmt.Errorf("make the demo's history: %w", err)
	}
	links, err := d.links(ctx, address)
	if err != nil {
		return fmt.Errorf("make the sign-in links: %w", err)
	}
	fmt.Fprintf(d.env.Err, "listening on http://%s\n", address)
	fmt.Fprintf(d.env.Out, demoText, links, invokedAs(), shellQuoted(d.options.Data), address)
	return d.trickle(ctx)
}

// demoLead leads the team support in the demo.
const demoLead = "u_grace"

// demoRole is the role of a person of the demo.
func demoRole(user demo.User) account.Role {
	switch {
	case user.Admin:
		return account.RoleAdmin
	case user.ID == demoLead:
		return account.RoleLead
	}
	return account.RoleMember
}

// links are a line each for the first person of each role, the admin first.
func (d *demoRun) links(ctx context.Context, address string) (string, error) {
	lines := make(map[account.Role]string)
	for _, user := range d.office.Directory().Users {
		role := demoRole(user)
		if lines[role] != "" {
			continue
		}
		// Whoever signs in has the role of the directory; a link needs one of a key.
		link := account.RoleRead
		if role == account.RoleAdmin {
			link = account.RoleAdmin
		}
		token, err := d.app.Server.NewSignInToken(ctx, demoWorkspace, user.ID, link, demoLinkLife)
		if err != nil {
			return "", err
		}
		lines[role] = fmt.Sprintf("  %s, %s\n  http://%s/#token=%s\n", user.Name, demoSees[role], address, url.QueryEscape(token))
	}
	return lines[account.RoleAdmin] + lines[account.RoleLead] + lines[account.RoleMember], nil
}

// demoSees says what who has a role sees.
var demoSees = map[account.Role]string{
	account.RoleAdmin:  "admin, who sees everything",
	account.RoleLead:   "lead of a team, who sees its mail and says who is in it",
	account.RoleMember: "member, who sees the mail of their team",
}

const demoText = `
The demo is ready. Open it as one of three people; a browser is one of them at a time:

%s
Each link signs in once, within a day. To put in an event of your own:

  KEY=$(%s keys create --data %s --workspace demo --role ingest)
  curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' http://%s/v1/events \
    -d '{"type":"open","time":'$(date +%%s)',"message":"hello-1","subject":"Hello","recipient":{"email":"jo@acme.example"}}'

Ctrl-C stops it.
`

// people writes the directory through the API, as any program would.
func (d *demoRun) people(ctx context.Context) error {
	dial, stopServer := d.app.OperateInMemory()
	client := apiclient.Operator(dial, demoWorkspace, func() error {
		err := stopServer()
		return err
	})
	directory := d.office.Directory()
	for _, user := range directory.Users {
		body := map[string]any{"name": user.Name, "emails": []string{user.Email}, "role": demoRole(user)}
		if err := client.Call(ctx, http.MethodPut, "/v1/users/"+url.PathEscape(user.ID), body, nil); err != nil {
			return errors.Join(err, client.Close())
		}
	}
	for _, team := range directory.Teams {
		body := map[string]any{"name": team.Name, "members": team.Members}
		if slices.Contains(team.Members, demoLead) {
			body["leads"] = []string{demoLead}
		}
		if err := client.Call(ctx, http.MethodPut, "/v1/teams/"+url.PathEscape(team.ID), body, nil); err != nil {
			return errors.Join(err, client.Close())
		}
	}
	return client.Close()
}

// demoRecord notes until when history has been made.
type demoRecord struct {
	Until time.Time `json:"until"`
}

// history makes the months before now, or what is missing since the last run,
// and waits until all of it can be read.
func (d *demoRun) history(ctx context.Context) error {
	now := time.Now()
	from := now.AddDate(0, -d.options.Months, 0)
	if doc, err := d.app.State.Get(ctx, demoWorkspace, "demo", "history"); err == nil {
		var done demoRecord
		if err := json.Unmarshal(doc, &done); err != nil {
			return fmt.Errorf("read how far history goes: %w", err)
		}
		from = done.Until
	} else if !errors.Is(err, event.ErrNotFound) {
		return err
	}
	fmt.Fprintf(d.env.Err, "Making history since %s …\n", from.Format(time.DateOnly))
	// What came in the last day came live, so that people were told of it.
	lately := now.Add(-notify.Fresh)
	if from.After(lately) {
		lately = from
	}
	for _, part := range []struct {
		from, to time.Time
		lane     event.Lane
	}{{from, lately, event.LaneBulk}, {lately, now, event.LaneLive}} {
		if err := d.publish(ctx, d.office.History(part.from, part.to), part.lane); err != nil {
			return err
		}
		if err := d.app.Drain(ctx); err != nil {
			return err
		}
	}
	doc, err := json.Marshal(demoRecord{now})
	if err != nil {
		return err
	}
	return d.app.State.Put(ctx, demoWorkspace, "demo", "history", doc)
}

// demoBatch is how many events are published at a time.
const demoBatch = 1000

func (d *demoRun) publish(ctx context.Context, inputs iter.Seq[event.Input], lane event.Lane) error {
	batch := make([]event.Event, 0, demoBatch)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := d.accept(ctx, lane, batch)
		batch = batch[:0]
		return err
	}
	for input := range inputs {
		e, err := input.Event(demoWorkspace, "demo", event.Limits{Now: time.Now()})
		if err != nil {
			return err
		}
		if batch = append(batch, e); len(batch) == demoBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// demoPatience is how often a busy queue is asked again.
const demoPatience = 60

// accept publishes a batch, again where the queue is busy for a while.
func (d *demoRun) accept(ctx context.Context, lane event.Lane, batch []event.Event) error {
	for try := 1; ; try++ {
		err := d.app.Stream.Publish(ctx, lane, batch)
		passing := errors.Is(err, event.ErrUnavailable) || errors.Is(err, event.ErrTooMuch)
		if err == nil || !passing || try == demoPatience {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// trickle lets events come as they do in a real office: some now, reactions to
// them later.
func (d *demoRun) trickle(ctx context.Context) error {
	if d.options.Rate == 0 {
		return nil
	}
	coming := d.office.Trickle(d.options.Rate)
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := d.publish(ctx, slices.Values(coming.Next(time.Now())), event.LaneLive)
		if err != nil && ctx.Err() == nil {
			d.env.log.WarnContext(ctx, "a made-up event was not taken", "error", err)
		}
	}
}
