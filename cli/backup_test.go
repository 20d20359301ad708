package cli_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/stream"
)

// failForGood makes a dead letter in a directory that nobody serves.
func failForGood(t *testing.T, data, workspace string) event.Event {
	t.Helper()
	queue, err := stream.Open(t.Context(), stream.Config{
		Dir: filepath.Join(data, "stream"), MaxAttempts: 1, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, queue.Close()) }()
	moment := event.Moment(time.Now().Add(-time.Hour).Unix())
	input := event.Input{ID: "failed", Type: event.Send, Time: &moment, Message: "m-failed", User: "u", Recipients: []event.Person{{Email: "jo@acme.example"}}}
	e, err := input.Event(workspace, "test", event.Limits{Now: time.Now()})
	require.NoError(t, err)
	require.NoError(t, queue.Publish(t.Context(), event.LaneLive, []event.Event{e}))
	given, err := queue.Pull(t.Context(), event.LaneLive, 1, 10*time.Second)
	require.NoError(t, err)
	require.Len(t, given, 1)
	require.NoError(t, given[0].Fail(t.Context(), errors.New("refused for a test")))
	return e
}

// TestDisasterDrill is the drill of docs/running.md: a backup while events come
// in, the machine gone, a restore elsewhere, and the same answers there.
func TestDisasterDrill(t *testing.T) {
	t.Parallel()
	data, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	key, other := createKey(t, data, "w", "admin"), createKey(t, data, "busy", "ingest")
	ill := createKey(t, data, "ill", "admin")
	failed := failForGood(t, data, "ill")
	var address atomic.Value
	server := startServer(t, data, "127.0.0.1:0")
	address.Store(server.address)
	since := time.Now().Add(-5 * 7 * 24 * time.Hour).Unix()

	book, busy := newLedger(), newLedger()
	stop := book.start(t, &address, key, since)
	book.grow(t)
	stop()
	busy.pause = time.Second // events come in all the while, and leave the processor to what is tested
	stopBusy := busy.start(t, &address, other, time.Now().Add(-time.Hour).Unix()-3*7*24*3600)
	require.Contains(t, run(t, "backup", "--data", data, "--to", backup), "events and 1 dead letter in")
	require.Contains(t, run(t, "rollover", "--data", data, "--now"), "seal ")
	require.Contains(t, run(t, "backup", "--data", data, "--to", backup), "events and 1 dead letter in")
	sealed, err := filepath.Glob(filepath.Join(backup, "weeks", "*.sealed.db"))
	require.NoError(t, err)
	require.NotEmpty(t, sealed)
	for _, path := range sealed {
		require.NoFileExists(t, path[:len(path)-len(".sealed.db")]+".db", "the week of the backup before is gone")
	}
	stopBusy()
	server.kill()
	require.NoError(t, os.RemoveAll(data))

	restored := filepath.Join(t.TempDir(), "restored")
	require.Contains(t, run(t, "restore", "--from", backup, "--data", restored), "events and 1 dead letter as of")
	again := startServer(t, restored, "127.0.0.1:0")
	book.check(t, again.address, key)
	// What failed for good is there with its history, and goes through after all.
	var letter struct {
		ID       string
		Attempts []struct{ Error string }
	}
	letters := "http://" + again.address + "/v1/dead-letters/" + failed.ID.String()
	require.NoError(t, request(http.MethodGet, letters, ill, "", nil, &letter))
	require.Equal(t, failed.ID.String(), letter.ID)
	require.Len(t, letter.Attempts, 1)
	require.Equal(t, "refused for a test", letter.Attempts[0].Error)
	run(t, "dead-letters", "replay", failed.ID.String(), "--data", restored, "--workspace", "ill")
	awaitIndexed(t, again.address)
	require.NoError(t, request(http.MethodGet, "http://"+again.address+"/v1/events/"+failed.ID.String(), ill, "", nil, &letter))
	require.NoError(t, again.stop(), again.output())
}

func TestADamagedOrHalfBackupIsNotRestored(t *testing.T) {
	t.Parallel()
	data, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	createKey(t, data, "w", "admin")
	run(t, "backup", "--data", data, "--to", backup)
	target := filepath.Join(t.TempDir(), "restored")
	fails := func(words string, args ...string) {
		t.Helper()
		out, err := exec.Command(program(), args...).CombinedOutput()
		require.Error(t, err, "%s", out)
		require.Contains(t, string(out), words)
	}
	fails("is not empty", "restore", "--from", backup, "--data", data)
	fails("cannot be inside", "backup", "--data", data, "--to", filepath.Join(data, "backup"))
	fails("is of no backup", "backup", "--data", data, "--to", filepath.Dir(backup))
	state := filepath.Join(backup, "state.db")
	raw, err := os.ReadFile(state)
	require.NoError(t, err)
	raw[len(raw)/2] ^= 1
	require.NoError(t, os.WriteFile(state, raw, 0o600))
	fails("state.db: it is not as it was written", "restore", "--from", backup, "--data", target)
	require.NoDirExists(t, target)
	require.NoDirExists(t, target+".part")
	require.NoError(t, os.Remove(filepath.Join(backup, "backup.json")))
	fails("is not a whole backup", "restore", "--from", backup, "--data", target)
	run(t, "backup", "--data", data, "--to", backup)
	run(t, "restore", "--from", backup, "--data", target)
	require.Contains(t, run(t, "keys", "list", "--data", target, "--workspace", "w"), "admin")
}

// Whatever file a directory has is in its backup, but for the queue and what is made anew.
func TestABackupHasEveryFileOfADirectoryAndNoOther(t *testing.T) {
	t.Parallel()
	data, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	createKey(t, data, "w", "admin")
	stale := filepath.Join(backup, "audit", "2020-01-01.db") // that the backup before had
	require.NoError(t, os.MkdirAll(filepath.Dir(stale), 0o700))
	require.NoError(t, os.WriteFile(stale, []byte("old"), 0o600))
	run(t, "backup", "--data", data, "--to", backup)
	require.NoFileExists(t, stale)
	require.NoError(t, filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if path == filepath.Join(data, "stream") {
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".db" {
			return err
		}
		name, err := filepath.Rel(data, path)
		require.FileExists(t, filepath.Join(backup, name), "%s", name)
		return err
	}))
	restored := filepath.Join(t.TempDir(), "restored")
	run(t, "restore", "--from", backup, "--data", restored)
	for _, name := range []string{"deliveries.db", "state.db"} {
		require.FileExists(t, filepath.Join(restored, name))
	}
}
