package feed_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

// mailing is a send to so many people of a company.
func mailing(message, company string, recipients int) event.Event {
	people := make([]event.Person, recipients)
	for i := range people {
		people[i] = event.Person{Email: fmt.Sprintf("p%04d@%s.example", i, company)}
	}
	return send(message, now.Add(-3*time.Hour), people...)
}

// A page of mailings is small, and says where the others are.
func TestASendListsItsFirstRecipientsAndWhereTheOthersAre(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	wide := mailing("campaign 42", "acme", event.MaxRecipients)
	f.put(wide, did(event.Open, "campaign 42", now.Add(-time.Hour), wide.Recipients[900]), mailing("small", "acme", feed.MostRecipients))
	candidates := did(event.Open, "campaign 42", now.Add(-time.Minute), event.Person{})
	candidates.Recipient, candidates.Recipients = nil, wide.Recipients
	f.put(candidates)

	page := f.page(feed.PageRequest{Text: ""})
	text, err := json.Marshal(page)
	require.NoError(t, err)
	require.Less(t, len(text), 20_000, "a page with 2,050 recipients and as many candidates")
	rest := &feed.Rest{Count: 950, At: "/v1/messages/campaign%2042"}
	for _, item := range page.Items {
		switch {
		case item.Type == event.Open && item.Person == nil:
			require.Len(t, item.Candidates, 50)
			require.Equal(t, rest, item.Rest)
		case item.Type == event.Open:
			require.Nil(t, item.Rest)
		case item.Message == "small":
			require.Len(t, item.Recipients, 50)
			require.Nil(t, item.Rest)
		default:
			require.Len(t, item.Recipients, 50)
			require.Equal(t, 999, *item.Unopened, "of all")
			require.Equal(t, rest, item.Rest)
		}
	}
	one, err := f.Event(t.Context(), reader("u_ana"), wide.ID)
	require.NoError(t, err)
	require.Len(t, one.Recipients, 50)
	require.Equal(t, 999, *one.Unopened, "a send has the state of its recipients")
	company, err := f.Company(t.Context(), reader("u_ana"), "acme.example")
	require.NoError(t, err)
	require.Len(t, company.Messages[0].Recipients, 50)
	require.Equal(t, 950, company.Messages[0].Rest.Count)

	exported := 0
	require.NoError(t, f.Export(t.Context(), feed.ExportRequest{Scope: reader("u_ana")}, func(items []feed.Item) error {
		for _, item := range items {
			exported = max(exported, len(item.Recipients))
		}
		return nil
	}))
	require.Equal(t, event.MaxRecipients, exported, "an export is whole")
}

// All recipients of a message are listed, each once, and only those whom the reader may see.
func TestTheOtherRecipientsAreListedPageByPage(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	hers, his := mailing("campaign-42", "acme", 620), mailing("campaign-42", "globex", 300)
	his.User, his.ID = "u_ben", event.NewID(his.Time, "w", "api", true, []byte("his"))
	f.put(hers, his)
	all := func(scope feed.Scope) (emails []string) {
		for cursor, left := "", -1; ; {
			view, err := f.Message(t.Context(), scope, "campaign-42", cursor)
			require.NoError(t, err)
			require.LessOrEqual(t, len(view.Recipients), 200)
			for _, recipient := range view.Recipients {
				emails = append(emails, recipient.Email)
			}
			if left >= 0 {
				require.Equal(t, left, len(view.Recipients)+restOf(view))
			}
			left = restOf(view)
			if view.Rest == nil {
				return emails
			}
			require.Equal(t, "/v1/messages/campaign-42?recipients="+view.Rest.Next, view.Rest.At)
			cursor = view.Rest.Next
		}
	}
	require.Len(t, all(reader("u_ana")), 620)
	require.NotContains(t, strings.Join(all(reader("u_ana")), " "), "globex")
	require.Len(t, all(reader("u_ben")), 300)
	require.Len(t, all(reader("u_ana", "u_ben")), 920)

	view, err := f.Message(t.Context(), reader("u_ana"), "campaign-42", "")
	require.NoError(t, err)
	_, err = f.Message(t.Context(), reader("u_ben"), "campaign-42", view.Rest.Next)
	require.ErrorIs(t, err, event.ErrInvalid, "another reader's cursor")
	_, err = f.Message(t.Context(), reader("u_ana"), "campaign-42", "x")
	require.ErrorIs(t, err, event.ErrInvalid)
}

func restOf(view feed.MessageView) int {
	if view.Rest == nil {
		return 0
	}
	return view.Rest.Count
}

// A frame of a mailing has those of whom something was heard last.
func TestAFrameHasTheLatest(t *testing.T) {
	wide := mailing("campaign-42", "acme", event.MaxRecipients)
	state := event.State{MessageKey: event.MessageKey{Workspace: "w", Message: "campaign-42"}}
	state.Apply(event.ChangeOf(wide))
	state.Apply(event.ChangeOf(did(event.Open, "campaign-42", now.Add(-time.Hour), wide.Recipients[900])))
	list, unopened, rest := feed.LatestOf(state)
	require.Len(t, list, 50)
	require.Equal(t, 999, unopened)
	require.Equal(t, 950, rest.Count)
	require.Equal(t, "p0900@acme.example", list[49].Email)
}
