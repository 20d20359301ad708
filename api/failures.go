package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"tidings/event"
	"tidings/limit"
)

// How often one address may fail to sign in: at once, and then every so often.
const (
	failuresAtOnce = 10
	failureEvery   = 6 * time.Second
	// failuresKept bounds how many addresses are remembered.
	failuresKept = 10_000
)

// failures slows down an address that keeps failing to sign in. Good sign-ins
// cost nothing.
type failures struct{ buckets *limit.Buckets[string] }

func newFailures(clock func() time.Time) *failures {
	most := limit.Rate{PerSecond: 1 / failureEvery.Seconds(), Burst: failuresAtOnce}
	return &failures{limit.NewBuckets[string](most, failuresKept, clock)}
}

// attempt takes one of an address's failures in advance, so that many at once
// cannot slip by. undo gives it back when the attempt was good.
func (f *failures) attempt(address string) (undo func(), err error) {
	if wait := f.buckets.Take(address, 1).After; wait > 0 {
		return nil, &event.TooMuch{What: "too many failed sign-ins from this address", After: wait}
	}
	return func() { f.buckets.Give(address, 1) }, nil
}

// attempt takes one sign-in, and one of the failures, of whom a request comes from.
func (s *Server) attempt(r *http.Request) (undo func(), err error) {
	from, err := s.signInFrom(r)
	if err != nil {
		return nil, err
	}
	if state := s.limits.signIns.Take(from, 1); state.After > 0 {
		return nil, &event.TooMuch{What: "too many sign-ins from this address", After: state.After}
	}
	return s.failures.attempt(from)
}

// address is where a request comes from, an IPv6 network counting as one
// address.
func (s *Server) address(r *http.Request) netip.Addr { return network(s.client(r)) }

// client is where a request comes from. One trusted proxy after the other is
// believed, from the nearest on.
func (s *Server) client(r *http.Request) netip.Addr {
	at := remote(r)
	if !s.trusted(at) {
		return at
	}
	hops := hopsOf(r)
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		at = hop.Unmap()
		if !s.trusted(at) {
			break
		}
	}
	return at
}

func hopsOf(r *http.Request) []string {
	return strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
}

// lastHop is whom the nearest proxy says that it serves, or the zero address.
func lastHop(r *http.Request) netip.Addr {
	hops := hopsOf(r)
	hop, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1]))
	if err != nil {
		return netip.Addr{}
	}
	return hop.Unmap()
}

func remote(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return at.Unmap()
}

func (s *Server) trusted(at netip.Addr) bool {
	for _, proxy := range s.TrustedProxies {
		if proxy.Contains(at) {
			return true
		}
	}
	return false
}

// network is the /64 of an IPv6 address, which one caller has whole.
func network(at netip.Addr) netip.Addr {
	if at.Is6() {
		if prefix, err := at.WithZone("").Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return at
}

// isHTTPS reports whether the browser speaks HTTPS.
func (s *Server) isHTTPS(r *http.Request) bool {
	return s.SecureCookies || r.TLS != nil ||
		(s.trusted(remote(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"))
}
