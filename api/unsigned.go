package api

import (
	"fmt"

	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"tidings/event"
	"tidings/limit"
)

// How much is read of webhooks that turn out to be nobody's, of an address for a source: at
// once, and a second in the long run. What is refused by its head is not read, and counts
// nothing.
const (
	unsignedAtOnce  = 64 << 20
	unsignedASecond = 1 << 20
)

// unsignedRate is of KiB.
var unsignedRate = limit.Rate{PerSecond: unsignedASecond >> 10, Burst: unsignedAtOnce >> 10}

// unsigned is what of unsignedRate a request has taken.
type unsigned struct {
	buckets *limit.Buckets[string]
	key     string
}

// readable lets a webhook be read that nobody has signed yet, unless too much came from its
// address for its source that nobody had.
func (s *Server) readable(workspace string, source sourceRecord, in *hookInput) (*unsigned, error) {
	u := &unsigned{s.limits.unsigned, workspace + "/" + source.Name + " " + s.limitedAddress(humagin.Unwrap(in.request).Request)}
	if state := u.buckets.Take(u.key, 1); state.After > 0 {
		s.metrics.hooks.WithLabelValues(source.Provider, "too_many").Inc()
		s.traffic.refused(workspace, source.Name, s.Clock())
		return nil, &event.TooMuch{What: fmt.Sprintf("more than %d MiB came from this address that this source had not signed; send it again later", unsignedRate.Burst>>10), After: state.After}
	}
	return u, nil
}

// notRefused gives back what was taken of one that is believed, or may be later.
func (u *unsigned) notRefused() { u.buckets.Give(u.key, 1) }

// refused takes what was read of one that is not.
func (u *unsigned) refused(bytes int64) { u.buckets.Charge(u.key, int(bytes>>10)) }
