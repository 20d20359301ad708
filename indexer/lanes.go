package indexer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tidings/event"
)

// Bounds of a batch of the bulk lane, so that no live event waits for long behind
// one. Live and bulk events are never in one batch, so in no transaction either.
const (
	// bulkWeeks is how many weeks it touches: each is a file and a sync of its own.
	bulkWeeks = 8
	// bulkBegin is how many events the first has where its time is bounded.
	bulkBegin = 250
	// bulkShare is the part of the time that bulk has while live events never end:
	// one in so many.
	bulkShare = 8
	// bulkWait is how long a bulk batch waits for live ones at first, before it is
	// known how long a batch takes, and bulkWaitMost how long at most.
	bulkWait, bulkWaitMost = 100 * time.Millisecond, time.Second
	// bulkPulled is how many batches are pulled at once, to be sorted by week.
	bulkPulled = 20
	// extendEvery is how often more time is asked for what was pulled and waits.
	extendEvery = time.Second
)

// pulls is how many events of a lane are pulled at once.
func (x *Indexer) pulls(lane event.Lane) int {
	if lane == event.LaneBulk {
		return min(bulkPulled*x.bulk.now(), x.BatchSize)
	}
	return x.live.now()
}

// handleLane takes what was pulled of a lane through the steps.
func (x *Indexer) handleLane(ctx context.Context, lane event.Lane, deliveries []Delivery) error {
	if lane == event.LaneBulk {
		return x.handleBulk(ctx, deliveries)
	}
	x.yielding.begin()
	defer x.yielding.end()
	return x.Handle(ctx, deliveries)
}

// handleBulk sorts what was pulled by week and takes it through in bounded batches,
// between which live events go first.
func (x *Indexer) handleBulk(ctx context.Context, deliveries []Delivery) error {
	entries := x.decode(ctx, deliveries)
	slices.SortStableFunc(entries, func(a, b *entry) int { return cmp.Compare(a.event.Week(), b.event.Week()) })
	extended, wait := x.Clock(), bulkWait
	for len(entries) > 0 {
		x.yielding.wait(ctx, wait)
		if now := x.Clock(); now.Sub(extended) >= extendEvery {
			x.extend(entries)
			extended = now
		}
		part := entries[:bulkPart(entries, x.bulk.now())]
		began := x.Clock()
		if err := x.handle(ctx, x.bulk, part); err != nil {
			x.giveBack(entries[len(part):]...)
			return err
		}
		wait = min((bulkShare-1)*x.Clock().Sub(began), bulkWaitMost)
		entries = entries[len(part):]
	}
	return nil
}

// bulkPart is how many of entries, which are sorted by week, the next batch has.
func bulkPart(entries []*entry, most int) int {
	weeks := 0
	for i, entry := range entries {
		if i == most {
			return i
		}
		if i == 0 || entry.event.Week() != entries[i-1].event.Week() {
			if weeks++; weeks > bulkWeeks {
				return i
			}
		}
	}
	return len(entries)
}

// extend asks for more time for events that wait for their turn.
func (x *Indexer) extend(entries []*entry) {
	for _, entry := range entries {
		if err := entry.delivery.Extend(); err != nil {
			x.Logger.Debug("asking for more time for an event failed; it may come again", "error", err)
		}
	}
}
