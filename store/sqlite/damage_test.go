package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"tidings/event"
	"tidings/feed"
	"tidings/store/sqlite"
)

const goodWeek, badWeek = event.Week(2950), event.Week(2949)

// opensIn makes n opens in a week.
func opensIn(week event.Week, n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		at := week.Start() + int64(i)*3
		events[i] = event.Event{
			ID: event.NewID(at, "w", "s", true, fmt.Append(nil, week, i)), Workspace: "w", Type: event.Open, Time: at,
			Message: fmt.Sprint("m-", i), Source: "s", Recipient: &event.Person{Email: fmt.Sprintf("p%d@x.example", i)},
		}
	}
	return events
}

func createAll(t require.TestingT, index *sqlite.Index, events ...event.Event) []event.Outcome {
	outcomes, err := index.Create(context.Background(), events)
	require.NoError(t, err)
	return outcomes
}

// damages are what may happen to a file.
var damages = map[string]func(t *testing.T, path string){
	"cut in half": func(t *testing.T, path string) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.NoError(t, os.Truncate(path, info.Size()/2))
	},
	"empty":   func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) },
	"missing": func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
	"no database": func(t *testing.T, path string) {
		require.NoError(t, os.WriteFile(path, []byte("From MAILER-DAEMON Thu Jan  1 00:00:00 1970 and so on, for long enough"), 0o600))
	},
	"cut to a page": func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 8192)) },
}

func TestABadWeekIsNoMatterOfTheOthers(t *testing.T) {
	for name, damage := range damages {
		for _, sealed := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", sealed ", sealed), func(t *testing.T) {
				ctx, dir := context.Background(), t.TempDir()
				index := openIndex(t, dir)
				createAll(t, index, append(opensIn(badWeek, 300), opensIn(goodWeek, 3)...)...)
				file := filepath.Join(dir, badWeek.String()+".db")
				if sealed {
					require.NoError(t, index.Seal(ctx, badWeek))
					file = filepath.Join(dir, badWeek.String()+".sealed.db")
				}
				require.NoError(t, index.Close())
				whole, err := os.ReadFile(file)
				require.NoError(t, err)
				index = openIndex(t, dir)
				infos, err := index.WeekInfos(ctx) // so that it knows of the week
				require.NoError(t, err)
				require.Len(t, infos, 2)
				damage(t, file)

				// Reading finds the damage, and the week is left alone from then on.
				for range 2 {
					hits, err := index.Search(ctx, feed.Search{Workspace: "w", Weeks: []event.Week{goodWeek, badWeek}, Limit: 1000})
					damaged, other := event.SplitDamaged(err)
					require.NoError(t, other)
					if damaged == nil { // as long as it reads what it has in memory
						require.Len(t, hits, 303)
						checkWeek(t, index)
						continue
					}
					require.Len(t, hits, 3)
					require.Equal(t, badWeek, damaged[0].Week)
					require.NotEmpty(t, damaged[0].Cause)
					require.Contains(t, damaged[0].Error(), "restore --data DIR --week "+badWeek.String())
				}
				late := append(opensIn(badWeek, 302)[300:], opensIn(goodWeek, 5)[3:]...)
				outcomes := createAll(t, index, late...)
				for i, outcome := range outcomes {
					if late[i].Week() == goodWeek {
						require.NoError(t, outcome.Err)
						require.True(t, outcome.Created)
						continue
					}
					require.ErrorIs(t, outcome.Err, event.ErrUnavailable)
					found, _ := event.SplitDamaged(outcome.Err)
					require.Len(t, found, 1)
				}
				infos, err = index.WeekInfos(ctx)
				require.NoError(t, err)
				require.Len(t, infos, 2)
				require.Equal(t, int64(5), infos[0].Events)
				require.NotNil(t, infos[1].Damage)
				require.Len(t, index.Damaged(ctx), 1)

				// What comes back comes back without a restart.
				require.NoError(t, os.WriteFile(file+".back", whole, 0o600))
				require.NoError(t, os.Rename(file+".back", file))
				infos, err = index.WeekInfos(ctx)
				require.NoError(t, err)
				require.Nil(t, infos[1].Damage)
				require.Equal(t, int64(300), infos[1].Events)
				require.Empty(t, index.Damaged(ctx))
			})
		}
	}
}

// checkWeek makes the index notice what it does not by reading.
func checkWeek(t *testing.T, index *sqlite.Index) {
	_ = index.Check(context.Background(), badWeek)
	require.Len(t, index.Damaged(context.Background()), 1)
}

func TestAFileBesideASealedWeekDeletesNothing(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "no database": "hello, this is no database but somebody's notes, which are long enough to be a header", "short": "x"} {
		t.Run(name, func(t *testing.T) {
			ctx, dir := context.Background(), t.TempDir()
			index := openIndex(t, dir)
			createAll(t, index, opensIn(badWeek, 30)...)
			require.NoError(t, index.Seal(ctx, badWeek))
			require.NoError(t, index.Close())
			beside := filepath.Join(dir, badWeek.String()+".db")
			require.NoError(t, os.WriteFile(beside, []byte(content), 0o600))
			for range 2 {
				index = openIndex(t, dir)
				infos, err := index.WeekInfos(ctx)
				require.NoError(t, err)
				require.Equal(t, []event.WeekInfo{{Week: badWeek, Events: 30, Sealed: true, Bytes: infos[0].Bytes}}, infos)
				require.NoError(t, index.Close())
			}
			aside, err := filepath.Glob(filepath.Join(dir, "*.aside-*"))
			require.NoError(t, err)
			require.Len(t, aside, 1, "it is kept under another name")
			kept, err := os.ReadFile(aside[0])
			require.NoError(t, err)
			require.Equal(t, content, string(kept))
		})
	}
}

