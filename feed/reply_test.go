package feed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/query"
)

const repliedWithQuote = "Yes, gladly.\n\nOn Tue, Nov 10, 2026 at 10:00 AM Ana <ana@acme.example> wrote:\n> Shall we talk about Zanzibar?\n\n-- \nJo Reyes"

func replied(t *testing.T, kind event.Type) event.Event {
	t.Helper()
	at := event.Moment(1_790_000_000)
	jo := event.Person{Email: "jo@x.example"}
	in := event.Input{Type: kind, Time: &at, Message: "m", Body: repliedWithQuote}
	if kind == event.Send {
		in.Recipients = []event.Person{jo}
	} else {
		in.Recipient = &jo
	}
	e, err := in.Event("acme", "api", event.Limits{Now: time.Unix(1_790_000_000, 0)})
	require.NoError(t, err)
	e.TellOwnWords() // As the indexer does.
	return e
}

func TestARepliesSnippetIsItsOwnWords(t *testing.T) {
	e := replied(t, event.Reply)
	require.Equal(t, repliedWithQuote, e.Body, "the event keeps it whole")
	require.Equal(t, "Yes, gladly.", ItemOf(e, nil, func(string) string { return "" }).Snippet)
}

func TestAReplyIsFoundByItsOwnWords(t *testing.T) {
	words := func(kind event.Type) int {
		return len(query.NewDocument(replied(t, kind)).Fields[query.FieldBody])
	}
	require.Equal(t, 2, words(event.Reply))
	require.Greater(t, words(event.Send), 10)
}
