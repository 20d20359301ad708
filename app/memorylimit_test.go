package app

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestMemoryFollowsTheCgroupOrTheMachine(t *testing.T) {
	const machine = "MemTotal:        8388608 kB\nMemFree: 1 kB\n" // 8 GiB
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"a cgroup", map[string]string{"sys/fs/cgroup/memory.max": "1073741824\n", "proc/meminfo": machine}, 768 << 20},
		{"a cgroup without a bound", map[string]string{"sys/fs/cgroup/memory.max": "max\n", "proc/meminfo": machine}, 4 << 30},
		{"the older cgroup", map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "2147483648\n", "proc/meminfo": machine}, 1536 << 20},
		{"the older cgroup without a bound", map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712", "proc/meminfo": machine}, 4 << 30},
		{"neither", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, text := range c.files {
				root[name] = &fstest.MapFile{Data: []byte(text)}
			}
			require.Equal(t, c.want, memoryOf(root))
		})
	}
}

func TestMemoryIsReadAsPeopleWriteIt(t *testing.T) {
	for text, want := range map[string]Memory{"512MiB": 512 << 20, "2 GiB": 2 << 30, "1500000000": 1_500_000_000, "1GB": 1e9, "0": 0} {
		var got Memory
		require.NoError(t, got.UnmarshalText([]byte(text)))
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "much", "-1", "1MiB", "1.5GiB", "99999999999GiB"} {
		require.Error(t, new(Memory).UnmarshalText([]byte(text)), text)
	}
}
