package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/store/sqlite"
	"tidings/stream"
	"tidings/verdict"
)

// through is a site over the real queue, index and reader.
type through struct {
	*site
	queue    *stream.Stream
	index    *sqlite.Index
	state    *sqlite.State
	internal *account.Internal
	// reevaluator is the Verdicts of the site.
	reevaluator *indexer.Reevaluator
}

// noted forgets re-evaluations at once.
type noted struct{}

func (noted) Note(context.Context, string, []event.MessageKey) error { return nil }

func (noted) Noted(context.Context) (map[string][]event.MessageKey, error) { return nil, nil }

func (noted) Forget(context.Context, string) error { return nil }

func newThrough(t *testing.T) *through {
	t.Helper()
	queue, err := stream.Open(t.Context(), stream.Config{
		Dir: t.TempDir(), MaxAttempts: 1, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, queue.Close()) })
	index, err := sqlite.OpenIndex(t.TempDir(), sqlite.IndexConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, index.Close()) })
	all := &through{queue: queue, index: index}
	all.site = newSite(t, func(c *api.Config) {
		all.state = c.Records.(*sqlite.State)
		c.Intake, c.DeadLetters, c.Clock = queue, queue, time.Now
		c.Directory = account.NewDirectory(all.state, time.Now)
		reader := feed.NewReader(feed.Config{
			Index: index, States: all.state, Catalogue: all.state, Directory: c.Directory, Aggregator: index, Vocabulary: index,
		})
		c.Feed, c.Suggester, c.Reports, c.Contacts = reader, reader, reader, reader
		all.internal = account.NewInternal(all.state, c.Directory, time.Now)
		rules, err := verdict.New(verdict.Config{})
		require.NoError(t, err)
		all.reevaluator = &indexer.Reevaluator{
			Rules: rules, Index: index, States: all.state, History: reader, Pending: noted{}, Announcer: queue,
			Internal: all.internal, Logger: slog.New(slog.DiscardHandler), Clock: time.Now,
		}
		c.Verdicts = all.reevaluator
	})
	return all
}

// run indexes until the test ends.
func (s *through) run(t *testing.T) {
	t.Helper()
	worker := indexer.New(indexer.Config{
		Queue: s.queue, Index: s.index, States: s.state, Erasures: s.state, Announcer: s.queue,
		Rules: s.reevaluator.Rules, Reevaluations: s.reevaluator, Internal: s.internal, Logger: slog.New(slog.DiscardHandler),
	})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
}

// sent is a send of message m to three people, a minute ago.
func sent(key, message string) map[string]any {
	return map[string]any{
		"id": key, "type": "send", "time": time.Now().Add(-time.Minute).Unix(), "message": message, "user": "u_ana",
		"subject": "Pricing proposal", "recipients": []any{
			map[string]any{"email": "jo@acme.example"}, map[string]any{"email": "sam@acme.example"}, map[string]any{"email": "li@acme.example"},
		},
	}
}

