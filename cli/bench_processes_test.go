package cli_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/faulty"
)

// The short form: one API and one indexer, each fault, and nothing lost or doubled. The long
// one is tidings bench processes.
func TestBenchProcessesKeepsItsLedger(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped: -short, and this runs seven servers")
	}
	if faulty.FindSecantus() == "" {
		t.Skip("skipped: no SecantusDB: make prepare")
	}
	data := filepath.Join(t.TempDir(), "d")
	out := run(t, "bench", "processes", "--index", strings.TrimSuffix(elasticServer.URL(t), "/"), "--data", data, "--counts", "1", "--events", "200", "--senders", "2")
	require.Regexp(t, `(?m)^\| 1 \| 200 \| \d+ \| \d+ \| .* \| \d+\.\d\d, \d+\.\d\d, \d+\.\d\d, not known, \d+\.\d\d \|$`, out)
	for _, what := range []string{
		"nothing", "each API and indexer is restarted in order, one after another", "each API is killed in turn",
		"each indexer is killed in turn", "each NATS server is killed in turn", "MongoDB's protocol is killed",
		"the line to Elasticsearch is cut for a second",
	} {
		require.Regexp(t, `(?m)^\| `+what+` \| [1-9]\d* \| 0 \| 0 \| 0 \| .*202: [1-9]`, out)
	}
	require.NoDirExists(t, filepath.Join(data, "1"))
}
