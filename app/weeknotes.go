package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tidings/account"
	"tidings/event"
	"tidings/rollover"
)

// weekNotes keeps what indexers and nightly runs tell each other in the records
// of the state store. They belong to no workspace.
type weekNotes struct{ records account.Records }

// The kinds of the records, and the id of the last run's.
const (
	noWorkspace    = ""
	kindWeekWanted = "week-wanted"
	kindRun        = "rollover"
	lastRun        = "last"
)

// Wanted notes that events wait for the blocks of weeks to be taken off.
func (n weekNotes) Wanted(ctx context.Context, weeks []event.Week) error {
	for _, week := range weeks {
		if err := n.records.Put(ctx, noWorkspace, kindWeekWanted, week.String(), json.RawMessage("{}")); err != nil {
			return fmt.Errorf("ask for week %s: %w", week, err)
		}
	}
	return nil
}

// WantedWeeks are those weeks, in their order.
func (n weekNotes) WantedWeeks(ctx context.Context) ([]event.Week, error) {
	records, err := n.records.List(ctx, noWorkspace, kindWeekWanted)
	if err != nil {
		return nil, fmt.Errorf("list wanted weeks: %w", err)
	}
	weeks := make([]event.Week, len(records))
	for i, record := range records {
		if weeks[i], err = event.ParseWeek(record.ID); err != nil {
			return nil, fmt.Errorf("list wanted weeks: %w", err)
		}
	}
	slices.Sort(weeks)
	return weeks, nil
}

// Unblocked takes a week off them.
func (n weekNotes) Unblocked(ctx context.Context, week event.Week) error {
	if err := n.records.Delete(ctx, noWorkspace, kindWeekWanted, week.String()); err != nil {
		return fmt.Errorf("note that week %s is open: %w", week, err)
	}
	return nil
}

// LastRun is the report of the last nightly run.
func (n weekNotes) LastRun(ctx context.Context) (rollover.Report, bool, error) {
	var report rollover.Report
	raw, err := n.records.Get(ctx, noWorkspace, kindRun, lastRun)
	if errors.Is(err, event.ErrNotFound) {
		return report, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &report)
	}
	if err != nil {
		return report, false, fmt.Errorf("read the last run's report: %w", err)
	}
	return report, true, nil
}

// NoteRun writes the report of a run over the last.
func (n weekNotes) NoteRun(ctx context.Context, report rollover.Report) error {
	raw, err := json.Marshal(report)
	if err == nil {
		err = n.records.Put(ctx, noWorkspace, kindRun, lastRun, raw)
	}
	if err != nil {
		return fmt.Errorf("note a run: %w", err)
	}
	return nil
}
