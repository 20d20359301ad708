package cli_test

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/stream"
)

// What waits in the queue may wait for what is broken: who only looks leaves it alone.
func TestCommandsThatLookAnswerWithoutTheQueueAndWithoutABrokenWeek(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	createKey(t, data, "w", "admin")
	failed := failForGood(t, data, "w")
	waiting := failed
	waiting.ID = event.NewID(waiting.Time, "w", "test", true, []byte("waiting"))
	queue := openQueue(t, data)
	require.NoError(t, queue.Publish(t.Context(), event.LaneLive, []event.Event{waiting}))
	require.NoError(t, queue.Close())
	week := filepath.Join(data, "weeks", failed.Week().String()+".sealed.db")
	require.NoError(t, os.WriteFile(week, []byte("no database"), 0o600))

	require.Contains(t, run(t, "dead-letters", "list", "--data", data, "--workspace", "w"), failed.ID.String())
	require.Contains(t, run(t, "search", "--data", data, "--workspace", "w", "opens"), failed.Week().String(), "what was not reached is named")
	report, err := exec.Command(program(), "doctor", "--data", data, "--listen", "127.0.0.1:0").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(report), failed.Week().String())
	require.Contains(t, string(report), "1 events failed for good")

	queue = openQueue(t, data)
	defer func() { require.NoError(t, queue.Close()) }()
	require.Eventually(t, func() bool { return queue.Backlog() == 1 }, 10*time.Second, 10*time.Millisecond, "it still waits")
}

func openQueue(t *testing.T, data string) *stream.Stream {
	t.Helper()
	queue, err := stream.Open(t.Context(), stream.Config{Dir: filepath.Join(data, "stream"), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return queue
}
