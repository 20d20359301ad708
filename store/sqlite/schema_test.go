package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/migrations"
)

// oldState makes a state.db of the first schema, with a message that everyone
// has opened.
func oldState(t *testing.T, path string) event.MessageKey {
	t.Helper()
	key := event.MessageKey{Workspace: "w", Message: "m"}
	pool, err := openPool(path, access{write: true, connections: 1, cacheKB: 1 << 10})
	require.NoError(t, err)
	require.NoError(t, create(context.Background(), pool, "the state store", stateSchema[:1]))
	state := event.State{MessageKey: key, Sent: true, At: 1000, Version: 1}
	require.NoError(t, transact(context.Background(), pool, func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO space VALUES(1, 'w')")
		_, err2 := tx.Exec("INSERT INTO state VALUES(1, 1, 'm', 1000, 0, 0, ?)", encodeState(state))
		return errors.Join(err, err2)
	}))
	require.NoError(t, pool.Close())
	return key
}

// withWeekStep lets a test know one step of a week's schema more.
func withWeekStep(t *testing.T, step string) {
	t.Helper()
	before := weekSchema
	weekSchema = append(before[:len(before):len(before)], step)
	t.Cleanup(func() { weekSchema = before })
}

func TestAnOlderSchemaSaysWhatToRunAndIsMigrated(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	weeks, path := filepath.Join(dir, "weeks"), filepath.Join(dir, "state.db")
	index := openForFaults(t, weeks)
	other := faultEvent("w", "b", "")
	other.Time += 14 * 86_400
	other.ID = event.NewID(other.Time, "w", "s", true, []byte("b"))
	_, err := index.Create(ctx, []event.Event{faultEvent("w", "a", ""), other})
	require.NoError(t, err)
	require.NoError(t, index.Seal(ctx, faultWeek))
	require.NoError(t, index.Close())
	key := oldState(t, path)
	old := len(weekSchema)
	withWeekStep(t, "-- remember the moon\nCREATE TABLE moon(phase INTEGER);")

	_, err = OpenIndex(weeks, IndexConfig{})
	require.ErrorContains(t, err, "week 2025-w31 has schema version")
	require.ErrorContains(t, err, "tidings migrate up")
	_, err = OpenState(path, StateConfig{})
	require.ErrorContains(t, err, "tidings migrate up")

	schema := NewSchema(weeks, path)
	m := migrations.Migrator{Schema: schema, History: schema, Version: "test"}
	plan, err := m.Plan(ctx)
	require.NoError(t, err)
	require.Equal(t, []migrations.Part{
		{Name: "state", Have: 1, Want: len(stateSchema), Steps: aboutSteps(stateSchema[1:])},
		{Name: "week 2025-w31", Have: old, Want: old + 1, Steps: []string{"remember the moon"}},
		{Name: "week 2025-w33", Have: old, Want: old + 1, Steps: []string{"remember the moon"}},
	}, plan)
	steps := 0
	require.NoError(t, m.Up(ctx, func(migrations.Taken) { steps++ }))
	require.Equal(t, len(stateSchema)-1+2, steps)
	require.NoError(t, m.Up(ctx, func(migrations.Taken) { t.Error("a step was taken twice") }))
	taken, err := schema.Taken(ctx)
	require.NoError(t, err)
	require.Len(t, taken, steps)
	require.WithinDuration(t, time.Now(), taken[0].At, time.Minute)

	again := openForFaults(t, weeks)
	require.Equal(t, 1, countIn(t, again, "w"))
	infos, err := again.WeekInfos(ctx)
	require.NoError(t, err)
	require.True(t, infos[1].Sealed, "a sealed week stays sealed")
	state, err := OpenState(path, StateConfig{})
	require.NoError(t, err)
	found, err := state.Read(ctx, []event.MessageKey{key})
	require.NoError(t, err)
	require.Equal(t, int64(1000), found[key].At)
	require.NoError(t, state.Close())
}

