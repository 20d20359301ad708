package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/notify"
)

// What is told in the page alone does not hide how much left the house within the hour.
func TestOnlySoManyLeaveTheHouseByThemselvesInAnHour(t *testing.T) {
	o := newOffice(t)
	_, err := o.books.ChangeSettings(context.Background(), "w", "u_ana", func(s *notify.Settings) error {
		s.Cells = notify.Cells{notify.Mine: {
			"open": {Often: notify.Every, Channels: []notify.Channel{notify.InPage}}, "reply": {Often: notify.Every, Channels: []notify.Channel{notify.Mail}},
		}}
		return nil
	})
	require.NoError(t, err)
	var triggers []event.Trigger
	for i := range 25 * 10 {
		e := o.open(i, event.Human)
		if i%10 == 0 {
			e.Type = event.Reply
		}
		triggers = append(triggers, event.Trigger{Kind: event.AnnounceEvent, Event: e})
	}
	for some := range slices.Chunk(triggers, 10) {
		o.pass(time.Second)
		require.NoError(t, o.engine.Handle(context.Background(), some))
	}
	alone := 0
	for after, more := "", true; more; {
		page, next, err := o.store.Page(context.Background(), "w", notify.Filter{User: "u_ana", Kind: "reply"}, after, 10)
		require.NoError(t, err)
		for _, d := range page {
			if d.Window == 0 {
				alone++
			}
		}
		after, more = next, next != ""
	}
	require.Equal(t, 20, alone)
}

// crowded are records with a thousand rules, of which Ana has the first.
type crowded struct{ notify.Records }

func (c crowded) List(ctx context.Context, workspace, kind string) ([]event.Record, error) {
	if kind != "notify-rule" {
		return c.Records.List(ctx, workspace, kind)
	}
	all := make([]event.Record, 1000)
	for i := range all {
		owner := "u_ana"
		if i > 0 {
			owner = fmt.Sprintf("u_%d", i/40)
		}
		doc, err := json.Marshal(notify.Rule{Name: fmt.Sprint(i), Owner: owner, Ask: notify.Ask{Q: "acme", Enabled: true, Cell: everyInPage}})
		if err != nil {
			return nil, err
		}
		all[i] = event.Record{ID: fmt.Sprintf("%s/%d", owner, i), Doc: doc}
	}
	return all, nil
}

func TestAFullWorkspaceStillChangesItsRules(t *testing.T) {
	o := newOffice(t)
	o.books = notify.NewBooks(crowded{o.records}, func() time.Time { return o.now })
	o.rule("u_ana", "0", notify.Ask{Q: "other"})
	_, err := o.books.PutRule(context.Background(), "w", notify.Rule{Name: "new", Owner: "u_ana", Ask: notify.Ask{Q: "acme", Cell: everyInPage}})
	var full *event.TooMuch
	require.ErrorAs(t, err, &full)
}
