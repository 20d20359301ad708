package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// watch keeps the most memory that a process held at one time until ctx ends.
func (r *attackReport) watch(ctx context.Context, pid int) {
	for every := 100 * time.Millisecond; ctx.Err() == nil; pause(ctx, every) {
		kilobytes, _, _ := strings.Cut(field(readText(fmt.Sprintf("/proc/%d/status", pid)), "VmRSS"), " ")
		if n, err := strconv.ParseInt(kilobytes, 10, 64); err == nil {
			r.most = max(r.most, n<<10)
		}
	}
}

func (r *attackReport) String() string {
	var table strings.Builder
	row := func(of, found string, bound any) { fmt.Fprintf(&table, "| %s | %s | %v |\n", of, found, bound) }
	fmt.Fprintf(&table, "| An attack of %v, embedded, with --memory %s | found | must |\n| --- | --- | --- |\n", r.took, megabytes(r.memory))
	row("most resident memory", megabytes(r.most), "at most "+megabytes(r.memory*6/5))
	row("/healthz", fmt.Sprintf("%s; %d failed", r.health, r.failedHealth), "below 100ms")
	row("another workspace's page while it is quiet", fmt.Sprintf("%s; %d failed", r.quiet, r.quietFailed), "")
	row("another workspace's page beside the attack", fmt.Sprintf("%s; %d failed", r.page, r.failedPages),
		"p99 below "+round(3*r.quiet.Percentile(99)).String())
	row("its acknowledged events that are missing", fmt.Sprintf("%d of %d", r.lost, r.acknowledged), 0)
	for _, kind := range slices.Sorted(maps.Keys(r.answers)) {
		var counts []string
		for _, status := range slices.Sorted(maps.Keys(r.answers[kind])) {
			counts = append(counts, fmt.Sprintf("%s: %d", status, r.answers[kind][status]))
		}
		row(kind+", by answer", strings.Join(counts, ", "), "")
	}
	return table.String()
}
