package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// Bounds of connections.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
)

// Serve runs the parts, the address and the operator's socket until ctx ends,
// then lets what is under way finish. ready is called with the address once
// the server is ready.
func (a *App) Serve(ctx context.Context, listen, data string, ready func(address string)) error {
	if err := a.mayListen(ctx, listen); err != nil {
		return err
	}
	if err := a.sealSecrets(ctx); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listen: %w (choose another --listen address)", err)
	}
	counted := bounded(listener, a.connections, a.proxies)
	server := newServer(spared(a.Public()), a.log)
	server.ConnContext = counted.mark
	listeners, servers := []net.Listener{counted}, []*http.Server{server}
	if data != "" {
		operator, err := listenOperator(data)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		listeners = append(listeners, operator)
		local := newServer(a.Operator, a.log)
		local.ConnContext = withPeer
		servers = append(servers, local)
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
		if err := a.AwaitReady(groupCtx); err == nil {
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

// awaited are the parts that become ready by themselves. Others that are not, such as
// a damaged week or a full disk, wait for a person.
var awaited = map[string]bool{"stream": true, "index": true, "state": true, "live": true}

// AwaitReady polls until the parts are ready that become so by themselves.
func (a *App) AwaitReady(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		waiting := false
		for part, err := range a.Readiness(ctx) {
			waiting = waiting || err != nil && awaited[part]
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
func (a *App) mayListen(ctx context.Context, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return &SettingsError{fmt.Sprintf("--listen %q is not an address such as 127.0.0.1:8080", address)}
	}
	if !a.role.pushes() {
		return nil // Nothing is shown there but how the process is.
	}
	if ip := net.ParseIP(host); host == "localhost" || (ip != nil && ip.IsLoopback()) {
		return nil
	}
	any, err := a.Server.AnyKey(ctx)
	if err != nil {
		return err
	}
	if !any {
		return errors.New("there is no key yet, so nothing may listen beyond this machine: make one with tidings keys create")
	}
	return nil
}
