package figures

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Page is a document with tables, and charts beside it.
type Page struct {
	// Benchmarks are those whose tables it must have, in the order of the overview.
	Benchmarks []string
	Musts      []Must
}

// markers of a table in the document; the text between them is written anew.
func markers(table string) (begin, end string) {
	return "<!-- figures: " + table + " -->\n", "<!-- end of figures -->"
}

// overview is the table of the machine and the rows with a bound.
const overview = "overview"

// Write gives the document with its tables as of a record, and the charts by their names.
func (p *Page) Write(record *Record, document []byte) (written []byte, charts map[string][]byte, err error) {
	charts = make(map[string][]byte)
	written, err = put(document, overview, p.overview(record))
	for _, benchmark := range p.Benchmarks {
		if err != nil {
			return nil, nil, err
		}
		rows := p.rows(record, benchmark)
		table := p.table(record, benchmark, rows)
		if chart := chartOf(benchmark, rows); chart != nil {
			charts[benchmark+".svg"] = chart
			table += "\n![How far each figure of " + benchmark + " is from what it must be](charts/" + benchmark + ".svg)\n"
		}
		written, err = put(written, benchmark, table)
	}
	if err != nil {
		return nil, nil, err
	}
	return written, charts, nil
}

// put replaces what is between the markers of a table.
func put(document []byte, name, table string) ([]byte, error) {
	begin, end := markers(name)
	before, rest, ok := bytes.Cut(document, []byte(begin))
	if !ok {
		return nil, fmt.Errorf("the document has no line %q", strings.TrimSpace(begin))
	}
	_, after, ok := bytes.Cut(rest, []byte(end))
	if !ok {
		return nil, fmt.Errorf("the document has no %q after %q", end, strings.TrimSpace(begin))
	}
	return slices.Concat(before, []byte(begin), []byte(table), []byte(end), after), nil
}

// row is a figure over all rounds, with its bound where it has one.
type row struct {
	name, unit string
	values     []float64
	must       *Must
}

// rows are the figures of a benchmark as they were found, and then the bounds that were not.
func (p *Page) rows(record *Record, benchmark string) []*row {
	var rows []*row
	at := func(name, unit string) *row {
		for _, known := range rows {
			if known.name == name {
				return known
			}
		}
		rows = append(rows, &row{name: name, unit: unit})
		return rows[len(rows)-1]
	}
	measured, _ := record.of(benchmark)
	for _, round := range measured {
		for _, figure := range round.Figures {
			if one := at(figure.Name, figure.Unit); figure.Value != nil {
				one.values = append(one.values, *figure.Value)
			}
		}
	}
	for i, must := range p.Musts {
		if must.Benchmark == benchmark {
			at(must.Figure, must.Unit).must = &p.Musts[i]
		}
	}
	return rows
}

// named is the figure with its unit.
func (r *row) named() string {
	if r.unit == "" {
		return r.name
	}
	return r.name + ", " + r.unit
}

// found is the median and the spread.
func (r *row) found() string {
	if len(r.values) == 0 {
		return "not measured"
	}
	text := number(median(r.values))
	if len(r.values) > 1 {
		text += fmt.Sprintf(" (%s to %s)", number(slices.Min(r.values)), number(slices.Max(r.values)))
	}
	return text
}

// judged are the cells of the bound: what it must be, the ratio to that, and the verdict.
func (r *row) judged() string {
	if r.must == nil {
		return " |  | "
	}
	ratio, verdict := "–", "not measured"
	switch {
	case len(r.values) > 0:
		value := median(r.values)
		verdict = r.must.verdict(value)
		if of := r.must.Ratio(value); of != nil {
			ratio = number(*of)
		}
	case r.must.Open != "":
		verdict = "not measured: " + r.must.Open
	}
	return fmt.Sprintf("%s | %s | %s", r.must.Says(), ratio, verdict)
}

const heading = "| | figure | median (least to most) | must be | ratio | |\n| --- | --- | --- | --- | --- | --- |\n"

