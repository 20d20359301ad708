package demo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/demo"
	"tidings/event"
)

func TestASampleIsMailToFew(t *testing.T) {
	now := time.Date(2026, 11, 27, 15, 0, 0, 0, time.UTC)
	sample := func() []event.Input { return demo.New(7, now).Sample(now.AddDate(0, 0, -21), now, "u_ana", 12) }
	events := sample()
	require.Equal(t, events, sample(), "the same again")

	people := demo.People(events)
	require.LessOrEqual(t, len(people), 12)
	require.Greater(t, len(people), 5)
	for _, email := range people {
		require.True(t, strings.HasSuffix(email, ".example"), "nobody's address: %s", email)
	}
	kinds, sent := map[event.Type]int{}, map[string]bool{}
	for _, in := range events {
		kinds[in.Type]++
		if in.Type == event.Send {
			sent[in.Message] = true
		}
		require.True(t, sent[in.Message], "what happens to mail that is not there")
		require.LessOrEqual(t, int64(*in.Time), now.Unix())
	}
	for _, kind := range []event.Type{event.Send, event.Delivery, event.Open, event.Click, event.Reply} {
		require.NotZero(t, kinds[kind], kind)
	}
}
