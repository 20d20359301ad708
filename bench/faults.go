package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tidings/bench/figures"
)

// Faults makes faults while a server is under load, and holds what is left to a ledger of
// what it has acknowledged.
type Faults struct {
	// Data is an empty directory.
	Data string
	Seed uint64
	// Only are names of faults; all that can be made here when there are none.
	Only []string
	// Kills is how often the process is killed, and Pauses how often it is stopped for
	// a second.
	Kills, Pauses int
	// Away is how long something is away, full or failing.
	Away time.Duration
	// Senders post at once.
	Senders int
	// Index is the address of an Elasticsearch on one host that is taken away; indices are
	// made below a prefix of the fault's own and removed at the end.
	Index string
}

// fault is one that is made.
type fault struct {
	// name is what Only calls it, and what is what happens.
	name, what string
	// lacks says why it cannot be made here; "" where it can, and nil where it always can.
	lacks func(*Faults) string
	do    func(context.Context, *faultRun) error
	// back is whether the server has to be ready again, within faultReady.
	back bool
}

const (
	// faultReady is how soon it must be ready again after a kill.
	faultReady = 10 * time.Second
	// faultPatience is how long what was acknowledged may take to be indexed at last, and
	// whatever else is waited for.
	faultPatience = 2 * time.Minute
)

// faultTable are the faults in their order.
func faultTable() []fault {
	return []fault{
		{name: "killed", what: "the process is killed at a random moment", do: killedAtRandom, back: true},
		{name: "steps", what: "the process is killed between two steps of the indexer", do: killedBetweenSteps, back: true},
		{name: "paused", what: "the process stands still for a second", lacks: lacksPause, do: stoodStill},
		{name: "thrice", what: "every request is sent three times", do: sentThrice},
		{name: "poison", what: "an event fails of its own until it is mended", do: poisoned},
		{name: "clock", what: "senders' clocks are an hour off, at the edge of a week, in 1970 and in 2100", do: clocksOff},
		{name: "rollover", what: "the nightly run is killed at each write, made twice at once, and its weeks get late events", do: nightKilled},
		{name: "files", what: "files are missing, cut short, foreign or read-only", do: filesDamaged},
		{name: "mongo", what: "MongoDB is away, and is killed meanwhile", lacks: lacksMongo, do: mongoAway},
		{name: "nats", what: "NATS is away", do: natsAway},
		{name: "elastic", what: "Elasticsearch is away", lacks: lacksElastic, do: elasticAway},
		{name: "socket", what: "a socket does not read", do: stalledSocket},
		{name: "disk", what: "the disk is full", lacks: lacksDisk, do: diskFull},
		{name: "fsync", what: "the disk makes nothing durable", lacks: lacksInjection, do: syncFails},
		{name: "descriptors", what: "the process may open nothing more", lacks: lacksLimits, do: noDescriptors},
		{name: "memory", what: "the process gets no more memory", lacks: lacksLimits, do: noMemory, back: true},
	}
}

// FaultNames are the names that Only may have.
func FaultNames() []string {
	var names []string
	for _, one := range faultTable() {
		names = append(names, one.name)
	}
	return names
}

