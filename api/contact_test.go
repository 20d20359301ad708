package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/feed"
)

func TestContactsAreOfWhatTheReaderMaySee(t *testing.T) {
	s := newSite(t)
	reader := s.key("w", account.RoleRead, "u_ana")
	for path, status := range map[string]int{
		"/v1/people/nobody%40acme.example":         404,
		"/v1/people/no-address":                    422,
		"/v1/companies/acme.example":               404,
		"/v1/companies/a%40b":                      422,
		"/v1/people/jo%40acme.example?tz=Mars/One": 422,
	} {
		require.Equal(t, status, s.get(reader, path).status, path)
	}
	require.Equal(t, 401, s.get("", "/v1/people/jo%40acme.example").status)
	require.NotEmpty(t, s.feed.scopes)
	for _, scope := range s.feed.scopes {
		require.Equal(t, "w", scope.Workspace)
		require.Contains(t, scope.Users, "u_ana")
	}
}

func TestAPersonsDataIsForAdministrators(t *testing.T) {
	s := newSite(t)
	admin := s.key("w", account.RoleAdmin, "u_ana")
	s.reports.items = []feed.Item{{Subject: "Pricing"}, {Subject: "Lunch"}}
	got := s.get(admin, "/v1/people/JO%40acme.example/data").is(200)
	lines := strings.Split(strings.TrimSpace(string(got.body)), "\n")
	require.Len(t, lines, 2)
	require.Contains(t, lines[0], `"jo@acme.example"`)
	require.Contains(t, lines[0], `"body":"all of it"`)
	require.Contains(t, got.header.Get("Content-Type"), "ndjson")
	s.get(admin, "/v1/people/none/data").problem(422)
	s.get(s.key("w", account.RoleRead, "u_bo"), "/v1/people/jo%40acme.example/data").problem(403)
	require.Equal(t, 401, s.get("", "/v1/people/jo%40acme.example/data").status)
}
