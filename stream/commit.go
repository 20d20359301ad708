package stream

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"tidings/event"
)

const (
	// batchMessages and Config.BatchBytes bound a batch. The server takes no more than
	// 1,000 messages in one.
	batchMessages = 1000
	// fewMessages is up to how many are published one by one: a batch costs the
	// server about a dozen syncs for its staging, a message alone costs one.
	fewMessages = 8
	// commitTimeout is how long a batch may take to become durable.
	commitTimeout = 10 * time.Second
)

// committer makes messages of one stream durable in groups, in the order in which they
// are handed in: the server takes no batch for several streams. One group is under way at a time and everything that arrives
// meanwhile makes up the next, so that a group is as large as the disk is slow
// and a lone message waits for nothing. (Two groups at once were tried and were
// not faster.)
type committer struct {
	js      jetstream.JetStream
	link    *link
	stopped context.Context
	// bytes bound a batch.
	bytes int
	in    chan *chunk
	// packs hears what was written; it may be nil.
	packs *packs

	batches atomic.Uint64
}

// chunk is what one caller hands in at once: it is never taken apart.
type chunk struct {
	messages []*nats.Msg
	bytes    int
	done     chan error // buffered: nobody may be listening any more
}

func newCommitter(js jetstream.JetStream, link *link, stopped context.Context, bytes int) *committer {
	return &committer{bytes: bytes, js: js, link: link, stopped: stopped, in: make(chan *chunk)}
}

// publish returns nil once all messages are durable. They are handed in in
// order; when it fails, any of them may be durable all the same.
func (c *committer) publish(ctx context.Context, messages []*nats.Msg) error {
	var waiting []*chunk
	for _, h := range chunks(messages, c.bytes) {
		select {
		case c.in <- h:
			waiting = append(waiting, h)
		case <-ctx.Done():
			return gaveUp(ctx)
		case <-c.stopped.Done():
			return fmt.Errorf("%w: %w", event.ErrUnavailable, errClosed)
		}
	}
	for _, h := range waiting {
		select {
		case err := <-h.done:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return gaveUp(ctx)
		}
	}
	return nil
}

// gaveUp is the error of a caller whose time is over: they cannot know whether
// their messages are durable.
func gaveUp(ctx context.Context) error {
	if ctx.Err() == context.DeadlineExceeded {
		return fmt.Errorf("%w: %w", event.ErrUnavailable, ctx.Err())
	}
	return ctx.Err()
}

// chunks cuts messages so that each part fits into a batch.
func chunks(messages []*nats.Msg, most int) []*chunk {
	var out []*chunk
	var last *chunk
	for _, m := range messages {
		size := len(m.Data)
		if last == nil || len(last.messages) == batchMessages || last.bytes+size > most {
			last = &chunk{done: make(chan error, 1)}
			out = append(out, last)
		}
		last.messages = append(last.messages, m)
		last.bytes += size
	}
	return out
}

// run commits groups until the stream closes, and then what was handed in.
func (c *committer) run() {
	var next *chunk
	for {
		if next == nil {
			select {
			case next = <-c.in:
			case <-c.stopped.Done():
				return
			}
		}
		var group []*chunk
		group, next = c.gather(next)
		err := c.commit(group)
		for _, h := range group {
			h.done <- err
		}
	}
}

// gather takes what is waiting, without waiting itself, as long as it fits into
// one batch. It returns what did not fit as the beginning of the next.
func (c *committer) gather(first *chunk) (group []*chunk, next *chunk) {
	group = []*chunk{first}
	messages, bytes := len(first.messages), first.bytes
	for messages < batchMessages {
		select {
		case h := <-c.in:
			if messages+len(h.messages) > batchMessages || bytes+h.bytes > c.bytes {
				return group, h
			}
			group = append(group, h)
			messages, bytes = messages+len(h.messages), bytes+h.bytes
		default:
			return group, nil
		}
	}
	return group, nil
}

func (c *committer) commit(group []*chunk) error {
	var messages []*nats.Msg
	for _, h := range group {
		messages = append(messages, h.messages...)
	}
	ctx, cancel := context.WithTimeout(c.link.context(), commitTimeout)
	defer cancel()
	var err error
	if len(messages) <= fewMessages {
		err = c.each(ctx, messages)
	} else {
		err = c.together(ctx, messages)
	}
	if err != nil {
		if c.packs != nil {
			c.packs.markUnsure()
		}
		return fmt.Errorf("%w: %w", event.ErrUnavailable, err)
	}
	c.batches.Add(1)
	return nil
}

// together publishes messages as one atomic batch.
func (c *committer) together(ctx context.Context, messages []*nats.Msg) error {
	ack, err := jetstreamext.PublishMsgBatch(ctx, c.js, messages, jetstreamext.BatchFlowControl{})
	if err == nil && c.packs != nil {
		c.packs.wrote(messages, ack.Sequence)
	}
	return err
}

// each publishes messages one behind the other and waits for all of them.
func (c *committer) each(ctx context.Context, messages []*nats.Msg) error {
	acks := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		ack, err := c.js.PublishMsgAsync(m, jetstream.WithStallWait(commitTimeout))
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		acks[i] = ack
	}
	for i, ack := range acks {
		select {
		case stored := <-ack.Ok():
			if c.packs != nil {
				c.packs.wrote(messages[i:i+1], stored.Sequence)
			}
		case err := <-ack.Err():
			return fmt.Errorf("publish: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
