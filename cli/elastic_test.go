package cli_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/store/elastic/elastictest"
)

// TestNothingAcknowledgedIsLostOrDoubledWhileElasticsearchFails serves on an
// Elasticsearch that is cut off for a while, is too busy for some writes and
// loses some answers, with a kill of the server in between. The server is raced:
// batches are retried beside each other.
func TestNothingAcknowledgedIsLostOrDoubledWhileElasticsearchFails(t *testing.T) {
	t.Parallel()
	proxy := elastictest.NewProxy(t, elasticServer.URL(t))
	index := proxy.URL() + "/ledger-" + strings.ToLower(time.Now().Format("150405-000000000"))
	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	var address atomic.Value
	server := startRaced(t, data, "127.0.0.1:0", "--index", index)
	address.Store(server.address)

	book := newLedger()
	book.pause = 250 * time.Millisecond // What waits at the end is indexed in seconds.
	stopLoad := book.start(t, &address, key, time.Now().Add(-3*7*24*time.Hour).Unix())
	heard := listen(t, &address, key)
	proxy.Set(elastictest.Faults{Busy: 0.1, Lost: 0.05})
	book.grow(t)
	proxy.Cut()
	before := book.size()
	time.Sleep(*outage / 2)
	require.Greater(t, book.size(), before, "accepting goes on")
	require.ErrorContains(t, request(http.MethodGet, "http://"+server.address+"/v1/feed", key, "", nil, nil), "503")
	server.kill()
	proxy.Restore()
	server = startRaced(t, data, server.address, "--index", index)
	address.Store(server.address)
	book.grow(t)
	stopLoad()
	awaitIndexed(t, server.address)
	refreshed, err := http.Post(strings.Replace(proxy.URL(), "elasticsearch", "http", 1)+"/_refresh", "application/json", nil)
	require.NoError(t, err)
	require.NoError(t, refreshed.Body.Close())
	require.Equal(t, http.StatusOK, refreshed.StatusCode)
	book.check(t, server.address, key)
	heard.check(t, book)
	require.NoError(t, server.stop(), server.output())
}

// TestOneClosedIndexIsOneBadWeek closes the index of a week while a server runs on it, as
// TestOneBadWeekIsOneBadWeek cuts a file: live events go on, answers are partial and name
// the week, its events wait, the night goes on, and all of it ends when it is opened.
func TestOneClosedIndexIsOneBadWeek(t *testing.T) {
	t.Parallel()
	cluster := strings.Replace(elasticServer.URL(t), "elasticsearch://", "http://", 1)
	prefix := "closed-" + strings.ToLower(time.Now().Format("150405-000000000"))
	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	server := startServer(t, data, "127.0.0.1:0", "--index", elasticServer.URL(t)+"/"+prefix)
	base := "http://" + server.address
	old := time.Now().Add(-60 * 24 * time.Hour)
	year, week := old.UTC().ISOWeek()
	name := fmt.Sprintf("%d-w%02d", year, week)
	opened := opens{base, key, old.Add(-time.Hour)}
	tell := func(method, path string) {
		t.Helper()
		asked, err := http.NewRequest(method, cluster+path, nil)
		require.NoError(t, err)
		answered, err := http.DefaultClient.Do(asked)
		require.NoError(t, err)
		require.NoError(t, answered.Body.Close())
		require.Equal(t, http.StatusOK, answered.StatusCode, path)
	}
	for n := range 10 {
		opened.post(t, fmt.Sprint("old", n), old.Add(time.Duration(n)*time.Second))
	}
	require.Eventually(t, func() bool { return len(opened.page(t).Items) == 10 }, time.Minute, 100*time.Millisecond, server.output())
	index := "/" + prefix + "-events-v2-" + name
	tell(http.MethodPost, index+"/_close")

	for n := range 10 {
		opened.post(t, fmt.Sprint("late", n), old.Add(time.Duration(n)*time.Minute/4))
	}
	opened.post(t, "now", time.Now())
	require.Eventually(t, func() bool {
		p := opened.page(t)
		return len(p.Items) == 1 && p.Partial && len(p.Warnings) == 1 && strings.Contains(p.Warnings[0], name)
	}, time.Minute, 100*time.Millisecond, server.output())
	var stats partialPage
	require.NoError(t, request(http.MethodGet, base+"/v1/stats?since="+fmt.Sprint(old.Add(-time.Hour).Unix()), key, "", nil, &stats))
	require.True(t, stats.Partial)
	require.Contains(t, exported(t, base, key), name)
	require.NoError(t, request(http.MethodGet, base+"/v1/weeks", key, "", nil, &struct{}{}))
	health := get(t, base+"/readyz")
	require.Contains(t, health, `"degraded"`)
	require.Contains(t, health, "week "+name+" is damaged")
	require.Contains(t, health, "_open")
	require.NotContains(t, run(t, "rollover", "--data", data, "--now"), "seal "+name, "the night goes on without it")
	var dead struct{ Items []any }
	require.Eventually(t, func() bool {
		require.NoError(t, request(http.MethodGet, base+"/v1/dead-letters?limit=200", key, "", nil, &dead))
		return len(dead.Items) == 10
	}, time.Minute, 100*time.Millisecond, server.output())

	tell(http.MethodPost, index+"/_open")
	require.Eventually(t, func() bool { return len(opened.page(t).Items) == 21 }, time.Minute, 100*time.Millisecond, "and the events that waited are in it")
	require.False(t, opened.page(t).Partial)
	require.NotContains(t, get(t, base+"/readyz"), "degraded")
	require.NoError(t, server.stop(), server.output())
}
