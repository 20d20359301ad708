package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/bench/figures"
)

// played is a program whose benchmarks end at once: it fills what they would fill, and
// finds one figure, which counts what was run.
type played struct {
	ran []string
	// fails and stops are commands that end without figures, by what is in them.
	fails, stops string
	stop         context.CancelFunc
}

func (p *played) run(ctx context.Context, args []string, stderr io.Writer) error {
	data := ""
	if at := slices.Index(args, "--data"); at >= 0 {
		data = args[at+1]
	}
	command := strings.Join(args[3:], " ")
	p.ran = append(p.ran, filepath.Base(data)+": "+args[3])
	switch {
	case p.stops != "" && strings.Contains(command, p.stops):
		p.stop()
		return errors.New("signal: interrupt")
	case p.fails != "" && strings.Contains(command, p.fails):
		fmt.Fprint(stderr, "looking for it …\ntidings: there is no", " server\n")
		return errors.New("exit status 1")
	}
	if args[3] == "size" || args[3] == "start" || args[3] == "page" && !strings.Contains(command, "--events") {
		if _, err := readFilling(data); err != nil {
			return err
		}
	} else if _, err := os.Stat(data); args[3] != "stats" && args[3] != "page" && err == nil {
		return errors.New("the directory is not empty")
	}
	if data != "" {
		if err := errors.Join(os.MkdirAll(data, 0o700), filling{1, 1}.write(data)); err != nil {
			return err
		}
	}
	found := new(figures.Found)
	found.Add("run", "", float64(len(p.ran)))
	return found.Write(args[2])
}

func (p *played) all(t *testing.T, only ...string) *All {
	dir := t.TempDir()
	return &All{Data: filepath.Join(dir, "data"), Record: filepath.Join(dir, "record.json"), Rounds: 2, Only: only, run: p.run, describe: describeNothing}
}

func describeNothing(context.Context, string) (Machine, error) {
	return Machine{Syncs: NewTiming()}, nil
}

func runAll(ctx context.Context, c *All) (said string, err error) {
	var out bytes.Buffer
	err = c.Run(ctx, Env{Out: &out, Err: &out, Log: slog.New(slog.DiscardHandler)})
	return out.String(), err
}

func TestEachBenchmarkIsRunInEachRound(t *testing.T) {
	program := new(played)
	all := program.all(t)
	all.Mails, all.Index = "somewhere", "elasticsearch://127.0.0.1:9"
	_, err := runAll(t.Context(), all)
	require.NoError(t, err)
	record, err := figures.Read(all.Record)
	require.NoError(t, err)
	for _, name := range Benchmarks() {
		require.True(t, record.Has(name, 1, all.Short) && record.Has(name, 2, all.Short), name)
	}
	require.Len(t, record.Rounds, 2*len(Benchmarks()))
	require.NoDirExists(t, all.Data)
	text, err := os.ReadFile(all.Record)
	require.NoError(t, err)
	require.NotContains(t, string(text), "somewhere", "where things are is nobody's business")

	before := len(program.ran)
	_, err = runAll(t.Context(), all)
	require.NoError(t, err)
	require.Len(t, program.ran, before, "what is in the record is not run again")
	all.Rounds = 3
	_, err = runAll(t.Context(), all)
	require.NoError(t, err)
	require.Len(t, program.ran, before+before/2, "a third round is")
}

func TestWhatNeedsAFilledDirectoryFindsOne(t *testing.T) {
	program := new(played)
	_, err := runAll(t.Context(), program.all(t, "page", "start"))
	require.NoError(t, err)
	require.Equal(t, []string{"ingest: ingest", "ingest: page", "stats: stats", "stats: start", "ingest: page", "stats: start"}, program.ran)

	program = new(played)
	_, err = runAll(t.Context(), program.all(t, "page", "size"))
	require.NoError(t, err)
	require.Equal(t, []string{
		"ingest: ingest", "ingest: page", "ingest: size", "ingest: ingest", "ingest: page", "ingest: size",
	}, program.ran, "pages are asked of weeks that are not sealed, in each round")
}

func TestARunIsStoppedAndGoneOnWith(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	program := &played{stops: "faults", stop: stop}
	all := program.all(t, "live", "faults")
	_, err := runAll(ctx, all)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"live: live", "faults: faults"}, program.ran)
	program.stops, program.ran = "", nil
	_, err = runAll(t.Context(), all)
	require.NoError(t, err)
	require.Equal(t, []string{"faults: faults", "live: live", "faults: faults"}, program.ran)
}

func TestWhatCannotBeMeasuredSaysWhyAndIsTriedAgain(t *testing.T) {
	program := &played{fails: "postgres"}
	all := program.all(t, "postgres", "faults", "elastic")
	_, err := runAll(t.Context(), all)
	require.ErrorContains(t, err, "not measured, and tried again by the same command: postgres")
	require.NotContains(t, err.Error(), "elastic", "nobody gave it one")
	record, err := figures.Read(all.Record)
	require.NoError(t, err)
	require.Equal(t, "there is no server", record.Rounds[0].Failed)
	require.Equal(t, "no --index was given", record.Rounds[2].Failed)
	require.True(t, record.Has("faults", 2, false))

	program.fails, all.Index = "", "elasticsearch://127.0.0.1:9"
	program.ran = nil
	_, err = runAll(t.Context(), all)
	require.NoError(t, err)
	require.Equal(t, []string{"postgres: postgres", "elastic: elastic", "postgres: postgres", "elastic: elastic"}, program.ran)
}

func TestTheReasonOfAFailureIsKept(t *testing.T) {
	why := new(reason)
	require.Equal(t, "none", why.or("none"))
	for _, text := range []string{"tidings: one\ntw", "o\n", "\n", "tidings: thr", "ee\nexit status 1\n", "tidings: and no end"} {
		_, err := why.Write([]byte(text))
		require.NoError(t, err)
	}
	require.Equal(t, "three", why.or("none"))
}

// The tables and charts are of the record beside them: after a change of either, or of what
// must be, tidings bench report --json docs/benchmarks.json writes them anew.
func TestDocumentsSayWhatTheirRecordSays(t *testing.T) {
	docs := t.TempDir()
	for _, name := range []string{"benchmarks.md", "charts"} {
		require.NoError(t, copyTo(filepath.Join("..", "docs", name), filepath.Join(docs, name)))
	}
	var said bytes.Buffer
	report := Report{Record: filepath.Join("..", "docs", "benchmarks.json"), Docs: docs}
	require.NoError(t, report.Run(Env{Out: &said}))
	require.Empty(t, said.String())
}

func copyTo(from, to string) error {
	info, err := os.Stat(from)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return os.CopyFS(to, os.DirFS(from))
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}
