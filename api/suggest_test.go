package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/feed"
)

func TestSuggestions(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	for _, test := range []struct {
		path   string
		status int
		at     int
	}{
		{"/v1/suggest?q=opens+%C3%BCb", 200, 8},
		{"/v1/suggest?q=opens&at=2", 200, 2},
		{"/v1/suggest?q=opens&at=0", 200, 0},
		{"/v1/suggest", 200, 0},
		{"/v1/suggest?q=opens&at=6", 422, 0},
		{"/v1/suggest?q=opens&at=x", 422, 0},
		{"/v1/suggest?q=%FF", 422, 0},
		{"/v1/suggest?q=opens&from=1", 422, 0},
	} {
		t.Run(test.path, func(t *testing.T) {
			a := s.do(call{method: "GET", path: test.path, key: key}).is(test.status)
			if test.status != 200 {
				return
			}
			var got feed.Suggestions
			a.json(&got)
			require.Equal(t, [2]int{0, test.at}, got.Span)
			require.Len(t, got.Items, 1)
		})
	}
	t.Run("are of the reader's own workspace and of what they may see", func(t *testing.T) {
		s.do(call{method: "GET", path: "/v1/suggest?q=op", key: s.key("globex", account.RoleRead, "u_bo")}).is(200)
		last := s.feed.scopes[len(s.feed.scopes)-1]
		require.Equal(t, "globex", last.Workspace)
		require.Equal(t, []string{"u_bo"}, last.Users)
	})
	t.Run("a saved search stands for the whole text", func(t *testing.T) {
		s.save(key, "Pricing", `{"q":"unopened pricing"}`).is(200)
		kinds := func(path string) (kinds []string) {
			var got feed.Suggestions
			s.do(call{method: "GET", path: path, key: key}).is(200).json(&got)
			for _, item := range got.Items {
				kinds = append(kinds, item.Kind+" "+item.Text)
			}
			return kinds
		}
		require.Equal(t, []string{"search unopened pricing", "word pri"}, kinds("/v1/suggest?q=pri"))
		require.Equal(t, []string{"word cla"}, kinds("/v1/suggest?q=cla"))
	})
	s.do(call{method: "GET", path: "/v1/suggest?q=op"}).is(401)
	s.do(call{method: "GET", path: "/v1/suggest?q=op", key: s.key("acme", account.RoleIngest, "")}).is(403)
}
