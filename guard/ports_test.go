package guard_test

import (
	"go/ast"
	"path"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a package wants of others is in one file of it.
func TestInterfacesAreInPortsFiles(t *testing.T) {
	for _, file := range goFiles(t) {
		if file.test || path.Base(file.path) == "ports.go" {
			continue
		}
		for _, name := range ports(file.ast) {
			t.Errorf("%s: interface %s belongs into ports.go", file.path, name)
		}
	}
}

// ports are the interfaces that a file declares. Those that only types of the
// package itself can be, such as the nodes of a syntax tree, are none.
func ports(file *ast.File) (names []string) {
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok {
			return true
		}
		declared, ok := spec.Type.(*ast.InterfaceType)
		if !ok {
			return true
		}
		for _, method := range declared.Methods.List {
			if len(method.Names) > 0 && !method.Names[0].IsExported() {
				return true
			}
		}
		names = append(names, spec.Name.Name)
		return true
	})
	return names
}

func TestPortsAreFound(t *testing.T) {
	require.Equal(t, []string{"A", "b", "E"}, ports(parse(t, `package p
type A interface { M() }
type b interface { A; N() }
type C interface { sealed() }
type D struct{}
type ( E interface{ A } )
`)))
}
