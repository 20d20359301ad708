package cli_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The short form, whose times and memory say nothing. The long one is tidings bench attack.
func TestBenchAttackLosesNothing(t *testing.T) {
	out := run(t, "bench", "attack", "--data", filepath.Join(t.TempDir(), "d"), "--for", "1s", "--quiet", "500ms", "--mailings", "3")
	require.Regexp(t, `\| its acknowledged events that are missing \| 0 of [1-9]\d* \| 0 \|`, out)
	for _, kind := range []string{"bodies that come slowly", "exports that are read slowly", "gzip bodies of 9 MiB", "pages of mailings", "sockets that do not answer", "unsigned webhooks of 9 MiB"} {
		require.Regexp(t, `\| `+kind+`, by answer \| (\d+|broken off): [1-9]`, out)
	}
}
