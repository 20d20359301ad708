package event_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestOwnWordsAreKeptOnlyBesideABodyThatHasMore(t *testing.T) {
	for name, c := range map[string]struct {
		kind       event.Type
		body, want string
	}{
		"a quote":          {event.Reply, "Yes.\n\n> Shall we?\n", "Yes."},
		"white space":      {event.Reply, "Yes.  \r\n\r\n\r\nTuesday. \n", ""},
		"nothing besides":  {event.Reply, "Yes.", ""},
		"only a quotation": {event.Reply, "> Shall we?\n", ""},
		"no reply":         {event.Send, "Yes.\n\n> Shall we?\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			at := event.Moment(now.Unix())
			in := event.Input{Type: c.kind, Time: &at, Message: "m-1", Body: c.body, User: "u_ana"}
			if jo := (event.Person{Email: "jo@acme.example"}); c.kind == event.Send {
				in.Recipients = []event.Person{jo}
			} else {
				in.Recipient = &jo
			}
			e, err := in.Event("acme", "test", limits())
			require.NoError(t, err)
			e.TellOwnWords()
			require.Equal(t, c.want, e.OwnWords)
			require.Equal(t, c.body, e.Body)
		})
	}
}
