package stream

import (
	"bytes"
	"strings"
	"testing"

	"tidings/event"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

func TestDeadLettersAreTheSameAfterSavingAndLoading(t *testing.T) {
	from, to := open(t, quick(2)), open(t, quick(2))
	events := someEvents("acme", 0, 3)
	other := anEvent("other", 7)
	publish(t, from, event.LaneLive, events...)
	publish(t, from, event.LaneBulk, other)
	// What is no JSON at all is a dead letter too.
	unreadable := eventMessage(event.LaneLive, "acme", anEvent("acme", 9).ID.String(), []byte("\xff{"))
	require.NoError(t, from.submit(t.Context(), []*nats.Msg{unreadable}))
	kill(t, from, 5)
	require.NoError(t, from.Drop(t.Context(), "acme", events[1].ID.String()))

	var file bytes.Buffer
	saved, err := from.SaveDead(t.Context(), &file)
	require.NoError(t, err)
	require.Equal(t, 4, saved)
	for range 2 { // it may be repeated
		loaded, err := to.LoadDead(t.Context(), bytes.NewReader(file.Bytes()))
		require.NoError(t, err)
		require.Equal(t, 4, loaded)
	}
	for _, workspace := range []string{"acme", "other"} {
		want, err := from.DeadLetters(t.Context(), workspace, "", 0)
		require.NoError(t, err)
		require.NotEmpty(t, want)
		got, err := to.DeadLetters(t.Context(), workspace, "", 0)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.NoError(t, to.Replay(t.Context(), "other", other.ID.String()))
	require.Equal(t, other, decode(t, pull(t, to, 1)[0]))
}

func TestWhatIsNoDeadLetterIsNotLoaded(t *testing.T) {
	s := open(t, quick(2))
	loaded, err := s.LoadDead(t.Context(), strings.NewReader(`{"id":"","w":"acme"}`))
	require.Zero(t, loaded)
	require.ErrorContains(t, err, "load dead letter 1: it names no event")
	_, err = s.LoadDead(t.Context(), strings.NewReader(`{"id":`))
	require.ErrorContains(t, err, "load dead letter 1")
	var nothing bytes.Buffer
	saved, err := s.SaveDead(t.Context(), &nothing)
	require.NoError(t, err)
	require.Zero(t, saved)
}
