package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tidings/event"
	"tidings/rollover"
)

// RolloverRequest is what the process that holds the directory is asked.
type RolloverRequest struct {
	DryRun bool      `json:"dry_run"`
	At     time.Time `json:"at,omitzero"`
	// Yes drops what is past the retention however much it is.
	Yes bool `json:"yes"`
}

// RunRollover makes or plans a run.
func (a *App) RunRollover(ctx context.Context, request RolloverRequest) (rollover.Report, error) {
	if request.DryRun {
		at := request.At
		if at.IsZero() {
			at = time.Now()
		}
		plan, err := a.rollover.Plan(ctx, at)
		return rollover.Report{At: at, Actions: plan}, err
	}
	run := a.rollover.Run
	if request.Yes {
		run = a.rollover.RunConfirmed
	}
	report, err := run(ctx)
	if report.Failed() > 0 && ctx.Err() == nil {
		err = nil // The report says what failed, and why.
	}
	return report, err
}

// keepWeeks takes blocks off for as long as events are indexed, and where asked
// makes the nightly runs.
func (a *App) keepWeeks(ctx context.Context) error {
	keep := a.rollover.KeepUnblocking
	if a.night != nil {
		keep = func(ctx context.Context) error { return a.rollover.Keep(ctx, *a.night) }
	}
	if err := keep(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("keep weeks: %w", err)
	}
	return nil
}

// WeekHealthRequest asks how the weeks are.
type WeekHealthRequest struct {
	// Deep reads every week from end to end first.
	Deep bool `json:"deep"`
}

// WeekHealth is what an operator wants to know of the weeks.
type WeekHealth struct {
	Weeks  int   `json:"weeks"`
	Sealed int   `json:"sealed"`
	Events int64 `json:"events"`
	Bytes  int64 `json:"bytes"`
	// Wanted are sealed weeks that events wait for.
	Wanted []event.Week `json:"wanted"`
	// Damaged says of each damaged week what is wrong and what to do.
	Damaged []string `json:"damaged"`
	// Files says what is wrong with files beside the weeks, and what to do.
	Files []string `json:"files,omitempty"`
	// Audit says which days of the audit log are damaged or gone.
	Audit []string `json:"audit,omitempty"`
	// Held is how many events wait for damaged weeks.
	Held int `json:"held"`
	// Last is the last nightly run, nil when there was none.
	Last *rollover.Report `json:"last"`
}

func (a *App) WeekHealth(ctx context.Context, request WeekHealthRequest) (WeekHealth, error) {
	if request.Deep && a.Words != nil {
		if _, _, err := a.Words.CheckSome(ctx, 0, 0); err != nil {
			return WeekHealth{}, err
		}
	}
	if request.Deep {
		if err := a.checkFiles(ctx); err != nil {
			return WeekHealth{}, err
		}
	}
	var health WeekHealth
	damaged := a.damagedFiles()
	for _, name := range slices.Sorted(maps.Keys(damaged)) {
		health.Files = append(health.Files, damaged[name].Error())
	}
	faults, err := a.Audit.Look(ctx, oldestKept())
	if err != nil {
		health.Audit = append(health.Audit, "not looked at: "+err.Error())
	}
	for _, fault := range faults {
		health.Audit = append(health.Audit, fault.String())
	}
	infos, err := a.Index.WeekInfos(ctx)
	if err != nil {
		return health, err
	}
	for _, info := range infos {
		health.Weeks++
		if info.Damage != nil {
			health.Damaged = append(health.Damaged, info.Damage.Error())
		}
		health.Events += info.Events
		health.Bytes += info.Bytes
		if info.Sealed {
			health.Sealed++
		}
	}
	held, err := a.Stream.Held(ctx)
	if err != nil {
		return health, err
	}
	for _, events := range held {
		health.Held += events
	}
	notes := weekNotes{a.State}
	if health.Wanted, err = notes.WantedWeeks(ctx); err != nil {
		return health, err
	}
	last, made, err := notes.LastRun(ctx)
	if made {
		health.Last = &last
	}
	return health, err
}
