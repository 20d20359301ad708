package api

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A panic behind an answer is logged, and its turn is another's.
func TestAPanicBehindAnAnswerIsLogged(t *testing.T) {
	var said strings.Builder
	b := newBehind(1, slog.New(slog.NewTextHandler(&said, nil)))
	done := false
	for _, what := range []func(context.Context){
		func(context.Context) { panic("a bad mail") },
		func(context.Context) { done = true },
	} {
		require.True(t, b.do(t.Context(), time.Minute, what))
		b.group.Wait()
	}
	require.True(t, done)
	require.Contains(t, said.String(), "a bad mail")
}
