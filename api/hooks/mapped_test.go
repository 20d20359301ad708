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
