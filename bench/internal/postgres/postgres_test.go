package postgres_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/bench/internal/postgres"
)

func TestTextsComeBackAsTheyWere(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a PostgreSQL")
	}
	// Root's PostgreSQL runs as another user, who must be able to get there.
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o711))
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711))
	server, err := postgres.Start(t.Context(), filepath.Join(dir, "data"))
	if errors.Is(err, postgres.ErrNotInstalled) {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop(t.Context())) }()
	require.Contains(t, server.Version, "PostgreSQL")
	conn, err := server.Connect(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()

	require.NoError(t, conn.Query(`CREATE TABLE t (a text, b text[], c text)`, nil))
	odd := "tab\t, line\n, return\r, slash \\n, quote ' \" {a,b} and ünï"
	line := postgres.AppendCopied(nil, odd, postgres.Array([]string{odd, "", `"`}), "")
	require.NoError(t, conn.Copy("BEGIN; COPY t FROM STDIN; UPDATE t SET a = a; COMMIT", line))
	rows := 0
	require.NoError(t, conn.Query("SELECT a, b[1], b[2], b[3], c FROM t WHERE a = "+postgres.Literal(odd), func(columns [][]byte) error {
		rows++
		require.Len(t, columns, 5)
		require.Equal(t, odd, string(columns[0]))
		require.Equal(t, odd, string(columns[1]))
		require.Empty(t, columns[2])
		require.NotNil(t, columns[2])
		require.Equal(t, `"`, string(columns[3]))
		require.Nil(t, columns[4])
		return nil
	}))
	require.Equal(t, 1, rows)

	require.ErrorContains(t, conn.Query("SELECT nothing_of_that_name", nil), "nothing_of_that_name")
	require.NoError(t, conn.Query("SELECT 1", nil), "after an error the connection goes on")
}
