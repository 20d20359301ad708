package cli

import (
	"context"
	"strings"

	"tidings/bench"
)

type benchAllCmd struct {
	Data   string   `help:"A directory for the measurements, on the disk to be measured; what they leave there is removed at the end." default:"tidings-bench-all" placeholder:"DIR" type:"path"`
	JSON   string   `help:"The file of the figures. Rounds that it has are not run again." name:"json" default:"tidings-bench.json" placeholder:"FILE" type:"path"`
	Rounds int      `help:"How many rounds of each." default:"5"`
	Only   []string `help:"Run only these: ${benchmarks}." placeholder:"NAMES"`
	Quick  bool     `help:"The short form: some minutes a round instead of hours. It shows that everything works, and what is far off."`
	Mails  string   `help:"A directory of mails for the benchmarks of real shape, in a form that import takes." placeholder:"DIR" type:"path"`
	Index  string   `help:"An Elasticsearch for the benchmark elastic, as for serve." placeholder:"URL"`
	Peer   string   `help:"A program to compare the benchmarks of sockets with (make bench-peer)." placeholder:"PROGRAM" type:"path"`
}

// Run measures what the file lacks.
func (c *benchAllCmd) Run(ctx context.Context, env *environment) error {
	all := &bench.All{Data: c.Data, Record: c.JSON, Rounds: c.Rounds, Only: c.Only, Short: c.Quick, Mails: c.Mails, Index: c.Index, Peer: c.Peer}
	if name := all.Unknown(); name != "" {
		return &usageError{name + " is not a benchmark: they are " + strings.Join(bench.Benchmarks(), ", ")}
	}
	return all.Run(ctx, bench.Env{Out: env.Out, Err: env.Err, Log: env.log})
}

type benchReportCmd struct {
	JSON string `help:"The file of the figures." name:"json" default:"tidings-bench.json" placeholder:"FILE" type:"path"`
	Docs string `help:"The directory of benchmarks.md; charts are written below it." default:"docs" placeholder:"DIR" type:"path"`
}

// Run writes the documents.
func (c *benchReportCmd) Run(env *environment) error {
	report := bench.Report{Record: c.JSON, Docs: c.Docs}
	return report.Run(bench.Env{Out: env.Out, Err: env.Err, Log: env.log})
}
