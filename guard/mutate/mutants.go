package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mutant is one change of one file: what is between two offsets becomes something else.
type mutant struct {
	folder, path string
	source       []byte
	from, to     int
	// at is where the change begins, function where the body around it does.
	at, function token.Position
	line         int
	instead      string
}

func (m mutant) apply() []byte {
	return bytes.Join([][]byte{m.source[:m.from], []byte(m.instead), m.source[m.to:]}, nil)
}

func (m mutant) String() string {
	short := func(s string) string {
		s = strings.Join(strings.Fields(s), " ")
		return s[:min(len(s), 60)]
	}
	return fmt.Sprintf("%s:%d: %s -> %s", m.path, m.line, short(string(m.source[m.from:m.to])), short(m.instead))
}

// others are what an operator is taken for.
var others = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL,
}

// mutants are all changes of a folder's files that are no tests, in a fixed order.
func mutants(folder string) ([]mutant, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no Go files in %s: %w", folder, err)
	}
	var all []mutant
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", path, err)
		}
		at := func(pos token.Pos) token.Position {
			position := files.Position(pos)
			position.Filename = filepath.Base(path)
			return position
		}
		var body token.Position
		change := func(node ast.Node, from, to token.Pos, instead string) {
			all = append(all, mutant{
				folder: folder, path: path, source: source, line: files.Position(node.Pos()).Line,
				from: files.Position(from).Offset, to: files.Position(to).Offset, instead: instead,
				at: at(from), function: body,
			})
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Body != nil {
				body = at(function.Body.Lbrace)
				ast.Inspect(function.Body, func(node ast.Node) bool { changesOf(node, source, files, change); return true })
			}
		}
	}
	return all, nil
}

// changesOf are those of one node: another operator, the opposite of a condition, a
// number that is one more, a statement left out.
func changesOf(node ast.Node, source []byte, files *token.FileSet, change func(ast.Node, token.Pos, token.Pos, string)) {
	text := func(n ast.Node) string {
		return string(source[files.Position(n.Pos()).Offset:files.Position(n.End()).Offset])
	}
	switch n := node.(type) {
	case *ast.BinaryExpr:
		if other, ok := others[n.Op]; ok {
			change(n, n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), other.String())
		}
	case *ast.IfStmt:
		change(n, n.Cond.Pos(), n.Cond.End(), "!("+text(n.Cond)+")")
	case *ast.BasicLit:
		if number, err := strconv.Atoi(n.Value); n.Kind == token.INT && err == nil {
			change(n, n.Pos(), n.End(), strconv.Itoa(number+1))
		}
	case *ast.Ident:
		switch n.Name {
		case "true":
			change(n, n.Pos(), n.End(), "false")
		case "false":
			change(n, n.Pos(), n.End(), "true")
		}
	case *ast.ExprStmt:
		change(n, n.Pos(), n.End(), "")
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			change(n, n.Pos(), n.End(), "")
		}
	case *ast.IncDecStmt:
		change(n, n.Pos(), n.End(), "")
	case *ast.BranchStmt:
		if n.Tok == token.CONTINUE || n.Tok == token.BREAK {
			change(n, n.Pos(), n.End(), "")
		}
	}
}
