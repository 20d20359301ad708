package cli_test

import (
	"flag"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var kills = flag.Int("kills", 4, "how often the ledger test kills the server; 20 for the full form")

// The server is the one that people run: it is bounded how soon it is ready again,
// and it takes in several times as much between two kills as a raced one. The test
// runs beside no other of this package.
func TestNothingAcknowledgedIsLostOrDoubledByKills(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	var address atomic.Value
	server := startServer(t, data, "127.0.0.1:0")
	address.Store(server.address)
	since := time.Now().Add(-3 * 7 * 24 * time.Hour).Unix()

	book := newLedger()
	book.pause = 50 * time.Millisecond // Thousands a second, which the socket's end can read.
	stopLoad := book.start(t, &address, key, since)
	heard := listen(t, &address, key)
	slowest := time.Duration(0)
	for i := range *kills {
		time.Sleep(200*time.Millisecond + rand.N(1200*time.Millisecond))
		server.kill()
		began := time.Now()
		server = startServer(t, data, server.address)
		address.Store(server.address)
		slowest = max(slowest, time.Since(began))
		require.Less(t, slowest, 10*time.Second, "ready again after kill %d", i+1)
	}
	t.Logf("ready again at the latest %v after a kill", slowest.Round(time.Millisecond))
	book.grow(t)
	stopLoad()
	awaitIndexed(t, server.address)
	book.check(t, server.address, key)
	heard.check(t, book)
	require.NoError(t, server.stop(), server.output())
}
