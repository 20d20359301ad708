package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/account"
	"tidings/event"
)

// inventory keeps which weeks there are, and with how many events, in the state store,
// apart from the weeks: one whose file is gone is missing and not empty.
type inventory struct {
	records account.Records
	// noted are the counts that were written by this process.
	noted map[event.Week]int64
}

// kindWeek is the kind of its records.
const kindWeek = "week"

// noteEvery is how often counts are written.
const noteEvery = 10 * time.Minute

// droppedFor is for how long a dropped week is not noted again, by a process that saw it
// before it was dropped by another.
const droppedFor = time.Hour

type weekCount struct {
	Events int64 `json:"events"`
	// Dropped is when it was dropped, Unix seconds; 0 for one that is there.
	Dropped int64 `json:"dropped,omitempty"`
}

// expected are the weeks that had events when they were last noted.
func (v *inventory) expected(ctx context.Context) ([]event.Week, error) {
	records, err := v.records.List(ctx, noWorkspace, kindWeek)
	if err != nil {
		return nil, fmt.Errorf("read which weeks there are: %w", err)
	}
	var weeks []event.Week
	for _, record := range records {
		var count weekCount
		week, err := event.ParseWeek(record.ID)
		if err == nil {
			err = json.Unmarshal(record.Doc, &count)
		}
		if err != nil {
			return nil, fmt.Errorf("read which weeks there are: %w", err)
		}
		if count.Events > 0 {
			weeks = append(weeks, week)
		}
	}
	return weeks, nil
}

// note writes the counts that have changed.
func (v *inventory) note(ctx context.Context, infos []event.WeekInfo) error {
	for _, info := range infos {
		if before, known := v.noted[info.Week]; info.Damage != nil || known && before == info.Events {
			continue
		}
		noted, err := v.noteOne(ctx, info)
		if err != nil {
			return fmt.Errorf("note which weeks there are: %w", err)
		}
		if noted {
			v.noted[info.Week] = info.Events
		}
	}
	return nil
}

// noteOne notes a week, unless another process has noted or dropped it meanwhile.
func (v *inventory) noteOne(ctx context.Context, info event.WeekInfo) (noted bool, err error) {
	before, err := v.records.Get(ctx, noWorkspace, kindWeek, info.Week.String())
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return false, err
	}
	if err == nil {
		var count weekCount
		if err := json.Unmarshal(before, &count); err != nil {
			return false, err
		}
		if count.Dropped != 0 && time.Since(time.Unix(count.Dropped, 0)) < droppedFor {
			return false, nil
		}
	}
	raw, err := json.Marshal(weekCount{Events: info.Events})
	if err != nil {
		return false, err
	}
	err = v.records.Swap(ctx, noWorkspace, kindWeek, info.Week.String(), before, raw)
	if errors.Is(err, event.ErrConflict) {
		return false, nil
	}
	return err == nil, err
}

// forget takes a week off, before it is dropped: a crash between leaves a week that is
// noted again.
func (v *inventory) forget(ctx context.Context, week event.Week) error {
	raw, err := json.Marshal(weekCount{Dropped: time.Now().Unix()})
	if err == nil {
		err = v.records.Put(ctx, noWorkspace, kindWeek, week.String(), raw)
	}
	if err != nil {
		return fmt.Errorf("forget a week: %w", err)
	}
	return nil
}

// expectWeeks tells the index which weeks it should have. Those that it has not are
// damaged, until they are restored or begun anew.
func (a *App) expectWeeks(ctx context.Context, s Settings) error {
	v := inventory{records: a.State}
	if elsewhere, ok := a.Index.(interface {
		ExpectBy(expected func(ctx context.Context) ([]event.Week, error))
	}); ok {
		elsewhere.ExpectBy(v.expected)
	}
	if a.Words == nil && len(s.BeginAnew) == 0 {
		return nil // the state need not be there yet
	}
	weeks, err := v.expected(ctx)
	if err != nil {
		return err
	}
	for _, week := range weeks {
		// The folder of that name is begun anew whole; elsewhere it stands for every week.
		if slices.Contains(s.BeginAnew, week.String()) || a.Words == nil && slices.Contains(s.BeginAnew, "weeks") {
			if err := v.forget(ctx, week); err != nil {
				return err
			}
			continue
		}
		if a.Words != nil {
			a.Words.Expect(ctx, week)
		}
	}
	return nil
}

// keepInventory notes which weeks there are until ctx ends.
func (a *App) keepInventory(ctx context.Context) error {
	v := inventory{records: a.State, noted: make(map[event.Week]int64)}
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		err := a.noteWeeks(ctx, &v)
		if err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "which weeks there are could not be noted; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			// Once more: a week that came since is missed if it goes.
			return a.noteOnce(context.WithoutCancel(ctx), &v)
		case <-tick.C:
		}
	}
}

func (a *App) noteOnce(ctx context.Context, v *inventory) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := a.noteWeeks(ctx, v); err != nil {
		a.log.WarnContext(ctx, "which weeks there are could not be noted", "error", err)
	}
	return nil
}

// noteWeeks notes which weeks there are.
func (a *App) noteWeeks(ctx context.Context, v *inventory) error {
	infos, err := a.Index.WeekInfos(ctx)
	if err != nil {
		return err
	}
	return v.note(ctx, infos)
}

// inventoried is an index whose dropped weeks are not missed.
type inventoried struct {
	Index
	inventory inventory
}

// Drop forgets a week and deletes it.
func (i inventoried) Drop(ctx context.Context, week event.Week) error {
	if err := i.inventory.forget(ctx, week); err != nil {
		return err
	}
	return i.Index.Drop(ctx, week)
}
