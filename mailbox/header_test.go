package mailbox

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fieldName is what a header field that is asked for looks like.
var fieldName = regexp.MustCompile(`^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$`)

// A header keeps the fields that are wanted and no others: one that the code asks for
// and that is not kept would never be found.
func TestEachFieldThatIsAskedForIsKept(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	asked := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		// Names are given to first, has and get, indexed, or listed for them.
		check := func(e ast.Expr, sure bool) {
			text, ok := e.(*ast.BasicLit)
			if !ok || text.Kind != token.STRING {
				return
			}
			name, err := strconv.Unquote(text.Value)
			if err != nil || !fieldName.MatchString(name) || !sure && !strings.HasPrefix(name, "x-") {
				return
			}
			asked++
			require.Contains(t, wantedFields, name, "%s asks for it", path)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if method, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) == 1 && isHeader(method.X) {
					check(n.Args[0], true)
				}
			case *ast.IndexExpr:
				if isHeader(n.X) {
					check(n.Index, true)
				}
			case *ast.CompositeLit:
				for _, each := range n.Elts {
					check(each, false)
				}
			}
			return true
		})
	}
	require.Greater(t, asked, 50)
}

// isHeader reports whether an expression is a header, as this package calls it.
func isHeader(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "h"
	case *ast.SelectorExpr:
		return e.Sel.Name == "header"
	}
	return false
}
