package api_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/api"
	"tidings/event"
	"tidings/live"
	"tidings/stream"
)

// openStream opens the real stream of a directory.
func openStream(t *testing.T, dir string) (real *stream.Stream, closed func()) {
	t.Helper()
	real, err := stream.Open(t.Context(), stream.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- real.Run(ctx) }()
	return real, func() {
		cancel()
		<-done
		require.NoError(t, real.Close())
	}
}

// TestSocketsResumeAfterTheProcessRestarts takes everything down but the
// directory, and finds that neither a page nor a client has to begin again.
func TestSocketsResumeAfterTheProcessRestarts(t *testing.T) {
	dir := t.TempDir()
	real, closed := openStream(t, dir)
	follow := func(c *live.Config, _ *api.LiveHandler) { c.Log = real }
	s := newLiveSite(t, follow)
	page := s.page()
	c := s.connect("admin")
	c.subscribe("a", "", "")
	say := func(keys ...string) {
		announcements := make([]event.Announcement, len(keys))
		for i, key := range keys {
			announcements[i] = announced("w", "ana", event.Send, key, "Pricing")
		}
		require.NoError(t, real.Announce(t.Context(), announcements))
	}
	say("m1", "m2")
	require.Equal(t, "m1", c.hear().item(t).Message)
	last := c.hear()
	require.Equal(t, "m2", last.item(t).Message)
	require.Equal(t, 1, *last.item(t).Unopened)
	say("m3") // on its way to nobody

	require.NoError(t, c.Close())
	s.stop()
	closed()
	real, closed = openStream(t, dir)
	defer func() {
		s.stop()
		closed()
	}()
	s.start(follow)
	say("m4")
	for since, want := range map[string][]string{last.At: {"m3", "m4"}, page: {"m1", "m2", "m3", "m4"}} {
		again := s.connect("admin")
		again.subscribe("a", "", since)
		for _, message := range want {
			require.Equal(t, message, again.hear().item(t).Message)
		}
	}
}
