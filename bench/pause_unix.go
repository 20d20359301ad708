//go:build unix

package bench

import (
	"context"
	"syscall"
	"time"
)

func lacksPause(*Faults) string { return "" }

// standStill stops the process for a second, as a machine that swaps does.
func standStill(ctx context.Context, c *child) error {
	if err := c.command.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	err := wait(ctx, time.Second)
	if goErr := c.command.Process.Signal(syscall.SIGCONT); err == nil {
		err = goErr
	}
	return err
}
