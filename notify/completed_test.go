package notify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/notify"
)

// An event that comes before its send is nobody's and about nothing. When the send says
// more, its owner is told, rules by a subject find it, and rules that count count it; each
// once, in any order.
func TestWhatBecomesKnownLaterIsDecidedAnew(t *testing.T) {
	o := newOffice(t)
	o.rule("u_jo", "pricing", notify.Ask{Q: "type:open subject:pricing"})
	o.rule("u_jo", "two", notify.Ask{On: notify.OnCount, Q: "type:open subject:pricing", Count: 2, Within: "1h", Per: "message"})
	first, second := o.open(10, event.Human), o.open(5, event.Human)
	for _, e := range []event.Event{first, second} {
		e.User = ""
		o.handle(event.AnnounceEvent, e)
	}
	require.Empty(t, o.bell("u_ana"))
	require.Empty(t, o.bell("u_jo"))
	first.Subject, second.Subject = "Pricing", "Pricing"
	for range 3 {
		o.handle(event.AnnounceChanged, first)
		o.handle(event.AnnounceChanged, second)
	}
	require.Len(t, o.bell("u_ana"), 1, "the first open")
	kinds := map[notify.Kind]int{}
	for _, d := range o.bell("u_jo") {
		kinds[d.Kind]++
	}
	require.Equal(t, map[notify.Kind]int{"open": 2, notify.KindCount: 1}, kinds)
}

// What a kind that is switched off stops is not kept, whether it is new or completed.
func TestWhatIsSwitchedOffIsNotKeptWhenItIsCompleted(t *testing.T) {
	o := newOffice(t)
	_, err := o.books.ChangeSettings(t.Context(), "w", "u_ana", func(s *notify.Settings) error {
		s.Cells = notify.Cells{notify.Mine: {"open": {Often: notify.Off}}}
		return nil
	})
	require.NoError(t, err)
	opened := o.open(10, event.Human)
	o.handle(event.AnnounceEvent, opened)
	o.handle(event.AnnounceChanged, opened)
	require.Empty(t, o.log("u_ana", opened).ID)
}