// table is what the rounds of a benchmark found.
func (p *Page) table(record *Record, benchmark string, rows []*row) string {
	var out strings.Builder
	measured, failed := record.of(benchmark)
	switch {
	case len(measured) > 0:
		last := measured[len(measured)-1]
		fmt.Fprintf(&out, "%s of `%s`, the last on %s%s.\n", counted(len(measured), "round"),
			strings.Join(last.Command, " "), last.Began.UTC().Format(time.DateOnly), versions(last.Versions))
		for _, round := range measured {
			if round.NotShown != "" {
				fmt.Fprintf(&out, "Round %d failed by its own measure: %s.\n", round.Number, round.NotShown)
			}
		}
	case failed != "":
		fmt.Fprintf(&out, "Not measured: %s.\n", failed)
	default:
		out.WriteString("Not measured.\n")
	}
	if len(rows) > 0 {
		out.WriteString("\n" + heading)
	}
	for _, row := range rows {
		name := ""
		if row.must != nil {
			name = row.must.Row
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", name, row.named(), row.found(), row.judged())
	}
	return out.String()
}

// formOf is the form of a round in a word.
func formOf(round Round) string {
	if round.Short {
		return "short"
	}
	return "whole"
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func versions(of map[string]string) string {
	text := ""
	for _, server := range slices.Sorted(maps.Keys(of)) {
		text += ", " + server + " " + of[server]
	}
	return text
}

// overview says what was measured on, and how many bounds are reached.
func (p *Page) overview(record *Record) string {
	var out strings.Builder
	if len(record.Rounds) == 0 {
		out.WriteString("Nothing was measured yet.\n")
	} else {
		out.WriteString(record.machine())
	}
	out.WriteString("\n| benchmark | rounds | form | reached | not reached | not measured |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, benchmark := range p.Benchmarks {
		measured, _ := record.of(benchmark)
		reached, missed, open := 0, 0, 0
		for _, row := range p.rows(record, benchmark) {
			switch {
			case row.must == nil:
			case len(row.values) == 0:
				open++
			case row.must.Reached(median(row.values)):
				reached++
			default:
				missed++
			}
		}
		form := ""
		if len(measured) > 0 {
			form = formOf(measured[0])
		}
		fmt.Fprintf(&out, "| %s | %d | %s | %d | %d | %d |\n", benchmark, len(measured), form, reached, missed, open)
	}
	return out.String()
}

func (r *Record) machine() string {
	var out strings.Builder
	m := r.Machine
	memory, disk := "not known", "not known"
	if m.Memory != nil {
		memory = fmt.Sprintf("%.1f GiB", float64(*m.Memory)/(1<<30))
	}
	if m.Sync50 != nil && m.Sync99 != nil {
		disk = fmt.Sprintf("fdatasync of 4 KB: p50 %s ms, p99 %s ms", number(*m.Sync50), number(*m.Sync99))
	}
	var commands []string
	for _, command := range r.Commands {
		commands = append(commands, "`"+strings.Join(command, " ")+"`")
	}
	out.WriteString("| measured on | |\n| --- | --- |\n")
	for _, line := range [][2]string{
		{"processor", fmt.Sprintf("%s, %d cores", m.CPU, m.Cores)},
		{"memory", memory},
		{"system", m.System + ", kernel " + m.Kernel},
		{"disk", disk},
		{"Go", m.Go},
		{"program", r.Program},
		{"commands", strings.Join(commands, "<br>")},
		{"begun", r.Began.UTC().Format(time.DateTime) + " UTC"},
	} {
		fmt.Fprintf(&out, "| %s | %s |\n", line[0], line[1])
	}
	if slices.ContainsFunc(r.Rounds, func(round Round) bool { return round.Short && round.Failed == "" }) {
		out.WriteString("\n**Short** are fewer events and less time than the bounds are meant for. What is reached in the\nshort form is reached for so few alone, and what needs time to show is not measured.\n")
	}
	return out.String()
}
