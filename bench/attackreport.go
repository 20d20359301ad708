package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/bench/figures"
)

// attackReport is what bench attack found.
type attackReport struct {
	memory             int64
	took               time.Duration
	quiet              *attackPhase
	phases             []*attackPhase // the last is all at once
	acknowledged, lost int
}

// attackPhase is what was found while some kinds attacked.
type attackPhase struct {
	name                      string
	page, health              *Timing
	failedPages, failedHealth int
	most                      int64 // resident, in bytes
	// server and attackers are what they used of the processors while it took so long; 0
	// where that is not known.
	took, server, attackers time.Duration
	answers                 attackAnswers
}

// watch keeps the most memory that a process held at one time until ctx ends.
func (p *attackPhase) watch(ctx context.Context, pid int) {
	for every := 100 * time.Millisecond; ctx.Err() == nil; pause(ctx, every) {
		p.most = max(p.most, residentMemory(pid))
	}
}

// healthBound is how long /healthz may take beside the attack.
const healthBound = 100 * time.Millisecond

// Bounds of memory, over what it was told to take, and of another workspace's page, over
// what it takes while it is quiet.
const (
	attackMemory = 1.2
	attackPage   = 3
)

func (r *attackReport) memoryBound() int64       { return int64(attackMemory * float64(r.memory)) }
func (r *attackReport) pageBound() time.Duration { return attackPage * r.quiet.page.Percentile(99) }

// Names of figures that a bound is of.
const (
	figureAttackMemory = "most resident memory ÷ --memory"
	figureAttackHealth = "/healthz, the longest"
	figureAttackPage   = "another workspace's page, p99 beside the attack ÷ quiet"
	figureAttackLost   = "acknowledged events that are missing"
)

// figures adds what was found: those that have a bound while all attack at once, and those of
// each kind alone. Times and memory of a short attack are not measured.
func (r *attackReport) figures(found *figures.Found) {
	long := func(value float64) float64 {
		if r.took < attackLeast {
			return figures.NotMeasured()
		}
		return value
	}
	quiet := milliseconds(r.quiet.page.Percentile(99))
	found.Add("another workspace's page while it is quiet, p99", "ms", orNothing(quiet))
	found.Add("events acknowledged", "", float64(r.acknowledged))
	found.Add(figureAttackLost, "", float64(r.lost))
	for i, p := range r.phases {
		before := p.name + ": "
		if i == len(r.phases)-1 {
			before = ""
		}
		beside := milliseconds(p.page.Percentile(99))
		found.Add(before+figureAttackMemory, "", long(orNothing(float64(p.most))/float64(r.memory)))
		found.Add(before+figureAttackHealth, "ms", long(milliseconds(p.health.Max())))
		found.Add(before+"another workspace's page beside the attack, p99", "ms", long(beside))
		found.Add(before+figureAttackPage, "", long(beside/orNothing(quiet)))
	}
}

// orNothing is a value that is not measured where it is 0.
func orNothing(value float64) float64 {
	if value == 0 {
		return figures.NotMeasured()
	}
	return value
}

// notShown names what the report must show and does not. Times and memory of a short
// attack say nothing.
func (r *attackReport) notShown() []string {
	var not []string
	must := func(shown bool, format string, of ...any) {
		if !shown {
			not = append(not, fmt.Sprintf(format, of...))
		}
	}
	must(r.acknowledged > 0, "no event was acknowledged")
	must(r.lost == 0, "%d of %d acknowledged events were lost", r.lost, r.acknowledged)
	if r.took < attackLeast {
		return not
	}
	quiet := r.quiet
	must(quiet.page.Count() > 0 && quiet.failedPages == 0, "the page was asked %d times while it was quiet and failed %d times", quiet.page.Count(), quiet.failedPages)
	must(len(r.phases) > 0, "nothing attacked")
	for _, p := range r.phases {
		must(p.most > 0, "%s: resident memory was not measured", p.name)
		must(p.most <= r.memoryBound(), "%s: resident memory was %s", p.name, megabytes(p.most))
		must(p.health.Count() > 0 && p.failedHealth == 0, "%s: /healthz was asked %d times and failed %d times", p.name, p.health.Count(), p.failedHealth)
		must(p.health.Max() < healthBound, "%s: /healthz took up to %s", p.name, round(p.health.Max()))
		must(p.page.Count() > 0 && p.failedPages == 0, "%s: the page was asked %d times and failed %d times", p.name, p.page.Count(), p.failedPages)
		must(p.page.Percentile(99) < r.pageBound(), "%s: the page's p99 was %s", p.name, round(p.page.Percentile(99)))
		must(len(p.answers) > 0, "%s: nothing attacked", p.name)
		for _, kind := range slices.Sorted(maps.Keys(p.answers)) {
			answered := len(p.answers[kind])
			if p.answers[kind][brokenOff] > 0 {
				answered--
			}
			must(answered > 0, "%s: no answer to %s", p.name, kind)
		}
	}
	return not
}

// String is a line of the phase.
func (p *attackPhase) String() string {
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(p.answers)) {
		var counts []string
		for _, status := range slices.Sorted(maps.Keys(p.answers[kind])) {
			counts = append(counts, fmt.Sprintf("%s: %d", status, p.answers[kind][status]))
		}
		kinds = append(kinds, kind+" "+strings.Join(counts, ", "))
	}
	timing := func(t *Timing, failed int) string {
		text := fmt.Sprintf("%s / %s / %s", round(t.Percentile(50)), round(t.Percentile(99)), round(t.Max()))
		if failed > 0 {
			text += fmt.Sprintf(", %d failed", failed)
		}
		return text
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s + %s | %s |", p.name, megabytes(p.most), timing(p.health, p.failedHealth), timing(p.page, p.failedPages),
		p.cores(p.server), p.cores(p.attackers), strings.Join(kinds, "; "))
}

// cores is how many processors a time of processors kept busy.
func (p *attackPhase) cores(used time.Duration) string {
	if p.took == 0 {
		return "?"
	}
	return fmt.Sprintf("%.1f", used.Seconds()/p.took.Seconds())
}

func (r *attackReport) String() string {
	var table strings.Builder
	fmt.Fprintf(&table, "Embedded, with --memory %s; all at once for %v. Times are p50 / p99 / most;\n"+
		"attackers run at the lowest priority, and processors are those of the server + theirs.\n\n", megabytes(r.memory), r.took)
	fmt.Fprintf(&table, "| what attacks | most resident memory | /healthz | another workspace's page | processors | answers, by status |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, p := range append([]*attackPhase{r.quiet}, r.phases...) {
		fmt.Fprintln(&table, p)
	}
	fmt.Fprintf(&table, "| must | at most %s | most below %v | p99 below %s | | |\n", megabytes(r.memoryBound()), healthBound, round(r.pageBound()))
	fmt.Fprintf(&table, "\nOf %d acknowledged events %d are missing (must: 0).\n", r.acknowledged, r.lost)
	if r.took < attackLeast {
		fmt.Fprintf(&table, "\nTimes and memory are not judged: the attack was shorter than %v.\n", attackLeast)
	}
	return table.String()
}
