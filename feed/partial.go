package feed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/event"
)

// search asks the index, and notes the weeks that it cannot read: they are not the
// fault of the others.
func (s *scan) search(ctx context.Context, search Search) ([]Hit, error) {
	hits, err := s.reader.index.Search(ctx, search)
	damaged, other := event.SplitDamaged(err)
	s.damaged = addDamaged(s.damaged, damaged)
	return hits, other
}

// addDamaged adds the weeks that are not among them yet.
func addDamaged(weeks, more event.DamagedWeeks) event.DamagedWeeks {
	for _, week := range more {
		if !slices.ContainsFunc(weeks, func(w *event.WeekDamaged) bool { return w.Week == week.Week }) {
			weeks = append(weeks, week)
		}
	}
	return weeks
}

// Warnings say in words which weeks are missing from an answer, for people who can do
// nothing about it: causes and remedies are for the operator.
func Warnings(weeks event.DamagedWeeks) []string {
	warnings := make([]string, len(weeks))
	for i, week := range weeks {
		day := func(seconds int64) string { return time.Unix(seconds, 0).UTC().Format("2 January 2006") }
		warnings[i] = fmt.Sprintf("Week %s (%s to %s) cannot be read at the moment: its events are missing here.",
			week.Week, day(week.Week.Start()), day(week.Week.End()-1))
	}
	return warnings
}
