package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"tidings/app"
	"tidings/migrations"
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

func (t schemaTarget) settings() app.Settings {
	return app.Settings{Data: t.Data, Stores: app.Stores(t.storeFlags)}
}

// with runs do with the schema of the installation.
func (t schemaTarget) with(do func(*migrations.Migrator) error) error {
	m, closeAll, err := app.OpenSchema(t.settings())
	if err != nil {
		return err
	}
	return errors.Join(do(m), closeAll())
}

// alone runs do while no other process has the directory, or migrates the same
// stores.
func (t schemaTarget) alone(ctx context.Context, env *environment, do func(context.Context) error) error {
	return app.Alone(ctx, t.settings(), env.log, do)
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
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\n", part.Name, part.Have, part.Want, schemaStatus(part))
	}
	for _, step := range taken {
		fmt.Fprintf(table, "%s\t%d → %d\t\tat %s by %s\n", step.Part, step.From, step.To, step.At.Format(time.RFC3339), step.By)
	}
	return table.Flush()
}

// schemaStatus says how the version of a part compares to that of this program.
func schemaStatus(part migrations.Part) string {
	switch {
	case part.Damage != "":
		return part.Damage
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
