package feed

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// panicking is an index that does when it counts.
type panicking struct{}

func (panicking) Aggregate(context.Context, AggregateRequest) (Aggregate, error) { panic("a bad week") }

func (panicking) Revisions(context.Context, string, []event.Week) (map[event.Week]string, error) {
	return map[event.Week]string{}, nil
}

// Weeks are counted in goroutines, whose panic would end the process.
func TestAPanicWhileAWeekIsCountedFailsTheRequest(t *testing.T) {
	r := &Reader{aggregator: panicking{}, clock: time.Now, budget: time.Minute, cache: newAggregateCache(1 << 10)}
	_, err := r.aggregateWeeks(t.Context(), AggregateRequest{Workspace: "w"}, []event.Week{2950, 2949}, time.Now())
	require.ErrorContains(t, err, "panic: a bad week")
}
