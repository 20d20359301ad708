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

// watch keeps the most memory that a process held at one time until ctx ends.
func (r *attackReport) watch(ctx context.Context, pid int) {
	for every := 100 * time.Millisecond; ctx.Err() == nil; pause(ctx, every) {
		r.most = max(r.most, residentMemory(pid))
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
func (r *attackReport) pageBound() time.Duration { return attackPage * r.quiet.Percentile(99) }

// Names of figures that a bound is of.
const (
	figureAttackMemory = "most resident memory ÷ --memory"
	figureAttackHealth = "/healthz, the longest"
	figureAttackPage   = "another workspace's page, p99 beside the attack ÷ quiet"
	figureAttackLost   = "acknowledged events that are missing"
)

// figures adds what was found; times and memory of a short attack are not measured.
func (r *attackReport) figures(found *figures.Found) {
	long := func(value float64) float64 {
		if r.took < attackLeast {
			return figures.NotMeasured()
		}
		return value
	}
	quiet, beside := milliseconds(r.quiet.Percentile(99)), milliseconds(r.page.Percentile(99))
	found.Add(figureAttackMemory, "", long(orNothing(float64(r.most))/float64(r.memory)))
	found.Add(figureAttackHealth, "ms", long(milliseconds(r.health.Max())))
	found.Add("another workspace's page while it is quiet, p99", "ms", orNothing(quiet))
	found.Add("another workspace's page beside the attack, p99", "ms", long(beside))
	found.Add(figureAttackPage, "", long(beside/orNothing(quiet)))
	found.Add("events acknowledged", "", float64(r.acknowledged))
	found.Add(figureAttackLost, "", float64(r.lost))
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
	must(r.most > 0, "resident memory was not measured")
	must(r.most <= r.memoryBound(), "resident memory was %s", megabytes(r.most))
	must(r.health.Count() > 0 && r.failedHealth == 0, "/healthz was asked %d times and failed %d times", r.health.Count(), r.failedHealth)
	must(r.health.Max() < healthBound, "/healthz took up to %s", round(r.health.Max()))
	must(r.quiet.Count() > 0 && r.quietFailed == 0, "the page was asked %d times while it was quiet and failed %d times", r.quiet.Count(), r.quietFailed)
	must(r.page.Count() > 0 && r.failedPages == 0, "the page was asked %d times beside the attack and failed %d times", r.page.Count(), r.failedPages)
	must(r.page.Percentile(99) < r.pageBound(), "the page's p99 was %s beside the attack", round(r.page.Percentile(99)))
	must(len(r.answers) > 0, "nothing attacked")
	for _, kind := range slices.Sorted(maps.Keys(r.answers)) {
		answered := len(r.answers[kind])
		if r.answers[kind][brokenOff] > 0 {
			answered--
		}
		must(answered > 0, "no answer to %s", kind)
	}
	return not
}

func (r *attackReport) String() string {
	var table strings.Builder
	row := func(of, found string, bound any) { fmt.Fprintf(&table, "| %s | %s | %v |\n", of, found, bound) }
	fmt.Fprintf(&table, "| An attack of %v, embedded, with --memory %s | found | must |\n| --- | --- | --- |\n", r.took, megabytes(r.memory))
	row("most resident memory", megabytes(r.most), "at most "+megabytes(r.memoryBound()))
	row("/healthz", fmt.Sprintf("%s; %d failed", r.health, r.failedHealth), "below "+healthBound.String())
	row("another workspace's page while it is quiet", fmt.Sprintf("%s; %d failed", r.quiet, r.quietFailed), "")
	row("another workspace's page beside the attack", fmt.Sprintf("%s; %d failed", r.page, r.failedPages),
		"p99 below "+round(r.pageBound()).String())
	row("its acknowledged events that are missing", fmt.Sprintf("%d of %d", r.lost, r.acknowledged), 0)
	for _, kind := range slices.Sorted(maps.Keys(r.answers)) {
		var counts []string
		for _, status := range slices.Sorted(maps.Keys(r.answers[kind])) {
			counts = append(counts, fmt.Sprintf("%s: %d", status, r.answers[kind][status]))
		}
		row(kind+", by answer", strings.Join(counts, ", "), "")
	}
	if r.took < attackLeast {
		fmt.Fprintf(&table, "\nTimes and memory are not judged: the attack was shorter than %v.\n", attackLeast)
	}
	return table.String()
}
