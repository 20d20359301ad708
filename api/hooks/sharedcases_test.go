package hooks

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

const hookCases = "../../../shared/data/cases/hooks"

// TestSharedHookCases reads each of the shared cases of webhooks: what happened, to whom
// and to which mail. A file that nobody has written a line for fails.
func TestSharedHookCases(t *testing.T) {
	files, err := os.ReadDir(hookCases)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("skipped: no shared data")
	}
	require.NoError(t, err)
	// A change that names no mail is of one that only this person has.
	const alone = "*"
	expected := map[string]struct {
		provider string
		events   []string
	}{
		"05-postmark-null-messageid.json":       {"postmark", []string{"unsubscribe jo@acme.example on " + alone}},
		"06-sendgrid-two-groups.json":           {"sendgrid", []string{"unsubscribe jo@sg.example on Q1w2E3r4T5", "unsubscribe jo@sg.example on Q1w2E3r4T5"}},
		"16-ses-complaint-nobody.json":          {"ses", []string{"bounce rejected jo@x.example on z1"}},
		"17-resend-undetermined.json":           {"resend", []string{"bounce soft jo@acme.example on e1"}},
		"18-sendgrid-optional-field-shape.json": {"sendgrid", []string{"delivery foo@bar.example on m"}},
		// In words; TestAReplyNamesTheMessageAsSendGridDoes and TestAnUnknownCharsetFallsBack.
		"03-sendgrid-reply-geopod.txt":    {"sendgrid", nil},
		"07-sendgrid-inbound-charset.txt": {"sendgrid", nil},
	}
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for _, file := range files {
		want, ok := expected[file.Name()]
		require.True(t, ok, file.Name())
		if want.events == nil {
			continue
		}
		body, err := os.ReadFile(filepath.Join(hookCases, file.Name()))
		require.NoError(t, err)
		p, _ := New(nil, nil).Provider(want.provider)
		d, err := p.Decode(&Request{Header: map[string][]string{"Content-Type": {"application/json"}}, Body: body})
		require.NoError(t, err, file.Name())
		ids := map[event.ID]bool{}
		var got []string
		for _, each := range d.Events {
			e, err := each.Input.Event("w", want.provider, event.Limits{Now: now})
			require.NoError(t, err, file.Name())
			ids[e.ID] = true
			said := string(e.Type)
			if e.Bounce != nil {
				said += " " + e.Bounce.Kind
			}
			message := e.Message
			if strings.HasSuffix(want.events[len(got)], alone) && message != "" {
				message = alone
			}
			got = append(got, said+" "+e.RecipientEmail()+" on "+message)
		}
		require.Equal(t, want.events, got, file.Name())
		require.Len(t, ids, len(got), "each is an event of its own")
	}
}
