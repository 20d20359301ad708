package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/crash"
)

// faultWeeks is over how many old weeks events are spread where weeks are looked at.
const faultWeeks = 3

// oldWeeks fills some old weeks, all of it indexed, and leaves the server running.
func (r *faultRun) oldWeeks(ctx context.Context) error {
	if err := r.serve(ctx); err != nil {
		return err
	}
	r.work(ctx, 1, faultWeeks, 0)
	if err := errors.Join(r.grow(ctx, 20*faultBatch), r.rest()); err != nil {
		return err
	}
	return r.awaitWhole(ctx)
}

// awaitWhole waits until all that was acknowledged is there.
func (r *faultRun) awaitWhole(ctx context.Context) error {
	return r.await(ctx, "all is there", func() bool {
		found, err := exported(ctx, r.server, faultWorkspace)
		return err == nil && r.book.missing(found) == 0
	})
}

// mostNightKills bounds how many writes a nightly run is thought to make.
const mostNightKills = 300

// nightKilled kills the nightly run at its first write, then at its second, until it makes
// fewer; then makes it twice at once while late events come into its weeks.
func nightKilled(ctx context.Context, r *faultRun) error {
	if err := errors.Join(r.oldWeeks(ctx), r.quit()); err != nil {
		return err
	}
	for n := 1; ; n++ {
		said, err := tidings(ctx, []string{fmt.Sprintf("%s=%d:", crash.Variable, n)}, "rollover", "--data", r.data, "--now")
		if err == nil {
			break
		}
		if r.row.times++; !strings.Contains(said, "killed at: ") || n > mostNightKills {
			return fmt.Errorf("a nightly run failed by itself: %s", said)
		}
	}
	if err := r.serve(ctx); err != nil {
		return err
	}
	r.book.takeAnswers()
	r.work(ctx, 1, faultWeeks, faultPace)
	var runs errgroup.Group
	for range 2 {
		runs.Go(func() error {
			said, err := tidings(ctx, nil, "rollover", "--data", r.data, "--now")
			if err != nil {
				return fmt.Errorf("two nightly runs at once: %w: %s", err, said)
			}
			return nil
		})
	}
	if err := errors.Join(runs.Wait(), r.grow(ctx, 4*faultBatch), r.rest()); err != nil {
		return err
	}
	r.ends()
	if err := r.awaitWhole(ctx); err != nil {
		return err
	}
	if said, err := tidings(ctx, nil, "rollover", "--data", r.data, "--now"); err != nil {
		return fmt.Errorf("the last nightly run: %w: %s", err, said)
	}
	var weeks struct {
		Items []struct{ Week, State string }
	}
	if err := r.ask(ctx, http.MethodGet, "/v1/weeks", nil, &weeks); err != nil {
		return err
	}
	sealed := 0
	for _, week := range weeks.Items {
		if week.State == "sealed" {
			sealed++
		}
	}
	r.must(sealed == faultWeeks, "%d weeks are sealed, and not %d", faultWeeks, sealed)
	return r.finish(ctx)
}

// damageOf is what becomes of a part of a directory.
type damageOf struct {
	what, pattern string
	damage        func(ctx context.Context, path string) error
	// week is said of what is degraded: the server starts, and the week is restored.
	week bool
}

// filesDamaged damages one part of a directory after the other. The start or readiness says
// so, doctor names it, and nothing is made anew in its place; it is put back or restored.
func filesDamaged(ctx context.Context, r *faultRun) error {
	backup := filepath.Join(r.dir, "backup")
	if err := r.oldWeeks(ctx); err != nil {
		return err
	}
	for _, args := range [][]string{{"rollover", "--data", r.data, "--now"}, {"backup", "--data", r.data, "--to", backup}} {
		if said, err := tidings(ctx, nil, args...); err != nil {
			return fmt.Errorf("%s: %w: %s", args[0], err, said)
		}
	}
	if err := r.quit(); err != nil {
		return err
	}
	remove := func(_ context.Context, path string) error { return os.RemoveAll(path) }
	cut := func(_ context.Context, path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, info.Size()/2)
	}
	foreign := func(_ context.Context, path string) error {
		return os.WriteFile(path, []byte(strings.Repeat("not what was here ", 1000)), 0o600)
	}
	damages := []damageOf{
		{"state.db missing", "state.db", remove, false},
		{"state.db cut", "state.db", cut, false},
		{"weeks missing", "weeks", remove, false},
		{"stream missing", "stream", remove, false},
		{"audit missing", "audit", remove, false},
		{"a sealed week missing", "weeks/*.sealed.db", remove, true},
		{"a sealed week cut", "weeks/*.sealed.db", cut, true},
		{"a sealed week foreign", "weeks/*.sealed.db", foreign, true},
	}
	r.begins()
	r.row.times = 0
	for _, one := range damages {
		r.row.times++
		if err := r.damaged(ctx, one, backup); err != nil {
			return fmt.Errorf("%s: %w", one.what, err)
		}
	}
	if err := r.readOnly(ctx); err != nil {
		return err
	}
	// All of the directory is lost, and the backup is not: it has what came since, too.
	if said, err := tidings(ctx, nil, "backup", "--data", r.data, "--to", backup); err != nil {
		return fmt.Errorf("backup: %w: %s", err, said)
	}
	r.data = filepath.Join(r.dir, "restored")
	if said, err := tidings(ctx, nil, "restore", "--from", backup, "--data", r.data); err != nil {
		return fmt.Errorf("restore: %w: %s", err, said)
	}
	r.row.times++
	if err := r.serve(ctx); err != nil {
		return err
	}
	r.ends()
	r.work(ctx, 1, faultWeeks, faultPace)
	if err := r.grow(ctx, 4*faultBatch); err != nil {
		return err
	}
	return r.finish(ctx)
}

