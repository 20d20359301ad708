package notify

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"tidings/event"
	"tidings/query/times"
)

// reportDays are how many days a report is of.
const reportDays = 7

// Figures are what a report says of a week.
type Figures struct {
	Sends, Recipients int
	// SendsBefore are those of the week before.
	SendsBefore                int
	Open, Click, Reply, Bounce Change
	// Theirs and Ours are how long answers took, nil where that is not known.
	Theirs, Ours *time.Duration
	// Partial says that not everything was counted.
	Partial bool
}

// Change is a rate beside the one before, each nil where it is not known.
type Change struct{ Now, Before *float64 }

// ReportOf is the week that a report of a time is about: the seven days that end with
// the one before, in the zone of that time.
func ReportOf(due time.Time) (from, until time.Time) {
	until = times.StartOfDay(due)
	return times.AddDays(until, -reportDays), until
}

// LastDue is when a rule of each week was due last at a time; false where that is not within
// a week before.
func (r Rule) LastDue(at time.Time, settings Settings) (time.Time, bool) {
	dues := r.dues(at.AddDate(0, 0, -reportDays), at, settings.location())
	if r.Weekly == nil || len(dues) == 0 {
		return time.Time{}, false
	}
	return dues[len(dues)-1].In(settings.location()), true
}

// reportNow is what a rule reports that became due since it was looked at: the last week
// alone, however long nobody looked.
func (x *Engine) reportNow(ctx context.Context, book *Book, workspace string, r Rule, visible []string, before progress, now time.Time) ([]*question, error) {
	dues := r.dues(before.after(r), now, book.Settings[r.Owner].location())
	if len(dues) == 0 {
		return nil, nil
	}
	return x.report(ctx, book, workspace, r, visible, dues[len(dues)-1])
}

func (x *Engine) report(ctx context.Context, book *Book, workspace string, r Rule, visible []string, due time.Time) ([]*question, error) {
	from, until := ReportOf(due.In(book.Settings[r.Owner].location()))
	figures, err := x.Counts.Figures(ctx, workspace, r.Owner, visible, r.Q, from, until)
	if err != nil {
		return nil, fmt.Errorf("count for a report: %w", err)
	}
	timed := Timed{
		Kind: KindReport, Reason: ReasonSchedule, Cause: r.cause(due.UTC().Format(time.RFC3339)), Due: due,
		Found: strings.Join(figures.lines(from, until), "\n"),
	}
	return []*question{x.conclude(book, r, event.Event{Workspace: workspace, User: r.Owner}, timed)}, nil
}

// lines say the figures, a sentence each.
func (f Figures) lines(from, until time.Time) []string {
	const day = "Mon 2 Jan"
	sent := fmt.Sprintf("%s – %s: %s to %s", from.Format(day), times.AddDays(until, -1).Format(day), plural(f.Sends, "send"), plural(f.Recipients, "recipient"))
	switch change := math.Round(100 * float64(f.Sends-f.SendsBefore) / float64(f.SendsBefore)); {
	case f.SendsBefore == 0:
		sent += "."
	case change == 0:
		sent += ", about as many as the week before."
	case change > 0:
		sent += fmt.Sprintf(", %.0f%% more than the week before.", change)
	default:
		sent += fmt.Sprintf(", %.0f%% fewer than the week before.", -change)
	}
	lines := []string{sent}
	for _, rate := range []struct {
		words string
		Change
	}{{"opened", f.Open}, {"clicked", f.Click}, {"replied", f.Reply}, {"bounced", f.Bounce}} {
		if rate.Now != nil {
			lines = append(lines, rate.sentence(rate.words))
		}
	}
	if f.Theirs != nil {
		lines = append(lines, "They answered in "+lasted(*f.Theirs)+", at the median.")
	}
	if f.Ours != nil {
		lines = append(lines, "We answered them in "+lasted(*f.Ours)+", at the median.")
	}
	if f.Partial {
		lines = append(lines, "Not everything could be counted in time: there is more than this.")
	}
	return lines
}

func (c Change) sentence(words string) string {
	said := fmt.Sprintf("%.0f%% %s", 100**c.Now, words)
	if c.Before == nil {
		return said + "."
	}
	switch points := math.Round(100*(*c.Now)) - math.Round(100*(*c.Before)); {
	case points > 0:
		return fmt.Sprintf("%s, %s more than the week before.", said, plural(int(points), "point"))
	case points < 0:
		return fmt.Sprintf("%s, %s fewer than the week before.", said, plural(int(-points), "point"))
	}
	return said + ", as the week before."
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// lasted is a length in its largest unit of which there are two: 40 minutes, 5 hours, 3 days.
func lasted(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if d >= 2*unit.size {
			return plural(int((d+unit.size/2)/unit.size), unit.name)
		}
	}
	return plural(int(d/time.Second), "second")
}
