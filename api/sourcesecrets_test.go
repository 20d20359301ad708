package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/secret"
)

var errKilled = errors.New("killed")

// stopping stops at a write when it is told to: a process that was killed.
type stopping struct {
	api.Records
	// left is how many writes there are before it stops; negative is never.
	left int
}

func (r *stopping) write() error {
	if r.left == 0 {
		return errKilled
	}
	r.left--
	return nil
}

func (r *stopping) Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error {
	if err := r.write(); err != nil {
		return err
	}
	return r.Records.Put(ctx, workspace, kind, id, doc)
}

func (r *stopping) Swap(ctx context.Context, workspace, kind, id string, old, doc json.RawMessage) error {
	if err := r.write(); err != nil {
		return err
	}
	return r.Records.Swap(ctx, workspace, kind, id, old, doc)
}

// Sources of before had their keys in the clear. They are sealed at the start, wherever
// the start before was killed, and work all the time.
func TestSourcesOfBeforeAreSealed(t *testing.T) {
	records := &stopping{left: -1}
	file := filepath.Join(t.TempDir(), "secrets.key")
	s := newSite(t, func(c *api.Config) { records.Records, c.Records = c.Records, records })
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "meetings", calendlySource())
	other := s.source(key, "others", calendlySource())
	raw, err := records.Get(t.Context(), "acme", "source", "meetings")
	require.NoError(t, err)
	require.Contains(t, string(raw), calendlyKey, "as it was kept before")

	for kill := 0; ; kill++ {
		records.left = kill
		s.server.Secrets = secret.New(file, true, records)
		_, err := s.server.SealSources(t.Context())
		records.left = -1
		s.server.Secrets = secret.New(file, false, records)
		s.booked(path, calendlyKey, meeting).is(204)
		s.booked(other, calendlyKey, meeting).is(204)
		if err == nil {
			break
		}
		require.ErrorIs(t, err, errKilled)
	}
	for _, name := range []string{"meetings", "others"} {
		raw, err := records.Get(t.Context(), "acme", "source", name)
		require.NoError(t, err)
		require.NotContains(t, string(raw), calendlyKey)
		require.Equal(t, 1, s.seen(key, name).Keys)
	}
	again, err := s.server.SealSources(t.Context())
	require.NoError(t, err)
	require.Zero(t, again)

	_, err = s.server.Secrets.Rotate(t.Context(), func(ctx context.Context) error {
		_, err := s.server.SealSources(ctx)
		return err
	})
	require.NoError(t, err)
	after, err := records.Get(t.Context(), "acme", "source", "meetings")
	require.NoError(t, err)
	require.NotEqual(t, string(raw), string(after))
	s.booked(path, calendlyKey, meeting).is(204)
}

func TestASourceWhoseKeyIsNotHereWaitsForIt(t *testing.T) {
	dir := t.TempDir()
	s := newSite(t, func(c *api.Config) { c.Secrets = secret.New(filepath.Join(dir, "first"), true, c.Records) })
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "meetings", calendlySource())
	raw, err := s.records.Get(t.Context(), "acme", "source", "meetings")
	require.NoError(t, err)
	require.NotContains(t, string(raw), calendlyKey)

	s.server.Secrets = secret.New(filepath.Join(dir, "another"), true, s.records)
	s.booked(path, calendlyKey, meeting).is(503)
	require.True(t, s.seen(key, "meetings").Locked)
	sealed, err := s.server.SealSources(t.Context())
	require.NoError(t, err)
	require.Zero(t, sealed)
	s.do(call{method: "PUT", path: "/v1/sources/meetings", key: key, body: map[string]any{"provider": "calendly"}}).is(503)
	s.do(call{method: "PUT", path: "/v1/sources/meetings", key: key, body: calendlySource()}).is(200)
	s.booked(path, calendlyKey, meeting).is(204)
	require.False(t, s.seen(key, "meetings").Locked)
	s.do(call{method: "DELETE", path: "/v1/sources/meetings", key: key}).is(204)
	records, err := secret.SealedRecords(t.Context(), s.records)
	require.NoError(t, err)
	require.Empty(t, records)
	require.NotContains(t, s.log.String(), calendlyKey)
}
