package guard_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the repository, from this folder.
const root = ".."

// module is the path that ours are imported by.
const module = "tidings"

// foreign are folders that hold nothing that people here wrote by hand.
var foreign = []string{".git", "node_modules", "dist", "bin", "data", "testdata", "test-results", "playwright-report", "tidings-demo"}

// goFile is a parsed file of ours.
type goFile struct {
	// path is from the root, folder is the part before the name, "." for the
	// root itself.
	path, folder string
	test         bool
	ast          *ast.File
}

// packageComment is the comment above the package clause.
func (f goFile) packageComment() string {
	if f.ast.Doc == nil {
		return ""
	}
	return strings.TrimSpace(f.ast.Doc.Text())
}

// goFiles parses every Go file of ours.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	walk(t, func(path string, entry fs.DirEntry) {
		if entry.IsDir() || filepath.Ext(path) != ".go" {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, goFile{
			path: path, folder: filepath.ToSlash(filepath.Dir(path)),
			test: strings.HasSuffix(path, "_test.go"), ast: parsed,
		})
	})
	require.NotEmpty(t, files)
	return files
}

// walk visits the files and folders of ours, by their path from the root.
func walk(t *testing.T, visit func(path string, entry fs.DirEntry)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(foreign, entry.Name()) {
			return filepath.SkipDir
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(relative), entry)
		return nil
	})
	require.NoError(t, err)
}

// parse parses a file that is written in a test.
func parse(t *testing.T, text string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	require.NoError(t, err)
	return file
}
