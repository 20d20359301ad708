package rollover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/event"
)

// Step names a kind of action.
type Step string

// The steps, in the order in which a run takes them.
const (
	// StepUnblock opens a sealed week that events wait for.
	StepUnblock Step = "unblock"
	// StepPrepare makes a week before its time.
	StepPrepare Step = "prepare"
	// StepExpire reduces the states of messages that everyone has opened.
	StepExpire Step = "expire"
	// StepPurge takes the sends of messages reduced a day ago out of the index.
	StepPurge Step = "purge"
	// StepForget removes states that are older than the retention.
	StepForget Step = "forget"
	// StepWait stands for dropping that waits for a person.
	StepWait Step = "wait"
	// StepDrop deletes a week that is older than the retention.
	StepDrop Step = "drop"
	// StepUnlist takes such weeks off the catalogue.
	StepUnlist Step = "unlist"
	// StepSeal closes an old week.
	StepSeal Step = "seal"
	// StepClear takes what is left of erased people out of the files.
	StepClear Step = "clear"
)

// Action is one thing that a run does.
type Action struct {
	Step Step `json:"step"`
	// Week is nil where the action is about no week alone.
	Week *event.Week `json:"week,omitempty"`
	// Count is how many messages or sends it was about, once it is done.
	Count int `json:"count,omitempty"`
	// Error is why it was not done.
	Error string `json:"error,omitempty"`

	do func(context.Context) (int, error)
}

// String is such as "seal 2026-w44".
func (a Action) String() string {
	text := string(a.Step)
	if a.Week != nil {
		text += " " + a.Week.String()
	}
	if a.Count > 0 {
		text += fmt.Sprintf(" (%d)", a.Count)
	}
	if a.Error != "" {
		text += ": " + a.Error
	}
	return text
}

// Ahead is how many weeks after the running one are prepared.
const Ahead = 2

// Plan is what a run would do at a time, in its order. Damaged weeks are left alone,
// but dropped when they are past the retention. It does not say whether dropping
// would wait for a person. States that a run would
// expire or purge are not counted.
func (r *Rollover) Plan(ctx context.Context, now time.Time) ([]Action, error) {
	return r.plan(ctx, now, true)
}

func (r *Rollover) plan(ctx context.Context, now time.Time, confirmed bool) ([]Action, error) {
	infos, err := r.Weeks.WeekInfos(ctx)
	if err != nil {
		return nil, fmt.Errorf("plan: list weeks: %w", err)
	}
	wanted, err := r.Notes.WantedWeeks(ctx)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	slices.Sort(wanted)
	slices.SortFunc(infos, func(a, b event.WeekInfo) int { return int(a.Week) - int(b.Week) })

	var plan []Action
	for _, week := range wanted {
		plan = append(plan, r.unblocking(week))
	}
	plan = append(plan, r.preparing(now, infos)...)
	plan = append(plan, Action{Step: StepExpire, do: func(ctx context.Context) (int, error) {
		return r.States.Expire(ctx, now)
	}})
	if r.RemoveCompleted {
		plan = append(plan, Action{Step: StepPurge, do: func(ctx context.Context) (int, error) {
			return r.purge(ctx, now)
		}})
	}
	drops, err := r.guard(ctx, now, r.dropping(now, infos), infos, confirmed)
	if err != nil {
		return nil, err
	}
	plan = append(plan, drops...)
	for _, info := range infos {
		old := info.Week.End() <= now.Add(-r.SealAfter).Unix()
		if old && !info.Sealed && info.Damage == nil && !r.past(info.Week, now) && !slices.Contains(wanted, info.Week) {
			plan = append(plan, about(StepSeal, info.Week, r.Blocks.Seal))
		}
	}
	return r.clearing(ctx, plan)
}

// clearing adds to a plan, as its last, what erasures have left.
func (r *Rollover) clearing(ctx context.Context, plan []Action) ([]Action, error) {
	if r.Leftovers == nil {
		return plan, nil
	}
	wanted, err := r.Leftovers.Wanted(ctx)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	if wanted {
		plan = append(plan, Action{Step: StepClear, do: func(ctx context.Context) (int, error) { return 0, r.Leftovers.Clear(ctx) }})
	}
	return plan, nil
}

// about is an action on one week.
func about(step Step, week event.Week, do func(context.Context, event.Week) error) Action {
	return Action{Step: step, Week: &week, do: func(ctx context.Context) (int, error) {
		return 0, do(ctx, week)
	}}
}

func (r *Rollover) unblocking(week event.Week) Action {
	return about(StepUnblock, week, func(ctx context.Context, week event.Week) error {
		err := r.Blocks.Unseal(ctx, week)
		if damaged, ok := errors.AsType[*event.WeekDamaged](err); ok {
			// Its events wait elsewhere until it is repaired.
			r.Logger.WarnContext(ctx, "a damaged week is not opened", "week", week.String(), "error", damaged)
			err = nil
		}
		if err != nil {
			return err
		}
		// A crash before this only unblocks an open week again.
		return r.Notes.Unblocked(ctx, week)
	})
}

func (r *Rollover) preparing(now time.Time, infos []event.WeekInfo) []Action {
	var actions []Action
	running := event.WeekOf(now.Unix())
	for week := running; week <= running+Ahead; week++ {
		exists := slices.ContainsFunc(infos, func(info event.WeekInfo) bool { return info.Week == week })
		if !exists {
			actions = append(actions, about(StepPrepare, week, r.Weeks.Prepare))
		}
	}
	return actions
}

// dropping lets go of what is past the retention. States go before weeks: a run
// that is killed in between finds the week, and with it the states, again. Weeks
// leave the catalogue first, so that who reads one that is dropped can tell.
func (r *Rollover) dropping(now time.Time, infos []event.WeekInfo) []Action {
	if r.Retention == 0 {
		return nil
	}
	var weeks []Action
	for _, info := range infos {
		if r.past(info.Week, now) {
			weeks = append(weeks, about(StepDrop, info.Week, r.Weeks.Drop))
		}
	}
	if len(weeks) == 0 {
		return []Action{r.unlisting(now)}
	}
	horizon := time.Unix(r.horizon(now).Start(), 0)
	forget := Action{Step: StepForget, do: func(ctx context.Context) (int, error) {
		return r.States.Forget(ctx, horizon)
	}}
	return append([]Action{r.unlisting(now), forget}, weeks...)
}

func (r *Rollover) unlisting(now time.Time) Action {
	return Action{Step: StepUnlist, do: func(ctx context.Context) (int, error) {
		return 0, r.Catalogue.Unlist(ctx, r.horizon(now))
	}}
}

// horizon is the oldest week that is kept, at least in part.
func (r *Rollover) horizon(now time.Time) event.Week {
	return event.WeekOf(now.Add(-r.Retention).Unix())
}

// past reports whether a week is wholly older than the retention.
func (r *Rollover) past(week event.Week, now time.Time) bool {
	return r.Retention > 0 && week < r.horizon(now)
}
