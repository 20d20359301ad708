package guard_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// atOnce are packages whose use means that things happen at once: servers, and what
// sets the time of several goroutines.
var atOnce = []string{"net/http", "net/http/httptest", "testing/synctest", "golang.org/x/sync/errgroup"}

// .ci/sequential lists the packages that .ci/unit tests without the race detector.
// In their tests nothing happens at once, so that it could find nothing: they, their
// tests and all that they import of this module start no goroutine. A package of
// which that is true is in the list, and no other.
func TestTheRaceDetectorIsLeftOutWhereNothingHappensAtOnce(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, ".ci/sequential"))
	require.NoError(t, err)
	listed := strings.Fields(string(raw))
	require.True(t, slices.IsSorted(listed), "keep the list sorted")

	files := goFiles(t)
	tested := map[string]bool{}
	for _, file := range files {
		if file.test {
			tested[file.folder] = true
		}
	}
	for folder := range tested {
		why := concurrent(files, folder, true, map[string]bool{})
		switch in := slices.Contains(listed, folder); {
		case in && why != "":
			t.Errorf("%s is tested without the race detector, but %s", folder, why)
		case !in && why == "":
			t.Errorf("%s starts nothing that runs at once: list it in .ci/sequential", folder)
		}
	}
	for _, folder := range listed {
		require.True(t, tested[folder], "%s of .ci/sequential has no tests", folder)
	}
}

// concurrent says where a folder, or what it imports of this module, starts
// something that runs at once with its caller.
func concurrent(files []goFile, folder string, tests bool, seen map[string]bool) string {
	if seen[folder] {
		return ""
	}
	seen[folder] = true
	for _, file := range files {
		if file.folder != folder || file.test && !tests {
			continue
		}
		if what := starts(file.ast); what != "" {
			return file.path + " has " + what
		}
		for _, spec := range file.ast.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			if slices.Contains(atOnce, path) {
				return file.path + " imports " + path
			}
			if inner, ok := strings.CutPrefix(path, module+"/"); ok && inner != folder {
				if why := concurrent(files, inner, false, seen); why != "" {
					return why
				}
			}
		}
	}
	return ""
}

// starts is the first thing in a file that makes others run at once with it.
func starts(file *ast.File) (what string) {
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.GoStmt:
			what = "a go statement"
		case *ast.SelectorExpr:
			if slices.Contains([]string{"Go", "AfterFunc", "Parallel", "RunParallel"}, node.Sel.Name) {
				what = "a call of " + node.Sel.Name
			}
		}
		return what == ""
	})
	return what
}

// What only the build without the race detector has are tests in which nothing happens at
// once: .ci/unit runs them in a pass of their own.
func TestFilesWithoutTheRaceDetectorStartNothing(t *testing.T) {
	found := 0
	for _, file := range goFiles(t) {
		raw, err := os.ReadFile(filepath.Join(root, file.path))
		require.NoError(t, err)
		head, _, _ := strings.Cut("\n"+string(raw), "\npackage ")
		if !strings.Contains(head, "!race") {
			continue
		}
		found++
		require.Equal(t, "\n//go:build !race\n", head, "%s: .ci/unit would not find it", file.path)
		require.True(t, file.test, "%s: the detector watches the product as it is", file.path)
		require.Empty(t, starts(file.ast), file.path)
	}
	require.NotZero(t, found)
}

func TestWhatRunsAtOnceIsRecognized(t *testing.T) {
	for text, want := range map[string]string{
		"package a; func f() { go f() }":                                       "a go statement",
		"package a; import \"sync\"; var g sync.WaitGroup; var _ = g.Go":       "a call of Go",
		"package a; import \"testing\"; func f(t *testing.T) { t.Parallel() }": "a call of Parallel",
		"package a; import \"sync\"; var m sync.Mutex":                         "",
	} {
		require.Equal(t, want, starts(parse(t, text)), text)
	}
}
