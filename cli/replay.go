package cli

import (
	"context"
	"fmt"
	"time"

	"tidings/app"
)

// replayCmd feeds past events through the indexer again.
type replayCmd struct {
	storeFlags
	Data  string        `help:"The data directory; no server may be running on it. None where --index, --state and --stream keep everything." placeholder:"DIR" type:"path"`
	Since time.Duration `help:"How far back to begin, by when events were accepted." required:"" placeholder:"DURATION"`
	Until time.Duration `help:"How far back to end." default:"0" placeholder:"DURATION"`
}

// Help says when one wants it.
func (replayCmd) Help() string {
	return `After a mistake, or when a week's file was lost: events that are in the index
already stay as they are. The queue keeps a day.

  tidings replay --data DIR --since 6h`
}

// Run feeds the span and waits until it is indexed.
func (c *replayCmd) Run(ctx context.Context, env *environment) error {
	if c.Since <= c.Until || c.Until < 0 {
		return &usageError{"--since must be further back than --until"}
	}
	a, err := app.Open(ctx, app.Settings{Data: c.Data, Stores: app.Stores(c.storeFlags)}, env.log)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	now := time.Now()
	fed, err := a.Stream.ReplaySpan(ctx, now.Add(-c.Since), now.Add(-c.Until), func(n int) {
		fmt.Fprintf(env.Err, "%d events …\n", n)
	})
	if err == nil {
		err = a.Drain(ctx)
	}
	stop()
	if stopErr := <-done; err == nil {
		err = stopErr
	}
	if closeErr := a.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "%s fed through again.\n", count(fed, "event", "events"))
	return err
}
