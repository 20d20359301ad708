package cli_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The short form, whose times say nothing: every live event is heard, beside an import too.
// It goes on until something of each archive got in, however slow the machine is.
func TestBenchLiveHearsAll(t *testing.T) {
	for length := time.Second; ; length *= 4 {
		out, err := exec.Command(program(), "bench", "live", "--data", filepath.Join(t.TempDir(), "d"),
			"--for", length.String(), "--rate", "20", "--senders", "1").CombinedOutput()
		if err != nil && strings.Contains(string(out), " was not imported") && length < time.Minute {
			continue
		}
		require.NoError(t, err, "%s", out)
		for _, imported := range []string{"nothing", "an archive of 43 weeks, oldest first", "an archive of 520 weeks, shuffled"} {
			require.Regexp(t, `\| `+imported+` \| \d+ \| p50 [^|]*\| [1-9]\d*: p50 `, string(out))
		}
		return
	}
}
