package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/app"
	"tidings/bench/figures"
)

// All runs each benchmark for some rounds and keeps what they find in a record. What the
// record has is not measured again, so that a run can be stopped and gone on with.
type All struct {
	// Data is a directory on the disk to be measured.
	Data string
	// Record is the file of the figures.
	Record string
	Rounds int
	// Only are the benchmarks that are run; all of them when there are none.
	Only []string
	// Short takes fewer events and less time than the bounds are meant for.
	Short bool
	// Mails is a directory of mails, and Index the address of an Elasticsearch; what needs
	// one of them is not measured without. Peer is a program to compare sockets with.
	Mails, Index, Peer string

	// run runs a command of this program and returns when it has ended, and describe looks at
	// the machine; both are what they say unless a test has others.
	run      func(ctx context.Context, args []string, stderr io.Writer) error
	describe func(ctx context.Context, dir string) (Machine, error)
}

// Run measures what the record lacks, a round of everything after the other. It fails
// where rounds could not be measured.
func (c *All) Run(ctx context.Context, env Env) error {
	if c.run == nil {
		c.run, c.describe = runSelf, Describe
	}
	record, err := c.begin(ctx)
	if err != nil {
		return err
	}
	var failed []string
	for number := 1; number <= c.Rounds; number++ {
		for _, one := range c.wanted(c.plan(number)) {
			if record.Has(one.name, number, c.Short) {
				fmt.Fprintf(env.Err, "round %d of %d, %s: it is in the record\n", number, c.Rounds, one.name)
				continue
			}
			fmt.Fprintf(env.Err, "round %d of %d, %s …\n", number, c.Rounds, one.name)
			round, err := c.measure(ctx, env, one)
			if err != nil {
				return err
			}
			round.Number = number
			record.Put(round)
			if err := record.Write(c.Record); err != nil {
				return err
			}
			if round.Failed != "" {
				fmt.Fprintf(env.Err, "%s was not measured: %s\n", one.name, round.Failed)
				if one.lacks == "" { // nobody wants what is not given
					failed = append(failed, one.name)
				}
			}
		}
	}
	if err := c.tidy(); err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%d rounds are in %s; tidings bench report --json %s writes the tables and charts.\n", len(record.Rounds), c.Record, c.Record)
	if len(failed) > 0 {
		slices.Sort(failed)
		return fmt.Errorf("not measured, and tried again by the same command: %s", strings.Join(slices.Compact(failed), ", "))
	}
	return nil
}

// begin reads the record, or begins one of this machine.
func (c *All) begin(ctx context.Context) (*figures.Record, error) {
	// Another user's PostgreSQL must get through it.
	if err := errors.Join(os.MkdirAll(c.Data, 0o711), os.Chmod(c.Data, 0o711)); err != nil {
		return nil, err
	}
	record, err := figures.Read(c.Record)
	if err != nil {
		return nil, err
	}
	machine, err := c.describe(ctx, c.Data)
	if err != nil {
		return nil, err
	}
	program, err := thisProgram()
	if err != nil {
		return nil, err
	}
	now := figures.Record{Machine: machine.Figures(), Program: program, Began: time.Now().UTC().Truncate(time.Second), Commands: [][]string{c.shown()}}
	if err := record.Continue(now); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Record, err)
	}
	return record, nil
}

// thisProgram is its version and its hash, which tells apart what has no version.
func thisProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	file, err := os.Open(self)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, SHA-256 %x…", app.Version(), hash.Sum(nil)[:6]), nil
}

// shown is the command for people.
func (c *All) shown() []string {
	command := []string{"tidings", "bench", "all", "--rounds", strconv.Itoa(c.Rounds)}
	if c.Short {
		command = append(command, "--quick")
	}
	if len(c.Only) > 0 {
		command = append(command, "--only", strings.Join(c.Only, ","))
	}
	if c.Mails != "" {
		command = append(command, "--mails", mailsOf)
	}
	if c.Index != "" {
		command = append(command, "--index", indexOf)
	}
	if c.Peer != "" {
		command = append(command, "--peer", peerOf)
	}
	return command
}

