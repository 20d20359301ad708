package bench

import (
	"slices"
	"strconv"
)

// What stands in a command for what a run was given.
const (
	mailsOf = "MAILS"
	indexOf = "URL"
	peerOf  = "PEER"
)

// planned is a benchmark as All runs it: in a process of its own, so that none is measured
// on the memory and the caches of another.
type planned struct {
	name string
	// dir is its directory, below that of the run; "" where it needs none.
	dir string
	// filledBy is the benchmark that fills the directory, which may be itself: what it
	// filled to the end stays for those who come after. Others find an empty one.
	filledBy string
	// anew is said of who fills the directory again each round, spends of who leaves
	// it of no use to others.
	anew, spends bool
	args         []string
	// lacks says why it cannot be measured; empty where it can.
	lacks string
}

// Benchmarks are the names of what All runs, in its order.
func Benchmarks() []string {
	var names []string
	for _, one := range (&All{}).plan(0) {
		names = append(names, one.name)
	}
	return names
}

// plan is what a round of a number, from 1, runs.
func (c *All) plan(round int) []planned {
	// either is the amount of the whole form, or of the short one.
	either := func(whole, short string) string {
		if c.Short {
			return short
		}
		return whole
	}
	events := either("1000000", "100000")
	queries := either("500", "200")
	var all []planned
	for _, mails := range []bool{false, true} {
		name := func(of string) string {
			if mails {
				return mailed[of]
			}
			return of
		}
		shaped := func(one planned) planned {
			if mails {
				one.args = append(one.args, "--mails", mailsOf)
				if c.Mails == "" {
					one.lacks = "no --mails was given"
				}
			}
			return one
		}
		ingest := name("ingest")
		all = append(all,
			shaped(planned{name: ingest, dir: ingest, filledBy: ingest, anew: true, args: []string{"ingest", "--events", events}}),
			shaped(planned{name: name("page"), dir: ingest, filledBy: ingest, args: []string{"page", "--queries", queries}}),
			planned{name: name("size"), dir: ingest, filledBy: ingest, spends: true, args: []string{"size"}, lacks: shaped(planned{}).lacks},
			shaped(planned{name: name("postgres"), dir: name("postgres"), args: []string{
				"postgres", "--events", either("200000", "40000"), "--queries", queries, "--rounds", "1", "--first", strconv.Itoa(round),
			}}))
	}
	elastic := planned{name: "elastic", dir: "elastic", args: []string{
		"elastic", "--index", indexOf, "--events", either("40000", "8000"), "--queries", either("300", "100"), "--rounds", "1",
	}}
	if c.Mails != "" {
		elastic.args = append(elastic.args, "--mails", mailsOf)
	}
	if c.Index == "" {
		elastic.lacks = "no --index was given"
	}
	faults := planned{name: "faults", dir: "faults", args: []string{
		"faults", "--kills", either("20", "3"), "--pauses", either("5", "1"), "--away", either("60s", "3s"),
	}}
	if c.Short { // those that take some seconds
		faults.args = append(faults.args, "--only", "killed,steps,paused,thrice,poison,clock,mongo,nats,elastic,socket,disk,fsync,descriptors,memory")
	}
	if c.Index != "" {
		faults.args = append(faults.args, "--index", indexOf)
	}
	sockets := func(name, amount, rate string) planned {
		one := planned{name: name, args: []string{"sockets", "--sockets", amount, "--rate", rate, "--for", either("30s", "5s")}}
		if c.Peer != "" {
			one.args = append(one.args, "--peer", peerOf)
		}
		return one
	}
	return append(all,
		sockets("sockets", "1000", "1000"),
		sockets("sockets-many", either("9000", "2000"), "1000"),
		planned{name: "live", dir: "live", args: []string{"live", "--for", either("1m", "10s")}},
		faults,
		planned{name: "attack", dir: "attack", args: []string{"attack", "--each", either("15s", "1s"), "--for", either("2m", "15s"), "--quiet", either("20s", "5s"), "--mailings", either("200", "50")}},
		planned{name: "notify", dir: "notify", args: []string{"notify", "--rounds", either("3", "1")}},
		planned{name: "stats", dir: "stats", filledBy: "stats", args: []string{"stats", "--events", events, "--queries", either("200", "60")}},
		planned{name: "start", dir: "stats", filledBy: "stats", args: []string{"start", "--for", either("2m", "30s")}},
		planned{name: "storm", dir: "storm", args: []string{"storm", "--events", either("20000", "2000")}},
		elastic,
		planned{name: "soak", dir: "soak", args: []string{"soak", "--for", either("20m", "1m")}},
		planned{name: "year", dir: "year", filledBy: "year", args: []string{
			"page", "--weeks", "52", "--events", either("10000000", "200000"), "--queries", either("300", "100"),
		}})
}

// shown is the command for people, without the directory.
func (p planned) shown() []string { return append([]string{"tidings", "bench"}, p.args...) }

// Unknown is one of Only that is no benchmark's name; empty where there is none.
func (c *All) Unknown() string {
	names := Benchmarks()
	for _, name := range c.Only {
		if !slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// wanted leaves the benchmarks of a plan that are asked for.
func (c *All) wanted(plan []planned) []planned {
	if len(c.Only) == 0 {
		return plan
	}
	return slices.DeleteFunc(plan, func(one planned) bool { return !slices.Contains(c.Only, one.name) })
}
