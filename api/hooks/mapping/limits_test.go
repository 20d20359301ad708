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
	for name, expression := range map[string]string{
		"too long": strings.Repeat("1+", 1500) + "1", "too many nodes": strings.Repeat("-", 900) + "1", "no such function": `os.Getenv("HOME")`,
		"the time": `now()`, "repeat": `repeat("a", 1000000)`, "not closed": `(`,
	} {
		_, err := Compile(Mapping{Name: expression, Time: "1", Message: "1", Events: map[string]string{"x": "open"}})
		require.Error(t, err, name)
	}
}
