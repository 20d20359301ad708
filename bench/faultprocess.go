package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"tidings/crash"
	"tidings/indexer"
)

// killedAtRandom kills the server at random moments.
func killedAtRandom(ctx context.Context, r *faultRun) error {
	return r.atRandom(ctx, r.Kills, func() error {
		if err := r.server.kill(); err != nil {
			return err
		}
		return r.serve(ctx)
	})
}

// stoodStill stops the server for a second, as a machine that swaps does.
func stoodStill(ctx context.Context, r *faultRun) error {
	return r.atRandom(ctx, r.Pauses, func() error { return standStill(ctx, r.server) })
}

// atRandom makes a fault some times at random moments under load.
func (r *faultRun) atRandom(ctx context.Context, times int, do func() error) error {
	if times == 0 {
		return nil
	}
	if err := r.serve(ctx); err != nil {
		return err
	}
	r.work(ctx, 1, 0, 0)
	random := rand.New(rand.NewPCG(r.Seed, uint64(times)))
	for range times {
		if err := wait(ctx, time.Duration(200+random.IntN(1200))*time.Millisecond); err != nil {
			return err
		}
		if r.row.times++; r.row.times == 1 {
			r.book.takeAnswers()
		}
		if err := do(); err != nil {
			return err
		}
	}
	if err := r.grow(ctx, faultBatch); err != nil {
		return err
	}
	r.ends()
	return r.finish(ctx)
}

// killedBetweenSteps has the server end after each step of the indexer, in turn.
func killedBetweenSteps(ctx context.Context, r *faultRun) error {
	steps := []indexer.Step{indexer.StepEnrich, indexer.StepJudge, indexer.StepApply, indexer.StepCreate, indexer.StepComplete, indexer.StepAnnounce, indexer.StepAck}
	for i, step := range steps {
		// The third time, so that a start with what was left before is got over.
		if err := r.serve(ctx, fmt.Sprintf("%s=3:after %s", crash.Variable, step)); err != nil {
			return err
		}
		if i == 0 {
			r.work(ctx, 1, 0, faultPace/4)
			r.book.takeAnswers()
		}
		r.row.times++
		if err := r.server.awaitEnd(ctx); err != nil {
			return fmt.Errorf("after %s: %w", step, err)
		}
	}
	if err := r.serve(ctx); err != nil {
		return err
	}
	r.ends()
	if err := r.grow(ctx, faultBatch); err != nil {
		return err
	}
	return r.finish(ctx)
}

// awaitEnd waits until the server ends by itself.
func (c *child) awaitEnd(ctx context.Context) error {
	select {
	case err := <-c.exited:
		c.exited <- err
		if err == nil {
			return errors.New("the server ended in order")
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(faultPatience):
		return errors.New("the server does not end")
	}
}
