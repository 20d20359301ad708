package app

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// oddities are what may stand in a part's place, or beside it, that nobody expects.
var oddities = []struct {
	name    string
	folders bool
	damage  func(t *testing.T, path, other string)
}{
	{"a folder", false, func(t *testing.T, path, _ string) {
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.Mkdir(path, 0o700))
	}},
	{"a folder with a file in it", false, func(t *testing.T, path, _ string) {
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.Mkdir(path, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(path, "x"), []byte("x"), 0o600))
	}},
	{"a file", true, func(t *testing.T, path, _ string) {
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	}},
	{"a pipe", true, func(t *testing.T, path, _ string) {
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, syscall.Mkfifo(path, 0o600))
	}},
	{"a link to nothing", true, func(t *testing.T, path, _ string) {
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, os.Symlink(filepath.Join(t.TempDir(), "nothing"), path))
	}},
	{"a link to itself", true, func(t *testing.T, path, _ string) {
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, os.Symlink(path, path))
	}},
	{"a link to another directory's", true, func(t *testing.T, path, other string) {
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, os.Symlink(other, path))
	}},
	{"a link to where it was moved", true, func(t *testing.T, path, _ string) {
		moved := filepath.Join(t.TempDir(), "moved")
		require.NoError(t, os.Rename(path, moved))
		require.NoError(t, os.Symlink(moved, path))
	}},
	{"its first bytes alone", false, func(t *testing.T, path, _ string) { require.NoError(t, os.Truncate(path, 10)) }},
	{"its first page alone", false, func(t *testing.T, path, _ string) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.NoError(t, os.Truncate(path, min(8192, info.Size()-1)))
	}},
	{"zeroes", false, func(t *testing.T, path, _ string) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, make([]byte, info.Size()), 0o600))
	}},
	{"a log of nothing beside it", false, func(t *testing.T, path, _ string) {
		require.NoError(t, os.WriteFile(path+"-wal", []byte(strings.Repeat("no log ", 5000)), 0o600))
	}},
	{"an index of a log of nothing beside it", false, func(t *testing.T, path, _ string) {
		require.NoError(t, os.WriteFile(path+"-shm", []byte(strings.Repeat("no index", 4096)), 0o600))
	}},
	{"a journal of nothing beside it", false, func(t *testing.T, path, _ string) {
		require.NoError(t, os.WriteFile(path+"-journal", []byte(strings.Repeat("no journal ", 5000)), 0o600))
	}},
	{"a folder for its log", false, func(t *testing.T, path, _ string) { require.NoError(t, os.Mkdir(path+"-wal", 0o700)) }},
	{"half of a log beside it", false, func(t *testing.T, path, other string) {
		raw, err := os.ReadFile(other)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path+"-wal", raw[:len(raw)/2], 0o600))
	}},
}

// TestOddDamageIsNamed puts what nobody expects in the place of each part. It is named, in
// time, or nothing is lost.
func TestOddDamageIsNamed(t *testing.T) {
	whole, other := fullDirectory(t, queued), fullDirectory(t, queued+2)
	for _, part := range directoryParts {
		for _, each := range oddities {
			t.Run(part.name+" "+each.name, func(t *testing.T) {
				t.Parallel()
				info, err := os.Stat(oneFile(t, whole, part.pattern))
				require.NoError(t, err)
				if info.IsDir() && !each.folders {
					return
				}
				data := filepath.Join(t.TempDir(), "data")
				require.NoError(t, os.CopyFS(data, os.DirFS(whole)))
				path := oneFile(t, data, part.pattern)
				copied := filepath.Join(t.TempDir(), "other")
				require.NoError(t, os.CopyFS(copied, os.DirFS(other)))
				each.damage(t, path, oneFile(t, copied, part.pattern))
				said := make(chan string, 1)
				go func() { said <- strings.Join(found(t, data), "; ") }()
				select {
				case words := <-said:
					t.Log(words)
					named := strings.Contains(words, filepath.Base(path)) || strings.Contains(words, "a block of the queue") || inWords([]string{words}) == "nothing is lost" ||
						strings.HasPrefix(words, "ready: ") || strings.HasPrefix(words, "deep: ") || strings.HasPrefix(words, "audit: ")
					require.True(t, named, words)
				case <-time.After(2 * time.Minute):
					t.Fatal("nothing was said")
				}
			})
		}
	}
}
