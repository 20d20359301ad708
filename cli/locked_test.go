package cli_test

import (
	"database/sql"
	"flag"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

var outage = flag.Duration("outage", 5*time.Second, "how long the ledger test makes the stores fail; 30s for the full form")

// The server is raced: batches are retried while events come in and pages are read.
func TestNothingAcknowledgedIsLostOrDoubledWhileTheStoresFail(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	var address atomic.Value
	server := startRaced(t, data, "127.0.0.1:0")
	address.Store(server.address)
	since := time.Now().Add(-3 * 7 * 24 * time.Hour).Unix()

	book := newLedger()
	book.pause = 250 * time.Millisecond // What waits at the end is indexed in seconds.
	stopLoad := book.start(t, &address, key, since)
	book.grow(t)
	awaitEvent(t, server.address, key)
	unlock := lockDatabases(t, data)
	time.Sleep(*outage / 2)
	var page struct{ Items []any }
	require.NoError(t, request(http.MethodGet, "http://"+server.address+"/v1/feed", key, "", nil, &page), "reading goes on")
	require.NotEmpty(t, page.Items)
	before := book.size()
	time.Sleep(*outage / 2)
	require.Greater(t, book.size(), before, "accepting goes on")
	unlock()
	book.grow(t)
	stopLoad()
	awaitIndexed(t, server.address)
	book.check(t, server.address, key)
	require.NoError(t, server.stop(), server.output())
}

// lockDatabases keeps every writer out of the state and of the weeks, as a
// stuck disk or a backup tool would.
func lockDatabases(t *testing.T, data string) (unlock func()) {
	t.Helper()
	weeks, err := filepath.Glob(filepath.Join(data, "weeks", "*.db"))
	require.NoError(t, err)
	require.NotEmpty(t, weeks)
	var connections []*sql.DB
	for _, path := range append(weeks, filepath.Join(data, "state.db")) {
		db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(20000)")
		require.NoError(t, err)
		db.SetMaxOpenConns(1)
		_, err = db.Exec("BEGIN IMMEDIATE")
		require.NoError(t, err)
		connections = append(connections, db)
	}
	return func() {
		for _, db := range connections {
			_, err := db.Exec("ROLLBACK")
			require.NoError(t, err)
			require.NoError(t, db.Close())
		}
	}
}
