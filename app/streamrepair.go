package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"tidings/stream"
)

// RepairStream makes a new queue of what can be read of the one in a data directory.
// No process may serve the directory.
func RepairStream(ctx context.Context, data string, log *slog.Logger) (stream.Repaired, error) {
	a := &App{log: log}
	if err := a.hold(data); err != nil {
		return stream.Repaired{}, err
	}
	done, err := stream.Repair(ctx, filepath.Join(data, "stream"), time.Now(), log)
	if unlockErr := a.lock.Unlock(); unlockErr != nil {
		err = errors.Join(err, fmt.Errorf("let go of the data directory: %w", unlockErr))
	}
	return done, err
}
