package stream

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSubjectsKeepTheirWorkspaceAndItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		for _, lane := range lanes {
			subject := eventSubject(lane, a)
			if strings.Count(subject, ".") != 2 || strings.ContainsAny(subject, "*> \r\n") {
				t.Fatalf("subject %q", subject)
			}
			gotLane, workspace, err := splitEventSubject(subject)
			if err != nil || gotLane != lane || workspace != a {
				t.Fatalf("%q came back as %q %q %v", a, gotLane, workspace, err)
			}
		}
		if strings.Compare(deadSubject("w", a), deadSubject("w", b)) != strings.Compare(a, b) {
			t.Fatalf("order of %q and %q", a, b)
		}
	})
}

func TestSubjectsOfOthersAreRefused(t *testing.T) {
	for _, subject := range []string{"", "events.live", "events.live.", "events.live.zz", "events.live.x0", "events.live.61"} {
		_, _, err := splitEventSubject(subject)
		require.Error(t, err, subject)
	}
}
