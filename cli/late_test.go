package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestALateEventOpensItsSealedWeek sends an event for a week that is sealed to a
// running server: it is in the feed a moment later, counts as no failure, and the
// next night seals the week again.
func TestALateEventOpensItsSealedWeek(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	server := startServer(t, data, "127.0.0.1:0")
	at := time.Now().Add(-60 * 24 * time.Hour)
	post := func(id string, at time.Time) {
		body, err := json.Marshal(map[string]any{
			"id": id, "type": "open", "time": at.Unix(), "message": "m-" + id, "recipient": map[string]string{"email": "jo@acme.example"},
		})
		require.NoError(t, err)
		require.NoError(t, request(http.MethodPost, "http://"+server.address+"/v1/events", key, "application/json", body, &struct{}{}))
	}
	shown := func() []string {
		var page struct{ Items []struct{ Message string } }
		require.NoError(t, request(http.MethodGet, "http://"+server.address+"/v1/feed?limit=200", key, "", nil, &page))
		var messages []string
		for _, item := range page.Items {
			messages = append(messages, item.Message)
		}
		return messages
	}
	sealed := func() int {
		files, err := filepath.Glob(filepath.Join(data, "weeks", "*.sealed.db"))
		require.NoError(t, err)
		return len(files)
	}
	post("first", at)
	require.Eventually(t, func() bool { return len(shown()) == 1 }, 20*time.Second, 20*time.Millisecond)
	require.Contains(t, run(t, "rollover", "--data", data, "--now"), "seal ")
	require.Equal(t, 1, sealed())

	post("now", time.Now())
	for n := range 5 {
		post(fmt.Sprint("late", n), at.Add(time.Duration(n)*time.Second))
	}
	require.Eventually(t, func() bool { return len(shown()) == 7 }, 60*time.Second, 50*time.Millisecond)
	require.Zero(t, sealed(), "the week is open")
	require.Contains(t, run(t, "rollover", "--data", data, "--now"), "seal ")
	require.Equal(t, 1, sealed())
	require.Len(t, shown(), 7)
	var dead struct{ Items []any }
	require.NoError(t, request(http.MethodGet, "http://"+server.address+"/v1/dead-letters", key, "", nil, &dead))
	require.Empty(t, dead.Items)
	require.NoError(t, server.stop(), server.output())
}
