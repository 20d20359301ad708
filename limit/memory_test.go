package limit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/limit"
)

// All that has a share of the memory fits into it, from half a gigabyte on.
func TestSharesOfMemoryAddUp(t *testing.T) {
	for memory := int64(512 << 20); memory <= 64<<30; memory *= 2 {
		m := limit.Memory(memory)
		sum := m.Bodies() + int64(m.Reads())*32<<20 + int64(m.Exports())*16<<20 + int64(m.Connections())*32<<10 +
			int64(m.Live()+m.Aggregates()+m.Events()+m.States()+m.Columns()+m.Writer()+64*m.Reader())
		require.LessOrEqual(t, sum, memory/8*7, "of %d MiB", memory>>20)
	}
	least := limit.Memory(128 << 20)
	require.Equal(t, []int{2, 2, 512}, []int{least.Reads(), least.Exports(), least.Connections()})
	usual := limit.Memory(1 << 30)
	require.Equal(t, []int{8, 8, 4096}, []int{usual.Reads(), usual.Exports(), usual.Connections()})
	require.Equal(t, []int{64 << 20, 16 << 20, 1 << 30 / 96, 1 << 30 / 192, 64 << 20, 32 << 20, 1 << 20},
		[]int{usual.Live(), usual.Aggregates(), usual.Events(), usual.States(), usual.Columns(), usual.Writer(), usual.Reader()})
}
