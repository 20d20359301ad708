package app

import (
	"context"
	"time"

	"tidings/migrations"
)

// sendersLease is held by the process that looks for senders.
const sendersLease = "senders"

// searchRetry is how long after a search that failed it goes on.
const searchRetry = time.Minute

// searchSenders looks once, after an upgrade, for messages that several users have
// sent and whose state does not say so.
func (a *App) searchSenders(ctx context.Context) error {
	return a.Stream.RunUnderLease(ctx, sendersLease, correctionsTTL, func(ctx context.Context) error {
		weeks, listed := a.State.(migrations.ListedWeeks)
		if !listed {
			return nil
		}
		search := migrations.SenderSearch{
			Sends: a.Reader, Weeks: weeks, States: a.State, Notes: a.State, Reevaluate: a.reevaluator.Reevaluate,
		}
		for {
			found, err := search.Run(ctx)
			if found > 0 {
				a.log.InfoContext(ctx, "messages that several users have sent are told apart now", "messages", found)
			}
			if err == nil || ctx.Err() != nil {
				return ctx.Err()
			}
			a.log.WarnContext(ctx, "the search for messages of several senders stopped; it goes on later", "error", err)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(searchRetry):
			}
		}
	})
}
