package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"tidings/migrations"
	"tidings/rollover"
	"tidings/store/mongo"
	"tidings/store/sqlite"
)

// migrateCmd brings stores to what this program writes.
type migrateCmd struct {
	Status migrateStatusCmd `cmd:"" help:"Say which schema each part has and what was done."`
	Plan   migratePlanCmd   `cmd:"" help:"Say what up would do, and do nothing."`
	Up     migrateUpCmd     `cmd:"" help:"Bring every part to the schema that this program writes."`

	Copy    migrateCopyCmd    `cmd:"" help:"Copy everything into other stores, from one machine to several."`
	Rebuild migrateRebuildCmd `cmd:"" help:"Build a week of the index anew, with the present analysis and verdicts."`
}

// schemaTarget is the installation that migrations are about.
type schemaTarget struct {
	Data string `help:"The data directory." placeholder:"DIR" type:"path"`
	storeFlags
}

// open finds the schema of each store, without opening the stores themselves:
// those refuse what is not of the present version.
func (t schemaTarget) open() (*migrations.Migrator, func() error, error) {
	if err := (settings{Data: t.Data, storeFlags: t.storeFlags}).check(); err != nil {
		return nil, nil, err
	}
	if t.Data != "" {
		if info, err := os.Stat(t.Data); err != nil || !info.IsDir() {
			return nil, nil, fmt.Errorf("%s is no data directory", t.Data)
		}
	}
	files := sqlite.NewSchema(filepath.Join(t.Data, "weeks"), filepath.Join(t.Data, "state.db"))
	m := &migrations.Migrator{History: files, Version: version()}
	var schemas migrations.Schemas
	a := &app{}
	if t.Index != "" {
		if err := a.openIndex(settings{storeFlags: t.storeFlags}); err != nil {
			return nil, nil, err
		}
		schemas = append(schemas, a.index.(migrations.Schema))
	}
	if t.Index == "" || t.State == "" {
		schemas = append(schemas, files)
	}
	m.Schema = schemas
	if t.State == "" {
		return m, a.Close, nil
	}
	database, err := mongo.OpenSchema(mongo.Config{URL: t.State})
	if err != nil {
		return nil, nil, errors.Join(err, a.Close())
	}
	m.Schema, m.History = append(migrations.Schemas{database}, schemas...), database
	return m, func() error { return errors.Join(database.Close(), a.Close()) }, nil
}

// with runs do with the schema of the installation.
func (t schemaTarget) with(do func(*migrations.Migrator) error) error {
	m, closeAll, err := t.open()
	if err != nil {
		return err
	}
	return errors.Join(do(m), closeAll())
}

// alone runs do while no other process has the directory, or migrates the same
// stores.
func (t schemaTarget) alone(ctx context.Context, env *environment, do func(context.Context) error) error {
	a := &app{log: env.log}
	var err error
	if t.Data != "" {
		err = a.hold(t.Data)
	}
	if err == nil && t.Stream != "" {
		err = a.openStream(ctx, settings{storeFlags: t.storeFlags})
	}
	switch {
	case err != nil:
	case a.stream != nil:
		err = a.stream.RunUnderLease(ctx, rollover.Lease, rollover.LeaseTime, do)
	default:
		err = do(ctx)
	}
	return errors.Join(err, a.Close())
}

type migrateStatusCmd struct{ schemaTarget }

// Run prints each part and the steps that were taken.
func (c *migrateStatusCmd) Run(ctx context.Context, env *environment) error {
	return c.with(func(m *migrations.Migrator) error { return printStatus(ctx, env.Out, m) })
}

func printStatus(ctx context.Context, out io.Writer, m *migrations.Migrator) error {
	parts, err := m.Schema.Parts(ctx)
	if err != nil {
		return err
	}
	taken, err := m.History.Taken(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "PART\tHAS\tWANTS\t")
	for _, part := range parts {
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\n", part.Name, part.Have, part.Want, standing(part))
	}
	for _, step := range taken {
		fmt.Fprintf(table, "%s\t%d → %d\t\tat %s by %s\n", step.Part, step.From, step.To, step.At.Format(time.RFC3339), step.By)
	}
	return table.Flush()
}

// standing says how a part stands to this program.
func standing(part migrations.Part) string {
	switch {
	case part.Have < part.Want:
		return "behind: run tidings migrate up"
	case part.Have > part.Want:
		return "NEWER than this program"
	}
	return "up to date"
}

type migratePlanCmd struct{ schemaTarget }

// Run prints the steps that up would take.
func (c *migratePlanCmd) Run(ctx context.Context, env *environment) error {
	return c.with(func(m *migrations.Migrator) error { return printPlan(ctx, env.Out, m) })
}

func printPlan(ctx context.Context, out io.Writer, m *migrations.Migrator) error {
	plan, err := m.Plan(ctx)
	if err != nil {
		return err
	}
	if len(plan) == 0 {
		_, err = fmt.Fprintln(out, "Nothing to do: every part is up to date.")
		return err
	}
	for _, part := range plan {
		if _, err := fmt.Fprintf(out, "%s %d → %d: %s\n", part.Name, part.Have, part.Want, strings.Join(part.Steps, "; ")); err != nil {
			return err
		}
	}
	return nil
}

type migrateUpCmd struct{ schemaTarget }

// Help says what comes first.
func (migrateUpCmd) Help() string {
	return `Stop serve and make a backup (tidings backup) first. It may be killed and run
again: each step is on disk together with its number.`
}

// Run takes every missing step, while nobody else may.
func (c *migrateUpCmd) Run(ctx context.Context, env *environment) error {
	return c.with(func(m *migrations.Migrator) error {
		return c.alone(ctx, env, func(ctx context.Context) error {
			steps := 0
			err := m.Up(ctx, func(step migrations.Taken) {
				steps++
				tell(env.Out, step)
			})
			if err == nil && steps == 0 {
				_, err = fmt.Fprintln(env.Out, "Nothing to do: every part is up to date.")
			}
			return err
		})
	})
}

func tell(out io.Writer, step migrations.Taken) {
	fmt.Fprintf(out, "%s %d → %d in %s\n", step.Part, step.From, step.To, step.Took.Round(time.Millisecond))
}
