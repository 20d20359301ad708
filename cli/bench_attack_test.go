package cli_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The short form, whose times and memory say nothing: it goes on until each kind got in,
// however slow the machine is. The long one is tidings bench attack.
func TestBenchAttackLosesNothing(t *testing.T) {
	in := []string{
		`pages of mailings [^;|]*200: [1-9]`, `sockets that do not answer [^;|]*101: [1-9]`,
		`unsigned webhooks of 9 MiB [^;|]*401: [1-9]`, `forged webhooks of 9 MiB [^;|]*401: [1-9]`,
		`exports that are read slowly [^;|]*200: [1-9]`, `small requests without a key [^;|]*401: [1-9]`,
	}
	for length := time.Second; ; length *= 4 {
		out := run(t, "bench", "attack", "--data", filepath.Join(t.TempDir(), "d"), "--each", (length / 4).String(), "--for", length.String(), "--quiet", "500ms", "--mailings", "3")
		require.Regexp(t, `Of [1-9]\d* acknowledged events 0 are missing`, out)
		missing := slices.DeleteFunc(slices.Clone(in), func(kind string) bool { return regexp.MustCompile(kind).MatchString(out) })
		if len(missing) == 0 {
			return
		}
		require.Less(t, length, time.Minute, "never got in: %s\n%s", missing, out)
	}
}
