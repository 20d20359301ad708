package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAListWhoseWritingBrokeOffGoesOn adds a person after half a line, and one whose
// record is longer than a scanner's line.
func TestAListWhoseWritingBrokeOffGoesOn(t *testing.T) {
	backup := knownBackup{Path: t.TempDir()}
	first := erasedPerson{"acme", "one", []byte(`{}`)}
	require.NoError(t, backup.add(first))
	file, err := os.OpenFile(filepath.Join(backup.Path, erasuresName), os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = file.WriteString(`{"w":"acme","id":"half`)
	require.NoError(t, err)
	require.NoError(t, file.Close())

	long := erasedPerson{"acme", "two", []byte(`"` + strings.Repeat("0", 100_000) + `"`)}
	require.NoError(t, backup.add(long))
	people, err := readErasures(backup.Path)
	require.NoError(t, err)
	require.Equal(t, []erasedPerson{first, long}, people)
}
