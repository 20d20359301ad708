package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A change touches what it names and nothing else.
func TestAChangeIsOneThing(t *testing.T) {
	folder := t.TempDir()
	source := "package p\n\nfunc f(a, b int) bool {\n\tb++\n\tif a < b && a != 3 {\n\t\treturn true\n\t}\n\tb = a\n\tf(a, b)\n\treturn false\n}\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "p.go"), []byte(source), 0o600))

	all, err := mutants(folder)
	require.NoError(t, err)
	var told []string
	for _, m := range all {
		require.NotEqual(t, source, string(m.apply()))
		m.path = "p.go"
		told = append(told, m.String())
	}
	require.ElementsMatch(t, []string{
		"p.go:4: b++ -> ",
		"p.go:5: a < b && a != 3 -> !(a < b && a != 3)",
		"p.go:5: && -> ||",
		"p.go:5: < -> <=",
		"p.go:5: != -> ==",
		"p.go:5: 3 -> 4",
		"p.go:6: true -> false",
		"p.go:8: b = a -> ",
		"p.go:9: f(a, b) -> ",
		"p.go:10: false -> true",
	}, told)
}

// A change in a package inside another is noticed by the tests of that one, too.
func TestAnInnerPackageIsTestedByTheOneAroundIt(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	require.Equal(t, []string{"query/times", "query"}, tested("query/times"))
	require.Equal(t, []string{"query"}, tested("query"))
	require.Equal(t, []string{"store/sqlite"}, tested("store/sqlite"), "store has no tests")
}

// A change is tried with the tests that run its line; of a case's condition, which is in
// no block of a profile, with those that run its function.
func TestAChangeIsTriedWithTheTestsThatRunIt(t *testing.T) {
	folder := t.TempDir()
	source := "package p\n\nfunc f(a int) bool {\n\tswitch {\n\tcase a < 3:\n\t\treturn true\n\t}\n\treturn false\n}\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "p.go"), []byte(source), 0o600))
	all, err := mutants(folder)
	require.NoError(t, err)
	c := &covering{tests: []coveringTest{
		{name: "TestSmall", blocks: blocksOf([]byte("mode: set\ntidings/p/p.go:3.20,4.9 1 1\ntidings/p/p.go:5.13,6.14 1 1\ntidings/p/p.go:8.2,8.14 1 0\n"))},
		{name: "TestLarge", blocks: blocksOf([]byte("tidings/p/p.go:3.20,4.9 1 1\ntidings/p/p.go:8.2,8.14 1 1\n"))},
		{name: "TestOther", blocks: blocksOf([]byte("tidings/p/q.go:3.20,8.14 1 1\n"))},
	}}
	found := map[string][]string{}
	for _, m := range all {
		m.path = "p.go"
		m.at.Filename, m.function.Filename = "p.go", "p.go"
		found[m.String()] = c.testsOf(m)
	}
	require.Equal(t, map[string][]string{
		"p.go:5: < -> <=":       {"TestSmall", "TestLarge"},
		"p.go:5: 3 -> 4":        {"TestSmall", "TestLarge"},
		"p.go:6: true -> false": {"TestSmall"},
		"p.go:8: false -> true": {"TestLarge"},
	}, found)
}
