//go:build !unix

package bench

import (
	"context"
	"errors"
)

func lacksPause(*Faults) string { return "processes cannot be stopped here" }

func standStill(context.Context, *child) error { return errors.ErrUnsupported }
