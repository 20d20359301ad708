//go:build !unix

package bench

import (
	"context"
	"time"
)

// paused does nothing where processes cannot be stopped.
func paused(_ context.Context, c *child) (*child, time.Duration, error) { return c, 0, nil }
