package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who asks why reads of what, what was decided and why, which other event it was, and what
// today's settings would do.
func TestWhyIsReadByPeople(t *testing.T) {
	of := `"event": {"id": "dc6tsv6qm2f21l36o2k50itu2g", "type": "open", "time": "2026-11-30T20:37:16Z", "subject": "Pricing", "person": {"email": "lee@dox.test"}}`
	var out strings.Builder
	require.NoError(t, printWhy(&out, []byte(`{"decision": {"outcome": "not", "check": "first", "found": "That was another.", "other": "dc6pmo1d7vvoot4380qopcib1g", `+of+`},
		"now": {"outcome": "notified", "found": "Your rule found it.", `+of+`},
		"checks": [{"check": "kind", "pass": true, "found": "It is on."}, {"check": "first", "found": "That was another."}],
		"fixes": [{"words": "Tell me of every open"}]}`)))
	require.Regexp(t, `^open of 20\d\d-\d\d-\d\d \d\d:\d\d:16: lee@dox.test, “Pricing”
NOT TOLD: That was another.
The other is dc6pmo1d7vvoot4380qopcib1g.
  kind     yes It is on.
  first    no  That was another.
By today's settings it would be TOLD: Your rule found it.
To change that: Tell me of every open
$`, out.String())
}

func TestWhatADecisionIsAboutIsSaid(t *testing.T) {
	for raw, want := range map[string]string{
		`{}`:                                "-",
		`{"event": {"subject": "Pricing"}}`: "“Pricing”",
		`{"event": {"person": {"name": "Lee", "email": "lee@dox.test"}, "subject": "Pricing"}}`: "Lee, “Pricing”",
		`{"event": {"person": {"email": "lee@dox.test"}}}`:                                      "lee@dox.test, no subject",
	} {
		var d decisionView
		require.NoError(t, json.Unmarshal([]byte(raw), &d))
		require.Equal(t, want, d.about())
	}
}