func TestFromAcceptedToRead(t *testing.T) {
	s := newThrough(t)
	s.run(t)
	admin := s.key("acme", account.RoleAdmin, "")
	opened := open(map[string]any{"id": "o", "message": "m/1", "time": time.Now().Add(-30 * time.Second).Unix(), "user": "u_ana"})
	var receipt api.Receipt
	body := []any{sent("a", "m/1"), sent("b", "m/2"), sent("c", "m/3"), opened}
	s.do(call{method: "POST", path: "/v1/events?ids=1", body: body, key: admin}).is(202).json(&receipt)
	require.Equal(t, 4, receipt.Accepted)
	s.do(call{method: "POST", path: "/v1/events", body: body, key: admin}).is(202) // again changes nothing

	var page feed.Page
	require.Eventually(t, func() bool {
		s.get(admin, "/v1/feed?automated=show").is(200).json(&page)
		return len(page.Items) == 4
	}, 20*time.Second, 20*time.Millisecond)
	require.Equal(t, receipt.IDs[3], page.Items[0].ID)
	require.NotNil(t, page.Query.Chips)

	var view feed.MessageView
	s.get(admin, "/v1/messages/m%2F1").is(200).json(&view)
	require.Equal(t, 2, view.Unopened)
	s.get(admin, "/v1/messages/m%2F1/events").is(200).json(&page)
	require.Len(t, page.Items, 2)
	var one feed.EventView
	s.get(admin, "/v1/events/"+receipt.IDs[3].String()).is(200).json(&one)
	require.Equal(t, receipt.IDs[3], one.ID)

	// Page by page, nothing comes twice.
	seen := map[event.ID]bool{}
	path := "/v1/feed?automated=show&limit=1"
	for range 4 {
		s.get(admin, path).is(200).json(&page)
		require.Len(t, page.Items, 1)
		require.False(t, seen[page.Items[0].ID])
		seen[page.Items[0].ID] = true
		if page.Next != nil {
			path = "/v1/feed?automated=show&limit=1&cursor=" + url.QueryEscape(*page.Next)
		}
	}
	require.Len(t, seen, 4)

	// Another workspace has none of it, and cannot use its cursors.
	stranger := s.key("globex", account.RoleAdmin, "")
	for given, none := range map[string]string{
		"/v1/messages/m%2F1": "/v1/messages/m%2F9", "/v1/messages/m%2F1/events": "/v1/messages/m%2F9/events",
		"/v1/events/" + receipt.IDs[3].String(): "/v1/events/00000000000000000000000000",
	} {
		theirs, nobodys := s.get(stranger, given), s.get(stranger, none)
		theirs.problem(404)
		require.Equal(t, string(nobodys.body), string(theirs.body))
	}
	s.get(stranger, "/v1/feed").is(200).json(&page)
	require.Empty(t, page.Items)
	require.Equal(t, "query.cursor", s.get(stranger, path).problem(422).Errors[0].Location)

	// A colleague outside of the team sees none of it either.
	s.get(s.key("acme", account.RoleRead, "u_bo"), "/v1/events/"+receipt.IDs[3].String()).problem(404)
	s.get(s.key("acme", account.RoleRead, "u_ana"), "/v1/events/"+receipt.IDs[3].String()).is(200)
}

func TestDeadLettersOfTheQueue(t *testing.T) {
	s := newThrough(t)
	admin, stranger := s.key("acme", account.RoleAdmin, ""), s.key("globex", account.RoleAdmin, "")
	s.do(call{method: "POST", path: "/v1/events", body: []any{sent("a", "m-1"), sent("b", "m-2"), sent("c", "m-3")}, key: admin}).is(202)
	for failed := 0; failed < 3; {
		batch, err := s.queue.Pull(t.Context(), event.LaneLive, 3, time.Second)
		require.NoError(t, err)
		for _, delivery := range batch {
			require.NoError(t, delivery.Fail(t.Context(), errors.New("mapping refused")))
			failed++
		}
	}
	var page api.DeadLetterPage
	s.get(admin, "/v1/dead-letters?limit=2").is(200).json(&page)
	require.Len(t, page.Items, 2)
	require.Equal(t, page.Items[1].ID, *page.Next)
	require.Equal(t, "mapping refused", page.Items[0].Attempts[0].Error)
	var e event.Event
	require.NoError(t, json.Unmarshal(page.Items[0].Event, &e))
	require.Equal(t, page.Items[0].ID, e.ID.String())
	first := page.Items[0].ID
	s.get(admin, "/v1/dead-letters?limit=2&cursor="+*page.Next).is(200).json(&page)
	require.Len(t, page.Items, 1)
	require.Nil(t, page.Next)

	for _, c := range []call{
		{method: "GET", path: "/v1/dead-letters/" + first},
		{method: "DELETE", path: "/v1/dead-letters/" + first},
		{method: "POST", path: "/v1/dead-letters/" + first + "/replay"},
	} {
		c.key = stranger
		s.do(c).problem(404)
	}
	s.do(call{method: "POST", path: "/v1/dead-letters/" + first + "/replay", key: admin}).is(204)
	s.get(admin, "/v1/dead-letters/"+first).problem(404)
	s.do(call{method: "DELETE", path: "/v1/dead-letters/" + page.Items[0].ID, key: admin}).is(204)
	s.do(call{method: "DELETE", path: "/v1/dead-letters/" + page.Items[0].ID, key: admin}).problem(404)
	s.get(admin, "/v1/dead-letters").is(200).json(&page)
	require.Len(t, page.Items, 1)
}
