package app_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/audit"
)

// A command that reads for longer than a minute is not refused because of what it has
// read before.
func TestWhoOnlyReadsHasItOnRecordInTime(t *testing.T) {
	a := openForOne(t, t.TempDir())
	defer func() { require.NoError(t, a.Close()) }()
	var passed atomic.Int64
	a.Audit.Clock = func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
	running, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.RunReading(running) }()
	a.Audit.Note(audit.Row{Kind: audit.KindRead, Workspace: "acme"})
	passed.Store(int64(2 * time.Minute))
	require.Eventually(t, func() bool { return a.Audit.Accepting() == nil }, time.Minute, 20*time.Millisecond)
	stop()
	require.NoError(t, <-done)
}