// Unknown is one of Only that is no fault's name; empty where there is none.
func (f *Faults) Unknown() string {
	names := FaultNames()
	for _, name := range f.Only {
		if !slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// faultRow is what became of one fault.
type faultRow struct {
	fault
	// times is how often it was made; 0 where it was not.
	times, acknowledged, lost, twice int
	// wrong are events that nobody sent, and sends whose recipients are not as they were told.
	wrong int
	// ready is the longest time until it listened again, and whole how long after the fault
	// all that was acknowledged was there.
	ready, whole time.Duration
	// answers are what senders were answered meanwhile.
	answers string
	// not is what else does not hold.
	not []string
}

// Names of figures that a bound is of.
func (f fault) lost() string    { return f.what + ": lost" }
func (f fault) twice() string   { return f.what + ": twice" }
func (f fault) wrong() string   { return f.what + ": made up, or other states" }
func (f fault) failing() string { return f.what + ": what else does not hold" }
func (f fault) again() string   { return f.what + ": ready again, the longest" }

// figures adds what was found of a fault that was made.
func (r faultRow) figures(found *figures.Found) {
	found.Add(r.what+": acknowledged", "events", float64(r.acknowledged))
	found.Add(r.fault.lost(), "events", float64(r.lost))
	found.Add(r.fault.twice(), "events", float64(r.twice))
	found.Add(r.fault.wrong(), "", float64(r.wrong))
	found.Add(r.failing(), "", float64(len(r.not)))
	found.Add(r.what+": whole again after", "s", r.whole.Seconds())
	if r.back {
		found.Add(r.again(), "s", r.ready.Seconds())
	}
}

// notShown names what does not hold, "" where all does.
func (r faultRow) notShown() string {
	not := slices.Clone(r.not)
	if r.lost+r.twice+r.wrong > 0 {
		not = append(not, "nothing is lost, doubled, made up or of another state")
	}
	if r.ready > faultReady {
		not = append(not, fmt.Sprintf("it is ready within %v", faultReady))
	}
	if len(not) == 0 {
		return ""
	}
	return fmt.Sprintf("when %s: %s", r.what, strings.Join(not, ", "))
}

func (r faultRow) String() string {
	ready := ""
	if r.back {
		ready = r.ready.Round(10 * time.Millisecond).String()
	}
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %s | %s | %v |", r.what, r.times, r.acknowledged, r.lost, r.twice, r.wrong, r.answers, ready, r.whole.Round(10*time.Millisecond))
}

// Run makes each fault in a directory of its own, one after another, and prints the ledger.
func (f *Faults) Run(ctx context.Context, env Env) error {
	if entries, err := os.ReadDir(f.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", f.Data)
	}
	table := faultTable()
	var lines, skipped, not []string
	for _, one := range table {
		if len(f.Only) > 0 && !slices.Contains(f.Only, one.name) {
			continue
		}
		if one.lacks != nil {
			if why := one.lacks(f); why != "" {
				skipped = append(skipped, fmt.Sprintf("skipped: %s (%s): %s", one.name, one.what, why))
				continue
			}
		}
		fmt.Fprintf(env.Err, "%s: %s …\n", one.name, one.what)
		row, err := f.one(ctx, env, one)
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		if row.times == 0 {
			continue // none was asked for
		}
		row.figures(env.Found)
		lines = append(lines, row.String())
		if failed := row.notShown(); failed != "" {
			not = append(not, failed)
			fmt.Fprintln(env.Err, "not shown "+failed)
		}
	}
	fmt.Fprintf(env.Out, "| fault | times | acknowledged | lost | twice | made up or wrong | answers meanwhile | ready again within | whole again after |\n|%s\n%s\n",
		strings.Repeat(" --- |", 9), strings.Join(append(lines, skipped...), "\n"))
	return notShown(not)
}

// one makes a fault, and removes what it leaves.
func (f *Faults) one(ctx context.Context, env Env, one fault) (faultRow, error) {
	r := &faultRun{Faults: f, env: env, dir: filepath.Join(f.Data, one.name), row: faultRow{fault: one}, book: newFaultBook()}
	r.data = filepath.Join(r.dir, "data")
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return r.row, fmt.Errorf("make the directory of a fault: %w", err)
	}
	err := one.do(ctx, r)
	err = errors.Join(err, r.end())
	if r.last != nil && (err != nil || r.row.notShown() != "") {
		fmt.Fprintf(env.Err, "the server said last:\n%s\n", &r.last.log)
	}
	return r.row, errors.Join(err, os.RemoveAll(r.dir))
}

// wait waits, or says that ctx has ended.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
