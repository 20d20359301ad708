package hooks

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// TestUnseenPayloads decodes payloads whose meaning was written down first.
func TestUnseenPayloads(t *testing.T) {
	raw, err := os.ReadFile("testdata/unseen.txt")
	require.NoError(t, err)
	all := strings.Split(string(raw), "\n#### ")[1:]
	require.GreaterOrEqual(t, len(all), 40)
	for _, each := range all {
		title, body, _ := strings.Cut(each, "\n")
		parts := strings.SplitN(title, " | ", 3)
		require.Len(t, parts, 3, title)
		t.Run(parts[1]+"/"+parts[0], func(t *testing.T) {
			p, known := New(nil, nil).Provider(parts[1])
			require.True(t, known)
			header := http.Header{"Content-Type": {"application/json"}}
			if parts[1] == "greenhouse" {
				header.Set("Greenhouse-Event-Id", "gh_1")
			}
			d, err := p.Decode(&Request{Header: header, Body: []byte(strings.TrimSpace(body))})
			require.NoError(t, err)
			require.Equal(t, parts[2], meaningOf(t, d, parts[1]))
		})
	}
}

// meaningOf is what events happened, of what kind, to whom and to which mail.
func meaningOf(t *testing.T, d Decoded, source string) string {
	t.Helper()
	var all []string
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for _, each := range d.Events {
		if each.Untimed {
			first := event.Moment(now.Unix())
			each.Time = &first
		}
		e, err := each.Input.Event("w", source, event.Limits{Now: now, Lenient: true})
		if err != nil {
			all = append(all, "rejected")
			continue
		}
		said := []string{string(e.Type)}
		if e.Bounce != nil {
			said = append(said, e.Bounce.Kind)
		} else if e.Kind != "" {
			said = append(said, e.Kind)
		}
		if e.Meeting != nil {
			said = append(said, e.Meeting.Answer)
		}
		people := append(e.Recipients, each.Candidates...)
		if e.Recipient != nil {
			people = append(people, *e.Recipient)
		}
		for _, person := range people {
			said = append(said, person.Email)
		}
		if len(people) == 0 {
			said = append(said, "nobody")
		}
		said = append(said, "on", e.Message)
		if e.Client != nil && e.Client.Automated != nil && *e.Client.Automated {
			said = append(said, "automated")
		}
		if each.Untimed {
			said = append(said, "untimed")
		}
		all = append(all, strings.Join(said, " "))
	}
	for range d.Rejected {
		all = append(all, "rejected")
	}
	for _, u := range d.Unknown {
		all = append(all, "unknown "+u.Name)
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, " + ")
}
