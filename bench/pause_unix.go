//go:build unix

package bench

import (
	"context"
	"syscall"
	"time"
)

// paused stops the process for a second, as a machine that swaps does.
func paused(ctx context.Context, c *child) (*child, time.Duration, error) {
	if err := c.command.Process.Signal(syscall.SIGSTOP); err != nil {
		return c, 0, err
	}
	err := wait(ctx, time.Second)
	if goErr := c.command.Process.Signal(syscall.SIGCONT); err == nil {
		err = goErr
	}
	return c, 0, err
}
