package app

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// A backup is made of nothing less than what was accepted: where nothing is indexed it fails.
func TestABackupIsNotMadeWithoutWhatWaits(t *testing.T) {
	a := mustOpen(t, t.TempDir())
	defer func() { require.NoError(t, a.Close()) }()
	at := time.Now().Unix()
	require.NoError(t, a.Stream.Publish(t.Context(), event.LaneLive, []event.Event{{
		ID: event.NewID(at, "w", "api", true, []byte("one")), Workspace: "w", Type: event.Open, Time: at, Message: "m", Source: "api",
		Recipient: &event.Person{Email: "jo@acme.example"},
	}}))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := a.Backup(ctx, BackupRequest{To: filepath.Join(t.TempDir(), "backup")})
	require.ErrorContains(t, err, "1 events that were accepted are not indexed yet")
}
