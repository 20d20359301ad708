package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tidings/app"
)

// backupCmd writes a copy that restore makes a data directory of.
type backupCmd struct {
	Data string `help:"The data directory, also while serve runs on it." required:"" placeholder:"DIR" type:"path"`
	To   string `help:"Where the backup is kept: a new directory, or that of the backup before, of which unchanged weeks are kept." required:"" placeholder:"DIR" type:"path"`
}

// Help says what is in it.
func (backupCmd) Help() string {
	return `Everything that was accepted before the command began is in the backup: weeks,
state, keys, people, settings, deliveries, the audit log and dead
letters; it waits until nothing of that is in the queue any more. What is not: events
accepted meanwhile, and secrets.key. Copy the directory to another machine.

  tidings backup --data DIR --to BACKUP
  tidings restore --from BACKUP --data NEW

A directory with --state, --index or --stream elsewhere has those backed up with
the tools of their makers.`
}

// Run makes a backup and says what is in it.
func (c *backupCmd) Run(ctx context.Context, env *environment) error {
	if info, err := os.Stat(c.Data); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is not a data directory", c.Data)
	}
	if within, err := filepath.Rel(c.Data, c.To); err == nil && within != ".." && !strings.HasPrefix(within, "../") {
		return &usageError{"--to cannot be inside --data"}
	}
	made, err := operate(ctx, env, app.Settings{Data: c.Data}, "backup", app.BackupRequest{To: c.To}, (*app.App).BackupAlone)
	if err != nil {
		return err
	}
	bytes := int64(0)
	for _, file := range made.Files {
		bytes += file.Bytes
	}
	_, err = fmt.Fprintf(env.Out, "%s and %s in %s, %d MB, in %s\n", count(int(made.Events), "event", "events"),
		count(int(made.DeadLetters), "dead letter", "dead letters"), count(len(made.Files), "file", "files"), bytes>>20, c.To)
	return err
}
