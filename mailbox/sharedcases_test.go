package mailbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ours are the addresses whose mail the shared cases are, by the beginning of
// their path; the longest counts.
var ours = []struct{ path, address string }{
	{"", "a@acme.example"},
	{"00-semantics-maildir", "ana@acme.example"},
	{"01-refs-only-reply.eml", "ana@acme.example"},
	{"10-comment-in-address.eml", "pete@silly.example"},
	{"13-mailer-daemon", "ana@acme.example"},
	{"14-bcc-received.eml", "ana@acme.example"},
	{"more/", "ana@example.org"},
}

// Each file of the shared cases of mail has its line, or lines, in the golden
// file: what it becomes, or why nothing. Its first column is the file.
func TestSharedCases(t *testing.T) {
	const root = "../../shared/data/cases/mail"
	if _, err := os.Stat(root); err != nil {
		t.Skip("skipped: no shared data")
	}
	var got strings.Builder
	require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(root, path)
		require.NoError(t, err)
		isMaildir := d.IsDir() && strings.HasSuffix(name, "maildir")
		if d.IsDir() && !isMaildir || filepath.Ext(name) == ".ndjson" {
			return nil // Lines of NDJSON are for the command to check.
		}
		name = filepath.ToSlash(name)
		users := map[string]string{}
		for _, each := range ours {
			if strings.HasPrefix(name, each.path) {
				users = map[string]string{each.address: ""}
			}
		}
		options := Options{Owner: Owner{Users: users}, Now: func() time.Time { return time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) }}
		for _, line := range linesOf(t, path, options) {
			got.WriteString(name + " | " + line + "\n")
		}
		if isMaildir {
			return filepath.SkipDir
		}
		return nil
	}))
	const golden = "testdata/sharedcases.golden"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o600))
	}
	require.Equal(t, string(contentOf(t, golden)), got.String())
}
