//go:build unix

package app_test

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNobodyElseReadsAFile(t *testing.T) {
	dir := t.TempDir()
	a := openForOne(t, filepath.Join(dir, "data"))
	defer func() { require.NoError(t, a.Close()) }()
	files := 0
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "data"), func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		if info.Mode().IsRegular() {
			files++
			require.Zero(t, info.Mode().Perm()&0o077, path)
		}
		return nil
	}))
	require.Greater(t, files, 2)
}
