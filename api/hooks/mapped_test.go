package hooks

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/api/hooks/mapping"
)

func TestVendorsCompileAndCiteTheirSource(t *testing.T) {
	all, err := vendors()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 11)
	for name, v := range all {
		_, err := mapping.Compile(v.Mapping)
		require.NoError(t, err, name)
		require.Nil(t, v.Verify.check(), name)
		require.NotEmpty(t, v.Title, name)
		require.True(t, strings.HasPrefix(v.Mapping.Source, "https://"), name)
	}
}

// incomplete are the elements that lack a time or a message themselves, with
// what is missing.
var incomplete = map[string]string{
	"sparkpost/anymail-amp_events-raw_events.json":                   "message",
	"sparkpost/anymail-initial_open_event_as_opened-raw_events.json": "message",
}

// TestPayloadsBecomeCompleteEvents reads payloads of other projects' tests.
func TestPayloadsBecomeCompleteEvents(t *testing.T) {
	shared(t, "README.md")
	root := filepath.Join("..", "..", "..", "shared", "data", "webhooks_json")
	var report strings.Builder
	h := New(nil, nil)
	files, err := filepath.Glob(filepath.Join(root, "*", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	slices.Sort(files)
	for _, file := range files {
		name, err := filepath.Rel(root, file)
		require.NoError(t, err)
		provider := filepath.Dir(name)
		p, ok := h.Provider(provider)
		require.True(t, ok, provider)
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		r := &Request{Header: http.Header{"Content-Type": {"application/json"}, "Greenhouse-Event-Id": {"g1"}}, Body: raw}
		d, err := p.Decode(r)
		require.NoError(t, err, name)
		_, refused := goodEvents(d, today)
		fmt.Fprintf(&report, "%s\n%s", name, described(p, r))
		if missing, known := incomplete[filepath.ToSlash(name)]; known {
			for _, why := range refused {
				require.Contains(t, why, missing, name)
			}
			continue
		}
		require.Empty(t, refused, name)
		require.Empty(t, d.Unknown, name)
	}
	golden(t, "mapped.golden", report.String())
}

// TestHostileExpressionsAreStopped runs what would take hours or all memory.
func TestHostileExpressionsAreStopped(t *testing.T) {
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
			p, err := mapping.Compile(mapping.Mapping{
				Name: `"x"`, Time: "1", Message: c.expression, Events: map[string]string{"x": "open"},
			})
			require.NoError(t, err)
			body := `{"l":` + c.body + `,"t":"` + strings.Repeat("a", 1000) + `"}`
			_, err = p.Run(mapping.Request{Body: []byte(body)}, clockOfToday)
			require.ErrorIs(t, err, mapping.ErrLimit)
		})
	}
	for name, expression := range map[string]string{
		"too long": strings.Repeat("1+", 1500) + "1", "too many nodes": strings.Repeat("-", 900) + "1", "no such function": `os.Getenv("HOME")`,
		"the time": `now()`, "repeat": `repeat("a", 1000000)`, "not closed": `(`,
	} {
		_, err := mapping.Compile(mapping.Mapping{Name: expression, Time: "1", Message: "1", Events: map[string]string{"x": "open"}})
		require.Error(t, err, name)
	}
}
