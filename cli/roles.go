package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/app"
)

// apiCmd runs one of several API processes.
type apiCmd struct {
	apiFlags
	storeFlags
	outboundFlags
	Retention time.Duration `help:"Refuse events older than this; 0 takes any. Give the indexers the same." default:"0" placeholder:"DURATION"`
	Grace     time.Duration `help:"How long first opens are kept once everyone has opened. Give the indexers the same." default:"720h" placeholder:"DURATION"`

	verdictFlags // the indexers', for what people override
}

// Help says what stands around it.
func (apiCmd) Help() string {
	return `Takes events in, answers and pushes; what it accepts is indexed by tidings indexer.
Run any number behind a load balancer that asks /readyz?self=true. Nothing is kept
in the process: --index, --state and --stream are needed.

  tidings keys create --workspace acme --role admin   with the same three
  tidings api --listen 0.0.0.0:8080                   and TIDINGS_INDEX and so on

At SIGTERM /readyz says so for --drain, then sockets are told to come back and
requests under way are finished.`
}

// Run serves until it is told to stop.
func (c *apiCmd) Run(ctx context.Context, env *environment) error {
	s := app.Settings{
		Role: app.RoleAPI, Stores: app.Stores(c.storeFlags), Retention: c.Retention, Grace: c.Grace,
		Backlog: c.Backlog, Origins: c.Origins, Secure: c.Secure, Drain: c.Drain, Proxies: c.Proxies,
		Memory: c.Memory, Connections: c.Connections,
		PublicURL: c.PublicURL, Verdict: c.config(), Lives: c.lives(),
	}
	c.outboundFlags.into(&s)
	return run(ctx, env, c.Listen, s)
}

// indexerCmd runs one of several indexers.
type indexerCmd struct {
	indexFlags
	storeFlags
	outboundFlags
	Listen string `help:"Where to listen for /healthz, /readyz and /metrics." default:"127.0.0.1:8081" placeholder:"ADDRESS"`
}

// Help says what it does.
func (indexerCmd) Help() string {
	return `Indexes what tidings api accepts, and makes the nightly runs. Run any number: each
event is given to one of them, and what one that dies had in hand to another.
Nothing is kept in the process: --index, --state and --stream are needed.`
}

// Run indexes until it is told to stop.
func (c *indexerCmd) Run(ctx context.Context, env *environment) error {
	s := c.indexFlags.settings()
	s.Role, s.Stores = app.RoleIndexer, app.Stores(c.storeFlags)
	c.outboundFlags.into(&s)
	return run(ctx, env, c.Listen, s)
}

// greeting is what a process says once it is ready.
type greeting func(ctx context.Context, env *environment, a *app.App, s app.Settings, address string) error

// run puts the parts together and keeps them going until ctx ends. Then come greetings.
func run(ctx context.Context, env *environment, listen string, s app.Settings, then ...greeting) error {
	tracer, stopTracing, err := openTracing(ctx, env)
	if err != nil {
		return err
	}
	s.Tracer = tracer
	a, err := app.Open(ctx, s, env.log)
	if err != nil {
		return errors.Join(err, stopTracing())
	}
	err = a.Serve(ctx, listen, s.Data, func(address string) {
		fmt.Fprintf(env.Err, "listening on http://%s\n", address)
		for _, greet := range then {
			if err := greet(ctx, env, a, s, address); err != nil && ctx.Err() == nil {
				env.log.WarnContext(ctx, "nobody was told how to sign in", "error", err)
			}
		}
	})
	return errors.Join(err, a.Close(), stopTracing())
}
