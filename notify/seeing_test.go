package notify_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/event"
	"tidings/notify"
)

// Whoever is suspended, or does work that no event is needed for by now, is told of
// nothing, and neither is who left the team.
func TestWhoMaySeeNothingAnyMoreIsToldOfNothing(t *testing.T) {
	ctx := context.Background()
	change := func(c account.Change) func(d *account.Directory) error {
		return func(d *account.Directory) error {
			_, err := d.ChangeUser(ctx, "w", "u_jo", c)
			return err
		}
	}
	support, suspended := account.RoleSupport, account.StateSuspended
	for name, leave := range map[string]func(d *account.Directory) error{
		"left": func(d *account.Directory) error {
			_, err := d.PutTeam(ctx, "w", "t", account.TeamRequest{Name: "t", Members: []string{"u_ana"}})
			return err
		},
		"support": change(account.Change{Role: &support}), "suspended": change(account.Change{State: &suspended}),
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.rule("u_jo", "each", notify.Ask{Q: "opens from dox.test"})
			o.rule("u_jo", "three", notify.Ask{On: notify.OnCount, Q: "opens from dox.test", Count: 2, Within: "1h"})
			o.rule("u_jo", "silent", notify.Ask{On: notify.OnAbsence, No: notify.NoOpen, After: "3d", Q: "sends from u_ana"})
			first := o.open(2, event.Human)
			o.handle(event.AnnounceEvent, first)
			require.Len(t, o.bell("u_jo"), 1)
			o.send("silent", o.now)
			o.said = nil
			require.NoError(t, leave(o.engine.People.(*account.Directory)))
			o.handle(event.AnnounceEvent, first) // a crash came between
			o.handle(event.AnnounceEvent, o.open(1, event.Human))
			own := o.open(3, event.Human)
			o.pass(73 * time.Hour)
			o.tick()
			require.Len(t, o.bell("u_jo"), 1)
			if name != "left" {
				own.User = "u_jo"
				o.handle(event.AnnounceEvent, own)
				require.Len(t, o.bell("u_jo"), 1, "not of their own either")
			}
			first.Verdict.Is = event.Machine
			o.handle(event.AnnounceChanged, first)
			for _, said := range o.said {
				if said.To == "u_jo" {
					require.Equal(t, event.AnnounceWithdrawn, said.Kind)
					require.Nil(t, said.Event, "it is taken back without what it was")
				}
			}
		})
	}
}

// Who may see somebody's events is the same from either side, whatever roles and teams they
// have.
func TestViewersAreThoseToWhomItIsVisible(t *testing.T) {
	o := newOffice(t)
	d := o.engine.People.(*account.Directory)
	users := []string{"u_ana", "u_ben", "u_jo", "u_nobody"}
	same := func(t *testing.T) {
		for _, owner := range users {
			viewers, err := d.Viewers(t.Context(), "w", owner)
			require.NoError(t, err)
			require.IsIncreasing(t, append([]string{""}, viewers...))
			for _, user := range users {
				visible, err := d.Visible(t.Context(), "w", user)
				require.NoError(t, err)
				require.Equal(t, slices.Contains(visible, owner), slices.Contains(viewers, user), "%s of %s", user, owner)
			}
		}
	}
	same(t)
	for _, role := range []account.Role{account.RoleViewer, account.RoleLead, account.RoleSupport, account.RoleAuditor, account.RoleIntegrator, account.RoleMember} {
		_, err := d.ChangeUser(t.Context(), "w", "u_jo", account.Change{Role: &role})
		require.NoError(t, err)
		same(t)
	}
	suspended := account.StateSuspended
	_, err := d.ChangeUser(t.Context(), "w", "u_ana", account.Change{State: &suspended})
	require.NoError(t, err)
	same(t)
	_, err = d.PutTeam(t.Context(), "w", "t", account.TeamRequest{Name: "t", Members: users})
	require.NoError(t, err)
	same(t)
}
