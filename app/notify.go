package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"tidings/account"
	"tidings/feed"
	"tidings/indexer"
	"tidings/notify"
)

// decisionsName is the file of decisions in a data directory.
const decisionsName = "notify.db"

// decisionsKept is how long decisions are kept, and expireEvery how often older ones go.
const (
	decisionsKept = 30 * 24 * time.Hour
	expireEvery   = time.Hour
)

// triggers takes what people may want to be told of; nil where decisions are kept nowhere.
func (a *App) triggers() indexer.Triggers {
	if a.decisions == nil {
		return nil
	}
	return a.Stream
}

// notifies puts the engine together where there is a store for decisions.
func (a *App) notifies(directory *account.Directory, reader *feed.Reader) {
	if a.decisions == nil {
		return
	}
	a.notifier = notify.NewEngine(notify.Config{
		Store: a.decisions, Books: notify.NewBooks(a.State, time.Now), People: directory, History: reader,
		Observer: a.metrics,
	})
}

// keepNotifying decides about triggers until ctx ends.
func (a *App) keepNotifying(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return a.Stream.Triggers(ctx, a.notifier.Handle, func(count uint64) {
			a.metrics.triggersLost.Add(float64(count))
			a.log.ErrorContext(ctx, "triggers were discarded before anybody was told of them", "count", count)
		})
	})
	group.Go(func() error {
		ticker := time.NewTicker(expireEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case now := <-ticker.C:
				if err := a.decisions.Expire(ctx, now.Add(-decisionsKept).UnixMilli()); err != nil {
					a.log.WarnContext(ctx, "deleting old decisions failed; it is tried again", "error", err)
				}
			}
		}
	})
	return group.Wait()
}

// Decided counts a decision.
func (m *metrics) Decided(d notify.Decision) {
	m.decisions.With(prometheus.Labels{"outcome": string(d.Outcome), "check": string(d.Check), "kind": string(d.Kind)}).Inc()
}
