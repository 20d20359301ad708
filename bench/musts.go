package bench

import (
	"time"

	"tidings/bench/figures"
)

// Bounds that commands show and judge by too. Those of pages and questions are with their
// kinds.
const (
	leastIngest = 0.5 // P2
	// P3, P5 and P6 are ratios of p99.
	mostOverSearch, mostDeep, mostGrowth = 1.25, 1.2, 1.15
	// P7 is against one mutable index.
	leastMutableIngest, mostMutableBytes, mostMutablePage = 1.5, 0.7, 0.8

	leastStorm = 0.5
)

// mailed are the benchmarks of real shape, by those of what is made up.
var mailed = map[string]string{"ingest": "ingest-mails", "page": "page-mails", "size": "size-mails", "postgres": "postgres-mails"}

func aim(value float64) *float64 { return &value }

// least and most make bounds.
func least(row, benchmark, figure, unit string, bound float64, aim *float64) figures.Must {
	return figures.Must{Row: row, Benchmark: benchmark, Figure: figure, Unit: unit, Bound: bound, Aim: aim}
}

func most(row, benchmark, figure, unit string, bound float64, aim *float64) figures.Must {
	must := least(row, benchmark, figure, unit, bound, aim)
	must.Most = true
	return must
}

// Musts are what figures must be: the list of what the product must reach (P1 to P13, and
// its table of faults), and what commands ask for beyond it. Figures are said of two cores.
func Musts() []figures.Must {
	musts := []figures.Must{
		least("P1", "ingest", figureSearchable, "events/s", 6500, aim(20_000)),
		least("P1", mailed["ingest"], figureSearchable, "events/s", 10_000, aim(20_000)),

		least("P2", "elastic", figureOverBulk, "", leastIngest, aim(0.8)),
		most("P3", "elastic", figureOverSearch, "", mostOverSearch, aim(1.1)),
		most("P5", "elastic", figureDeep, "", mostDeep, aim(1)),
		most("P6", "elastic", figureGrowth, "", mostGrowth, aim(1)),
		least("P7", "elastic", figureMutableIngest, "", leastMutableIngest, aim(2.5)),
		most("P7", "elastic", figureMutableBytes, "", mostMutableBytes, aim(0.45)),
		most("P7", "elastic", figureMutablePage, "", mostMutablePage, aim(0.5)),
		most("P11", "elastic", figureElasticSealedMailed, "", 1.5, aim(1)),

		most("P10", "live", besideP99(archives[0].name), "ms", 200, nil),
		most("P10", "live", besideP99(archives[1].name), "ms", milliseconds(liveMust), nil),
		most("P10", "live", besideP99(archives[2].name), "ms", milliseconds(liveMust), nil),

		most("P10", "sockets", figureDelivered, "ms", milliseconds(socketsMust), nil),
		least("P10", "sockets", figureOverPeer, "", 1, aim(1.5)),
		most("P10", "sockets-many", figureDelivered, "ms", milliseconds(socketsMust), nil),
		least("P10", "sockets-many", figureOverPeer, "", 1, aim(1.5)),

		most("notify", "notify", figureBell, "ms", milliseconds(bellMust), nil),
		most("notify", "notify", figureLog, "ms", milliseconds(askMust), nil),
		most("notify", "notify", figureWhy, "ms", milliseconds(askMust), nil),
		most("notify", "notify", figureSimulated, "ms", milliseconds(weekMust), nil),
		most("notify", "notify", figureDeliverTime, "ms", milliseconds(deliverMust), aim(300)),
		least("notify", "notify", figureDeliverRate, "deliveries/s", deliverRate, aim(2000)),
		most("notify", "notify", figureDeliverSlower, "", deliverSlower, nil),
		most("notify", "notify", figureSweep, "ms", milliseconds(sweepMust), aim(500)),
		most("notify", "notify", figureTold, "%", toldMust, nil),
		most("notify", "notify", figureHardest, "%", toldMust, nil),

		most("P11", "size", figureSealed, "", 1.4, aim(0.9)),
		most("P11", mailed["size"], figureSealed, "", 1.1, aim(0.6)),

		most("P12", "start", figureReady, "s", 1, nil),
		most("P12", "start", figureIdle, "MB", 150, nil),

		least("storm", "storm", figureStorm, "", leastStorm, nil),

		most("attack", "attack", figureAttackLost, "", 0, nil),
		most("attack", "attack", figureAttackMemory, "", attackMemory, nil),
		most("attack", "attack", figureAttackHealth, "ms", milliseconds(healthBound), nil),
		most("attack", "attack", figureAttackPage, "", attackPage, nil),

		least("soak", "soak", figureOffered, "", soakRate, nil),
		least("soak", "soak", figureHeard, "", soakFrames, nil),
	}
	for _, kind := range pageKinds {
		for _, benchmark := range []string{"page", mailed["page"], "year"} {
			must := most("P4", benchmark, kind.p99(), "ms", milliseconds(kind.most), nil)
			switch kind.most {
			case mostPlain:
				must.Aim = aim(3)
			case mostText:
				must.Aim = aim(20)
			}
			musts = append(musts, must)
		}
	}
	for _, row := range comparedRows() {
		for _, benchmark := range []string{"postgres", mailed["postgres"]} {
			must := least("P8", benchmark, better(row), "times", 1, aim(3))
			if row == comparedIngest {
				must.Aim = aim(1.5)
			}
			musts = append(musts, must)
		}
	}
	for _, kind := range statsKinds {
		musts = append(musts, most("P9", "stats", kind.p99(), "ms", milliseconds(mostStats), aim(20)))
	}
	for _, fault := range faultTable() {
		musts = append(musts,
			most("faults", "faults", fault.lost(), "events", 0, nil),
			most("faults", "faults", fault.twice(), "events", 0, nil),
			most("faults", "faults", fault.wrong(), "", 0, nil),
			most("faults", "faults", fault.failing(), "", 0, nil))
		if fault.back {
			musts = append(musts, most("faults", "faults", fault.again(), "s", faultReady.Seconds(), nil))
		}
	}
	for _, figure := range soakFigures {
		musts = append(musts, most("soak", "soak", flatter(figure), "", soakGrowth, nil))
	}
	return append(musts, unmeasured()...)
}

// comparedRows are the rows of the table against PostgreSQL.
func comparedRows() []string {
	rows := []string{comparedIngest, comparedBytes}
	for _, kind := range comparedKinds {
		rows = append(rows, comparedPage(kind, 50), comparedPage(kind, 99))
	}
	return rows
}

// unmeasured are bounds that no round measures yet, and why.
func unmeasured() []figures.Must {
	open := func(must figures.Must, why string) figures.Must {
		must.Open = why
		return must
	}
	return []figures.Must{
		open(most("notify", "notify", "deciding about an event, with 100 rules that may find it", "µs", 60, aim(25)), "a Go benchmark of notify/ does"),
		open(most("P13", "start", "parse of a search line", "µs", 200, nil), "a Go benchmark of query/ does"),
		open(most("P13", "start", "page script, gzipped", "KB", 120, nil), "a test of web/ does"),
		open(most("P13", "start", "first row painted on localhost", "ms", milliseconds(500*time.Millisecond), nil), "it needs a browser"),
	}
}
