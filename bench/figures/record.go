package figures

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// Machine is what rounds were measured on. What is not known is null.
type Machine struct {
	System string `json:"system"`
	Kernel string `json:"kernel"`
	CPU    string `json:"cpu"`
	Go     string `json:"go"`
	Cores  int    `json:"cores"`
	// Memory is in bytes; Sync50 and Sync99 are how many milliseconds the disk under the
	// data takes to make 4 KB durable.
	Memory *int64   `json:"memory"`
	Sync50 *float64 `json:"fdatasync_p50_ms"`
	Sync99 *float64 `json:"fdatasync_p99_ms"`
}

// Record is what many rounds found on one machine with one program.
type Record struct {
	Machine Machine `json:"machine"`
	// Program is the version or commit that was measured.
	Program string `json:"program"`
	// Commands are those that measured.
	Commands [][]string `json:"commands"`
	Began    time.Time  `json:"began"`
	Rounds   []Round    `json:"rounds"`
}

// Round is one round of one benchmark.
type Round struct {
	Benchmark string `json:"benchmark"`
	// Number counts from 1.
	Number int `json:"round"`
	// Command is what gives the same figures by itself.
	Command []string `json:"command"`
	// Short says that it was the short form.
	Short   bool      `json:"short,omitempty"`
	Began   time.Time `json:"began"`
	Seconds float64   `json:"seconds"`
	Found
	// Failed says why there are no figures.
	Failed string `json:"failed,omitempty"`
}

// Read reads a record; a file that is not there is a record of nothing.
func Read(path string) (*Record, error) {
	record := new(Record)
	if err := readJSON(path, record); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return record, nil
}

// Write writes the record.
func (r *Record) Write(path string) error { return writeJSON(path, r) }

// Has reports whether a round was measured in its short or its whole form.
func (r *Record) Has(benchmark string, number int, short bool) bool {
	return slices.ContainsFunc(r.Rounds, func(known Round) bool {
		return known.Benchmark == benchmark && known.Number == number && known.Short == short && known.Failed == ""
	})
}

// Put adds a round, in place of one of the same number and form that failed.
func (r *Record) Put(round Round) {
	r.Rounds = slices.DeleteFunc(r.Rounds, func(known Round) bool {
		return known.Benchmark == round.Benchmark && known.Number == round.Number && known.Short == round.Short
	})
	r.Rounds = append(r.Rounds, round)
}

// Continue makes the record one of this machine and program, or says why rounds measured
// now cannot be put beside those that it has.
func (r *Record) Continue(now Record) error {
	if len(r.Rounds) == 0 {
		*r = now
		return nil
	}
	for _, part := range []struct {
		name       string
		here, then any
	}{
		{"program", now.Program, r.Program},
		{"system", now.Machine.System, r.Machine.System},
		{"processor", now.Machine.CPU, r.Machine.CPU},
		{"number of cores", now.Machine.Cores, r.Machine.Cores},
		{"Go", now.Machine.Go, r.Machine.Go},
	} {
		if part.here != part.then {
			return fmt.Errorf("its rounds are of another %s (%v, and now %v): figures of both are not comparable; name another file", part.name, part.then, part.here)
		}
	}
	for _, command := range now.Commands {
		if !slices.ContainsFunc(r.Commands, func(known []string) bool { return slices.Equal(known, command) }) {
			r.Commands = append(r.Commands, command)
		}
	}
	return nil
}

// of are the rounds of a benchmark that were measured, by their numbers: those of its whole
// form where there are any, which are not put beside those of the short one.
func (r *Record) of(benchmark string) (measured []Round, failed string) {
	var short []Round
	for _, round := range r.Rounds {
		switch {
		case round.Benchmark != benchmark:
		case round.Failed != "":
			failed = round.Failed
		case round.Short:
			short = append(short, round)
		default:
			measured = append(measured, round)
		}
	}
	if len(measured) == 0 {
		measured = short
	}
	slices.SortStableFunc(measured, func(a, b Round) int { return a.Number - b.Number })
	return measured, failed
}
