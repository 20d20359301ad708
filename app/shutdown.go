package app

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// stopTimeout is how long requests that are under way have when the server stops.
const stopTimeout = 20 * time.Second

// stop says that it will for as long as it was asked to, tells sockets to come
// back later, takes no new requests and waits for those under way.
func (a *App) stop(ctx context.Context, servers []*http.Server) error {
	a.draining.Store(true)
	time.Sleep(a.drainFor) // Nothing ends it early but a second signal, which ends the process.
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	errs := []error{a.Hub.Close(ctx)}
	for _, server := range servers {
		errs = append(errs, server.Shutdown(ctx))
	}
	a.Server.Finish()
	return errors.Join(errs...)
}
