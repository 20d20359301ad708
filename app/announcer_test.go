package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/live"
	"tidings/stream"
)

// A command that works alone announces what somebody may still be told of, and not the
// years of mail that an import brings.
func TestACommandAloneAnnouncesWhatIsFresh(t *testing.T) {
	now := time.Date(2026, time.November, 28, 12, 0, 0, 0, time.UTC)
	s, err := stream.Open(t.Context(), stream.Config{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	about := func(kind string, age time.Duration) event.Announcement {
		at := now.Add(-age).Unix()
		a := event.Announcement{Kind: kind, Workspace: "w"}
		if kind == event.AnnounceState {
			a.State = &event.State{MessageKey: event.MessageKey{Workspace: "w", Message: age.String()}, At: at}
		} else {
			a.Event = &event.Event{Workspace: "w", Message: age.String(), Time: at}
		}
		return a
	}
	const day = 24 * time.Hour
	f := freshAnnouncer{s, func() time.Time { return now }}
	require.NoError(t, f.Announce(t.Context(), []event.Announcement{
		about(event.AnnounceEvent, time.Hour), about(event.AnnounceEvent, 25*time.Hour),
		about(event.AnnounceState, 2*time.Hour), about(event.AnnounceState, 400*day),
		about(event.AnnounceChanged, 3*time.Hour), about(event.AnnounceChanged, 26*time.Hour),
	}))
	require.NoError(t, f.Announce(t.Context(), []event.Announcement{about(event.AnnounceEvent, 30*day)}))

	enough := errors.New("enough")
	var told []string
	ctx, cancel := context.WithCancelCause(t.Context())
	err = s.Follow(ctx, func(e live.Entry) {
		a, err := e.Read()
		if err != nil {
			cancel(err)
			return
		}
		if a.State != nil {
			told = append(told, a.State.Message)
		} else {
			told = append(told, a.Event.Message)
		}
		if len(told) == 4 {
			cancel(enough)
		}
	})
	require.Error(t, err)
	require.ErrorIs(t, context.Cause(ctx), enough)
	require.Equal(t, []string{"1h0m0s", "2h0m0s", "3h0m0s", "26h0m0s"}, told, "a correction of what somebody was told counts")
}
