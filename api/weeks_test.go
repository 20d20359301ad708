package api_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
)

// A week holds the events of all workspaces, and a workspace learns of its own
// alone.
func TestWeeksHoldTheCallersOwnNumbers(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct{ workspace, want string }{
		{"acme", `{"items":[{"week":"2026-w47","starts":"2026-11-16T00:00:00Z","events":2,"bytes":null,"state":"open"}]}`},
		{"globex", `{"items":[{"week":"2026-w47","starts":"2026-11-16T00:00:00Z","events":null,"bytes":null,"state":"open"},` +
			`{"week":"2026-w46","starts":"2026-11-09T00:00:00Z","events":null,"bytes":null,"state":"sealed"}]}`},
		{"initech", `{"items":[]}`},
	} {
		got := s.get(s.key(c.workspace, account.RoleAdmin, ""), "/v1/weeks").is(200)
		require.JSONEq(t, c.want, string(got.body), c.workspace)
	}

	request := httptest.NewRequest("GET", "/v1/weeks", nil)
	request.Header.Set("Tidings-Workspace", "acme")
	answer := httptest.NewRecorder()
	s.server.Operator().ServeHTTP(answer, request)
	require.JSONEq(t, `{"items":[{"week":"2026-w47","starts":"2026-11-16T00:00:00Z","events":3,"bytes":4096,"state":"open"},`+
		`{"week":"2026-w46","starts":"2026-11-09T00:00:00Z","events":7,"bytes":8192,"state":"sealed"}]}`, answer.Body.String())
}
