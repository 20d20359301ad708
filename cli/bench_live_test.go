package cli_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The short form, whose times say nothing: every live event is heard, beside an import too.
func TestBenchLiveHearsAll(t *testing.T) {
	out := run(t, "bench", "live", "--data", filepath.Join(t.TempDir(), "d"), "--for", "2s", "--rate", "10", "--senders", "1")
	for _, imported := range []string{"nothing", "an archive of 43 weeks, oldest first", "an archive of 520 weeks, shuffled"} {
		require.Regexp(t, `\| `+imported+` \| \d+ \| p50 [^|]*\| [1-9]\d*: p50 `, out)
	}
}
