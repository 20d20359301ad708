package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tidings/app"
)

// migrateCopyCmd copies an installation into other stores.
type migrateCopyCmd struct {
	From string   `help:"The data directory to copy, also while serve runs on it." required:"" placeholder:"DIR" type:"path"`
	To   []string `help:"Where to: elasticsearch://… for the events, mongodb://… for the state, both by giving it twice; or another data directory." required:"" placeholder:"URL" sep:"none"`
}

// Help says how a move goes.
func (migrateCopyCmd) Help() string {
	return `A move to other stores goes in two runs of the same command:

  1. While serve runs: sealed weeks are copied, which is most of it.
  2. After serve was stopped: what waits is indexed, and the rest follows, weeks
     that changed since once more, and the state.

Each may be stopped and run again. Whatever was copied is read back and compared
by number and hash. The source stays as it is. The targets must be empty at first.

  tidings migrate copy --from DIR --to elasticsearch://HOST:9200 --to mongodb://HOST/tidings
  tidings serve --data DIR --index elasticsearch://HOST:9200 --state mongodb://HOST/tidings`
}

// Run copies what can be copied now and says what is left.
func (c *migrateCopyCmd) Run(ctx context.Context, env *environment) error {
	if info, err := os.Stat(c.From); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is not a data directory", c.From)
	}
	for i, to := range c.To {
		if !strings.Contains(to, "://") {
			absolute, err := filepath.Abs(to)
			if err != nil {
				return fmt.Errorf("--to: %w", err)
			}
			c.To[i] = absolute
		}
	}
	done, err := operate(ctx, env, app.Settings{Data: c.From}, "copy", app.CopyRequest{To: c.To}, (*app.App).CopyAll)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%s copied and compared (%s), %s unchanged since an earlier run.\n",
		count(done.Weeks, "week", "weeks"), count(int(done.Events), "event", "events"), count(done.Kept, "week", "weeks"))
	if !done.Whole {
		_, err = fmt.Fprintln(env.Out, "These were the sealed weeks. Stop serve and run this again for the rest.")
		return err
	}
	_, err = fmt.Fprintf(env.Out, "%s and %s copied and compared, and %s of the audit log copied.\n",
		count(int(done.States), "state", "states"), count(int(done.Records), "record", "records"), count(int(done.AuditRows), "row", "rows"))
	if done.DeadLetters > 0 {
		fmt.Fprintf(env.Err, "%s stay in the queue of the data directory.\n", count(int(done.DeadLetters), "dead letter", "dead letters"))
	}
	return err
}
