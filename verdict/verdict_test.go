package verdict_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/verdict"
)

func TestJudge(t *testing.T) {
	yes, no, agent, empty := true, false, "Mozilla/5.0 (Macintosh)", ""
	for name, c := range map[string]struct {
		kind   event.Type
		client *event.Client
		is, by string
	}{
		"an agent is a person":            {event.Open, &event.Client{UserAgent: &agent}, event.Human, "rule"},
		"an address is a person":          {event.Click, &event.Client{IP: "192.0.2.1"}, event.Human, "rule"},
		"nothing known":                   {event.Open, nil, event.Unknown, "rule"},
		"nothing said":                    {event.Click, &event.Client{}, event.Unknown, "rule"},
		"an agent sent empty is evidence": {event.Open, &event.Client{UserAgent: &empty}, event.Human, "rule"},
		"the provider says machine":       {event.Open, &event.Client{Automated: &yes, IP: "192.0.2.1"}, event.Machine, "provider"},
		"the provider says no machine":    {event.Open, &event.Client{Automated: &no, IP: "192.0.2.1"}, event.Human, "rule"},
		"a reply is deliberate":           {event.Reply, nil, event.Human, "rule"},
		"a send is not judged":            {event.Send, nil, "", ""},
		"a delivery is not judged":        {event.Delivery, &event.Client{Automated: &yes}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := verdict.Judge(event.Event{Type: c.kind, Client: c.client})
			require.Equal(t, c.is, got.Is)
			require.Equal(t, c.by, got.By)
			if c.is != "" {
				require.NotEmpty(t, got.Rule)
				require.Equal(t, verdict.Version, got.Version)
			}
		})
	}
}