func TestAnOlderOpenFileBesideASealedWeekIsSetAside(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	index := openIndex(t, dir)
	createAll(t, index, opensIn(badWeek, 10)...)
	require.NoError(t, index.Close())
	open := filepath.Join(dir, badWeek.String()+".db")
	older, err := os.ReadFile(open)
	require.NoError(t, err)
	index = openIndex(t, dir)
	createAll(t, index, opensIn(badWeek, 30)...)
	require.NoError(t, index.Seal(ctx, badWeek))
	require.NoError(t, index.Close())
	require.NoError(t, os.WriteFile(open, older, 0o600))
	index = openIndex(t, dir)
	infos, err := index.WeekInfos(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(30), infos[0].Events)
}

// A log that is left beside a file that was replaced would be read into the new one.
func TestAWeekWhoseLogIsLeftIsNotReplaced(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	index := openIndex(t, dir)
	createAll(t, index, opensIn(badWeek, 10)...)
	other, err := sql.Open("sqlite", filepath.Join(dir, badWeek.String()+".db"))
	require.NoError(t, err)
	defer other.Close()
	reading, err := other.Begin() // which keeps the log from going
	require.NoError(t, err)
	var n int
	require.NoError(t, reading.QueryRow("SELECT count(*) FROM event").Scan(&n))
	createAll(t, index, opensIn(badWeek, 30)...)
	swap := func() error {
		next, err := index.NextGeneration(ctx, badWeek)
		require.NoError(t, err)
		asTheyAre := func(_ context.Context, events []event.Event) ([]event.Event, error) { return events, nil }
		_, err = next.Copy(ctx, asTheyAre)
		require.NoError(t, err)
		err = next.Swap(ctx, asTheyAre)
		if err != nil {
			require.NoError(t, next.Discard(ctx))
		}
		return err
	}
	has := func(events int64) {
		t.Helper()
		infos, err := index.WeekInfos(ctx)
		require.NoError(t, err)
		require.Len(t, infos, 1)
		require.Nil(t, infos[0].Damage)
		require.Equal(t, events, infos[0].Events)
	}
	require.ErrorIs(t, swap(), event.ErrUnavailable)
	has(30)
	require.NoError(t, reading.Rollback())
	require.NoError(t, other.Close())
	require.NoError(t, swap())
	has(30)
	createAll(t, index, opensIn(badWeek, 33)...)
	has(33)
	require.NoError(t, index.Check(ctx, badWeek))
}

// A file that says it is of no version, and has tables, is not made anew.
func TestAWeekThatForgotItsVersionIsDamaged(t *testing.T) {
	dir := t.TempDir()
	index := openIndex(t, dir)
	createAll(t, index, opensIn(badWeek, 3)...)
	require.NoError(t, index.Close())
	file, err := os.OpenFile(filepath.Join(dir, badWeek.String()+".db"), os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteAt(make([]byte, 4), 60) // user_version, in the header
	require.NoError(t, errors.Join(err, file.Close()))
	index, err = sqlite.OpenIndex(dir, sqlite.IndexConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, index.Close()) }()
	_, err = index.Search(t.Context(), feed.Search{Workspace: "w", Weeks: []event.Week{badWeek}, Limit: 10})
	damaged, other := event.SplitDamaged(err)
	require.NoError(t, other)
	require.Len(t, damaged, 1)
}

// TestAWeekThatChangesItsFormIsNotDamaged seals, opens and drops a week again and again
// while it is written, looked at and described: its file is another one each time, and
// none of them is missing.
func TestAWeekThatChangesItsFormIsNotDamaged(t *testing.T) {
	ctx, index := t.Context(), openIndex(t, t.TempDir())
	events := opensIn(goodWeek, 3)
	createAll(t, index, events...)

	done := make(chan struct{})
	var besides errgroup.Group
	until := func(do func() error) {
		besides.Go(func() error {
			for {
				select {
				case <-done:
					return nil
				default:
				}
				if err := do(); err != nil {
					return err
				}
			}
		})
	}
	until(func() error {
		outcomes, err := index.Create(ctx, events)
		for _, outcome := range outcomes {
			if _, blocked := errors.AsType[*event.WeekBlocked](outcome.Err); !blocked {
				err = errors.Join(err, outcome.Err)
			}
		}
		return err
	})
	until(func() error {
		return index.Look(ctx).Err()
	})
	until(func() error {
		infos, err := index.WeekInfos(ctx)
		for _, info := range infos {
			if info.Damage != nil {
				err = errors.Join(err, info.Damage)
			}
		}
		return err
	})
	for i := range 60 {
		require.NoError(t, index.Seal(ctx, goodWeek))
		require.NoError(t, index.Unseal(ctx, goodWeek))
		if i%3 == 0 {
			require.NoError(t, index.Drop(ctx, goodWeek))
		}
	}
	close(done)
	require.NoError(t, besides.Wait())
}
