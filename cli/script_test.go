package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// sends N FILE writes so many sends, a minute apart.
			"sends": func(script *testscript.TestScript, _ bool, args []string) {
				events, err := strconv.Atoi(args[0])
				script.Check(err)
				script.Check(os.WriteFile(script.MkAbs(args[1]), sendLines(events), 0o600))
			},
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("PATH", binaries+string(filepath.ListSeparator)+env.Getenv("PATH"))
			return nil
		},
	})
}
