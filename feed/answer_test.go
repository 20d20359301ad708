package feed_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

func (f *fixture) answer(request feed.AnswerRequest) feed.Answer {
	request.Workspace = "w"
	answer, err := f.Answer(context.Background(), request)
	require.NoError(f.t, err)
	return answer
}

func TestQuestionsAreAnswered(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	sent := now.Add(-9 * 24 * time.Hour)
	f.put(aMail(sent)...)
	f.put(send("m-2", sent.Add(time.Hour), jo, li))
	for text, want := range map[string]string{
		"who hasn't opened":                   "3 people at 2 companies haven’t opened 2 messages; 1 more bounced.",
		"who at acme.example hasn't opened":   "1 person at 1 company hasn’t opened 2 messages; 1 more bounced.",
		"who opened":                          "2 people at 1 company opened 1 message.",
		"did jo@acme.example click":           "Yes: 1 person at 1 company clicked in 1 message.",
		"did li@globex.example click":         "No: nobody clicked in a message like that.",
		"who opened twice but hasn't replied": "1 person at 1 company opened and hasn’t replied to 1 message.",
		"who opened but didn't reply":         "1 person at 1 company has opened and hasn’t replied to 1 message.",
		"who hasn't clicked":                  "2 people at 2 companies haven’t clicked in 1 message.",
		"how many opens":                      "3 events: 2 people at 1 company opened 1 message.",
		"when did jo@acme.example click":      "On Tuesday, 10 November 2026, 14:00: 1 person at 1 company clicked in 1 message.",
	} {
		a := f.answer(feed.AnswerRequest{Text: text})
		if text == "when did jo@acme.example click" {
			want = "On " + sent.Add(2*time.Hour).UTC().Format("Monday, 2 January 2006, 15:04") + ": 1 person at 1 company clicked in 1 message."
		}
		require.Equal(t, want, a.Sentence, text)
		page := f.page(feed.PageRequest{Text: text})
		require.NotNil(t, page.Answer, text)
		require.Equal(t, a.Sentence, page.Answer.Sentence)
	}
	require.Nil(t, f.page(feed.PageRequest{Text: "opens"}).Answer)
	a := f.answer(feed.AnswerRequest{Text: "who opened"})
	require.Equal(t, []string{"opened", "clicked"}, person(t, f.answer(feed.AnswerRequest{Text: "to:jo type:send"}), jo.Email).State)
	require.Equal(t, jo.Email, a.Companies[0].People[0].Email)
}

// Those whom nothing reaches, or who want nothing more, are not said to have left a
// mail unopened.
func TestWhoIsNotWaitedForIsCountedApart(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	sent := now.Add(-9 * 24 * time.Hour)
	f.put(send("m-1", sent, jo, li, cy, bea))
	require.Equal(t, "4 people at 2 companies haven’t opened 1 message.", f.answer(feed.AnswerRequest{Text: "who hasn't opened"}).Sentence)
	f.put(did(event.Bounce, "m-1", sent.Add(time.Hour), li), did(event.Unsubscribe, "m-1", sent.Add(time.Hour), jo))
	for text, want := range map[string]string{
		"who hasn't opened":              "2 people at 2 companies haven’t opened 1 message; 1 more unsubscribed, 1 bounced.",
		"how many didn't reply":          "1 event: 2 people at 2 companies haven’t replied to 1 message; 1 more unsubscribed, 1 bounced.",
		"who bounced":                    "1 person at 1 company didn’t get 1 message.",
		"who is:unopened to:" + li.Email: "Nobody is waited for; 1 bounced.",
	} {
		a := f.answer(feed.AnswerRequest{Text: text})
		require.Equal(t, want, a.Sentence, text)
		for _, count := range a.Counts {
			if count.Of == "bounced" || count.Of == "unsubscribed" {
				people := f.answer(feed.AnswerRequest{Text: count.Query}).Counts[2]
				require.Equal(t, count.Count, people.Count, count.Query)
			}
		}
	}
	f.put(send("m-2", sent.Add(time.Hour), li))
	require.Equal(t, "3 people at 2 companies haven’t opened 2 messages; 1 more unsubscribed.",
		f.answer(feed.AnswerRequest{Text: "who hasn't opened"}).Sentence, "the second mail reached Li")
}

func person(t require.TestingT, a feed.Answer, email string) feed.AnsweredPerson {
	for _, company := range a.Companies {
		for _, p := range company.People {
			if p.Email == email {
				return p
			}
		}
	}
	require.Fail(t, "not in the answer", email)
	return feed.AnsweredPerson{}
}

func TestAnswersComeInPages(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	var people []event.Person
	for i := range 30 {
		people = append(people, event.Person{Email: fmt.Sprintf("p%02d@d%d.example", i, i%4)})
	}
	f.put(send("m-1", now.Add(-time.Hour), people...))
	seen := make(map[string]bool)
	request := feed.AnswerRequest{Text: "who hasn't opened", Limit: 7}
	for pages := 1; ; pages++ {
		a := f.answer(request)
		require.Equal(t, "30 people at 4 companies haven’t opened 1 message.", a.Sentence)
		for _, company := range a.Companies {
			for _, p := range company.People {
				require.False(t, seen[p.Email])
				seen[p.Email] = true
			}
		}
		if a.Next == nil {
			require.Equal(t, 5, pages)
			break
		}
		request.Cursor = *a.Next
	}
	require.Len(t, seen, 30)
	request.Cursor = "nonsense"
	request.Workspace = "w"
	_, err := f.Answer(t.Context(), request)
	require.ErrorIs(t, err, event.ErrInvalid)
}

func TestWhatIsAQuestion(t *testing.T) {
	for text, want := range map[string]query.Question{
		"who opened": query.AskWho, "Who's opened": query.AskWho, "how  many opens": query.AskHowMany, "whole foods": query.NoQuestion,
		"did jo reply": query.AskDid, "when did jo open": query.AskWhen, "which companies": query.AskWhich, "opens last week": query.NoQuestion,
		"opens last week?": query.AskWhich, "": query.NoQuestion, "is:unopened": query.NoQuestion, "has anyone replied": query.AskDid,
		"what": query.NoQuestion, " Does ": query.NoQuestion, "what?": query.AskWhich, "who is": query.AskWho,
	} {
		require.Equal(t, want, query.QuestionOf(text), text)
	}
}
