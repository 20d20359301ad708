package bench_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/bench"
)

func TestTimingKeepsThreeDigitsAndMerges(t *testing.T) {
	fast, slow := bench.NewTiming(), bench.NewTiming()
	for i := range 900 {
		fast.Record(time.Duration(i+1) * time.Microsecond)
	}
	for range 100 {
		slow.Record(2 * time.Second)
	}
	fast.Merge(slow)
	require.EqualValues(t, 1000, fast.Count())
	require.InEpsilon(t, 500*time.Microsecond, fast.Percentile(50), 0.01)
	require.InEpsilon(t, 2*time.Second, fast.Percentile(99), 0.001)
	require.InEpsilon(t, 2*time.Second, fast.Max(), 0.001)
}

func TestTimingCountsWhatTookTooLong(t *testing.T) {
	timing := bench.NewTiming()
	timing.Record(3 * time.Hour)
	timing.Record(-time.Second)
	require.EqualValues(t, 2, timing.Count())
	require.InEpsilon(t, time.Hour, timing.Max(), 0.001)
	require.Contains(t, timing.String(), "1 over an hour")
}

func TestDescribeTimesTheDiskAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	machine, err := bench.Describe(t.Context(), dir)
	require.NoError(t, err)
	require.Positive(t, machine.Cores)
	require.Positive(t, machine.Syncs.Count())
	require.Contains(t, machine.Markdown(), "fdatasync of 4 KB: p50 ")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
	t.Logf("\n%s", machine.Markdown())
}
