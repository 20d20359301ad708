package app

import (
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/crash"
	"tidings/event"
	"tidings/migrations"
	"tidings/store/erasures"
	"tidings/store/sqlite"
)

// everyWrite kills each command at all of its writes; otherwise at a few of them.
var everyWrite = flag.Bool("every-write", false, "try all writes of every operator command, which takes minutes")

// fewWrites are those that are tried of a command by default.
var fewWrites = []int{3, 12, 22}

// operatorCommand is a command that writes. It works below a root, where data is the
// directory that it is about, and may be run again after it was killed anywhere.
type operatorCommand struct {
	name string
	// before makes more than fullDirectory below the root.
	before func(t *testing.T, root string)
	run    func(t *testing.T, root string) error
	// result is the directory to look at in the end.
	result string
}

func withApp(data string, do func(a *App) error) func(*testing.T, string) error {
	return func(t *testing.T, root string) error {
		a, err := openOn(filepath.Join(root, data))
		if err != nil {
			return err
		}
		err = do(a)
		require.NoError(t, a.Close())
		return err
	}
}

func erasing(t *testing.T) func(a *App) error {
	return func(a *App) error {
		if err := a.Server.ForgetPerson(t.Context(), "w", "jo@acme.example"); err != nil {
			return err
		}
		_, err := personEraser{a, a.eraser}.Erase(t.Context(), "w", "jo@acme.example")
		return err
	}
}

func operatorCommands(t *testing.T) []operatorCommand {
	ctx := t.Context()
	backup := func(t *testing.T, root string) {
		require.NoError(t, withApp("data", func(a *App) error {
			drainQueue(t, a)
			_, err := a.Backup(ctx, BackupRequest{To: filepath.Join(root, "backup")})
			return err
		})(t, root))
	}
	return []operatorCommand{
		{name: "rebuild", result: "data", run: withApp("data", func(a *App) error {
			_, err := a.Rebuild(ctx, RebuildRequest{openWeek})
			return err
		})},
		{name: "rollover", result: "data", run: withApp("data", func(a *App) error {
			report, err := a.RunRollover(ctx, RolloverRequest{})
			if err == nil && report.Failed() > 0 {
				err = fmt.Errorf("%v", report.Actions)
			}
			return err
		})},
		{name: "erase", result: "data", run: withApp("data", erasing(t))},
		{name: "rollover after an erasure", result: "data", before: func(t *testing.T, root string) {
			require.NoError(t, withApp("data", func(a *App) error {
				drainQueue(t, a)
				return erasing(t)(a)
			})(t, root))
		}, run: withApp("data", func(a *App) error {
			report, err := a.RunRollover(ctx, RolloverRequest{})
			if err == nil && report.Failed() > 0 {
				err = fmt.Errorf("%v", report.Actions)
			}
			return err
		})},
		{name: "backup", result: "restored", before: func(t *testing.T, root string) {
			require.NoError(t, withApp("data", func(a *App) error { drainQueue(t, a); return nil })(t, root))
		}, run: func(t *testing.T, root string) error {
			err := withApp("data", func(a *App) error {
				_, err := a.Backup(ctx, BackupRequest{To: filepath.Join(root, "backup")})
				return err
			})(t, root)
			if err == nil {
				at := crash.Point
				crash.Point = nil // the backup is killed, and what looks at it is not
				_, _, err = Restore(ctx, filepath.Join(root, "backup"), filepath.Join(root, "restored"))
				crash.Point = at
			}
			return err
		}},
		{name: "restore", result: "restored", before: func(t *testing.T, root string) {
			backup(t, root)
			require.NoError(t, withApp("data", erasing(t))(t, root))
		}, run: func(_ *testing.T, root string) error {
			_, err := os.Stat(filepath.Join(root, "restored", "state.db"))
			if err == nil {
				return nil // it was whole
			}
			_, _, err = Restore(ctx, filepath.Join(root, "backup"), filepath.Join(root, "restored"))
			return err
		}},
		{name: "restore --week", result: "data", before: backup, run: func(t *testing.T, root string) error {
			return withApp("data", func(a *App) error {
				_, err := a.RestoreWeek(ctx, WeekRestore{Week: openWeek, From: filepath.Join(root, "backup")})
				return err
			})(t, root)
		}},
		{name: "stream repair", result: "data", run: func(_ *testing.T, root string) error {
			_, err := RepairStream(ctx, filepath.Join(root, "data"), slog.New(slog.DiscardHandler))
			return err
		}},
		{name: "migrate copy", result: "target", before: func(t *testing.T, root string) {
			require.NoError(t, withApp("data", func(a *App) error { drainQueue(t, a); return nil })(t, root))
		}, run: func(t *testing.T, root string) error {
			// What was copied is noted by the name of the target.
			t.Chdir(root)
			return withApp("data", func(a *App) error {
				_, err := a.CopyAll(ctx, CopyRequest{To: []string{"target"}})
				return err
			})(t, root)
		}},
		{name: "migrate up", result: "data", before: func(t *testing.T, root string) {
			require.NoError(t, os.RemoveAll(filepath.Join(root, "data")))
			require.NoError(t, os.Rename(unpacked(t, "one-sender.tar.gz"), filepath.Join(root, "data")))
		}, run: func(_ *testing.T, root string) error {
			migrator, done, err := OpenSchema(Settings{Data: filepath.Join(root, "data")})
			if err != nil {
				return err
			}
			err = migrator.Up(ctx, func(migrations.Taken) {})
			if closed := done(); err == nil {
				err = closed
			}
			return err
		}},
	}
}

