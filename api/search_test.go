package api_test

import (
	"fmt"
	"testing"

	"tidings/account"

	"github.com/stretchr/testify/require"
)

type searchList struct{ Items []account.SavedSearch }

// names are those of the searches that a key lists, with their owners.
func (s *site) searchNames(key string) []string {
	s.t.Helper()
	var list searchList
	s.get(key, "/v1/searches").is(200).json(&list)
	require.NotNil(s.t, list.Items)
	var names []string
	for _, saved := range list.Items {
		names = append(names, saved.Owner+"/"+saved.Name)
	}
	return names
}

func (s *site) save(key, name, body string) answer {
	s.t.Helper()
	return s.do(call{method: "PUT", path: "/v1/searches/" + name, key: key, body: body})
}

func TestSavedSearchesAreOnesOwnOrTheTeams(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/teams/t", key: admin, body: `{"name":"T","members":["u_ana","u_bo"]}`}).is(200)
	ana, bo, cy := s.key("acme", account.RoleRead, "u_ana"), s.key("acme", account.RoleRead, "u_bo"), s.key("acme", account.RoleRead, "u_cy")
	stranger := s.key("globex", account.RoleAdmin, "")
	require.Empty(t, s.searchNames(ana))

	var saved account.SavedSearch
	s.save(ana, "hot%20leads", `{"q":"opens from acme","shared":true}`).is(200).json(&saved)
	require.Equal(t, account.SavedSearch{Name: "hot leads", Q: "opens from acme", Shared: true, Owner: "u_ana", Changed: noon}, saved)
	s.save(ana, "mine", `{"q":"is:unopened"}`).is(200)
	s.save(bo, "hot%20leads", `{"q":"clicks"}`).is(200)
	s.save(admin, "a%2Fb", `{"q":"bounces"}`).is(200)

	require.Equal(t, []string{"/a/b", "u_ana/hot leads", "u_ana/mine"}, s.searchNames(ana))
	require.Equal(t, []string{"/a/b", "u_ana/hot leads", "u_bo/hot leads"}, s.searchNames(bo))
	require.Equal(t, []string{"/a/b"}, s.searchNames(cy))
	require.Equal(t, []string{"/a/b", "u_ana/hot leads"}, s.searchNames(admin))
	require.Empty(t, s.searchNames(stranger))

	s.do(call{method: "DELETE", path: "/v1/searches/mine", key: bo}).problem(404)
	s.do(call{method: "DELETE", path: "/v1/searches/a%2Fb", key: ana}).problem(404)
	s.do(call{method: "DELETE", path: "/v1/searches/hot%20leads", key: stranger}).problem(404)
	s.do(call{method: "DELETE", path: "/v1/searches/hot%20leads", key: bo}).is(204)
	s.do(call{method: "DELETE", path: "/v1/searches/hot%20leads", key: bo}).problem(404)
	require.Equal(t, []string{"/a/b", "u_ana/hot leads"}, s.searchNames(bo))
	s.do(call{method: "DELETE", path: "/v1/searches/a%2Fb", key: s.key("acme", account.RoleAdmin, "u_dan")}).is(204)
	require.Equal(t, []string{"u_ana/hot leads"}, s.searchNames(bo))

	s.save(ana, "mine", `{"q":"is:unopened acme"}`).is(200)
	require.Equal(t, []string{"u_ana/hot leads", "u_ana/mine"}, s.searchNames(ana), "replaced")
}

func TestSavedSearchesGoWithTheirOwnerAndWithWhomTheyName(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/users/u_ana", key: admin, body: `{"name":"Ana"}`}).is(200)
	s.save(s.key("acme", account.RoleRead, "u_ana"), "hers", `{"q":"opens","shared":true}`).is(200)
	bo := s.key("acme", account.RoleRead, "u_bo")
	s.save(bo, "jo", `{"q":"to:Jo@Acme.example"}`).is(200)
	s.save(bo, "others", `{"q":"to:li@acme.example"}`).is(200)
	s.do(call{method: "DELETE", path: "/v1/people/jo@acme.example", key: admin}).is(200)
	require.Equal(t, []string{"u_bo/others"}, s.searchNames(bo))
	require.Equal(t, []string{"u_ana/hers"}, s.searchNames(admin))
	s.do(call{method: "DELETE", path: "/v1/users/u_ana", key: admin}).is(204)
	require.Empty(t, s.searchNames(admin))
}

func TestSavedSearchesAreBounded(t *testing.T) {
	s := newSite(t)
	bo := s.key("acme", account.RoleRead, "u_bo")
	for i := range 200 {
		s.save(bo, fmt.Sprint(i), `{"q":"a"}`).is(200)
	}
	s.save(bo, "200", `{"q":"a"}`).problem(429)
	s.save(bo, "199", `{"q":"b"}`).is(200)
	s.save(s.key("acme", account.RoleRead, "u_ana"), "200", `{"q":"a"}`).is(200)
}
