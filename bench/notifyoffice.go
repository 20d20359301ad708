package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/account"
	"tidings/app"
	"tidings/notify"
	"tidings/query"
)

// inMemory is where a directory is made that is only copied from: what is written is on disk
// at once, which takes most of the time and is not measured here.
const inMemory = "/dev/shm"

// prepare makes a directory with the people of a case and their rules, written into the stores
// by the parts that the API writes with.
func (c *Notify) prepare(ctx context.Context, env Env, one costCase, load Load) (data string, err error) {
	within := inMemory
	if stat, err := os.Stat(inMemory); err != nil || !stat.IsDir() {
		within = c.Data
	}
	if data, err = os.MkdirTemp(within, "tidings-bench-"); err != nil {
		return "", err
	}
	a, err := app.Open(ctx, app.Settings{Data: data}, env.Log)
	if err != nil {
		return data, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	clock := time.Now
	directory, books := account.NewDirectory(a.State, clock), notify.NewBooks(a.State, clock)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for n := range load.Workspaces {
		group.Go(func() error { return costOffice(ctx, one, load, load.Workspace(n), directory, books) })
	}
	return data, group.Wait()
}

// costOffice makes a workspace's people, and their rules.
func costOffice(ctx context.Context, one costCase, load Load, workspace string, directory *account.Directory, books *notify.Books) error {
	if one.quiet {
		_, err := books.ChangeDefaults(ctx, workspace, func(d *notify.Defaults) error {
			off := notify.Cell{Often: notify.Off}
			d.Cells = notify.Cells{notify.Mine: {"open": off, "click": off}}
			return nil
		})
		if err != nil {
			return err
		}
	}
	m := newMaker(load.withDefaults())
	for n := range one.people {
		id := load.User(n)
		if err := member(ctx, directory, workspace, id); err != nil {
			return err
		}
		texts := []string{"replies from " + query.Domain(m.person(int32(n)).Email), `type:click "` + m.words.list[n] + `"`, `type:open "` + m.words.list[n+100] + `"`}
		for r, text := range texts[:one.rules] {
			ask := notify.Ask{Q: text, Enabled: true, Cell: notify.Cell{Often: notify.Every, Channels: []notify.Channel{notify.InPage}}}
			if _, err := books.PutRule(ctx, workspace, notify.Rule{Name: fmt.Sprintf("r%d", r), Owner: id, Ask: ask}); err != nil {
				return fmt.Errorf("a rule for %q: %w", text, err)
			}
		}
	}
	return nil
}

func member(ctx context.Context, directory *account.Directory, workspace, id string) error {
	_, err := directory.PutUser(ctx, workspace, id, account.MemberRequest{Name: id, Emails: []string{id + "@bench.example"}})
	return err
}
