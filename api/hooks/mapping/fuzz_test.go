package mapping

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// FuzzExpression looks for an expression that panics, or that is not stopped.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		`e.a ?? "x"`, `map(list(body), #.a + 1)`, `let a = text(e.a); a + a`, `e.a matches "^x"`, `first(values(e))?.b`, `1..9`, `about("x", e.a)`,
		`{"a": e}.a in [e]`, `split(e.a, ",")[0]`, `header_of(e.l, "Subject")`, `json(e.j).x`, `filter(keys(e), # == "a")`, `reduce(1..9, #acc + #)`,
	} {
		f.Add(seed, `{"a":"x,y","j":"{\"x\":1}","l":[{"name":"Subject","value":"v"}]}`)
	}
	still := func() time.Time { return time.Unix(1_800_000_000, 0) }
	f.Fuzz(func(t *testing.T, expression, body string) {
		p, err := Compile(Mapping{Name: `"x"`, Time: "1763285400", Message: expression, Events: map[string]string{"x": "open"}})
		if err != nil {
			require.ErrorIs(t, err, event.ErrInvalid)
			return
		}
		result, err := p.Run(Request{Body: []byte(body)}, still)
		if err != nil {
			var field *event.FieldError
			require.True(t, errors.As(err, &field), "%v", err)
			return
		}
		for _, e := range result.Events {
			require.LessOrEqual(t, len(e.Message), maxText)
		}
	})
}
