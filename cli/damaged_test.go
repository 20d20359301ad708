package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestOneBadWeekIsOneBadWeek cuts the file of a sealed week while a server runs on
// it: live events go on, reads answer in part and name the week, late events wait
// apart, the night goes on, and all of it ends when the week is restored.
func TestOneBadWeekIsOneBadWeek(t *testing.T) {
	t.Parallel()
	data, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	key := createKey(t, data, "w", "admin")
	server := startServer(t, data, "127.0.0.1:0")
	base := "http://" + server.address
	old := time.Now().Add(-60 * 24 * time.Hour)
	older := old.Add(-14 * 24 * time.Hour)
	opened := opens{base, key, older.Add(-time.Hour)}
	shows := func(n int) func() bool {
		return func() bool { return len(opened.page(t).Items) == n }
	}
	for n := range 30 {
		opened.post(t, fmt.Sprint("old", n), old.Add(time.Duration(n)*time.Second))
	}
	opened.post(t, "older", older)
	require.Eventually(t, shows(31), 30*time.Second, 50*time.Millisecond)
	require.Contains(t, run(t, "rollover", "--data", data, "--now"), "seal ")
	run(t, "backup", "--data", data, "--to", backup)
	year, week := old.UTC().ISOWeek()
	name := fmt.Sprintf("%d-w%02d", year, week)
	file := filepath.Join(data, "weeks", name+".sealed.db")
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(file, info.Size()/2))

	for n := range 30 {
		opened.post(t, fmt.Sprint("late", n), old.Add(time.Duration(n)*time.Minute/4))
	}
	opened.post(t, "now", time.Now())
	require.Eventually(t, func() bool {
		p := opened.page(t)
		return len(p.Items) == 2 && p.Partial && len(p.Warnings) == 1 && strings.Contains(p.Warnings[0], name)
	}, 30*time.Second, 50*time.Millisecond, server.output())
	var stats struct {
		Partial  bool
		Warnings []string
		Totals   struct{ Events int }
	}
	require.NoError(t, request(http.MethodGet, base+"/v1/stats?since="+fmt.Sprint(older.Add(-time.Hour).Unix()), key, "", nil, &stats))
	require.True(t, stats.Partial)
	require.Contains(t, stats.Warnings[0], name)
	require.Contains(t, exported(t, base, key), name)
	require.NoError(t, request(http.MethodGet, base+"/v1/weeks", key, "", nil, &struct{}{}))
	health := get(t, base+"/readyz")
	require.Contains(t, health, `"degraded"`)
	require.Contains(t, health, "--week "+name)
	require.NotContains(t, run(t, "rollover", "--data", data, "--now"), "seal "+name, "the night goes on without it")
	require.Eventually(t, func() bool {
		var dead struct{ Items []any }
		require.NoError(t, request(http.MethodGet, base+"/v1/dead-letters?limit=200", key, "", nil, &dead))
		return len(dead.Items) == 30
	}, 30*time.Second, 100*time.Millisecond)

	require.Contains(t, run(t, "restore", "--data", data, "--week", name, "--from", backup), "30 events in week "+name)
	require.Eventually(t, shows(62), 60*time.Second, 100*time.Millisecond, "and the events that waited are in it")
	require.False(t, opened.page(t).Partial)
	require.NotContains(t, get(t, base+"/readyz"), "degraded")
	require.NoError(t, server.stop(), server.output())
}

func get(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

// exported reads an export to its end, and returns what it says is missing.
func exported(t *testing.T, base, key string) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, base+"/v1/export?format=ndjson", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	_, err = io.ReadAll(response.Body)
	require.NoError(t, err, "it does not break off")
	require.Equal(t, http.StatusOK, response.StatusCode)
	return response.Header.Get("Tidings-Partial") + response.Trailer.Get("Tidings-Partial")
}
