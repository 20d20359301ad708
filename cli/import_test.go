package cli_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stopsWithin is far more than an import takes to end after a signal, and far less
// than it takes to index what waits.
const stopsWithin = 30 * time.Second

// The import that is stopped is raced: all its parts are told at once.
func TestAnImportStopsWhenItIsToldAndLosesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// mails are several requests more than were taken in at the moment, and several
		// batches more than were indexed.
		mails  int
		moment func(data, output string) bool
	}{
		"while it reads": {3_000, func(data, _ string) bool {
			saved, err := filepath.Glob(filepath.Join(data, "imports", "*"))
			return err == nil && len(saved) > 0
		}},
		"while it waits to index": {2_000, func(_, output string) bool {
			return strings.Contains(output, "Waiting until everything is indexed")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			file := filepath.Join(t.TempDir(), "old.ndjson")
			writeSends(t, file, c.mails)
			args := []string{"import", "--data", data, "--workspace", "acme", "--as", "ndjson", file}

			out := interrupt(t, exec.Command(raced, args...), func(output string) bool { return c.moment(data, output) })
			require.Contains(t, out, "interrupted: ")

			run(t, args...)
			key := createKey(t, data, "acme", "read")
			server := startServer(t, data, "127.0.0.1:0")
			found := make(map[string]int)
			walk(t, server.address, key, url.Values{}, func(_, message string, _ int) { found[message]++ })
			require.Len(t, found, c.mails)
			for message, times := range found {
				require.Equal(t, 1, times, message)
			}
		})
	}
}

// writeSends writes events as the API takes them, a minute apart.
func writeSends(t *testing.T, path string, events int) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, sendLines(events), 0o600))
}

func sendLines(events int) []byte {
	var lines bytes.Buffer
	begin := time.Now().Add(-time.Duration(events) * time.Minute).Unix()
	for i := range events {
		fmt.Fprintf(&lines, `{"type":"send","time":%d,"message":"m-%d","subject":"Offer %d","recipients":[{"email":"r%d@acme.example"}]}`+"\n",
			begin+int64(i)*60, i, i, i)
	}
	return lines.Bytes()
}

// interrupt lets a command run until the moment has come, asks it to stop, and
// returns what it said. It has to end with code 1, and soon.
func interrupt(t *testing.T, command *exec.Cmd, moment func(output string) bool) string {
	t.Helper()
	output := &lockedBuffer{}
	command.Stderr = output
	// What the race detector needs is not in an import's bound of memory.
	command.Env = append(os.Environ(), "GOMEMLIMIT=1GiB")
	require.NoError(t, command.Start())
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	require.Eventually(t, func() bool { return moment(output.String()) }, time.Minute, time.Millisecond)
	require.NoError(t, command.Process.Signal(terminate))
	select {
	case err := <-ended:
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, output.String())
		require.Equal(t, 1, exit.ExitCode(), output.String())
	case <-time.After(stopsWithin):
		_ = command.Process.Kill()
		t.Fatalf("it went on after the signal: %s", output.String())
	}
	return output.String()
}

// lockedBuffer takes what a process says while a test reads it.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
