package indexer_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
)

// laned is a delivery of a lane.
type laned struct {
	event event.Event
	lane  event.Lane
}

func (l laned) Event() (event.Event, error)                { return l.event, nil }
func (l laned) Lane() event.Lane                           { return l.lane }
func (laned) Repeated() bool                               { return false }
func (laned) Ack() error                                   { return nil }
func (laned) Extend() error                                { return nil }
func (laned) Retry(time.Duration) error                    { return nil }
func (laned) Fail(_ context.Context, reason error) error   { return reason }
func (laned) Reject(_ context.Context, reason error) error { return reason }

// triggered keeps the triggers.
type triggered struct{ all []event.Trigger }

func (t *triggered) Trigger(_ context.Context, triggers []event.Trigger) error {
	t.all = append(t.all, triggers...)
	return nil
}

// An event that comes before its send is triggered again when the send says whose it is
// and what it is about: rules ask for that. An import tells nobody.
func TestWhatItsSendCompletesIsTriggeredAgain(t *testing.T) {
	for name, test := range map[string]struct {
		lane event.Lane
		age  time.Duration
		want []string
	}{
		"live":         {event.LaneLive, time.Minute, []string{"event  ", "changed u_ana Pricing"}},
		"an import":    {event.LaneBulk, time.Minute, nil},
		"too long ago": {event.LaneLive, 26 * time.Hour, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, closeStores := openStores(t)
			defer closeStores()
			told := &triggered{}
			config := s.config(newQueue(), &listener{})
			config.Triggers = told
			x := indexer.New(config)
			at := time.Now().Add(-test.age).Unix()
			jo := event.Person{Email: "jo@acme.example", Name: "Jo Reyes"}
			opened := event.Event{Workspace: "w", Type: event.Open, Time: at, Message: "m", Source: "api", Recipient: &event.Person{Email: jo.Email}}
			opened.ID = event.NewID(at, "w", "api", true, []byte("open"))
			sent := event.Event{Workspace: "w", Type: event.Send, Time: at - 5, Message: "m", Source: "api", User: "u_ana", Subject: "Pricing", Recipients: []event.Person{jo}}
			sent.ID = event.NewID(sent.Time, "w", "api", true, []byte("send"))
			for _, e := range []event.Event{opened, sent, sent, opened} {
				require.NoError(t, x.Handle(t.Context(), []indexer.Delivery{laned{e, test.lane}}))
			}
			var got []string
			for _, trigger := range told.all {
				require.Equal(t, opened.ID, trigger.Event.ID)
				got = append(got, trigger.Kind+" "+trigger.Event.User+" "+trigger.Event.Subject)
			}
			require.Equal(t, test.want, got)
		})
	}
}
