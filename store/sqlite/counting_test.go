package sqlite

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestMostOfAYearThatHardlyFitsIsKept(t *testing.T) {
	const weeks, year, rounds = 52, 53, 20
	size := newFacts(0).bytes()
	c, err := newCounting(size * (weeks - 2))
	require.NoError(t, err)
	defer c.close()
	collected := 0
	for range rounds {
		for week := range event.Week(year) {
			err := c.use(context.Background(), factsKey{week, "w"}, func() (*facts, error) {
				collected++
				return newFacts(week), nil
			}, func(f *facts) error {
				require.Equal(t, week, f.week)
				return nil
			})
			require.NoError(t, err)
			require.LessOrEqual(t, c.bytes, c.limit)
		}
	}
	require.Less(t, collected, year*rounds/2)
	require.LessOrEqual(t, len(c.kept), weeks-2)
}
