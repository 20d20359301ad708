package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"tidings/app"
)

// Bounds of what operators wait for. A command says what it did not reach.
const (
	// openTime is how long the parts of a directory may take to open.
	openTime = time.Minute
	// answerTime is how long one answer may take.
	answerTime = 30 * time.Second
)

// purpose is what a command does with a target.
type purpose int

const (
	// looks is a command that indexes nothing and waits for no queue.
	looks purpose = iota
	// feeds is one whose events are indexed before it ends.
	feeds
)

// openInTime opens the parts, or says that they did not open.
func openInTime(ctx context.Context, s app.Settings, env *environment) (*app.App, error) {
	opening, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	a, err := app.Open(opening, s, env.log)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, fmt.Errorf("the parts did not open within %v (tidings doctor says more): %w", openTime, err)
	}
	return a, err
}

// unanswered says in words that an answer did not come in time.
func unanswered(err error) error {
	if waited, ok := errors.AsType[net.Error](err); ok && waited.Timeout() {
		return fmt.Errorf("no answer within %v: tidings doctor says what is wrong (%w)", answerTime, err)
	}
	return err
}
