package api_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/feed"
)

type nudgeList struct {
	Items []struct {
		Email    string
		FollowUp *account.FollowUp `json:"follow_up"`
	}
	Counts struct{ Open, Snoozed, Done int }
}

func (s *site) nudges(key, question string) (list nudgeList) {
	s.get(key, "/v1/nudges"+question).is(200).json(&list)
	return list
}

const joFollowUp = "/v1/follow-ups/jo%40acme.example?user=u_ana"

// follows is a site with Jo, whom Ana has written to, and a team of Ana and Ben.
func follows(t *testing.T) *site {
	s := newSite(t)
	s.feed.nudges = []feed.Nudge{{Email: "jo@acme.example", User: &feed.User{ID: "u_ana"}, Sent: noon.Add(-96 * time.Hour)}}
	s.feed.calls = []feed.Call{{Email: "jo@acme.example", User: &feed.User{ID: "u_ana"}, Last: noon.Add(-time.Hour)}}
	admin := s.key("w", account.RoleAdmin, "")
	for _, user := range []string{"u_ana", "u_ben", "u_cy"} {
		s.do(call{method: "PUT", path: "/v1/users/" + user, key: admin, body: `{"name":"X"}`}).is(200)
	}
	s.do(call{method: "PUT", path: "/v1/teams/sales", key: admin, body: `{"name":"Sales","members":["u_ana","u_ben"]}`}).is(200)
	return s
}

func TestAFollowUpIsSharedByThoseWhoSeeTheMail(t *testing.T) {
	s := follows(t)
	ana, ben, cy := s.key("w", account.RoleRead, "u_ana"), s.key("w", account.RoleRead, "u_ben"), s.key("w", account.RoleRead, "u_cy")
	until := noon.Add(24 * time.Hour)
	s.do(call{method: "PUT", path: joFollowUp, key: ana, body: map[string]any{"snoozed_until": until, "assignee": "u_ben", "note": "Call on Friday"}}).is(200)
	require.Empty(t, s.nudges(ben, "").Items)
	got := s.nudges(ben, "?show=snoozed&user=u_ben")
	require.Len(t, got.Items, 1, "it is Ben's now, though the mail is Ana's")
	require.Equal(t, "Call on Friday", got.Items[0].FollowUp.Note)
	require.Equal(t, 1, got.Counts.Snoozed)
	s.do(call{method: "PUT", path: joFollowUp, key: cy, body: `{"note":"mine"}`}).problem(404)
	require.NotContains(t, string(s.get(cy, "/v1/follow-ups/jo%40acme.example").is(200).body), "Friday")
	require.Contains(t, string(s.get(ben, "/v1/follow-ups/jo%40acme.example").is(200).body), "Friday")
	require.NotContains(t, string(s.get(s.key("v", account.RoleAdmin, ""), "/v1/follow-ups/jo%40acme.example").body), "Friday")
	s.pass(25 * time.Hour)
	require.Len(t, s.nudges(ben, "").Items, 1, "it is over")
}

func TestWhatIsDoneComesBackWithNews(t *testing.T) {
	s := follows(t)
	ana := s.key("w", account.RoleRead, "u_ana")
	s.do(call{method: "PUT", path: joFollowUp, key: ana, body: `{"done":true}`}).is(200)
	require.Empty(t, s.nudges(ana, "").Items)
	require.Len(t, s.nudges(ana, "?show=done").Items, 1)
	require.NotContains(t, string(s.get(ana, "/v1/calls").is(200).body), "jo@")
	s.feed.calls[0].Last = noon.Add(time.Minute)
	require.Contains(t, string(s.get(ana, "/v1/calls").is(200).body), "jo@")
}

func TestOfSeveralWhoChangeAFollowUpOneSucceeds(t *testing.T) {
	s := follows(t)
	ana := s.key("w", account.RoleRead, "u_ana")
	for revision := range 2 {
		var writing sync.WaitGroup
		var written, refused atomic.Int64
		for range 4 {
			writing.Go(func() {
				switch s.do(call{method: "PUT", path: joFollowUp, key: ana, body: map[string]any{"revision": revision, "note": "x"}}).status {
				case 200:
					written.Add(1)
				case 409:
					refused.Add(1)
				}
			})
		}
		writing.Wait()
		require.Equal(t, []int64{1, 3}, []int64{written.Load(), refused.Load()})
	}
}

func TestAFollowUpIsErasedWithItsPerson(t *testing.T) {
	s := follows(t)
	ana, admin := s.key("w", account.RoleRead, "u_ana"), s.key("w", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: joFollowUp, key: ana, body: `{"note":"hers"}`}).is(200)
	s.do(call{method: "PUT", path: "/v1/follow-ups/li%40acme.example?user=u_ana", key: ana, body: `{"note":"ask Jo@acme.example first"}`}).is(200)
	s.do(call{method: "DELETE", path: "/v1/people/jo%40acme.example", key: admin}).is(200)
	for _, path := range []string{"/v1/follow-ups/jo%40acme.example", "/v1/follow-ups/li%40acme.example"} {
		require.NotContains(t, string(s.get(admin, path).is(200).body), "note", path)
	}
}

func TestAFollowUpHasItsBounds(t *testing.T) {
	s := follows(t)
	ana := s.key("w", account.RoleRead, "u_ana")
	for _, body := range []any{
		`{"assignee":"u_cy"}`,
		map[string]any{"snoozed_until": noon.Add(400 * 24 * time.Hour)},
		`{"note":1}`,
		map[string]any{"note": string(make([]byte, 2001))},
		`{"finished":true}`,
	} {
		s.do(call{method: "PUT", path: joFollowUp, key: ana, body: body}).is(400)
	}
	require.Equal(t, 422, s.get(ana, "/v1/nudges?days=0").status)
}
