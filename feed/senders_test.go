package feed_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

// shared is a message of two users: Ana wrote to Jo, who has opened, and Ben to Li
// and Max, of whom Li has opened and replied.
func shared(t *testing.T) *fixture {
	f := newFixture(t, t.TempDir())
	t.Cleanup(f.close)
	hers, his := send("campaign-42", now.Add(-3*time.Hour), jo), send("campaign-42", now.Add(-2*time.Hour), li, event.Person{Email: "max@globex.example"})
	his.User, his.Subject = "u_ben", "Budget cuts"
	his.ID = event.NewID(his.Time, "w", "api", true, []byte("his"))
	opened, replied := did(event.Open, "campaign-42", now.Add(-30*time.Minute), li), did(event.Reply, "campaign-42", now.Add(-20*time.Minute), li)
	for _, e := range []*event.Event{&opened, &replied} {
		e.User, e.Subject = "u_ben", "Budget cuts"
	}
	f.put(hers, his, did(event.Open, "campaign-42", now.Add(-time.Hour), jo), opened, replied)
	return f
}

// reader is who may see the events of some users.
func reader(users ...string) feed.Scope {
	return feed.Scope{Workspace: "w", Users: users, Me: users[0]}
}

// hides asserts that what somebody is shown says nothing of the other's recipients.
func hides(t *testing.T, shown any, words ...string) {
	t.Helper()
	text, err := json.Marshal(shown)
	require.NoError(t, err)
	for _, word := range words {
		require.NotContains(t, string(text), word)
	}
}

func TestAMessageOfTwoSendersIsEachOnesOwn(t *testing.T) {
	f := shared(t)
	hers, err := f.Message(t.Context(), reader("u_ana"), "campaign-42", "")
	require.NoError(t, err)
	hides(t, hers, "globex", "Budget", "u_ben")
	require.Equal(t, "Pricing proposal", hers.Subject)
	require.Equal(t, "u_ana", hers.User.ID)
	require.Len(t, hers.Recipients, 1)
	require.Equal(t, 0, hers.Unopened)
	require.Equal(t, now.Add(-3*time.Hour), *hers.Sent)

	his, err := f.Message(t.Context(), reader("u_ben"), "campaign-42", "")
	require.NoError(t, err)
	hides(t, his, "acme", "Pricing", "u_ana")
	require.Equal(t, "Budget cuts", his.Subject)
	require.Len(t, his.Recipients, 2)
	require.Equal(t, 1, his.Unopened)
	require.Equal(t, now.Add(-2*time.Hour), *his.Sent)

	both, err := f.Message(t.Context(), reader("u_ana", "u_ben"), "campaign-42", "")
	require.NoError(t, err)
	require.Len(t, both.Recipients, 3)
	_, err = f.Message(t.Context(), reader("u_cy"), "campaign-42", "")
	require.ErrorIs(t, err, event.ErrNotFound)

	timeline, err := f.Timeline(t.Context(), reader("u_ana"), "campaign-42", "", 0)
	require.NoError(t, err)
	require.Len(t, timeline.Items, 2)
	hides(t, timeline, "globex", "Budget", "u_ben")
}

func TestAVersionTellsNothingOfAnothersRecipients(t *testing.T) {
	f := shared(t)
	version := func(user string) int64 {
		view, err := f.Message(t.Context(), reader(user), "campaign-42", "")
		require.NoError(t, err)
		return view.Version
	}
	hers, his := version("u_ana"), version("u_ben")
	clicked := did(event.Click, "campaign-42", now.Add(-time.Minute), li)
	clicked.User = "u_ben"
	f.put(clicked)
	require.Equal(t, hers, version("u_ana"))
	require.Greater(t, version("u_ben"), his)
}

func TestPagesAndConditionsAreAboutASendsOwnRecipients(t *testing.T) {
	f := shared(t)
	f.Reader = feed.NewReader(feed.Config{
		Index: f.store, States: f.store, Catalogue: f.state, Directory: names{}, Clock: func() time.Time { return now },
		Aggregator: f.store, Statuses: f.state, WithTimeout: patient,
	})
	items := func(user, text string) []feed.Item {
		page := f.page(feed.PageRequest{Scope: reader(user), Text: text})
		return page.Items
	}
	hides(t, items("u_ana", ""), "globex", "Budget", "u_ben")
	hides(t, items("u_ben", ""), "acme", "Pricing", "u_ana")
	for _, test := range []struct {
		text      string
		hers, his int
	}{
		{"is:unopened", 0, 1}, {"is:opened", 1, 1}, {"is:replied", 0, 1}, {"is:unreplied", 1, 0},
	} {
		require.Len(t, items("u_ana", test.text), test.hers, "hers, %s", test.text)
		require.Len(t, items("u_ben", test.text), test.his, "his, %s", test.text)
		all := f.page(feed.PageRequest{Text: test.text})
		require.Len(t, all.Items, test.hers+test.his, "of one who sees both, %s", test.text)
		for user, want := range map[string]int{"u_ana": test.hers, "u_ben": test.his} {
			request := feed.StatsRequest{Scope: reader(user), Text: test.text}
			require.Equal(t, want, f.stats(request).Totals.Types[event.Send], "statistics, %s", test.text)
		}
	}
}

func TestStatisticsSuggestionsAndExportsAreEachOnesOwn(t *testing.T) {
	f := shared(t)
	stats := f.stats(feed.StatsRequest{Scope: reader("u_ana")})
	hides(t, stats, "globex", "Budget", "u_ben")
	require.Equal(t, "Pricing proposal", stats.Messages[0].Subject)
	require.Equal(t, now.Add(-3*time.Hour), *stats.Messages[0].Sent)
	stats = f.stats(feed.StatsRequest{Scope: reader("u_ben")})
	hides(t, stats, "acme", "Pricing", "u_ana")
	require.Equal(t, "Budget cuts", stats.Messages[0].Subject)

	require.Empty(t, suggested(t, f, reader("u_ana"), "budg"))
	require.Empty(t, suggested(t, f, reader("u_ana"), "to:li@"))
	require.NotEmpty(t, suggested(t, f, reader("u_ben"), "budg"))
	require.NotEmpty(t, suggested(t, f, reader("u_ben"), "to:li@"))

	for user, others := range map[string][]string{"u_ana": {"globex", "Budget", "u_ben"}, "u_ben": {"acme", "Pricing", "u_ana"}} {
		require.NoError(t, f.Export(t.Context(), feed.ExportRequest{Scope: reader(user)}, func(items []feed.Item) error {
			hides(t, items, others...)
			return nil
		}))
	}

	known, err := f.Company(t.Context(), reader("u_ben"), "globex.example")
	require.NoError(t, err)
	require.Equal(t, "Budget cuts", known.Messages[0].Subject)
	require.Len(t, known.Messages[0].Recipients, 2)
	_, err = f.Company(t.Context(), reader("u_ana"), "globex.example")
	require.ErrorIs(t, err, event.ErrNotFound)
}

// TestWhenAMailWasSentIsItsSendersOwn holds that the time of another user's mail with
// the same id neither counts nor can be found out.
func TestWhenAMailWasSentIsItsSendersOwn(t *testing.T) {
	f := shared(t) // Ana sent an hour before Ben, whose recipients opened 90 minutes after his.
	for text, want := range map[string]int{"type:open took:<2h": 1, "type:open took:>2h": 0} {
		page := f.page(feed.PageRequest{Scope: reader("u_ben"), Text: text})
		require.Len(t, page.Items, want, text)
	}
}
