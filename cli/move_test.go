package cli_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/store/mongo/mongotest"
)

// TestAnInstallationMovesToElasticsearchAndMongoDB copies sealed weeks while
// events come in, and the rest after the server stopped, and serves from there.
func TestAnInstallationMovesToElasticsearchAndMongoDB(t *testing.T) {
	t.Parallel()
	state := mongotest.Start(t).URL(t)
	index := strings.TrimSuffix(elasticServer.URL(t), "/") + fmt.Sprintf("/move-%d", rand.Uint32())
	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	var address atomic.Value
	server := startServer(t, data, "127.0.0.1:0")
	address.Store(server.address)

	book := newLedger()
	book.pause = 500 * time.Millisecond // What waits at the end is indexed in seconds.
	stop := book.start(t, &address, key, time.Now().Add(-5*7*24*time.Hour).Unix())
	book.grow(t)
	require.Contains(t, run(t, "rollover", "--data", data, "--now"), "seal ")
	require.Contains(t, run(t, "migrate", "copy", "--from", data, "--to", index, "--to", state), "Stop serve and run this again")
	stop()
	require.NoError(t, server.stop(), server.output())
	require.Contains(t, run(t, "migrate", "copy", "--from", data, "--to", index, "--to", state), "records copied and compared")

	moved := startServer(t, data, "127.0.0.1:0", "--index", index, "--state", state)
	book.check(t, moved.address, key)
	require.Contains(t, run(t, "audit", "verify", "--data", data), "all as they were written")
	require.Contains(t, run(t, "audit", "list", "--data", data, "--workspace", "w"), "keys")
	require.NoError(t, moved.stop(), moved.output())
}
