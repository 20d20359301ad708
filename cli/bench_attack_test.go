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
	require.Regexp(t, `\| pages of mailings, by answer \| .*200: [1-9]`, out)
	require.Regexp(t, `\| sockets that do not answer, by answer \| .*101: [1-9]`, out)
}
