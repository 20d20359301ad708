package query

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestKindsOfBouncesAreSearchedFor(t *testing.T) {
	bounce := func(kind string) event.Event {
		return event.Event{Type: event.Bounce, Time: 1, Bounce: &event.BounceDetail{Kind: kind}}
	}
	for _, each := range []struct{ text, kind string }{
		{"bounce:rejected", "rejected"},
		{"rejected", "rejected"},
		{"rejected mails", "rejected"},
		{"rejected this week", "rejected"},
		{"suppressed mails", "rejected"},
		{"hard bounces", "hard"},
		{"bounce:hard", "hard"},
		{"soft bounces", "soft"},
		{"bounced softly", "soft"},
	} {
		t.Run(each.text, func(t *testing.T) {
			q := understood(t, each.text)
			q.From, q.Until = 0, 0
			for _, kind := range append(Bounces, "") {
				require.Equal(t, kind == each.kind, q.Match(Document{Event: bounce(kind)}, nil), kind)
			}
			require.False(t, q.Match(Document{Event: event.Event{Type: event.Send, Time: 1}}, nil))
		})
	}
	declined := understood(t, "meetings rejected")
	require.True(t, declined.Match(Document{Event: event.Event{Type: event.Meeting, Meeting: &event.Appointment{Answer: "no"}}}, nil))
}

func understood(t *testing.T, text string) Query {
	t.Helper()
	result := Parse(text, Options{Now: time.Date(2026, 11, 21, 10, 30, 0, 0, time.UTC)})
	return result.Query
}
