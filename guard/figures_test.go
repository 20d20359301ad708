package guard_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bounds says where the figures of SECURITY.md's table of bounds are in the code: by the
// beginning of a row, expressions over constants of packages, by folder. What follows ":"
// is how a figure is written: as bytes, as a time, or else as a number.
var bounds = map[string][]string{
	"a request's header":                {"app.maxHeader:bytes", "app.headerTimeout:time"},
	"a body |":                          {"api.bodyGrace:time", "api.bodyRate:bytes", "api.bodyTotal:time"},
	"a body of events":                  {"api.maxEventsBody:bytes", "api.eventBytes:bytes"},
	"a webhook that nobody signed":      {"api.unsignedAtOnce:bytes", "api.unsignedASecond:bytes"},
	"log lines of requests":             {"api.refusalsAtOnce", "api.refusalsASecond"},
	"a webhook":                         {"api.maxHook:bytes", "api.minHookBound:bytes", "api.maxHookBound:bytes"},
	"any other body":                    {"api.maxDocument:bytes"},
	"what has come of bodies in flight": {"api.memoryWaiting:time"},
	"connections":                       {"limit.connectionShare*limit.connectionBytes:bytes", "limit.leastConnections", "limit.mostConnections", "app.spareConnections"},
	"requests, events":                  {},
	"questions answered at once": {
		"limit.readShare*limit.readBytes:bytes", "limit.leastReads", "limit.mostReads", "api.readsOfProcessor", "api.readsWaiting", "api.readPatience:time", "limit.othersFor:time", "limit.restsAfter:time", "limit.longestRest:time",
	},
	"exports":                  {"limit.exportShare*limit.exportBytes:bytes", "limit.leastExports", "limit.mostExports", "api.maxExportsOfOne"},
	"events that wait":         {},
	"announcements kept":       {"limit.leastLive:bytes", "limit.mostLive:bytes"},
	"caches":                   {"limit.leastAggregates:bytes", "limit.mostAggregates:bytes", "limit.leastEvents:bytes", "limit.mostEvents:bytes", "limit.leastStates:bytes", "limit.mostStates:bytes", "limit.leastColumns:bytes", "limit.mostColumns:bytes", "limit.leastWriter:bytes", "limit.mostWriter:bytes"},
	"sockets and streams":      {"api.maxSocketsOfOne", "4*api.maxSocketsOfOne", "api.socketPatience:time"},
	"what is open of a caller": {"2*api.watchEvery+account.FreshFor:time"},
	"sign-ins through a proxy": {"api.failuresAtOnce", "api.signInsAtOnce", "api.forwardedAtOnce", "api.forwardedEach"},
	"a key, session, team":     {"account.FreshFor:time"},
	"an idle connection":       {"app.idleTimeout:time"},
}

// figure is a number with its unit, as the table has it.
var figure = regexp.MustCompile(`\b\d+(?:,\d{3})*(?: KiB| MiB| ms| s\b| minutes?\b)?`)

// Every figure of the table is one of the code, and each of those that stand behind a row
// is in it.
func TestTheBoundsOfSecurityAreThoseOfTheCode(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(raw), "\n## Bounds\n")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n## ")
	code := constants(t)
	held := map[string]bool{}
	for row := range strings.Lines(table) {
		row = strings.TrimSpace(row)
		if !strings.HasPrefix(row, "| ") || strings.HasPrefix(row, "| ---") || strings.HasPrefix(row, "| what |") {
			continue
		}
		begin := ""
		for candidate := range bounds {
			if strings.HasPrefix(row[2:], candidate) && len(candidate) > len(begin) {
				begin = candidate
			}
		}
		if begin == "" {
			t.Errorf("nothing says which constants hold this row: %s", row)
			continue
		}
		held[begin] = true
		var want []string
		for _, b := range bounds[begin] {
			text, unit, _ := strings.Cut(b, ":")
			want = append(want, written(code.value(t, text), unit))
		}
		// The code of an answer and the name of a document are no bounds.
		plain := regexp.MustCompile(`\b(4\d\d|503)\b|a \d+(nd|th)`).ReplaceAllString(row, "")
		got := figure.FindAllString(plain, -1)
		slices.Sort(want)
		slices.Sort(got)
		require.Equal(t, slices.Compact(want), slices.Compact(got), row)
	}
	for begin := range bounds {
		require.True(t, held[begin], "no row begins with %q", begin)
	}
}

// written is a value as people write it.
func written(n int64, unit string) string {
	switch unit {
	case "bytes":
		if n%(1<<20) == 0 {
			return fmt.Sprintf("%d MiB", n>>20)
		}
		return fmt.Sprintf("%d KiB", n>>10)
	case "time":
		switch d := time.Duration(n); {
		case d > time.Minute:
			return fmt.Sprintf("%d minutes", d/time.Minute)
		case d < time.Second:
			return fmt.Sprintf("%d ms", d/time.Millisecond)
		}
		return fmt.Sprintf("%d s", time.Duration(n)/time.Second)
	}
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// named are the expressions of constants, by folder and name.
type named map[string]ast.Expr

func constants(t *testing.T) named {
	all := named{"time.Millisecond": number(time.Millisecond), "time.Second": number(time.Second), "time.Minute": number(time.Minute)}
	for _, file := range goFiles(t) {
		if file.test {
			continue
		}
		for _, d := range file.ast.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				value := spec.(*ast.ValueSpec)
				for i, name := range value.Names {
					if i < len(value.Values) {
						all[file.folder+"."+name.Name] = value.Values[i]
					}
				}
			}
		}
	}
	return all
}

func number(d time.Duration) ast.Expr {
	return &ast.BasicLit{Kind: token.INT, Value: strconv.FormatInt(int64(d), 10)}
}

// value is what an expression over constants is.
func (c named) value(t *testing.T, text string) int64 {
	expression, err := parser.ParseExpr(text)
	require.NoError(t, err)
	n, exact := constant.Int64Val(c.eval(t, "", expression))
	require.True(t, exact, text)
	return n
}

func (c named) eval(t *testing.T, folder string, e ast.Expr) constant.Value {
	switch e := e.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0)
	case *ast.ParenExpr:
		return c.eval(t, folder, e.X)
	case *ast.Ident:
		return c.constant(t, folder, e.Name)
	case *ast.SelectorExpr:
		return c.constant(t, e.X.(*ast.Ident).Name, e.Sel.Name)
	case *ast.BinaryExpr:
		x, y := c.eval(t, folder, e.X), c.eval(t, folder, e.Y)
		if e.Op == token.SHL {
			by, _ := constant.Uint64Val(y)
			return constant.Shift(x, e.Op, uint(by))
		}
		return constant.BinaryOp(x, e.Op, y)
	}
	require.Failf(t, "not understood", "%T", e)
	return nil
}

func (c named) constant(t *testing.T, folder, name string) constant.Value {
	e, ok := c[folder+"."+name]
	require.True(t, ok, "%s has no constant %s", folder, name)
	return c.eval(t, folder, e)
}