// damaged damages one part, looks at what is said, and mends it.
func (r *faultRun) damaged(ctx context.Context, one damageOf, backup string) error {
	paths, err := filepath.Glob(filepath.Join(r.data, one.pattern))
	if err != nil || len(paths) == 0 {
		return errors.Join(err, errors.New("there is no such file"))
	}
	path, kept := paths[0], filepath.Join(r.dir, "kept")
	if err := os.Rename(path, kept); err != nil {
		return err
	}
	if err := copyAny(path, kept); err != nil {
		return err
	}
	if err := one.damage(ctx, path); err != nil {
		return err
	}
	_, gone := os.Stat(path)
	err = r.serve(ctx)
	if !one.week {
		r.must(err != nil, "the start stops (%s)", one.what)
		if err == nil {
			err = r.quit()
		} else {
			r.must(strings.Contains(err.Error(), strings.SplitN(one.pattern, "/", 2)[0]), "the start names it (%s: %v)", one.what, err)
			err = nil
		}
		_, after := os.Stat(path)
		r.must((gone == nil) == (after == nil), "nothing is made anew (%s)", one.what)
		return errors.Join(err, os.RemoveAll(path), os.Rename(kept, path))
	}
	if err != nil {
		return err
	}
	week, _, _ := strings.Cut(filepath.Base(path), ".")
	said, err := r.text(ctx, "/readyz")
	if err != nil {
		return err
	}
	r.must(strings.Contains(said, week), "readiness names the week (%s)", one.what)
	said, failed := tidings(ctx, nil, "doctor", "--data", r.data)
	r.must(failed != nil && strings.Contains(said, week), "doctor names the week (%s)", one.what)
	if said, err := tidings(ctx, nil, "restore", "--data", r.data, "--week", week, "--from", backup); err != nil {
		return fmt.Errorf("restore: %w: %s", err, said)
	}
	if err := r.awaitWhole(ctx); err != nil {
		return err
	}
	return errors.Join(r.quit(), os.RemoveAll(kept))
}

// readOnly makes a week's file one that nobody may write, root as well, while late events
// come into the week.
func (r *faultRun) readOnly(ctx context.Context) error {
	paths, err := filepath.Glob(filepath.Join(r.data, "weeks", "*.sealed.db"))
	if err != nil || len(paths) == 0 {
		return errors.Join(err, errors.New("there is no sealed week"))
	}
	if said, err := exec.CommandContext(ctx, "chattr", "+i", paths[0]).CombinedOutput(); err != nil {
		fmt.Fprintf(r.env.Err, "skipped: a week that is read-only: chattr +i: %v: %s\n", err, said)
		return nil
	}
	again := func() error { return exec.CommandContext(context.WithoutCancel(ctx), "chattr", "-i", paths[0]).Run() }
	r.row.times++
	if err := r.serve(ctx); err != nil {
		return errors.Join(err, again())
	}
	r.work(ctx, 1, faultWeeks, faultPace)
	err = errors.Join(r.grow(ctx, 20*faultBatch), r.rest())
	week, _, _ := strings.Cut(filepath.Base(paths[0]), ".")
	err = errors.Join(err, r.await(ctx, "readiness names the week that is read-only", func() bool {
		said, err := r.text(ctx, "/readyz")
		return err == nil && strings.Contains(said, week)
	}))
	if err := errors.Join(err, again()); err != nil {
		return err
	}
	// A server that runs looks at the week again after a minute, and one that starts at once.
	if err := errors.Join(r.quit(), r.serve(ctx)); err != nil {
		return err
	}
	return errors.Join(r.awaitWhole(ctx), r.quit())
}

// text is what a path answers.
func (r *faultRun) text(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.server.address+path, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return string(said), err
}

// copyAny copies a file or a folder.
func copyAny(to, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, raw, 0o600)
}
