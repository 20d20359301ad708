package cli

import (
	"context"
	"fmt"
	"time"

	"tidings/app"
	"tidings/rollover"
)

// rolloverFlags are what serve and rollover share.
type rolloverFlags struct {
	SealAfter      time.Duration `help:"How long after its end a week is sealed: small, fast to read, and written only after a moment's wait." default:"336h" placeholder:"DURATION"`
	Retention      time.Duration `help:"Refuse events older than this, and drop weeks that are; 0 keeps all." default:"0" placeholder:"DURATION"`
	CompletedSends string        `help:"Whether a send stays in the feed once everyone has opened it and --grace is over: keep or remove." enum:"keep,remove" default:"keep"`
}

func (f rolloverFlags) policy() rollover.Policy {
	return rollover.Policy{
		SealAfter: f.SealAfter, Retention: f.Retention, RemoveCompleted: f.CompletedSends == "remove",
	}
}

// rolloverCmd makes the nightly run now, or says what it would do.
type rolloverCmd struct {
	rolloverFlags
	storeFlags
	Data   string    `help:"The data directory, also while serve runs on it." placeholder:"DIR" type:"path"`
	Now    bool      `help:"Make the run now." xor:"what" required:""`
	DryRun bool      `help:"Say what a run would do, and do nothing." xor:"what" required:""`
	Yes    bool      `help:"With --now, drop what is past the retention however much it is. Look with --dry-run first."`
	At     time.Time `help:"With --dry-run, what a run at this time would do." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
}

// Help says what a run does.
func (rolloverCmd) Help() string {
	return `serve makes a run when it starts and each night at --rollover-at. A run prepares
the next two weeks, lets go of the opens of messages that everyone has opened
(--grace), removes their sends where asked, drops what is past the retention and
seals old weeks. It may be killed and repeated. A run that would drop more than one
week that the last did not, or whose clock has jumped, drops none and says so until
somebody runs it with --yes.

While serve runs on the directory, its settings count and not those given here.

  tidings rollover --data DIR --dry-run --at 2026-12-24T00:00:00Z`
}

// Run makes or plans a run and prints its actions.
func (c *rolloverCmd) Run(ctx context.Context, env *environment) error {
	if !c.At.IsZero() && !c.DryRun {
		return &usageError{"--at goes with --dry-run: a run itself happens now"}
	}
	s := app.Settings{Data: c.Data, Stores: app.Stores(c.storeFlags), Retention: c.Retention, Rollover: c.policy()}
	report, err := operate(ctx, env, s, "rollover", app.RolloverRequest{DryRun: c.DryRun, At: c.At, Yes: c.Yes}, (*app.App).RunRollover)
	if err != nil {
		return err
	}
	for _, action := range report.Actions {
		if _, err := fmt.Fprintln(env.Out, action); err != nil {
			return err
		}
	}
	if failed := report.Failed(); failed > 0 {
		return fmt.Errorf("%s failed; the next run tries again", count(failed, "action", "actions"))
	}
	return nil
}
