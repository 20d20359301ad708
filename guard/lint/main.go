// Lint is what `go vet -vettool` runs in place of vet's own checks:
// errorlint, bodyclose and contextcheck at once. So a package is read and its types
// are checked once for the three, and not again as long as Go's cache knows it.
package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/kkHAIKE/contextcheck"
	"github.com/polyfloyd/go-errorlint/errorlint"
	"github.com/timakin/bodyclose/passes/bodyclose"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/unitchecker"
)

func main() {
	checks := []*analysis.Analyzer{
		errorlint.NewAnalyzer(),
		notInTests(bodyclose.Analyzer), // their recorders hold no connection
	}
	// It would follow contexts through all libraries, which takes minutes.
	if !onlyImported(os.Args[len(os.Args)-1]) {
		checks = append(checks, notInTests(contextcheck.NewAnalyzer(contextcheck.Configuration{})))
	}
	unitchecker.Main(checks...)
}

// onlyImported says whether a package is of a library. Go gives the package to look at
// as a file of JSON, and other questions as flags.
func onlyImported(config string) bool {
	var unit unitchecker.Config
	text, err := os.ReadFile(config)
	if !strings.HasSuffix(config, ".cfg") || err != nil || json.Unmarshal(text, &unit) != nil {
		return false // unitchecker says what is wrong
	}
	return unit.VetxOnly && unit.ImportPath != "tidings" && !strings.HasPrefix(unit.ImportPath, "tidings/")
}

// notInTests is the analyzer without what it says of tests.
func notInTests(a *analysis.Analyzer) *analysis.Analyzer {
	without := *a
	without.Run = func(pass *analysis.Pass) (any, error) {
		quieter := *pass
		quieter.Report = func(d analysis.Diagnostic) {
			if !strings.HasSuffix(pass.Fset.Position(d.Pos).Filename, "_test.go") {
				pass.Report(d)
			}
		}
		return a.Run(&quieter)
	}
	return &without
}
