package cli_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The short form: one kill, requests that are repeated, and clocks that are off. The long one
// is tidings bench faults.
func TestBenchFaultsKeepsItsLedger(t *testing.T) {
	t.Parallel()
	out := run(t, "bench", "faults", "--data", filepath.Join(t.TempDir(), "d"), "--only", "killed,thrice,clock", "--kills", "1", "--senders", "1")
	require.Regexp(t, `\| the process is killed at a random moment \| 1 \| [1-9]\d* \| 0 \| 0 \| 0 \|`, out)
	require.Regexp(t, `\| every request is sent three times \| 1 \| [1-9]\d* \| 0 \| 0 \| 0 \|`, out)
	require.Regexp(t, `\| senders' clocks are .* \| 1 \| 5 \| 0 \| 0 \| 0 \| 202: 5, 400: 1 \|`, out)
}
