package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
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
