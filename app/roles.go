package app

import (
	"net/http"
)

// Role says which parts of the program a process runs.
type Role int

const (
	RoleAll Role = iota
	// RoleAPI takes events in, answers and pushes.
	RoleAPI
	// RoleIndexer indexes, trims the queue and keeps the weeks.
	RoleIndexer
)

func (r Role) indexes() bool { return r != RoleAPI }

func (r Role) pushes() bool { return r != RoleIndexer }

// Public is what the process answers to others.
func (a *App) Public() http.Handler {
	handler := http.Handler(a.Server)
	if !a.role.pushes() {
		routes := http.NewServeMux()
		for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
			routes.Handle("GET "+path, a.Server)
		}
		handler = routes
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.draining.Load() {
			// The next request of this client goes elsewhere.
			w.Header().Set("Connection", "close")
		}
		handler.ServeHTTP(w, r)
	})
}
