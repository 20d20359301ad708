package live

// begin finds where a subscription begins.
func (r *Reader) begin(since string) (Position, uint64, error) {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return Position{}, 0, ErrRestarting
	}
	r.follow()
	if since == "" {
		return Position{r.incarnation, h.ring.last}, r.history.end(), nil
	}
	p, err := ParsePosition(since)
	if err != nil {
		return Position{}, 0, err
	}
	if p.Incarnation != r.incarnation || p.Sequence < h.ring.floor || p.Sequence > h.ring.last {
		return Position{}, 0, ErrPositionExpired
	}
	return p, r.history.after(p.Sequence), nil
}

// follow moves to the hub's present ring. The subscriptions to an earlier one
// are lost, which Next tells the client. The hub's lock is held.
func (r *Reader) follow() {
	if r.remade == r.hub.remade {
		return
	}
	r.detach()
	r.attach(r.hub.ring.history(r.workspace))
	for _, s := range r.subscriptions {
		r.lost = append(r.lost, s.id)
	}
	r.subscriptions = nil
}
