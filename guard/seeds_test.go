package guard_test

import (
	"go/ast"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// readerOf is the test that reads a kept input, by the folder that it is in: Go's fuzzing
// reads all files of a target's folder, rapid those that begin with the name of their test.
// The name of a subtest follows that of its test.
func readerOf(t *testing.T, kept string) string {
	t.Helper()
	test := filepath.Base(filepath.Dir(kept))
	if strings.Contains(kept, "/testdata/rapid/") {
		require.True(t, strings.HasPrefix(filepath.Base(kept), test+"-") && filepath.Ext(kept) == ".fail",
			"%s: rapid reads %s-*.fail alone", kept, test)
		test, _, _ = strings.Cut(test, "_")
	}
	return test
}

// Each input that is kept is read by a test that there is.
func TestKeptInputsAreRead(t *testing.T) {
	var kept []string
	for _, pattern := range []string{"testdata/rapid/*/*", "testdata/fuzz/*/*"} {
		for _, depth := range []string{"", "*/", "*/*/", "*/*/*/"} {
			found, err := filepath.Glob(filepath.Join(root, depth+pattern))
			require.NoError(t, err)
			kept = append(kept, found...)
		}
	}
	require.NotEmpty(t, kept)
	tests := make(map[string]bool)
	for _, file := range goFiles(t) {
		for _, declared := range file.ast.Decls {
			if function, ok := declared.(*ast.FuncDecl); ok && file.test {
				tests[file.folder+"."+function.Name.Name] = true
			}
		}
	}
	for _, input := range kept {
		folder, _, _ := strings.Cut(filepath.ToSlash(strings.TrimPrefix(input, root+"/")), "/testdata/")
		require.True(t, tests[folder+"."+readerOf(t, input)], "%s: no test of %s reads it", input, folder)
	}
}
