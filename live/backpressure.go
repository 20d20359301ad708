package live

import "errors"

// Bounds of one connection.
const (
	MaxSubscriptions = 20
	maxSubscription  = 100
	// batch is how many entries are looked at between two returns of Next.
	batch = 64
)

var (
	// ErrSlowConsumer says that a reader fell too far behind. It resumes from the
	// position of the last delivery it has dealt with.
	ErrSlowConsumer = errors.New("live: slow consumer")
	// ErrPositionExpired says that what followed a position is not kept any
	// more, or that the position is not one of this stream.
	ErrPositionExpired = errors.New("live: position has expired")
)

// pull takes the next entries that a subscription has not had, from the offset
// of the first of them.
func (r *Reader) pull() (entries []*entry, from uint64, resets []Delivery, err error) {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, 0, nil, ErrRestarting
	}
	r.follow()
	for _, id := range r.lost {
		resets = append(resets, Delivery{Kind: KindReset, Subscription: id})
	}
	r.lost = nil
	if len(resets) > 0 || len(r.subscriptions) == 0 {
		return nil, 0, resets, nil
	}
	from = r.history.end()
	for _, s := range r.subscriptions {
		from = min(from, s.next)
	}
	switch waiting := r.history.end() - from; {
	case from < r.history.gone, r.caughtUp && waiting > uint64(h.config.Behind):
		return nil, 0, nil, ErrSlowConsumer
	case waiting == 0:
		r.caughtUp = true
		return nil, 0, nil, nil
	}
	return r.history.from(from, batch), from, nil, nil
}
