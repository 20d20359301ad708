package columns

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestMostOfAYearThatHardlyFitsIsKept(t *testing.T) {
	const weeks, year, rounds = 52, 53, 20
	size := New(0).bytes()
	c := NewCache(size * (weeks - 2))
	collected := 0
	for range rounds {
		for week := range event.Week(year) {
			err := c.Use(context.Background(), Key{week, "w"}, func() (*Columns, error) {
				collected++
				return New(week), nil
			}, func(f *Columns) error {
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
