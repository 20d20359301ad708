package cli

import (
	"context"
	"fmt"

	"tidings/app"
)

// streamCmd looks after the queue.
type streamCmd struct {
	Repair streamRepairCmd `cmd:"" help:"Make a new queue of what can be read of a damaged one."`
}

type streamRepairCmd struct {
	Data string `help:"The data directory; no server may be running on it." required:"" placeholder:"DIR" type:"path"`
}

// Help says when one wants it.
func (streamRepairCmd) Help() string {
	return `When serve says that the queue cannot be read. Every event, dead letter and claimed
token whose record is whole goes into a new queue; the old one is set aside beside
it. Events that were indexed already stay as they are. It may be stopped and run
again.

  tidings stream repair --data DIR`
}

// Run repairs, and says what was kept and what was lost.
func (c *streamRepairCmd) Run(ctx context.Context, env *environment) error {
	if err := (target{Data: c.Data}).exists(); err != nil {
		return err
	}
	done, err := app.RepairStream(ctx, c.Data, env.log)
	if err != nil {
		return err
	}
	if done.SetAside == "" {
		_, err = fmt.Fprintln(env.Out, "The repair that was cut off has been finished. The old queue is beside the new one, as stream.damaged-TIME.")
		return err
	}
	fmt.Fprintf(env.Out, "%s and %s were kept. The old queue is in %s.\n",
		count(done.Events, "event", "events"), count(done.DeadLetters, "dead letter", "dead letters"), done.SetAside)
	if done.Missing == 0 && done.Unreadable == 0 {
		_, err = fmt.Fprintln(env.Out, "Nothing was lost.")
		return err
	}
	_, err = fmt.Fprintf(env.Out, "Lost: %s known to be missing, in %d bytes that cannot be read. "+
		"Senders that still have events of this time can send them again: what is there is left as it is.\n",
		count(int(done.Missing), "message of events", "messages of events"), done.Unreadable)
	return err
}
