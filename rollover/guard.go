package rollover

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/event"
)

const (
	// mostDrops is how many weeks a run drops that the last one did not.
	mostDrops = 1
	// longestNight is how long after the last run the clock is believed when there is
	// something to drop.
	longestNight = 8 * 24 * time.Hour
)

// whyWait says why dropping weeks should wait for a person, "" when it need not: a
// clock that is ahead, or a retention with a digit too few, would delete everything.
func whyWait(now time.Time, drops []event.Week, infos []event.WeekInfo, last Report, known bool) string {
	if len(drops) == 0 {
		return ""
	}
	anew := slices.DeleteFunc(slices.Clone(drops), func(week event.Week) bool { return last.dropped(week) })
	newest := event.Week(0)
	for _, info := range infos {
		if info.Events > 0 || info.Damage != nil {
			newest = max(newest, info.Week)
		}
	}
	switch {
	case len(anew) > mostDrops:
		return fmt.Sprintf("it would drop %d weeks, %s to %s, where a night drops one", len(anew), slices.Min(anew), slices.Max(anew))
	case slices.ContainsFunc(last.Actions, func(a Action) bool { return a.Step == StepWait }):
		return "it has waited since the last run"
	case known && now.Sub(last.At) > longestNight:
		return fmt.Sprintf("the last run was at %s, and the clock says %s: is it right?", last.At.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case !known && slices.Contains(drops, newest):
		return fmt.Sprintf("it would drop the newest week that has events, %s: is the clock right (%s)?", newest, now.UTC().Format(time.RFC3339))
	}
	return ""
}

// dropped reports whether the run dropped a week, or tried to.
func (r Report) dropped(week event.Week) bool {
	return slices.ContainsFunc(r.Actions, func(a Action) bool { return a.Step == StepDrop && a.Week != nil && *a.Week == week })
}

// guard puts an action that only says why in the place of those that drop, where they
// should wait for a person.
func (r *Rollover) guard(ctx context.Context, now time.Time, actions []Action, infos []event.WeekInfo, confirmed bool) ([]Action, error) {
	var drops []event.Week
	for _, action := range actions {
		if action.Step == StepDrop {
			drops = append(drops, *action.Week)
		}
	}
	last, known, err := r.Notes.LastRun(ctx)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	why := whyWait(now, drops, infos, last, known)
	if why == "" || confirmed {
		r.waiting.Store(nil)
		return actions, nil
	}
	words := fmt.Sprintf("dropping weeks past the retention waits for you: %s. Look with tidings rollover --dry-run, and run tidings rollover --now --yes", why)
	return []Action{{Step: StepWait, do: func(context.Context) (int, error) {
		r.waiting.Store(&words)
		return 0, &event.Degraded{Words: words}
	}}}, nil
}

// Waiting says what waits for a person, nil where nothing does.
func (r *Rollover) Waiting() error {
	if words := r.waiting.Load(); words != nil {
		return &event.Degraded{Words: *words}
	}
	return nil
}

// RunConfirmed is Run by somebody who has looked: it drops what is past the retention,
// however much that is.
func (r *Rollover) RunConfirmed(ctx context.Context) (Report, error) {
	return r.runUnderLease(ctx, true)
}
