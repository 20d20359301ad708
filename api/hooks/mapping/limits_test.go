package mapping

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHostileExpressionsAreStopped runs what would take hours or all memory.
func TestHostileExpressionsAreStopped(t *testing.T) {
	still := func() time.Time { return time.Unix(1_800_000_000, 0) }
	list := "[" + strings.TrimSuffix(strings.Repeat("1,", 3000), ",") + "]"
	for name, c := range map[string]struct{ expression, body string }{
		"loops within loops":        {`count(body.l, all(body.l, all(body.l, # > 0)))`, list},
		"a large range":             {`len(1..100000000)`, "[]"},
		"ranges within ranges":      {`count(1..90000, len(1..90000) > 0)`, "[]"},
		"doubling a text":           {`let a = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; let b = a+a+a+a+a+a+a+a+a+a; let c = b+b+b+b+b+b+b+b+b+b; let d = c+c+c+c+c+c+c+c+c+c; let f = d+d+d+d+d+d+d+d+d+d; let g = f+f+f+f+f+f+f+f+f+f; g+g+g+g+g+g+g+g+g+g+g+g`, "[]"},
		"joining much":              {`join(map(1..50000, join(map(1..100, "aaaaaaaaaaaaaaaaaaaaaaaaaa"), "")), "")`, "[]"},
		"comparing all with itself": {`count(body.l, body == body)`, list},
		"a pattern for everything":  {`count(body.l, text(body.t) matches "(a+)+(b+)+(c+)+$")`, list},
		"replacing":                 {`replace(replace(replace(replace(replace(text(body.t), "a", "aaaaaaaaaaaaaaaaaaaa"), "a", "aaaaaaaaaaaaaaaaaaaa"), "a", "aaaaaaaaaaaaaaaaaaaa"), "a", "aaaaaaaaaaaaaaaaaaaa"), "a", "aaaaaaaaaaaaaaa")`, list},
		"many texts kept":           {`map(1..90000, upper(text(body.t)))`, list},
		"many lists kept":           {`map(1..90000, split(text(body.t), "a"))`, list},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Compile(Mapping{
				Name: `"x"`, Time: "1", Message: c.expression, Events: map[string]string{"x": "open"},
			})
			require.NoError(t, err)
			body := `{"l":` + c.body + `,"t":"` + strings.Repeat("a", 1000) + `"}`
			_, err = p.Run(Request{Body: []byte(body)}, still)
			require.ErrorIs(t, err, ErrLimit)
		})
	}
	long := `"` + strings.Repeat("é", 1<<20) + `"`
	other := `"` + strings.Repeat("é", 1<<20) + `!"`
	for name, expression := range map[string]string{
		"the length of a long text":      `count(1..90000, len(body.t) > 0)`,
		"trimming a long text":           `count(1..90000, trim(body.t, "é") == "")`,
		"looking for what is not there":  `count(1..90000, indexOf(body.t, "x") > 0)`,
		"from the end":                   `count(1..90000, lastIndexOf(body.t, "x") > 0)`,
		"is it less":                     `count(1..90000, body.t < body.u)`,
		"is it more":                     `count(1..90000, body.u >= body.t)`,
		"begins with":                    `count(1..90000, body.u startsWith body.t)`,
		"ends with":                      `count(1..90000, hasSuffix(body.t, body.t))`,
		"holds":                          `count(1..90000, body.t contains body.u)`,
		"a large pattern on a long text": `body.t matches "([^a]{30}){30}$"`,
		"a pattern on a long text":       `count(1..90000, body.t matches "(é*)*x")`,
		"upper of a long text":           `map(1..1000, upper(body.t))`,
		"lists that hold each other":     `let a = [1,1,1,1,1,1,1,1,1,1]; let b = [a,a,a,a,a,a,a,a,a,a]; let c = [b,b,b,b,b,b,b,b,b,b]; let d = [c,c,c,c,c,c,c,c,c,c]; let f = [d,d,d,d,d,d,d,d,d,d]; let g = [f,f,f,f,f,f,f,f,f,f]; let h = [g,g,g,g,g,g,g,g,g,g]; h == [g,g,g,g,g,g,g,g,g,g]`,
		"objects within objects":         `let a = {"x": body.l, "y": body.l}; let b = {"x": a, "y": a, "z": a}; let c = {"x": b, "y": b, "z": b}; let d = {"x": c, "y": c, "z": c}; let f = {"x": d, "y": d, "z": d}; let g = {"x": f, "y": f, "z": f}; let h = {"x": g, "y": g, "z": g}; count(1..90000, h == {"x": g, "y": g, "z": g})`,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Compile(Mapping{Name: `"x"`, Time: "1", Message: expression, Events: map[string]string{"x": "open"}})
			require.NoError(t, err)
			_, err = p.Run(Request{Body: []byte(`{"l":` + list + `,"t":` + long + `,"u":` + other + `}`)}, still)
			require.ErrorIs(t, err, ErrLimit)
		})
	}
	for name, expression := range map[string]string{
		"a set without end": `trim(body.t, body.u)`, "a pattern that is long": `"x" matches body.t`,
		"many patterns": `count(1..90000, "x" matches "(\\pL{40}){40}" + text(#))`, "a large program": `"x" matches "(([^a]{100}){10}){2}"`, "no pattern": `"x" matches "(" + body.t`,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Compile(Mapping{Name: `"x"`, Time: "1", Message: expression, Events: map[string]string{"x": "open"}})
			require.NoError(t, err)
			result, err := p.Run(Request{Body: []byte(`{"t":` + long + `,"u":` + other + `}`)}, still)
			require.NoError(t, err)
			for _, e := range result.Events {
				require.Empty(t, e.Message, "the field is missing, and nothing else")
			}
		})
	}
	for name, m := range map[string]Mapping{
		"a body for each element":     {Each: "map(1..10000, body)", Message: `"m"`},
		"lists within lists for each": {Each: "map(1..5000, [body, body, body, body])", Message: `"m"`},
		"many people for each":        {Each: "map(1..10000, 1)", Message: `"m"`, Recipient: "body.r"},
	} {
		t.Run(name, func(t *testing.T) {
			m.Name, m.Time, m.Events = `"x"`, "1", map[string]string{"x": "open"}
			p, err := Compile(m)
			require.NoError(t, err)
			_, err = p.Run(Request{Body: []byte(`{"t":` + long + `,"r":[` + strings.TrimSuffix(strings.Repeat(`"jo@acme.example",`, 1000), ",") + `]}`)}, still)
			require.ErrorIs(t, err, ErrLimit)
		})
	}
	t.Run("a long text for each field of many", func(t *testing.T) {
		long := "body.t"
		p, err := Compile(Mapping{
			Each: "map(1..2000, 1)", Name: `"x"`, Time: "1", Message: long, Recipient: long, Owner: long, User: long, Subject: long, Title: long,
			Kind: long, Link: long, File: long, IP: long, Agent: long, Detail: long, Meeting: long, ID: long, Events: map[string]string{"x": "open"},
		})
		require.NoError(t, err)
		result, err := p.Run(Request{Body: []byte(`{"t":"` + strings.Repeat("é", 1<<20) + `"}`)}, still)
		require.NoError(t, err)
		require.Len(t, result.Events, 2000)
		require.LessOrEqual(t, len(result.Events[0].Title), maxText)
	})
	for name, expression := range map[string]string{
		"too long": strings.Repeat("1+", 1500) + "1", "too many nodes": strings.Repeat("-", 900) + "1", "no such function": `os.Getenv("HOME")`,
		"the time": `now()`, "repeat": `repeat("a", 1000000)`, "not closed": `(`,
	} {
		_, err := Compile(Mapping{Name: expression, Time: "1", Message: "1", Events: map[string]string{"x": "open"}})
		require.Error(t, err, name)
	}
}
