package cli_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The short form: one kill, and requests that are repeated. The long one is
// tidings bench faults.
func TestBenchFaultsKeepsItsLedger(t *testing.T) {
	out := run(t, "bench", "faults", "--data", filepath.Join(t.TempDir(), "d"), "--kills", "1", "--pauses", "0", "--senders", "1")
	require.Regexp(t, `\| the process is killed at a random moment \| 1 \| [1-9]\d* \| 0 \| 0 \|`, out)
	require.Regexp(t, `\| every request is sent three times \| 1 \| [1-9]\d* \| 0 \| 0 \|`, out)
}
