package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
)

// errClosed is what callers get who come after Close.
var errClosed = errors.New("the stream is closed")

// unavailable translates what NATS says when it cannot do something now. A
// caller who gave up gets their own reason back, but for a deadline: that is
// how a server which does not answer shows.
func unavailable(op string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, event.ErrUnavailable) {
		return fmt.Errorf("%s: %w", op, err)
	}
	return fmt.Errorf("%s: %w: %w", op, event.ErrUnavailable, err)
}

// missing reports whether NATS has no such message or key.
func missing(err error) bool {
	return errors.Is(err, jetstream.ErrMsgNotFound) ||
		errors.Is(err, jetstream.ErrKeyNotFound) ||
		errors.Is(err, jetstream.ErrKeyDeleted)
}
