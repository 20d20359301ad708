package app

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/migrations"
)

// unpacked is a copy of a data directory in testdata.
func unpacked(t *testing.T, archive string) string {
	t.Helper()
	data := t.TempDir()
	file, err := os.Open(filepath.Join("testdata", archive))
	require.NoError(t, err)
	defer file.Close()
	inner, err := gzip.NewReader(file)
	require.NoError(t, err)
	for entries := tar.NewReader(inner); ; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return data
		}
		require.NoError(t, err)
		path := filepath.Join(data, filepath.FromSlash(header.Name))
		if header.Typeflag == tar.TypeDir {
			require.NoError(t, os.MkdirAll(path, 0o700))
			continue
		}
		content, err := io.ReadAll(entries)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, content, 0o600))
	}
}

// TestADirectoryThatKnewOneSenderIsUpgraded takes a directory that the code before
// schema version 3 of the state has written: two users have sent campaign-42.
func TestADirectoryThatKnewOneSenderIsUpgraded(t *testing.T) {
	data := unpacked(t, "one-sender.tar.gz")
	ctx, settings := t.Context(), Settings{Data: data}
	_, err := openOn(data)
	require.ErrorContains(t, err, "tidings migrate up")

	migrator, done, err := OpenSchema(settings)
	require.NoError(t, err)
	var taken []migrations.Taken
	require.NoError(t, migrator.Up(ctx, func(step migrations.Taken) { taken = append(taken, step) }))
	require.NoError(t, done())
	require.Equal(t, "state", taken[0].Part, "weeks follow, with steps of their own")

	a, err := Open(ctx, settings, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	panel := func(user, message string) (feed.MessageView, error) {
		return a.Reader.Message(ctx, feed.Scope{Workspace: "acme", Users: []string{user}}, message, "")
	}
	hers, err := panel("u_ana", "campaign-42")
	require.NoError(t, err, "states of before are read as they are")
	require.Len(t, hers.Recipients, 3)

	require.NoError(t, a.searchSenders(ctx))
	require.NoError(t, a.reevaluator.Pass(ctx))
	hers, err = panel("u_ana", "campaign-42")
	require.NoError(t, err)
	require.Equal(t, "Pricing proposal", hers.Subject)
	require.Equal(t, "jo@acme.example", hers.Recipients[0].Email)
	require.Len(t, hers.Recipients, 1)
	require.Equal(t, []feed.TypeCount{{Type: event.Send, People: 1}}, hers.Counts)
	his, err := panel("u_ben", "campaign-42")
	require.NoError(t, err)
	require.Equal(t, "Budget cuts", his.Subject)
	require.Len(t, his.Recipients, 2)
	require.Equal(t, []feed.TypeCount{{Type: event.Send, People: 1}, {Type: event.Reply, People: 1}}, his.Counts)
	alone, err := panel("u_ana", "alone")
	require.NoError(t, err)
	require.Len(t, alone.Recipients, 1)

	_, err = a.State.Get(ctx, noWorkspace, migrations.KindSearch, "senders")
	require.ErrorIs(t, err, event.ErrNotFound, "it is looked for once")
}
