package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckLicences(t *testing.T) {
	for _, c := range []struct{ name, list, problem string }{
		{"a licence on the list", `{"components":[{"name":"a","licenses":[{"license":{"id":"MIT"}}]}]}`, ""},
		{"one that was found in the text", `{"components":[{"name":"a","evidence":{"licenses":[{"license":{"id":"ISC"}}]}}]}`, ""},
		{"one of two to choose from", `{"components":[{"name":"a","licenses":[{"expression":"(GPL-3.0-only OR MIT)"}]}]}`, ""},
		{"two that hold together", `{"components":[{"name":"a","licenses":[{"expression":"MIT AND GPL-3.0-only"}]}]}`, `"MIT AND GPL-3.0-only" is not on the list`},
		{"a licence that is not", `{"components":[{"name":"a","licenses":[{"license":{"id":"AGPL-3.0-only"}}]}]}`, `a: licence "AGPL-3.0-only" is not on the list`},
		{"one of two that both hold", `{"components":[{"name":"a","licenses":[{"license":{"id":"MIT"}},{"license":{"id":"SSPL-1.0"}}]}]}`, `"SSPL-1.0"`},
		{"a name instead of an id", `{"components":[{"name":"a","licenses":[{"license":{"name":"see README"}}]}]}`, `"see README"`},
		{"none", `{"components":[{"name":"a"}]}`, "a: no licence was found"},
		{"ourselves", `{"components":[{"name":"tidings"}]}`, ""},
		{"nothing listed", `{"components":[]}`, "lists nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "list.json")
			require.NoError(t, os.WriteFile(path, []byte(c.list), 0o600))
			err := checkLicences(path)
			if c.problem == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.problem)
			}
		})
	}
}

func TestReleaseRefusesWhatItCannotName(t *testing.T) {
	out := t.TempDir()
	require.ErrorContains(t, run(t.Context(), "1.2", "", out, platforms), "not a version")
	require.NoError(t, os.WriteFile(filepath.Join(out, "old"), nil, 0o600))
	require.ErrorContains(t, run(t.Context(), "v1.2.0", "", out, platforms), "not empty")
	require.ErrorContains(t, run(t.Context(), "v1.2.0", "", t.TempDir(), []string{"linux"}), "not GOOS/GOARCH")
}
