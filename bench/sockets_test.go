package bench

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain is the server of sockets where a test starts this program as one.
func TestMain(m *testing.M) {
	if os.Getenv("SERVE_SOCKETS") != "" {
		if err := serveSockets(context.Background(), os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// Every socket has everything of its workspace, once, and all come back.
func TestSocketsHearWhatIsPublished(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	server := exec.CommandContext(t.Context(), self)
	server.Env = append(os.Environ(), "SERVE_SOCKETS=1")
	sockets := &Sockets{Sockets: 20, Rate: 200, For: time.Second / 2}
	found, err := sockets.measure(t.Context(), "Tidings", tidingsSocket, server, 0)
	require.NoError(t, err)
	require.EqualValues(t, 100*socketsEach, found.expected)
	require.Equal(t, found.expected, found.deliveries)
	require.Greater(t, found.bytes, 300.0, "an event is told whole")
	require.Positive(t, found.back)
	require.Empty(t, sockets.judge([]*socketsFound{{name: "Tidings", deliveries: 5, expected: 5, timing: NewTiming()}}, 1))
	require.Len(t, sockets.judge([]*socketsFound{{name: "Tidings", deliveries: 4, expected: 5, timing: NewTiming()}}, 0.9), 2)
}