// A damaged week is gone past, and is the start's to name.
func TestADamagedWeekHoldsUpNoMigration(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut":     func(raw []byte) []byte { return raw[:len(raw)/2] },
		"flipped": func(raw []byte) []byte { return append([]byte("SQLite format 4"), raw[15:]...) },
		"garbled": func(raw []byte) []byte {
			for i := 4096; i < len(raw); i++ {
				raw[i] ^= 0xff
			}
			return raw
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, dir := t.Context(), t.TempDir()
			weeks := filepath.Join(dir, "weeks")
			index := openForFaults(t, weeks)
			other := faultEvent("w", "b", "")
			other.Time += 14 * 86_400
			other.ID = event.NewID(other.Time, "w", "s", true, []byte("b"))
			_, err := index.Create(ctx, []event.Event{faultEvent("w", "a", ""), other})
			require.NoError(t, err)
			require.NoError(t, index.Close())
			oldState(t, filepath.Join(dir, "state.db"))
			withWeekStep(t, "CREATE TABLE moon(phase INTEGER);")
			path := filepath.Join(weeks, "2025-w31.db")
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, damage(raw), 0o600))

			schema := NewSchema(weeks, filepath.Join(dir, "state.db"))
			var taken []string
			_ = (&migrations.Migrator{Schema: schema, History: schema}).Up(ctx, func(step migrations.Taken) { taken = append(taken, step.Part) })
			require.Contains(t, taken, "week 2025-w33", "the others are done")
			again := openForFaults(t, weeks)
			infos, err := again.WeekInfos(ctx)
			require.NoError(t, err)
			require.Len(t, infos, 2)
			require.NotNil(t, infos[1].Damage, "the start names it")
			require.Nil(t, infos[0].Damage)
		})
	}
}

func aboutSteps(steps []string) []string {
	about := make([]string, len(steps))
	for i, step := range steps {
		about[i] = aboutStep(step)
	}
	return about
}

func TestAMigrationThatWasInterruptedIsTakenUp(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	weeks := filepath.Join(dir, "weeks")
	index := openForFaults(t, weeks)
	_, err := index.Create(ctx, []event.Event{faultEvent("w", "a", "")})
	require.NoError(t, err)
	require.NoError(t, index.Seal(ctx, faultWeek))
	require.NoError(t, index.Close())
	oldState(t, filepath.Join(dir, "state.db"))
	withWeekStep(t, "CREATE TABLE moon(phase INTEGER);")
	half := filepath.Join(weeks, "2025-w31.new")
	require.NoError(t, os.WriteFile(half, []byte("half a copy"), 0o600))

	schema := NewSchema(weeks, filepath.Join(dir, "state.db"))
	broken := migrations.Migrator{Schema: schema, History: failing{schema}}
	require.ErrorContains(t, broken.Up(ctx, func(migrations.Taken) {}), "note")
	require.NoError(t, (&migrations.Migrator{Schema: schema, History: schema}).Up(ctx, func(migrations.Taken) {}))
	require.NoFileExists(t, half)
	parts, err := schema.Parts(ctx)
	require.NoError(t, err)
	for _, part := range parts {
		require.Equal(t, part.Want, part.Have, part.Name)
	}
	require.Equal(t, 1, countIn(t, openForFaults(t, weeks), "w"))
}

func TestNothingIsMigratedWhereAPartIsNewer(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	path := filepath.Join(dir, "state.db")
	oldState(t, path)
	weeks := filepath.Join(dir, "weeks")
	index := openForFaults(t, weeks)
	_, err := index.Create(ctx, []event.Event{faultEvent("w", "a", "")})
	require.NoError(t, err)
	require.NoError(t, index.Close())
	pool, err := openPool(filepath.Join(weeks, "2025-w31.db"), access{write: true, connections: 1})
	require.NoError(t, err)
	_, err = pool.Exec("PRAGMA user_version = 99")
	require.NoError(t, errors.Join(err, pool.Close()))

	schema := NewSchema(weeks, path)
	err = (&migrations.Migrator{Schema: schema, History: schema}).Up(ctx, func(migrations.Taken) { t.Error("a step was taken") })
	require.ErrorContains(t, err, "newer version")
	version, err := versionOf(path)
	require.NoError(t, err)
	require.Equal(t, 1, version)
}

// failing is a history that cannot be written.
type failing struct{ migrations.History }

func (failing) Note(context.Context, migrations.Taken) error { return errors.New("the disk is full") }

// The file of deliveries, which no command migrates, takes its next step when it is opened.
func TestTheOutboxTakesItsNextStepWhenItIsOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deliveries.db")
	outbox, err := OpenOutbox(path)
	require.NoError(t, err)
	require.NoError(t, outbox.Close())
	defer func(before []string) { outboxSchema = before }(outboxSchema)
	outboxSchema = append(slices.Clone(outboxSchema), "-- keep more\nCREATE TABLE more(n INTEGER PRIMARY KEY);")
	outbox, err = OpenOutbox(path)
	require.NoError(t, err)
	require.NoError(t, outbox.Close())
	version, err := versionOf(path)
	require.NoError(t, err)
	require.Equal(t, len(outboxSchema), version)

	outboxSchema = outboxSchema[:1]
	_, err = OpenOutbox(path)
	require.ErrorAs(t, err, new(*migrations.Mismatch), "a later program's is not touched")
}
