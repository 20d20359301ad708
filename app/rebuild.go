package app

import (
	"context"
	"errors"
	"fmt"

	"tidings/event"
	"tidings/migrations"
	"tidings/rollover"
)

type RebuildRequest struct {
	Week event.Week `json:"week"`
}

// Rebuild builds a week anew under the lease of the weeks.
func (a *App) Rebuild(ctx context.Context, request RebuildRequest) (migrations.Rebuilt, error) {
	generations, ok := a.Index.(migrations.Generations)
	if !ok {
		return migrations.Rebuilt{}, fmt.Errorf("this index cannot rebuild weeks: %w", errors.ErrUnsupported)
	}
	builder := &migrations.Rebuilder{Index: generations, Judge: a.reevaluator.Again, Logger: a.log}
	var done migrations.Rebuilt
	err := a.Stream.RunUnderLease(ctx, rollover.Lease, rollover.LeaseTime, func(ctx context.Context) error {
		var err error
		done, err = builder.Rebuild(ctx, request.Week)
		return err
	})
	return done, err
}
