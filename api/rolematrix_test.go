package api_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
)

// sees says whose mail each role sees, of all in one team: their own, a colleague's of the
// team, another team's, another workspace's.
var sees = map[account.Role][]string{
	account.RoleViewer: {"own", "team"}, account.RoleMember: {"own", "team"}, account.RoleLead: {"own", "team"},
	account.RoleSupport: nil, account.RoleAuditor: nil, account.RoleIntegrator: {"own"}, account.RoleAdmin: {"own", "team", "other"},
}

// shows are the routes that show mail to whoever may see it.
var shows = []string{
	"/v1/feed", "/v1/export", "/v1/messages/{id}", "/v1/messages/{id}/events", "/v1/events/{id}", "/v1/people/{email}", "/v1/companies/{domain}", "/v1/stats",
}

// Every documented route that reads × every role of people × one's own, the team's,
// another team's and another workspace's mail.
func TestEveryRoleSeesWhatItMay(t *testing.T) {
	s := newThrough(t)
	s.run(t)
	admin, foreign := s.key("acme", account.RoleAdmin, ""), s.key("globex", account.RoleAdmin, "")
	put := func(path string, body any) {
		s.do(call{method: "PUT", path: path, key: admin, body: body}).is(200)
	}
	sessions, users := map[account.Role]map[string]string{}, map[string]string{}
	members := []string{"u_colleague"}
	for _, role := range account.PersonRoles() {
		sessions[role] = s.person(admin, role)
		var view api.SessionView
		s.do(call{method: "GET", path: "/v1/session", header: sessions[role]}).is(200).json(&view)
		users[string(role)] = view.User.ID
		members = append(members, view.User.ID)
	}
	put("/v1/users/u_colleague", `{"name":"Co"}`)
	put("/v1/users/u_other", `{"name":"Other"}`)
	put("/v1/teams/sales", map[string]any{"name": "Sales", "members": members})
	put("/v1/teams/north", map[string]any{"name": "North", "members": []string{"u_other"}})
	users["colleague"], users["other"], users["foreign"] = "u_colleague", "u_other", "u_foreign"

	// What is an owner's has their word in it: quillviewer, quillother.
	events := map[string]string{}
	for owner, user := range users {
		key, word := admin, "quill"+owner
		if owner == "foreign" {
			key = foreign
		}
		person := map[string]any{"email": "jo@" + word + ".example", "name": "Jo " + word}
		mail := sent("s-"+owner, "m-"+word)
		mail["user"], mail["subject"], mail["recipients"] = user, "On "+word, []any{person}
		opened := open(map[string]any{"id": "o-" + owner, "message": "m-" + word, "user": user, "recipient": person, "time": time.Now().Add(-30 * time.Second).Unix()})
		var receipt api.Receipt
		s.do(call{method: "POST", path: "/v1/events?ids=1", key: key, body: []any{mail, opened}}).is(202).json(&receipt)
		events[owner] = receipt.IDs[1].String()
	}
	var page struct{ Items []any }
	require.Eventually(t, func() bool {
		s.get(admin, "/v1/feed?automated=show&limit=50").is(200).json(&page)
		return len(page.Items) == 2*(len(users)-1)
	}, 20*time.Second, 20*time.Millisecond)

	shown := 0
	for _, role := range account.PersonRoles() {
		owners := map[string]string{"own": string(role), "team": "colleague", "other": "other", "foreign": "foreign"}
		hidden := func(owner string) bool { // what this role may not see
			relation := "team" // all others of the test are in the same team
			for name, of := range owners {
				if of == owner {
					relation = name
				}
			}
			return !slices.Contains(sees[role], relation)
		}
		for _, route := range s.documentedRoutes() {
			method, path, _ := strings.Cut(route, " ")
			logged := expectations[route] == "auditors" // what was looked for is the log's
			if method != "GET" || strings.HasPrefix(path, "/v1/live") || strings.HasPrefix(path, "/auth") || logged {
				continue
			}
			for relation, owner := range owners {
				word := "quill" + owner
				given := map[string]string{"{email}": "jo@" + word + ".example", "{domain}": word + ".example", "{name}": word, "{token}": word, "{provider}": word, "{id}": "m-" + word}
				if strings.HasPrefix(path, "/v1/events/") {
					given["{id}"] = events[owner]
				}
				asked, question := path, ""
				for name, value := range given {
					if strings.Contains(asked, name) {
						asked, question = strings.Replace(asked, name, url.PathEscape(value), 1), value
					}
				}
				switch path {
				case "/v1/feed", "/v1/export":
					asked += "?automated=show&limit=50"
				case "/v1/stats":
					asked += "?automated=show"
				}
				if path == "/v1/export" {
					asked = strings.Replace(asked, "&limit=50", "&format=ndjson", 1)
				}
				a := s.do(call{method: "GET", path: asked, header: sessions[role]})
				said := strings.ToLower(string(a.body))
				if question != "" {
					said = strings.ReplaceAll(said, strings.ToLower(question), "")
				}
				for each := range users {
					if hidden(each) && a.status < 400 {
						require.NotContains(t, said, "quill"+each, "GET %s as %s: what is %s's", asked, role, each)
					}
				}
				if !slices.Contains(shows, path) || question == "" && relation != "own" {
					continue
				}
				if question == "" {
					require.Equal(t, len(sees[role]) > 0, a.status == 200, "GET %s as %s: %d", asked, role, a.status)
				} else {
					require.Equal(t, slices.Contains(sees[role], relation), a.status == 200, "GET %s as %s, %s: %d", asked, role, relation, a.status)
				}
				if a.status == 200 && path != "/v1/stats" {
					require.Contains(t, strings.ToLower(string(a.body)), word, "GET %s as %s", asked, role)
					shown++
				}
			}
		}
	}
	require.GreaterOrEqual(t, shown, 50)

	// Who looked at it is told to those whose it is: an admin has looked at another team's,
	// those of this one have not, and what they asked for is nobody else's to know.
	s.audited("acme")
	mine := strings.ToLower(string(s.get(s.key("acme", account.RoleRead, "u_other"), "/v1/audit/mine?limit=500").is(200).body))
	require.Contains(t, mine, "user:u_other")
	require.Contains(t, mine, "a admin")
	require.NotContains(t, mine, "a viewer")
	require.NotContains(t, mine, "quill")
}
