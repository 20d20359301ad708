package indexer_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"tidings/event"
	"tidings/indexer"
)

// queue is a queue in memory that gives events out again and again until they
// are acked, as JetStream does.
type queue struct {
	mu     sync.Mutex
	items  []*item
	failed map[event.ID][]string
}

// item is one message of the queue.
type item struct {
	queue   *queue
	payload []byte
	lane    event.Lane
	id      event.ID
	given   int
	out     bool
	done    bool
	// ended says that the delivery that is out has had its one end.
	ended bool
}

func newQueue(events ...event.Event) *queue {
	q := &queue{failed: make(map[event.ID][]string)}
	for _, e := range events {
		payload, err := json.Marshal(e)
		if err != nil {
			panic(err)
		}
		q.items = append(q.items, &item{queue: q, payload: payload, id: e.ID})
	}
	return q
}

// Pull gives out what is not under way of a lane.
func (q *queue) Pull(_ context.Context, lane event.Lane, most int, _ time.Duration) ([]indexer.Delivery, error) {
	return q.takeOf(lane, most), nil
}

func (q *queue) take(most int) []indexer.Delivery { return q.takeOf(event.LaneLive, most) }

func (q *queue) takeOf(lane event.Lane, most int) []indexer.Delivery {
	q.mu.Lock()
	defer q.mu.Unlock()
	var batch []indexer.Delivery
	for _, it := range q.items {
		if len(batch) == most {
			break
		}
		if !it.done && !it.out && cmp.Or(it.lane, event.LaneLive) == lane {
			it.out, it.ended = true, false
			it.given++
			batch = append(batch, it)
		}
	}
	return batch
}

// redeliver makes everything that was given out and not acked due again, as
// after the ack wait.
func (q *queue) redeliver() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, it := range q.items {
		it.out = false
	}
}

func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := 0
	for _, it := range q.items {
		if !it.done {
			left++
		}
	}
	return left
}

func (it *item) Event() (event.Event, error) {
	var e event.Event
	err := json.Unmarshal(it.payload, &e)
	return e, err
}

func (it *item) Repeated() bool { return it.given > 1 }

// errEnded is what JetStream says of a second end of one delivery.
var errEnded = errors.New("message was already acknowledged")

// end is called with the queue's lock held.
func (it *item) end() error {
	if it.ended {
		return errEnded
	}
	it.ended, it.out = true, false
	return nil
}

func (it *item) Ack() error {
	it.queue.mu.Lock()
	defer it.queue.mu.Unlock()
	if err := it.end(); err != nil {
		return err
	}
	it.done = true
	return nil
}

func (it *item) Extend() error { return nil }

func (it *item) Retry(time.Duration) error {
	it.queue.mu.Lock()
	defer it.queue.mu.Unlock()
	return it.end()
}

// Fail sets the event aside at its third failure.
func (it *item) Fail(_ context.Context, reason error) error {
	it.queue.mu.Lock()
	defer it.queue.mu.Unlock()
	if err := it.end(); err != nil {
		return err
	}
	it.queue.failed[it.id] = append(it.queue.failed[it.id], reason.Error())
	if len(it.queue.failed[it.id]) == 3 {
		it.done = true
	}
	return nil
}

// Reject sets the event aside at once.
func (it *item) Reject(_ context.Context, reason error) error {
	it.queue.mu.Lock()
	defer it.queue.mu.Unlock()
	if err := it.end(); err != nil {
		return err
	}
	it.queue.failed[it.id] = append(it.queue.failed[it.id], reason.Error())
	it.done = true
	return nil
}

// listener keeps what was announced.
type listener struct {
	mu            sync.Mutex
	announcements []event.Announcement
}

func (l *listener) Announce(_ context.Context, announcements []event.Announcement) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.announcements = append(l.announcements, announcements...)
	return nil
}