// TestACommandThatIsKilledAtAnyWriteIsRunAgain sees what each write of each command
// leaves, runs the command again there, and wants the same end.
func TestACommandThatIsKilledAtAnyWriteIsRunAgain(t *testing.T) {
	made := fullDirectory(t, queued)
	for _, command := range operatorCommands(t) {
		t.Run(command.name, func(t *testing.T) {
			root, killed := t.TempDir(), t.TempDir()
			copyTree(t, filepath.Join(root, "data"), made)
			if command.before != nil {
				command.before(t, root)
			}
			where := killedAt(t, command, root, killed)
			require.NotEmpty(t, where, "it has no write that a test knows")
			t.Logf("%d writes: %v", len(where), slices.Compact(where))
			want := digest(t, filepath.Join(root, command.result))
			entries, err := os.ReadDir(killed)
			require.NoError(t, err)
			for _, entry := range entries {
				left := filepath.Join(killed, entry.Name())
				require.NoError(t, command.run(t, left), "killed at %s", entry.Name())
				require.Equal(t, want, digest(t, filepath.Join(left, command.result)), "killed at %s", entry.Name())
				require.NoError(t, os.RemoveAll(left))
			}
		})
	}
}

// killedAt runs a command and copies what a kill would leave at its writes into folders
// below to. It returns the names of all writes.
func killedAt(t *testing.T, command operatorCommand, root, to string) (where []string) {
	t.Helper()
	var mu sync.Mutex
	crash.Point = func(at string) {
		mu.Lock()
		defer mu.Unlock()
		if *everyWrite || slices.Contains(fewWrites, len(where)) {
			copyTree(t, filepath.Join(to, fmt.Sprintf("%03d %s", len(where), url.PathEscape(at))), root)
		}
		where = append(where, at)
	}
	err := command.run(t, root)
	crash.Point = nil
	require.NoError(t, err)
	return where
}

// copyTree copies what a machine that stops now would have, files that go meanwhile left
// out.
func copyTree(t *testing.T, to, from string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		target := filepath.Join(to, path[len(from):])
		if entry.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		raw, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return os.WriteFile(target, raw, 0o600)
	}))
}

// directoryDigest is what counts of a directory.
type directoryDigest struct {
	Events  []string
	Sealed  []event.Week
	States  []string
	Erased  []string
	Waiting uint64
	Dead    int64
}

// digest looks at a directory as a process that serves it does.
func digest(t *testing.T, data string) directoryDigest {
	t.Helper()
	var d directoryDigest
	a := mustOpen(t, data)
	defer func() { require.NoError(t, a.Close()) }()
	infos, err := a.Index.WeekInfos(t.Context())
	require.NoError(t, err)
	for _, info := range infos {
		require.NoError(t, errOf(info.Damage), "week %s", info.Week)
		if info.Sealed {
			d.Sealed = append(d.Sealed, info.Week)
		}
		events, _, err := a.Words.Scan(t.Context(), info.Week, "", 10_000)
		require.NoError(t, err)
		for _, e := range events {
			d.Events = append(d.Events, fmt.Sprint(e.ID, e.Type, e.Subject, e.Recipient, e.Recipients))
		}
	}
	slices.Sort(d.Events)
	state := a.State.(*sqlite.State)
	states, _, err := state.ScanStates(t.Context(), "", 10_000)
	require.NoError(t, err)
	for _, one := range states {
		d.States = append(d.States, fmt.Sprint(one.MessageKey, one.Recipients, one.First))
	}
	slices.Sort(d.States)
	records, _, err := state.ScanRecords(t.Context(), "", 10_000)
	require.NoError(t, err)
	for _, record := range records {
		if record.Kind == erasures.Kind {
			d.Erased = append(d.Erased, record.Workspace) // the secret of another store has other ids
		}
	}
	d.Waiting = uint64(a.Stream.Backlog())
	d.Dead, err = a.Stream.DeadCount(t.Context())
	require.NoError(t, err)
	return d
}

func errOf(damage *event.WeekDamaged) error {
	if damage == nil {
		return nil
	}
	return damage
}
