package notify_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/notify"
)

var errKilled = errors.New("killed")

// mortal is what an engine writes to. It is killed once, before or after a write.
type mortal struct {
	notify.Store
	left       int
	after      bool
	deliveries map[string]int
	kills      int
}

func (m *mortal) step(write func() error) error {
	dies := m.left == 0
	m.left--
	if dies {
		m.kills++
		if !m.after {
			return errKilled
		}
	}
	if err := write(); err != nil {
		return err
	}
	if dies {
		return errKilled
	}
	return nil
}

func (m *mortal) Add(ctx context.Context, decisions []notify.Decision) error {
	return m.step(func() error { return m.Store.Add(ctx, decisions) })
}

func (m *mortal) Replace(ctx context.Context, d notify.Decision) (done bool, err error) {
	err = m.step(func() (err error) { done, err = m.Store.Replace(ctx, d); return err })
	return done, err
}

func (m *mortal) Claim(ctx context.Context, claims []notify.Claim, at int64) (holders []event.ID, err error) {
	err = m.step(func() (err error) { holders, err = m.Store.Claim(ctx, claims, at); return err })
	return holders, err
}

func (m *mortal) Release(ctx context.Context, workspace, key string, id event.ID) error {
	return m.step(func() error { return m.Store.Release(ctx, workspace, key, id) })
}

func (m *mortal) SwapNote(ctx context.Context, workspace, key string, old, doc []byte, at int64) (done bool, err error) {
	err = m.step(func() (err error) { done, err = m.Store.SwapNote(ctx, workspace, key, old, doc, at); return err })
	return done, err
}

func (m *mortal) Announce(context.Context, []event.Announcement) error {
	return m.step(func() error { return nil })
}

func (m *mortal) Deliver(_ context.Context, decisions []notify.Decision) error {
	return m.step(func() error {
		for _, d := range decisions {
			m.deliveries[d.ID]++
		}
		return nil
	})
}

func (m *mortal) Cancel(context.Context, notify.Decision) error {
	return m.step(func() error { return nil })
}

// An engine that dies between any two steps, and is given the trigger again, has decided
// everything once: none is missing, none is there twice, and what leaves the house more
// than once has the same id.
func TestAKillBetweenAnyTwoStepsLosesAndDoublesNothing(t *testing.T) {
	o := newOffice(t)
	_, err := o.books.ChangeSettings(context.Background(), "w", "u_ana", func(s *notify.Settings) error {
		mail := []notify.Channel{notify.InPage, notify.Mail}
		s.Cells = notify.Cells{notify.Mine: {"open": {Often: notify.FirstPerRecipient, Channels: mail}, "reply": {Often: notify.Every, Channels: mail}}}
		return nil
	})
	require.NoError(t, err)
	o.rule("u_ana", "hot", notify.Ask{On: notify.OnCount, Count: 2, Within: "1h", Per: "message", Q: "opens from dox.test"})
	m := &mortal{Store: o.store}
	config := o.engine.Config
	config.Store, config.Announcer, config.Outbox = m, m, m
	engine := notify.NewEngine(config)
	kills := 0
	for _, after := range []bool{false, true} {
		for step := 0; ; step++ {
			m.left, m.after, m.kills, m.deliveries = step, after, 0, make(map[string]int)
			message := fmt.Sprintf("m_%t_%d", after, step)
			o.events = nil
			var all []event.Event
			for i, kind := range []event.Type{event.Open, event.Open, event.Reply} {
				e := o.open(10-i, event.Human)
				e.Message, e.Type = message, kind
				e.ID = event.NewID(e.Time, "w", "test", true, fmt.Appendf(nil, "%s-%d", message, i))
				o.events[i] = e
				all = append(all, e)
			}
			handle := func(kind string, e event.Event) {
				for tries := 0; ; tries++ {
					err := engine.Handle(context.Background(), []event.Trigger{{Kind: kind, Event: e}})
					if err == nil {
						return
					}
					require.ErrorIs(t, err, errKilled)
					require.Less(t, tries, 2)
				}
			}
			for _, e := range all {
				handle(event.AnnounceEvent, e)
			}
			all[0].Verdict.Is = event.Machine
			o.events[0] = all[0]
			handle(event.AnnounceChanged, all[0])

			page, _, err := o.store.Page(context.Background(), "w", notify.Filter{Message: message}, "", 100)
			require.NoError(t, err)
			found := make(map[string]int)
			for _, d := range page {
				found[fmt.Sprintf("%s %s", d.Kind, d.Outcome)]++
			}
			require.Equal(t, map[string]int{"open withdrawn": 1, "open notified": 1, "reply notified": 1, "count notified": 1}, found, message)
			extra := 0
			for _, times := range m.deliveries {
				extra += times - 1
			}
			require.LessOrEqual(t, extra, m.kills+1, message)
			if m.kills == 0 {
				break
			}
			kills++
		}
	}
	require.Greater(t, kills, 20)
}
