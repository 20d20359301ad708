package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/rollover"
)

// apiFlags are what processes take that answer requests.
type apiFlags struct {
	Listen  string         `help:"Where to listen. Beyond this machine only with keys, and behind TLS." default:"127.0.0.1:8080" placeholder:"ADDRESS"`
	Backlog int64          `help:"How many events may wait to be indexed before new ones are refused for a while." default:"1000000"`
	Origins []string       `help:"Other origins whose pages may open the socket." placeholder:"ORIGIN"`
	Secure  bool           `help:"Send cookies over https alone. Set it behind TLS."`
	Proxies []netip.Prefix `help:"Networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count, such as 10.0.0.0/8." placeholder:"NETWORK"`
	Drain   time.Duration  `help:"How long /readyz says that this process stops before it does, for load balancers to look elsewhere." default:"0" placeholder:"DURATION"`

	addressFlags
}

// indexFlags are what processes take that index.
type indexFlags struct {
	Grace       time.Duration `help:"How long first opens are kept once everyone has opened." default:"720h" placeholder:"DURATION"`
	MaxAttempts int           `help:"How often an event may fail of its own before it goes to the dead letters (1 to 100)." default:"5"`

	verdictFlags
	rolloverFlags
	RolloverAt rollover.TimeOfDay `help:"When in the night, in UTC, old weeks are sealed and what is past its time is let go." default:"02:30" placeholder:"HH:MM"`
}

func (f *indexFlags) settings() settings {
	return settings{
		Retention: f.Retention, Grace: f.Grace, MaxAttempts: f.MaxAttempts,
		Rollover: f.policy(), Night: &f.RolloverAt, Verdict: f.config(),
	}
}

// serveFlags are what serve and demo share.
type serveFlags struct {
	apiFlags
	indexFlags
}

func (f *serveFlags) settings(data string) settings {
	s := f.indexFlags.settings()
	s.Data, s.Backlog, s.Origins, s.Secure = data, f.Backlog, f.Origins, f.Secure
	s.Drain, s.Proxies = f.Drain, f.Proxies
	s.PublicURL = f.PublicURL
	return s
}

// serveCmd runs everything on one directory.
type serveCmd struct {
	serveFlags
	storeFlags
	Data string `help:"Where everything is kept that --index, --state and --stream do not keep elsewhere. Needed unless they keep all of it." placeholder:"DIR" type:"path"`
}

// Help says what comes first.
func (serveCmd) Help() string {
	return `Make a key first, or while it runs:

  tidings keys create --data DIR --workspace acme --role admin

It prints "listening on http://…" once it is ready, and stops at SIGTERM or
Ctrl-C after what was accepted is safe.`
}

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, env *environment) error {
	s := c.settings(c.Data)
	s.storeFlags = c.storeFlags
	return run(ctx, env, c.Listen, s)
}

// Bounds of connections and of stopping.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 20 * time.Second
)

// serve runs the parts, the address and the operator's socket until ctx ends,
// then lets what is under way finish. ready is called with the address once
// the server is ready.
func (a *app) serve(ctx context.Context, listen, data string, ready func(address string)) error {
	if err := a.mayListen(ctx, listen); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listen: %w (choose another --listen address)", err)
	}
	listeners := []net.Listener{listener}
	servers := []*http.Server{{Handler: a.public(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}}
	if data != "" {
		operator, err := listenOperator(data)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		listeners = append(listeners, operator)
		servers = append(servers, &http.Server{Handler: a.operator, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout})
	}

	// The parts outlive the servers: a request that is under way may still
	// need them.
	parts, stopParts := context.WithCancel(context.WithoutCancel(ctx))
	defer stopParts()
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.Run(parts) })
	for i, on := range listeners {
		group.Go(func() error {
			if err := servers[i].Serve(on); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	group.Go(func() error {
		if err := a.awaitReady(groupCtx); err == nil {
			ready(listener.Addr().String())
		}
		return nil
	})
	group.Go(func() error {
		<-groupCtx.Done()
		defer stopParts()
		return a.stop(context.WithoutCancel(ctx), servers)
	})
	return group.Wait()
}

// stop says that it will for as long as it was asked to, tells sockets to come
// back later, takes no new requests and waits for those under way.
func (a *app) stop(ctx context.Context, servers []*http.Server) error {
	a.draining.Store(true)
	time.Sleep(a.drainFor) // Nothing ends it early but a second signal, which ends the process.
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	errs := []error{a.hub.Close(ctx)}
	for _, server := range servers {
		errs = append(errs, server.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

// awaitReady polls until all parts are ready.
func (a *app) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		waiting := false
		for _, err := range a.ready(ctx) {
			waiting = waiting || err != nil
		}
		if !waiting {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// mayListen refuses to be reachable from other machines before there is a key.
func (a *app) mayListen(ctx context.Context, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return &usageError{fmt.Sprintf("--listen %q is no address such as 127.0.0.1:8080", address)}
	}
	if !a.role.pushes() {
		return nil // Nothing is shown there but how the process is.
	}
	if ip := net.ParseIP(host); host == "localhost" || (ip != nil && ip.IsLoopback()) {
		return nil
	}
	any, err := a.server.AnyKey(ctx)
	if err != nil {
		return err
	}
	if !any {
		return errors.New("there is no key yet, so nothing may listen beyond this machine: make one with tidings keys create")
	}
	return nil
}

// listenOperator opens the socket by which commands on this machine reach the
// process that serves their directory. Only the same user may.
func listenOperator(data string) (net.Listener, error) {
	path := socketPath(data)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the operator's socket: %w", err)
	}
	// A socket that a crash left behind: the directory's lock is ours.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove an old operator's socket: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for the operator: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect the operator's socket: %w", err), listener.Close())
	}
	return listener, nil
}
