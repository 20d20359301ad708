package crash

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// child tells a copy of the test binary to go through three moments.
const child = "TIDINGS_CRASH_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		if err := FromEnvironment(); err != nil {
			os.Exit(2)
		}
		for _, where := range []string{"commit", "rename", "commit"} {
			At(where)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestAProcessIsKilledAtTheMomentThatIsNamed(t *testing.T) {
	for given, ends := range map[string]string{
		"": "", "4:": "", "3:commit": "", "1:other": "",
		"1:commit": "killed at: commit\n", "2:": "killed at: rename\n", "2:commit": "killed at: commit\n",
	} {
		command := exec.CommandContext(t.Context(), os.Args[0])
		command.Env = append(os.Environ(), child+"=1", Variable+"="+given)
		said, err := command.CombinedOutput()
		require.Equal(t, ends, string(said), given)
		require.Equal(t, ends == "", err == nil, given)
	}
	for _, wrong := range []string{"0:commit", "x", "-1:"} {
		command := exec.CommandContext(t.Context(), os.Args[0])
		command.Env = append(os.Environ(), child+"=1", Variable+"="+wrong)
		var ended *exec.ExitError
		require.ErrorAs(t, command.Run(), &ended, wrong)
		require.Equal(t, 2, ended.ExitCode(), wrong)
	}
}
