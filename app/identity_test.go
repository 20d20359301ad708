package app

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/store/sqlite"
)

// madeDirectory is a data directory with events in two weeks, one of them sealed.
func madeDirectory(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	a := mustOpen(t, data)
	for _, at := range []int64{event.Week(2940).Start() + 5, event.Week(2941).Start() + 5} {
		e := event.Event{
			ID: event.NewID(at, "w", "api", true, []byte("one")), Workspace: "w", Type: event.Open, Time: at,
			Message: "m", Source: "api", Recipient: &event.Person{Email: "jo@acme.example"},
		}
		outcomes, err := a.Index.Create(t.Context(), []event.Event{e})
		require.NoError(t, err)
		require.NoError(t, outcomes[0].Err)
	}
	require.NoError(t, a.Index.Seal(t.Context(), 2940))
	infos, err := a.Index.WeekInfos(t.Context())
	require.NoError(t, err)
	v := inventory{records: a.State, noted: map[event.Week]int64{}}
	require.NoError(t, v.note(t.Context(), infos))
	require.NoError(t, a.Close())
	return data
}

func openOn(data string, anew ...string) (*App, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return Open(ctx, Settings{Data: data, BeginAnew: anew}, slog.New(slog.DiscardHandler))
}

func mustOpen(t *testing.T, data string, anew ...string) *App {
	t.Helper()
	a, err := openOn(data, anew...)
	require.NoError(t, err)
	return a
}

func TestAPartThatIsMissingOrForeignStopsTheStart(t *testing.T) {
	for _, part := range []string{"weeks", "state.db", "stream", "audit", outboxName, decisionsName} {
		for name, lose := range map[string]func(t *testing.T, path string){
			"missing": func(t *testing.T, path string) {
				for _, beside := range []string{"", "-wal", "-shm"} {
					require.NoError(t, os.RemoveAll(path+beside))
				}
			},
			"of another directory": func(t *testing.T, path string) {
				require.NoError(t, os.RemoveAll(path))
				require.NoError(t, os.Rename(filepath.Join(madeDirectory(t), part), path))
			},
		} {
			t.Run(part+" "+name, func(t *testing.T) {
				data := madeDirectory(t)
				lose(t, filepath.Join(data, part))
				before := tree(t, data)
				_, err := openOn(data)
				require.ErrorIs(t, err, event.ErrConflict)
				require.ErrorContains(t, err, filepath.Join(data, part))
				require.ErrorContains(t, err, "--begin-anew="+part)
				require.Equal(t, before, tree(t, data), "nothing was made in its place")

				require.NoError(t, mustOpen(t, data, part).Close())
				require.NoError(t, mustOpen(t, data).Close(), "once is enough")
			})
		}
	}
}

// tree are the files below a directory, but for the lock.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if !strings.HasSuffix(path, "lock") && !strings.HasSuffix(path, "-shm") && !strings.HasSuffix(path, "-wal") {
			files = append(files, path)
		}
		return err
	}))
	return files
}

func TestAMissingWeekIsNotEmpty(t *testing.T) {
	for _, file := range []string{event.Week(2940).String() + ".sealed.db", event.Week(2941).String() + ".db"} {
		t.Run(file, func(t *testing.T) {
			data := madeDirectory(t)
			path := filepath.Join(data, "weeks", file)
			whole, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.Remove(path))
			week, _, _ := strings.Cut(file, ".")
			for range 2 {
				a := mustOpen(t, data)
				ready := a.Readiness(t.Context())
				require.ErrorContains(t, ready["week "+week], "missing")
				require.ErrorContains(t, ready["week "+week], "restore")
				require.NoError(t, os.WriteFile(path, whole, 0o600))
				require.NotContains(t, weeksDamaged(t, a), week, "it came back without a restart")
				require.NoError(t, os.Remove(path))
				require.NoError(t, a.Close())
			}
			require.NoError(t, mustOpen(t, data, week).Close())
			a := mustOpen(t, data)
			require.NotContains(t, a.Readiness(t.Context()), "week "+week, "it began anew")
			require.NoError(t, a.Close())
		})
	}
}

func weeksDamaged(t *testing.T, a *App) []string {
	t.Helper()
	infos, err := a.Index.WeekInfos(t.Context())
	require.NoError(t, err)
	var weeks []string
	for _, info := range infos {
		if info.Damage != nil {
			weeks = append(weeks, info.Week.String())
		}
	}
	return weeks
}

// What was made by a release that had no identities is taken in whole.
func TestADirectoryOfBeforeIsTakenIn(t *testing.T) {
	data := madeDirectory(t)
	a := mustOpen(t, data)
	require.NoError(t, a.State.Delete(t.Context(), noWorkspace, kindIdentity, theIdentity))
	for _, name := range []string{auditFolder, outboxName, decisionsName} {
		require.NoError(t, a.State.Delete(t.Context(), noWorkspace, sqlite.KindPart, name))
	}
	require.NoError(t, a.Close())
	for _, name := range []string{outboxName, decisionsName} {
		unmark(t, filepath.Join(data, name))
	}
	for _, name := range []string{identityName, "weeks/" + identityName, "stream/" + identityName} {
		require.NoError(t, os.Remove(filepath.Join(data, name)))
	}
	require.NoError(t, mustOpen(t, data).Close())
	require.FileExists(t, filepath.Join(data, identityName))
	for _, name := range []string{outboxName, decisionsName} {
		require.NoError(t, os.Remove(filepath.Join(data, name)))
		_, err := openOn(data)
		require.ErrorContains(t, err, "--begin-anew="+name, "from then on it is missed")
		require.NoError(t, mustOpen(t, data, name).Close())
	}
}

// unmark makes a file one that does not say where it belongs.
func unmark(t *testing.T, path string) {
	t.Helper()
	mark, err := sqlite.Mark(t.Context(), path)
	require.NoError(t, err)
	require.NotZero(t, mark)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	copy(raw[68:72], make([]byte, 4)) // https://www.sqlite.org/fileformat2.html#application_id
	require.NoError(t, os.WriteFile(path, raw, 0o600))
}

func TestDeepLooksIntoEveryWeek(t *testing.T) {
	data := madeDirectory(t)
	path := filepath.Join(data, "weeks", event.Week(2940).String()+".sealed.db")
	info, err := os.Stat(path)
	require.NoError(t, err)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	raw[len(raw)-100] ^= 1 // in a page that nothing reads to open the week
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	require.NoError(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
	a := mustOpen(t, data)
	health, err := a.WeekHealth(t.Context(), WeekHealthRequest{})
	require.NoError(t, err)
	require.Empty(t, health.Damaged)
	health, err = a.WeekHealth(t.Context(), WeekHealthRequest{Deep: true})
	require.NoError(t, err)
	require.Len(t, health.Damaged, 1)
	require.Contains(t, health.Damaged[0], event.Week(2940).String())
	require.NoError(t, a.Close())
}
