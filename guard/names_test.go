package guard_test

import (
	"strings"
	"testing"
)

// jsonNames are what the libraries of JSON are called where they are imported:
// encoding/json for what is rare and small, go-json-experiment where events and
// requests are read and written, strictly and fast.
var jsonNames = map[string]string{
	"encoding/json":                               "",
	"github.com/go-json-experiment/json":          "jsonv2",
	"github.com/go-json-experiment/json/jsontext": "",
	"github.com/go-json-experiment/json/v1":       "jsonv1",
}

func TestLibrariesOfJSONHaveOneNameEach(t *testing.T) {
	for _, file := range goFiles(t) {
		for _, spec := range file.ast.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			want, known := jsonNames[path]
			if !known {
				continue
			}
			got := ""
			if spec.Name != nil {
				got = spec.Name.Name
			}
			if got != want {
				t.Errorf("%s: %s is imported as %q, not %q", file.path, path, got, want)
			}
		}
	}
}
