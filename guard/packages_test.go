package guard_test

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// empty are names that say nothing of what is inside.
var empty = []string{"util", "utils", "common", "helper", "helpers", "models", "pkg", "misc"}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	comments := make(map[string][]string)
	names := make(map[string]string)
	for _, file := range goFiles(t) {
		if file.test {
			continue
		}
		names[file.folder] = file.ast.Name.Name
		if comment := file.packageComment(); comment != "" {
			comments[file.folder] = append(comments[file.folder], comment)
		}
	}
	for folder, name := range names {
		t.Run(folder, func(t *testing.T) {
			require.Len(t, comments[folder], 1, "a package has one comment, in one file")
			comment := comments[folder][0]
			if name == "main" {
				command := path.Base(folder)
				if folder == "." {
					command = module
				}
				require.True(t, strings.HasPrefix(strings.ToLower(comment), command+" "), "a command's comment begins with its name")
				return
			}
			require.True(t, strings.HasPrefix(comment, "Package "+name+" "), "the comment begins with the package's name")
			// Sections with a heading may follow the ten lines.
			opening, _, _ := strings.Cut(comment, "\n\n# ")
			require.GreaterOrEqual(t, lines(comment), 3, "the comment says what it is, what flows in and what flows out")
			require.LessOrEqual(t, lines(opening), 10, "the comment is long; put the rest under a heading")
		})
	}
}

func TestNamesSayWhatIsInside(t *testing.T) {
	walk(t, func(at string, _ fs.DirEntry) {
		for _, word := range empty {
			name := path.Base(at)
			stem, _, _ := strings.Cut(name, ".")
			if strings.TrimSuffix(stem, "_test") == word {
				t.Errorf("%s: the name says nothing of what is inside", at)
			}
		}
	})
	for _, file := range goFiles(t) {
		if slices.Contains(empty, strings.TrimSuffix(file.ast.Name.Name, "_test")) {
			t.Errorf("%s: package %s: the name says nothing of what is inside", file.path, file.ast.Name.Name)
		}
	}
}

func lines(text string) int { return strings.Count(text, "\n") + 1 }
