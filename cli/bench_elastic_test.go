package cli_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The figures of so few events say nothing; that each part finds all of its events
// again, and leaves nothing behind, is checked by the command itself.
func TestBenchElasticMeasuresEveryPart(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "bench")
	out := run(t, "bench", "elastic", "--index", elasticServer.URL(t), "--data", data,
		"--events", "1500", "--weeks", "1", "--workspaces", "2", "--rounds", "1", "--queries", "10")
	for _, figure := range []string{"P2", "P3", "P6", "P7", "P11"} {
		require.Regexp(t, `(?m)^\| `+figure+`, `, out)
	}
	require.Len(t, regexp.MustCompile(`(?m)^\| ratio`).FindAllString(out, -1), 7, out)
	require.Contains(t, out, "P5 needs a workspace with 100 pages")
	require.NoDirExists(t, data)

	output, err := exec.Command(program(), "bench", "elastic", "pages", "--index", "elasticsearch://127.0.0.1:1", "--data", data).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(output), `"pages" is not a part: they are ingest, page, weeks, mutable, size`)
}
