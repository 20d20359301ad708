package elastictest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMissingToolsAreNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	require.Equal(t, "no java, no javac, no mvn", missing())
}

func TestSourcesNameAVersionAndHaveAKey(t *testing.T) {
	files, version, key, err := sources()
	require.NoError(t, err)
	require.Regexp(t, `^8\.\d+\.\d+$`, version)
	require.Len(t, key, 12)
	require.Contains(t, files, "Launcher.java")
	require.Contains(t, string(files["plugin-descriptor.properties"]), "@VERSION@")
}

func TestAServerOfOnesOwnIsNotStopped(t *testing.T) {
	t.Setenv("TIDINGS_TEST_ELASTIC", "elasticsearch://es.example:9200")
	var server Server
	require.Equal(t, "elasticsearch://es.example:9200", server.URL(t))
	require.NoError(t, server.Stop())
}
