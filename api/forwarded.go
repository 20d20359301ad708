package api

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"

	"tidings/event"
	"tidings/limit"
)

// forwardingHeaders are what proxies say a client's address with.
var forwardingHeaders = []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "X-Forwarded-Proto", "X-Forwarded-Host"}

// forwarded remembers an address that sends forwarding headers and is not trusted:
// most likely a proxy that --proxies does not name, though anybody can send them.
type forwarded struct {
	mu   sync.Mutex
	from netip.Addr // the first one; invalid when there is none
}

// isForwarded reports whether a request says that it came through a proxy which is not
// trusted. What its sender has for an address is then the proxy's, which is everybody's.
func (s *Server) isForwarded(r *http.Request) bool {
	if r.Context().Value(operatorMark{}) != nil || s.trusted(remote(r)) {
		return false
	}
	for _, name := range forwardingHeaders {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// noteForwarded warns once of a proxy that is not trusted.
func (s *Server) noteForwarded(r *http.Request) {
	if !s.isForwarded(r) {
		return
	}
	s.forwarded.mu.Lock()
	defer s.forwarded.mu.Unlock()
	if s.forwarded.from.IsValid() {
		return
	}
	if s.forwarded.from = remote(r); s.forwarded.from.IsValid() {
		s.Logger.WarnContext(r.Context(), "a forwarding header from an address that is not trusted; name the proxy with --proxies", "address", s.forwarded.from)
	}
}

// Warnings say what is wrong with how the server is set up, as far as requests have
// shown it to this process. They are for admins and the operator.
func (s *Server) Warnings(context.Context) []string {
	s.forwarded.mu.Lock()
	defer s.forwarded.mu.Unlock()
	if !s.forwarded.from.IsValid() {
		return []string{}
	}
	return []string{fmt.Sprintf("requests come through a proxy at %s, or say so: when it is yours, start the server with --proxies %[1]s; "+
		"until then all who come through it count as one address", s.forwarded.from)}
}

// Bounds of signing in through a proxy that is not trusted, for all who do. Secrets have
// 256 bits, so this bounds what trying costs and not what it finds.
const forwardedAtOnce, forwardedEach = 3000, 50

// forwardedRate is both.
var forwardedRate = limit.Rate{PerSecond: forwardedEach, Burst: forwardedAtOnce}

// signInFrom is whom the limits of signing in count a request for: its address, or
// behind a proxy that is not trusted whom the proxy names last. The proxy may be
// nobody's, and the name invented: such callers have a limit together too.
func (s *Server) signInFrom(r *http.Request) (from string, err error) {
	at := s.address(r)
	if !s.isForwarded(r) {
		return at.String(), nil
	}
	if state := s.limits.forwarded.Take(at.String(), 1); state.After > 0 {
		return "", &event.TooMuch{What: "too many sign-ins through this proxy", After: state.After}
	}
	return at.String() + " for " + network(lastHop(r)).String(), nil
}
