package guard_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The check of vulnerabilities reads a database from the folder that GOVULNDB names, and fails
// where our code calls what is vulnerable there.
func TestVulnerabilitiesReadsADatabaseFromAFolder(t *testing.T) {
	require.FileExists(t, "../.ci/vulnerabilities") // and go test runs this again when it has changed
	check := func(modules string) (code int, said string) {
		t.Helper()
		database := t.TempDir()
		for name, text := range map[string]string{
			"index/db.json":        `{"modified":"2026-01-01T00:00:00Z"}`,
			"index/modules.json":   modules,
			"ID/GO-2099-0001.json": vulnerable,
		} {
			path := filepath.Join(database, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		}
		command := exec.CommandContext(t.Context(), ".ci/vulnerabilities", "./crash")
		command.Dir = ".."
		command.Env = append(os.Environ(), "GOVULNDB="+database, "SKIPPED=/dev/null")
		out, err := command.CombinedOutput()
		var ended *exec.ExitError
		if errors.As(err, &ended) {
			return ended.ExitCode(), string(out)
		}
		require.NoError(t, err)
		return 0, string(out)
	}
	code, said := check(`[]`)
	require.Zero(t, code, said)
	code, said = check(`[{"path":"stdlib","vulns":[{"id":"GO-2099-0001","modified":"2026-01-01T00:00:00Z"}]}]`)
	require.Equal(t, 3, code, said)
	require.Contains(t, said, "GO-2099-0001")
}

// vulnerable says that os.Getenv, which crash calls, is.
const vulnerable = `{
	"schema_version": "1.3.1", "id": "GO-2099-0001", "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
	"summary": "made up", "details": "made up",
	"affected": [{
		"package": {"name": "stdlib", "ecosystem": "Go"},
		"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
		"ecosystem_specific": {"imports": [{"path": "os", "symbols": ["Getenv"]}]}
	}],
	"database_specific": {"url": "https://pkg.go.dev/vuln/GO-2099-0001", "review_status": "REVIEWED"}
}`