// measure runs a benchmark. Its error is that of the whole run.
func (c *All) measure(ctx context.Context, env Env, one planned) (figures.Round, error) {
	round := figures.Round{Benchmark: one.name, Command: one.shown(), Short: c.Short, Began: time.Now().UTC().Truncate(time.Second)}
	if round.Failed = one.lacks; round.Failed != "" {
		return round, nil
	}
	said, err := c.prepare(ctx, env, one)
	if err != nil {
		return round, err
	}
	if said == "" {
		round.Began = time.Now().UTC().Truncate(time.Second)
		said, err = c.command(ctx, env, one, &round.Found)
	}
	round.Failed = said
	round.Seconds = time.Since(round.Began).Seconds()
	if err == nil && (one.filledBy == "" || one.spends) {
		err = c.remove(one)
	}
	return round, err
}

func (c *All) path(dir string) string { return filepath.Join(c.Data, dir) }

// remove removes the directory of a benchmark that has one.
func (c *All) remove(one planned) error {
	if one.dir == "" {
		return nil
	}
	return os.RemoveAll(c.path(one.dir))
}

// prepare leaves the directory as the benchmark wants it, and says why it cannot.
func (c *All) prepare(ctx context.Context, env Env, one planned) (said string, err error) {
	_, err = readFilling(c.path(one.dir))
	if filled := err == nil; filled && one.filledBy != "" && !one.anew {
		return "", nil
	}
	if err := c.remove(one); err != nil || one.filledBy == "" || one.filledBy == one.name {
		return "", err
	}
	all := c.plan(1)
	by := all[slices.IndexFunc(all, func(other planned) bool { return other.name == one.filledBy })]
	fmt.Fprintf(env.Err, "%s fills a directory for it …\n", by.name)
	return c.command(ctx, env, by, new(figures.Found))
}

// command runs the command of a benchmark and reads what it found, or says why it did not
// measure. Its error is that of the whole run.
func (c *All) command(ctx context.Context, env Env, one planned, found *figures.Found) (said string, err error) {
	file := filepath.Join(c.Data, "figures-of-a-round.json")
	if err := os.RemoveAll(file); err != nil {
		return "", err
	}
	args := append([]string{"bench", "--figures", file}, one.args...)
	if one.dir != "" {
		args = append(args, "--data", c.path(one.dir))
	}
	for i, arg := range args {
		switch arg {
		case mailsOf:
			args[i] = c.Mails
		case indexOf:
			args[i] = c.Index
		case peerOf:
			args[i] = c.Peer
		}
	}
	why := new(reason)
	failed := c.run(ctx, args, io.MultiWriter(env.Err, why))
	if err := ctx.Err(); err != nil {
		return "", err
	}
	*found, err = figures.ReadFound(file)
	if err == nil {
		return "", os.Remove(file)
	}
	if failed == nil {
		return "", fmt.Errorf("%s: %w", one.name, err)
	}
	return why.or(failed.Error()), nil
}

// tidy removes what the benchmarks left, and the directory where it was theirs alone.
func (c *All) tidy() error {
	for _, one := range c.plan(1) {
		if err := c.remove(one); err != nil {
			return err
		}
	}
	_ = os.Remove(c.Data) // somebody may have something else in it
	return nil
}

// runSelf runs this program again, without the settings of its environment, which are meant
// for other commands. What it prints is in its figures.
func runSelf(ctx context.Context, args []string, stderr io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	command := exec.CommandContext(ctx, self, args...)
	command.Stderr = stderr
	command.Env = withoutSettings()
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = time.Minute
	return command.Run()
}

// withoutSettings is this environment without what commands read their flags from.
func withoutSettings() []string {
	return slices.DeleteFunc(os.Environ(), func(setting string) bool { return strings.HasPrefix(setting, "TIDINGS_") })
}

// reason keeps what a program says at its end: its last line of the form "tidings: …", the
// one that a command fails with.
type reason struct {
	said string
	line []byte // what has come of the line that is being written
}

func (r *reason) Write(text []byte) (int, error) {
	rest := slices.Concat(r.line, text)
	for {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		if !ended {
			r.line = bytes.Clone(rest[:min(len(rest), mostReason)])
			return len(text), nil
		}
		if said, ok := bytes.CutPrefix(line, []byte("tidings: ")); ok {
			r.said = string(said[:min(len(said), mostReason)])
		}
		rest = after
	}
}

// mostReason is how much of a line is kept.
const mostReason = 500

// or is what was said, or something else where that is nothing.
func (r *reason) or(otherwise string) string {
	if r.said == "" {
		return otherwise
	}
	return r.said
}
