package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDisasterDrill is the drill of docs/running.md: a backup while events come
// in, the machine gone, a restore elsewhere, and the same answers there.
func TestDisasterDrill(t *testing.T) {
	t.Parallel()
	data, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	key, other := createKey(t, data, "w", "admin"), createKey(t, data, "busy", "ingest")
	var address atomic.Value
	server := startServer(t, data, "127.0.0.1:0")
	address.Store(server.address)
	since := time.Now().Add(-5 * 7 * 24 * time.Hour).Unix()

	book, busy := newLedger(), newLedger()
	stop := book.start(t, &address, key, since)
	book.grow(t)
	stop()
	stopBusy := busy.start(t, &address, other, time.Now().Add(-time.Hour).Unix()-3*7*24*3600)
	require.Contains(t, run(t, "backup", "--data", data, "--to", backup), "events in")
	require.Contains(t, run(t, "rollover", "--data", data, "--now"), "seal ")
	require.Contains(t, run(t, "backup", "--data", data, "--to", backup), "events in")
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
	require.Contains(t, run(t, "restore", "--from", backup, "--data", restored), "events as of")
	again := startServer(t, restored, "127.0.0.1:0")
	book.check(t, again.address, key)
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
	fails("is no whole backup", "restore", "--from", backup, "--data", target)
	run(t, "backup", "--data", data, "--to", backup)
	run(t, "restore", "--from", backup, "--data", target)
	require.Contains(t, run(t, "keys", "list", "--data", target, "--workspace", "w"), "admin")
}
