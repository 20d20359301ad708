package panics_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"tidings/panics"
)

func TestAPanicOfAGoroutineIsItsError(t *testing.T) {
	var group errgroup.Group
	group.Go(panics.AsError(func() error { panic("out of range") }))
	err := group.Wait()
	require.ErrorContains(t, err, "panic: out of range")
	require.ErrorContains(t, err, "panics_test.go", "where it was")

	other := errors.New("other")
	require.ErrorIs(t, panics.AsError(func() error { return other })(), other)
	require.NoError(t, panics.AsError(func() error { return nil })())
}
