package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"tidings/bench/figures"
)

// Machine is what figures were measured on.
type Machine struct {
	OS, Kernel, CPU, Go string
	Cores               int
	// Memory is in bytes, 0 where it is not known.
	Memory int64
	// Syncs are how long the disk under the data takes to make 4 KB durable.
	Syncs *Timing
}

// syncs is how many writes Describe waits for, at most for syncTime.
const (
	syncs    = 400
	syncTime = 5 * time.Second
)

// Describe looks at this machine and times the disk that holds dir.
func Describe(ctx context.Context, dir string) (Machine, error) {
	m := Machine{
		OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Cores: runtime.NumCPU(),
		Kernel: strings.TrimSpace(readText("/proc/sys/kernel/osrelease")),
		CPU:    field(readText("/proc/cpuinfo"), "model name"),
		Syncs:  NewTiming(),
	}
	if kilobytes, _, ok := strings.Cut(field(readText("/proc/meminfo"), "MemTotal"), " "); ok {
		if n, err := strconv.ParseInt(kilobytes, 10, 64); err == nil {
			m.Memory = n << 10
		}
	}
	if err := timeSyncs(ctx, dir, m.Syncs); err != nil {
		return m, fmt.Errorf("time the disk: %w", err)
	}
	return m, nil
}

// timeSyncs writes 4 KB at a time to a file that grows, as a log does.
func timeSyncs(ctx context.Context, dir string, timing *Timing) (err error) {
	file, err := os.Create(filepath.Join(dir, ".sync-timing"))
	if err != nil {
		return err
	}
	defer func() {
		closed := file.Close()
		if removed := os.Remove(file.Name()); err == nil {
			err = removed
		}
		if err == nil {
			err = closed
		}
	}()
	page := make([]byte, 4096)
	end := time.Now().Add(syncTime)
	for i := 0; i < syncs && time.Now().Before(end) && ctx.Err() == nil; i++ {
		began := time.Now()
		if _, err := file.Write(page); err != nil {
			return err
		}
		if err := syncData(file); err != nil {
			return err
		}
		timing.Record(time.Since(began))
	}
	return ctx.Err()
}

// Figures is the machine for a record of figures.
func (m Machine) Figures() figures.Machine {
	known := figures.Machine{System: m.OS, Kernel: m.Kernel, CPU: m.CPU, Go: m.Go, Cores: m.Cores}
	if m.Memory > 0 {
		known.Memory = &m.Memory
	}
	if m.Syncs.Count() > 0 {
		p50, p99 := milliseconds(m.Syncs.Percentile(50)), milliseconds(m.Syncs.Percentile(99))
		known.Sync50, known.Sync99 = &p50, &p99
	}
	return known
}

// Markdown is a table for the page of figures.
func (m Machine) Markdown() string {
	memory := "not known"
	if m.Memory > 0 {
		memory = fmt.Sprintf("%.1f GiB", float64(m.Memory)/(1<<30))
	}
	rows := [][2]string{
		{"processor", fmt.Sprintf("%s, %d cores", or(m.CPU, "not known"), m.Cores)},
		{"memory", memory},
		{"system", m.OS + ", kernel " + or(m.Kernel, "not known")},
		{"disk", fmt.Sprintf("fdatasync of 4 KB: p50 %s, p99 %s", round(m.Syncs.Percentile(50)), round(m.Syncs.Percentile(99)))},
		{"Go", m.Go},
	}
	var table strings.Builder
	table.WriteString("| machine | |\n| --- | --- |\n")
	for _, row := range rows {
		fmt.Fprintf(&table, "| %s | %s |\n", row[0], row[1])
	}
	return table.String()
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// MostMemory is the most memory that this process has held, in bytes, 0 where
// that is not known.
func MostMemory() int64 {
	kilobytes, _, _ := strings.Cut(field(readText("/proc/self/status"), "VmHWM"), " ")
	n, err := strconv.ParseInt(kilobytes, 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// residentMemory is what a process holds now, in bytes, 0 where that is not known.
func residentMemory(pid int) int64 {
	kilobytes, _, _ := strings.Cut(field(readText(fmt.Sprintf("/proc/%d/status", pid)), "VmRSS"), " ")
	n, err := strconv.ParseInt(kilobytes, 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// processorTimeOf is what a process has used of all processors, 0 where that is not known.
func processorTimeOf(pid int) time.Duration {
	text := readText(fmt.Sprintf("/proc/%d/stat", pid))
	// Behind the name, which may hold anything: proc_pid_stat(5) counts utime and stime as
	// the 14th and 15th field, in hundredths of a second.
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	var ticks int64
	for _, used := range fields[11:13] {
		n, err := strconv.ParseInt(used, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100)
}

// readText is a file of the kernel's, or nothing where there is none.
func readText(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

// field is the value of "name : value" in a file of the kernel's.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
