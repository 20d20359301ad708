package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"tidings/app"
	"tidings/event"
)

// restoreCmd makes a data directory of a backup.
type restoreCmd struct {
	From     string   `help:"The backup's directory." required:"" placeholder:"DIR" type:"path"`
	Data     string   `help:"The data directory to make. It must not exist, or be empty." required:"" placeholder:"DIR" type:"path"`
	Erasures []string `help:"More lists of people who were erased since the backup: a file, or another backup's directory. The list beside the backup is always read." placeholder:"PATH" type:"path"`
	Week     string   `help:"Only this week, such as 2026-w40, into the data directory that there is, also while serve runs on it. What was there of the week is set aside." placeholder:"WEEK"`
}

// restoreOneWeek puts one week of a backup into a directory that is in use.
func (c *restoreCmd) restoreOneWeek(ctx context.Context, env *environment) error {
	week, err := event.ParseWeek(c.Week)
	if err != nil {
		return &usageError{"--week is not a week such as 2026-w40"}
	}
	if info, err := os.Stat(c.Data); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is not a data directory", c.Data)
	}
	from, err := filepath.Abs(c.From)
	if err != nil {
		return err
	}
	restored, err := operate(ctx, env, app.Settings{Data: c.Data}, "restore-week", app.WeekRestore{Week: week, From: from}, (*app.App).RestoreWeek)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "%s in week %s; what was there before is beside it, its name with .aside\n",
		count(int(restored.Events), "event", "events"), week)
	return err
}

// Run restores a backup and says what is in it.
func (c *restoreCmd) Run(ctx context.Context, env *environment) error {
	if c.Week != "" {
		return c.restoreOneWeek(ctx, env)
	}
	list, done, err := app.Restore(ctx, c.From, c.Data, c.Erasures...)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "%s and %s as of %s in %s\n", count(int(list.Events), "event", "events"),
		count(int(done.DeadLetters), "dead letter", "dead letters"), list.At.Format("2006-01-02 15:04:05 MST"), c.Data)
	if err == nil && done.Erased > 0 {
		_, err = fmt.Fprintf(env.Out, "%s of it who were erased since the backup %s erased again\n",
			count(done.Erased, "person", "people"), map[bool]string{true: "was", false: "were"}[done.Erased == 1])
	}
	if err != nil || len(list.Sealed) == 0 {
		return err
	}
	fmt.Fprintf(env.Out, "A backup does not hold the key of secrets. Put the secrets.key of before into %s, or enter again the secrets of:\n", c.Data)
	for _, name := range list.Sealed {
		if _, err := fmt.Fprintf(env.Out, "  %s\n", name); err != nil {
			return err
		}
	}
	return nil
}
