package cli

import (
	"context"
	"fmt"

	"tidings/app"
)

// restoreCmd makes a data directory of a backup.
type restoreCmd struct {
	From string `help:"The backup's directory." required:"" placeholder:"DIR" type:"path"`
	Data string `help:"The data directory to make. It must not exist, or be empty." required:"" placeholder:"DIR" type:"path"`
}

// Run restores a backup and says what is in it.
func (c *restoreCmd) Run(ctx context.Context, env *environment) error {
	list, letters, err := app.Restore(ctx, c.From, c.Data)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "%s and %s as of %s in %s\n", count(int(list.Events), "event", "events"),
		count(int(letters), "dead letter", "dead letters"), list.At.Format("2006-01-02 15:04:05 MST"), c.Data)
	return err
}
