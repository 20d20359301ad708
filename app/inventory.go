package app

import (
	"context"
	"encoding/json"
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

type weekCount struct {
	Events int64 `json:"events"`
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
		raw, err := json.Marshal(weekCount{info.Events})
		if err == nil {
			err = v.records.Put(ctx, noWorkspace, kindWeek, info.Week.String(), raw)
		}
		if err != nil {
			return fmt.Errorf("note which weeks there are: %w", err)
		}
		v.noted[info.Week] = info.Events
	}
	return nil
}

// forget takes a week off, before it is dropped: a crash between leaves a week that is
// noted again.
func (v *inventory) forget(ctx context.Context, week event.Week) error {
	if err := v.records.Delete(ctx, noWorkspace, kindWeek, week.String()); err != nil {
		return fmt.Errorf("forget a week: %w", err)
	}
	return nil
}

// expectWeeks tells the index which weeks it should have. Those that it has not are
// damaged, until they are restored or begun anew.
func (a *App) expectWeeks(ctx context.Context, s Settings) error {
	if a.Words == nil {
		return nil
	}
	v := inventory{records: a.State}
	weeks, err := v.expected(ctx)
	if err != nil {
		return err
	}
	for _, week := range weeks {
		if slices.Contains(s.BeginAnew, week.String()) {
			if err := v.forget(ctx, week); err != nil {
				return err
			}
			continue
		}
		a.Words.Expect(ctx, week)
	}
	return nil
}

// keepInventory notes which weeks there are until ctx ends.
func (a *App) keepInventory(ctx context.Context) error {
	if a.Words == nil {
		return nil
	}
	v := inventory{records: a.State, noted: make(map[event.Week]int64)}
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		infos, err := a.Index.WeekInfos(ctx)
		if err == nil {
			err = v.note(ctx, infos)
		}
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
	infos, err := a.Index.WeekInfos(ctx)
	if err == nil {
		err = v.note(ctx, infos)
	}
	if err != nil {
		a.log.WarnContext(ctx, "which weeks there are could not be noted", "error", err)
	}
	return nil
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
