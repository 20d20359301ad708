package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// TestScripts runs the binary the way a person does, by the scripts in
// testdata/script.
func TestScripts(t *testing.T) {
	binaries := t.TempDir()
	found, err := exec.LookPath(program())
	require.NoError(t, err)
	require.NoError(t, os.Symlink(found, filepath.Join(binaries, "tidings")))
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("PATH", binaries+string(filepath.ListSeparator)+env.Getenv("PATH"))
			return nil
		},
	})
}
