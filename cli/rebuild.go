package cli

import (
	"context"
	"fmt"
	"time"

	"tidings/app"
	"tidings/event"
)

// migrateRebuildCmd builds one week anew.
type migrateRebuildCmd struct {
	storeFlags
	Data string     `help:"The data directory, also while serve runs on it." placeholder:"DIR" type:"path"`
	Week event.Week `help:"The week, such as 2026-w47." required:"" placeholder:"WEEK"`
}

// Help says when one wants it.
func (migrateRebuildCmd) Help() string {
	return `After an upgrade that changed how text is analysed or how opens are judged:
history is found and judged as new events are. Reading goes on; events of that
one week wait in the queue for the last moment of it. When it is stopped or
fails, the week is as it was.

  tidings migrate rebuild --data DIR --week 2026-w47`
}

// Run rebuilds the week and says how long its events waited.
func (c *migrateRebuildCmd) Run(ctx context.Context, env *environment) error {
	s := app.Settings{Data: c.Data, Stores: app.Stores(c.storeFlags)}
	done, err := operate(ctx, env, s, "rebuild", app.RebuildRequest{Week: c.Week}, (*app.App).Rebuild)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "Week %s: %s copied in %s, writes waited %s.\n", c.Week,
		count(done.Events, "event", "events"), done.Took.Round(time.Millisecond), done.Blocked.Round(time.Millisecond))
	return err
}
