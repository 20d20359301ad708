package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/bench/figures"
)

// whatIsFound is what each benchmark adds of reports with nothing in them: the names alone.
func whatIsFound() map[string]*figures.Found {
	found := make(map[string]*figures.Found)
	of := func(benchmark string) *figures.Found {
		found[benchmark] = new(figures.Found)
		return found[benchmark]
	}
	for _, shape := range []string{"ingest", mailed["ingest"]} {
		ingestReport{requests: NewTiming()}.figures(of(shape))
	}
	for _, shape := range []string{"page", mailed["page"], "year"} {
		into := of(shape)
		for _, kind := range pageKinds {
			kind.figures(into, NewTiming())
		}
	}
	for _, shape := range []string{"size", mailed["size"]} {
		sizeReport{}.figures(of(shape))
	}
	for _, shape := range []string{"postgres", mailed["postgres"]} {
		into := of(shape)
		for _, row := range comparedRows() {
			versus{name: row, postgres: []float64{1}, tidings: []float64{1}}.figures(into)
		}
	}
	into := of("live")
	for _, archive := range archives {
		(&Live{For: time.Second}).figures(into, archive.name, archive.weeks > 0, NewTiming(), NewTiming(), 0)
	}
	for _, name := range []string{"sockets", "sockets-many"} {
		(&socketsFound{timing: NewTiming()}).figures(of(name), 1)
	}
	into = of("faults")
	for _, fault := range faultTable() {
		faultRow{fault: fault}.figures(into)
	}
	(&attackReport{quiet: &attackPhase{page: NewTiming()}, phases: []*attackPhase{{page: NewTiming(), health: NewTiming()}}}).figures(of("attack"))
	(&Soak{}).figures(of("soak"), nil, 0)
	notifyReport{NewTiming(), NewTiming(), NewTiming(), NewTiming()}.figures(of("notify"))
	delivered{quiet: NewTiming(), beside: NewTiming()}.figures(found["notify"])
	swept(0).figures(found["notify"])
	for _, one := range (&Notify{}).costCases() {
		one.figures(found["notify"], 1, 1)
	}
	stormReport{}.figures(of("storm"))
	startReport{}.figures(of("start"))
	into = of("stats")
	for _, kind := range statsKinds {
		kind.figures(into, 0, NewTiming())
	}
	into = of("elastic") // those of Elasticsearch are run in cli
	for _, name := range []string{figureOverBulk, figureOverSearch, figureDeep, figureGrowth, figureMutableIngest, figureMutableBytes, figureMutablePage, figureElasticSealedMailed} {
		into.Add(name, "", 1)
	}
	return found
}

func TestEachBoundIsOfAFigureThatABenchmarkFinds(t *testing.T) {
	found := whatIsFound()
	seen := make(map[string]bool)
	for _, must := range Musts() {
		name := must.Benchmark + ": " + must.Figure
		require.False(t, seen[name], "two bounds are of %s", name)
		seen[name] = true
		require.Contains(t, found, must.Benchmark)
		at := slices.IndexFunc(found[must.Benchmark].Figures, func(f figures.Figure) bool { return f.Name == must.Figure })
		if must.Open != "" {
			require.Negative(t, at, "%s is found and said to be open", name)
			continue
		}
		require.GreaterOrEqual(t, at, 0, "nothing finds %s", name)
		require.Equal(t, found[must.Benchmark].Figures[at].Unit, must.Unit, name)
		if must.Aim != nil {
			require.True(t, must.Reached(*must.Aim), "the aim of %s is less than its bound", name)
		}
	}
}

func TestAShortRunShowsNothingThatNeedsTime(t *testing.T) {
	values := func(found *figures.Found) map[string]*float64 {
		of := make(map[string]*float64)
		for _, figure := range found.Figures {
			of[figure.Name] = figure.Value
		}
		return of
	}
	quiet, page, health := NewTiming(), NewTiming(), NewTiming()
	for _, timing := range []*Timing{quiet, page, health} {
		timing.Record(10 * time.Millisecond)
	}
	report := &attackReport{
		memory: 512 << 20, took: attackLeast - 1, acknowledged: 5, quiet: &attackPhase{page: quiet},
		phases: []*attackPhase{{most: 256 << 20, page: page, health: health}},
	}
	short, long := new(figures.Found), new(figures.Found)
	report.figures(short)
	report.took = attackLeast
	report.figures(long)
	for _, name := range []string{figureAttackMemory, figureAttackHealth, figureAttackPage} {
		require.Nil(t, values(short)[name], name)
		require.NotNil(t, values(long)[name], name)
	}
	require.Zero(t, *values(short)[figureAttackLost])
	require.InDelta(t, 0.5, *values(long)[figureAttackMemory], 0.001)

	samples := []soakSample{{memory: 1 << 20, sends: 1}, {memory: 2 << 20, sends: 2}, {memory: 3 << 20, sends: 4, frames: 10}}
	short, long = new(figures.Found), new(figures.Found)
	(&Soak{For: soakWarm - 1, Rate: 10, Sockets: 5}).figures(short, samples, 10)
	(&Soak{For: soakWarm, Rate: 10, Sockets: 5}).figures(long, samples, 10)
	memory := flatter("resident memory, MB")
	require.Nil(t, values(short)[memory])
	require.InDelta(t, 1.5, *values(long)[memory], 0.001)
	require.InDelta(t, 1, *values(short)[figureHeard], 0.001)
	require.Nil(t, values(long)[flatter("descriptors")], "nothing was measured of them")
}
