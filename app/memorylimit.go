package app

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"tidings/limit"
)

// Memory is a number of bytes as people write it: 512MiB, 2GiB, 1500000000.
type Memory int64

// leastMemory is the least that a process works with.
const leastMemory = 128 << 20

// gcPercent lets the heap grow to three times what is live before collecting.
const gcPercent = 200

// smallGCPercent is that of Settings.Small, and smallMemory what Go's part of such a
// process should use at most: the databases have some 25 MB beside it.
const (
	smallGCPercent = 40
	smallMemory    = 62 << 20
)

// unknownMemory is what bounds follow from where nothing says how much there is.
const unknownMemory = 1 << 30

// UnmarshalText reads a flag.
func (m *Memory) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), int64(1)
	for _, u := range []struct {
		name string
		size int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}} {
		if before, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(before), u.size
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > 1<<50/unit {
		return fmt.Errorf("%q is not a size such as 512MiB or 2GiB", text)
	}
	*m = Memory(n * unit)
	if *m != 0 && *m < leastMemory {
		return fmt.Errorf("%q is too little: at least 128MiB are needed", text)
	}
	return nil
}

// useMemory decides how much the process uses and tells the runtime, unless its own
// variables in the environment say otherwise.
func (s *Settings) useMemory() {
	if os.Getenv("GOGC") == "" {
		// Batches make much short-lived garbage on a small heap.
		debug.SetGCPercent(gcPercent)
		if s.Small {
			debug.SetGCPercent(smallGCPercent)
		}
	}
	if s.Memory == 0 {
		s.Memory = Memory(memoryOf(thisMachine()))
		if s.Small {
			s.Memory = min(s.Memory, smallMemory)
		}
	}
	if s.Memory == 0 {
		s.Memory = unknownMemory
	} else if os.Getenv("GOMEMLIMIT") == "" {
		memory := int64(s.Memory)
		if !s.Small { // whose databases are left out of its figure
			memory = limit.Memory(memory).Runtime()
		}
		debug.SetMemoryLimit(memory)
	}
}

// memoryOf is what this process may use: three quarters of what its cgroup may,
// half of the machine's, or 0 when neither is known. root is "/" outside of tests.
func memoryOf(root fs.FS) int64 {
	machine := machineMemory(root)
	for _, name := range []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			continue
		}
		// "max", and in the older version a number beyond the machine's memory, is no bound.
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && limit > 0 && (machine == 0 || limit < machine) {
			return limit / 4 * 3
		}
	}
	return machine / 2
}

func machineMemory(root fs.FS) int64 {
	text, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "MemTotal:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return kilobytes << 10
		}
	}
	return 0
}

// thisMachine is where memoryOf looks.
func thisMachine() fs.FS { return os.DirFS("/") }
