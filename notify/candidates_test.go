package notify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/notify"
)

// wanted reports whether a trigger is handed on.
func (o *office) wanted(kind string, e event.Event) bool {
	o.t.Helper()
	wanted, err := o.engine.Wanted(o.t.Context(), []event.Trigger{{Kind: kind, Event: e}})
	require.NoError(o.t, err)
	return len(wanted) == 1
}

// No trigger is written of what nobody can be told and of what no log would have a row.
func TestNoTriggerWhereNobodyCanBeTold(t *testing.T) {
	o := newOffice(t)
	of := func(typ event.Type, by string) event.Event {
		e := o.open(5, by)
		e.Type = typ
		return e
	}
	require.True(t, o.wanted(event.AnnounceEvent, of(event.Open, event.Human)))
	require.True(t, o.wanted(event.AnnounceEvent, of(event.Open, event.Machine)), "the log says that it was a scanner's")
	require.False(t, o.wanted(event.AnnounceEvent, of(event.Download, event.Human)), "the preset normal tells of none")
	require.True(t, o.wanted(event.AnnounceChanged, of(event.Download, event.Human)), "what was told may be taken back")
	nobodys := of(event.Open, event.Human)
	nobodys.User = ""
	require.False(t, o.wanted(event.AnnounceEvent, nobodys))

	o.rule("u_ben", "far", notify.Ask{Q: "downloads"})
	require.False(t, o.wanted(event.AnnounceEvent, of(event.Download, event.Human)), "Ben may not see it")
	o.rule("u_jo", "replies", notify.Ask{Q: "replies from dox.test"})
	o.rule("u_jo", "elsewhere", notify.Ask{Q: "downloads from acme.test"})
	o.rule("u_jo", "clicks", notify.Ask{Q: "from:u_ana", Kinds: []notify.Kind{"click"}})
	o.rule("u_jo", "another", notify.Ask{Message: "m_2"})
	require.False(t, o.wanted(event.AnnounceEvent, of(event.Download, event.Human)), "no rule can find it")
	o.rule("u_jo", "downloads", notify.Ask{Q: "downloads from dox.test"})
	require.True(t, o.wanted(event.AnnounceEvent, of(event.Download, event.Human)))
	require.False(t, o.wanted(event.AnnounceEvent, of(event.Unsubscribe, event.Human)))
	o.rule("u_jo", "this", notify.Ask{Message: "m_1"})
	require.True(t, o.wanted(event.AnnounceEvent, of(event.Unsubscribe, event.Human)))

	require.NoError(t, o.books.SetMode(t.Context(), "w", notify.ModeOff))
	require.False(t, o.wanted(event.AnnounceEvent, of(event.Open, event.Human)))
}

// The workspace's rows reach those too who never chose anything.
func TestTheWorkspacesRowsOfATeamReachWhoHasChosenNothing(t *testing.T) {
	o := newOffice(t)
	_, err := o.books.ChangeDefaults(t.Context(), "w", func(d *notify.Defaults) error {
		d.Cells = notify.Cells{notify.Team: {"open": {Often: notify.Every, Channels: []notify.Channel{notify.InPage}}}}
		return nil
	})
	require.NoError(t, err)
	o.handle(event.AnnounceEvent, o.open(5, event.Human))
	require.Len(t, o.bell("u_jo"), 1)
	require.Empty(t, o.bell("u_ben"))
}

// Rows that are laid over others are no change of those.
func TestRowsLaidOverOthersLeaveThem(t *testing.T) {
	often := func(o notify.Often) notify.Cell { return notify.Cell{Often: o} }
	under := notify.Cells{notify.Mine: {"open": often(notify.Every), "click": often(notify.Every)}}
	over := under.With(notify.Cells{notify.Mine: {"open": often(notify.Off), "click": {}}, notify.Team: {"reply": often(notify.Every)}})
	require.Equal(t, notify.Cells{notify.Mine: {"open": often(notify.Off)}, notify.Team: {"reply": often(notify.Every)}}, over)
	require.Len(t, under[notify.Mine], 2)
	require.Equal(t, notify.Every, under[notify.Mine]["open"].Often)
}
