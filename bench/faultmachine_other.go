//go:build !linux

package bench

import (
	"context"
	"errors"
)

// needsLinux is why faults of the machine are not made.
const needsLinux = "only Linux is known how to make it on"

func lacksDisk(*Faults) string      { return needsLinux }
func lacksInjection(*Faults) string { return needsLinux }
func lacksLimits(*Faults) string    { return needsLinux }

func diskFull(context.Context, *faultRun) error      { return errors.ErrUnsupported }
func syncFails(context.Context, *faultRun) error     { return errors.ErrUnsupported }
func noDescriptors(context.Context, *faultRun) error { return errors.ErrUnsupported }
func noMemory(context.Context, *faultRun) error      { return errors.ErrUnsupported }
