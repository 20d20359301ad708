package api

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tidings/panics"
)

// behind is what is done behind an answer: so much at once, and each for so long.
type behind struct {
	turns  chan struct{}
	group  sync.WaitGroup
	logger *slog.Logger
}

func newBehind(most int, logger *slog.Logger) *behind {
	return &behind{turns: make(chan struct{}, most), logger: logger}
}

// do does something after the answer; false where too much is being done already.
func (b *behind) do(ctx context.Context, life time.Duration, what func(context.Context)) bool {
	select {
	case b.turns <- struct{}{}:
	default:
		return false
	}
	b.group.Go(func() {
		defer func() { <-b.turns }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), life)
		defer cancel()
		err := panics.AsError(func() error { what(ctx); return nil })()
		if err != nil {
			b.logger.ErrorContext(ctx, "what is done behind an answer panicked", "error", err)
		}
	})
	return true
}

// Finish waits until nothing is done behind answers any more. It takes half a minute at
// most once no requests come in.
func (s *Server) Finish() {
	s.mailing.behind.group.Wait()
	s.vouching.behind.group.Wait()
}
