package guard_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var quoted = regexp.MustCompile("`([\\w./-]+/)`")

// foldersOf are the folders of ARCHITECTURE.md's table, with those that the rest of a row
// names below them or by their whole path.
func foldersOf(table string) map[string][]string {
	rows := make(map[string][]string)
	for row := range strings.Lines(table) {
		cells := strings.SplitN(row, "|", 3)
		if len(cells) < 3 {
			continue
		}
		for _, folder := range quoted.FindAllStringSubmatch(cells[1], -1) {
			at := strings.TrimSuffix(folder[1], "/")
			rows[at] = []string{}
			for _, named := range quoted.FindAllStringSubmatch(cells[2], -1) {
				rows[at] = append(rows[at], strings.TrimSuffix(named[1], "/"))
			}
		}
	}
	return rows
}

// isNamed reports whether a folder has a row, or is named in the row of one above it, or by
// its whole path in any.
func isNamed(rows map[string][]string, folder string) bool {
	if _, ok := rows[folder]; ok || folder == "." {
		return true
	}
	for at := filepath.Dir(folder); at != "."; at = filepath.Dir(at) {
		if slices.ContainsFunc(rows[at], func(name string) bool {
			return within(folder, at+"/"+name) || within(folder, filepath.Dir(at)+"/"+name)
		}) {
			return true
		}
	}
	for _, named := range rows {
		if slices.Contains(named, folder) {
			return true
		}
	}
	return false
}

// Each package is in the table of ARCHITECTURE.md, and each folder of the table is there.
func TestTheTableOfFoldersIsWhole(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(raw), "\n## Where things are\n")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n## ")
	rows := foldersOf(table)
	for _, file := range goFiles(t) {
		if !file.test && !isNamed(rows, file.folder) {
			t.Errorf("%s: no row of ARCHITECTURE.md's table has its folder", file.path)
		}
	}
	exists := func(folder string) bool {
		info, err := os.Stat(filepath.Join(root, folder))
		return err == nil && info.IsDir()
	}
	for folder, named := range rows {
		require.True(t, exists(folder), "ARCHITECTURE.md: there is no %s", folder)
		for _, name := range named {
			require.True(t, exists(name) || exists(folder+"/"+name) || exists(filepath.Dir(folder)+"/"+name),
				"ARCHITECTURE.md: there is no %s in the row of %s", name, folder)
		}
	}
	require.False(t, isNamed(rows, "nowhere/deep"))
}

// The glossary is in order, and a word is there once.
func TestTheGlossaryIsSorted(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(raw), "| word | meaning |\n| --- | --- |\n")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n\n")
	var words []string
	for row := range strings.Lines(table) {
		words = append(words, strings.TrimSpace(strings.SplitN(row, "|", 3)[1]))
	}
	require.Greater(t, len(words), 30)
	require.IsIncreasing(t, words)
}

// retired are words that once were names and had several meanings, or were nobody's. What
// stands for them is in the glossary of CONTRIBUTING.md.
var retired = []string{
	"place", "places", "lift", "lifted", "lifting", "corrector", "overruling", "overruled", "doubt", "doubted", "doubtful",
	"tally", "tallies", "factcount", "standing", "standings", "settled", "mender", "mended", "handful", "glimpse", "glimpses",
	"sighting", "sightings", "believable",
}

// word is a part of a name such as backupPlace.
var word = regexp.MustCompile(`[A-Z]?[a-z0-9]+|[A-Z]+`)

// Nothing that is declared has a retired word in its name. Fields and columns that are
// stored are named in tags and texts, and stay.
func TestRetiredWordsAreNoNames(t *testing.T) {
	isRetired := func(name string) bool {
		return slices.ContainsFunc(word.FindAllString(name, -1), func(part string) bool {
			return slices.Contains(retired, strings.ToLower(part))
		})
	}
	require.True(t, isRetired("backupPlaces"))
	require.False(t, isRetired("replaces"))
	for _, file := range goFiles(t) {
		if file.test {
			continue
		}
		check := func(names ...*ast.Ident) {
			for _, name := range names {
				if name != nil && isRetired(name.Name) {
					t.Errorf("%s: %s: see the glossary for another word", file.path, name.Name)
				}
			}
		}
		ast.Inspect(file.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				check(n.Name)
			case *ast.TypeSpec:
				check(n.Name)
			case *ast.Field:
				check(n.Names...)
			case *ast.ValueSpec:
				check(n.Names...)
			case *ast.AssignStmt:
				for _, left := range n.Lhs {
					if name, ok := left.(*ast.Ident); ok {
						check(name)
					}
				}
			}
			return true
		})
	}
}

// An ADR is spoken of by its number, which its file and its heading have and no other has.
func TestEachDecisionHasANumberOfItsOwn(t *testing.T) {
	files, err := filepath.Glob("../docs/adr/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	named := regexp.MustCompile(`^0*([1-9]\d*)-[a-z0-9-]+\.md$`)
	numbers := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		found := named.FindStringSubmatch(filepath.Base(file))
		require.NotNil(t, found, "%s has no number", file)
		require.True(t, strings.HasPrefix(string(text), "# "+found[1]+". "), "%s has another number in its heading", file)
		require.Empty(t, numbers[found[1]], "%s and %s have one number", numbers[found[1]], file)
		numbers[found[1]] = file
	}
}
