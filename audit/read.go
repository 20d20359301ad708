package audit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tidings/event"
)

// readTime bounds how long one page looks through days.
const readTime = 3 * time.Second

// Page is a part of the log, newest first.
type Page struct {
	Rows []Row
	// Next goes on behind it; "" at the end.
	Next string
}

// Read returns a workspace's rows, newest first, from behind a cursor. What this
// process has not written yet is written before.
func (l *Log) Read(ctx context.Context, question Question, cursor string) (Page, error) {
	if err := l.Flush(ctx); err != nil {
		return Page{}, fmt.Errorf("write the audit log: %w: %w", event.ErrUnavailable, err)
	}
	from, before, err := parseCursor(cursor)
	if err != nil {
		return Page{}, err
	}
	days, err := l.Store.Days(ctx)
	if err != nil {
		return Page{}, fmt.Errorf("list the days of the audit log: %w", err)
	}
	var page Page
	began, limit := l.Clock(), question.Limit
	for i := len(days) - 1; i >= 0; i-- {
		day := days[i]
		if from != "" && day > from || !question.From.IsZero() && day < DayOf(question.From) {
			continue
		}
		if l.Clock().Sub(began) > readTime {
			page.Next = string(day) + ".0"
			return page, nil
		}
		question.Before, question.Limit = 0, limit-len(page.Rows)
		if day == from {
			question.Before = before
		}
		entries, err := l.Store.Find(ctx, day, question)
		if err != nil {
			return Page{}, fmt.Errorf("read the audit log: %w", err)
		}
		for _, e := range entries {
			row, err := e.Row()
			if err != nil {
				return Page{}, err
			}
			page.Rows = append(page.Rows, row)
		}
		if len(page.Rows) == limit {
			page.Next = fmt.Sprintf("%s.%d", day, entries[len(entries)-1].Seq)
			return page, nil
		}
	}
	return page, nil
}

// parseCursor reads the day and Seq to go on behind.
func parseCursor(text string) (Day, int64, error) {
	if text == "" {
		return "", 0, nil
	}
	day, number, ok := strings.Cut(text, ".")
	seq, err := strconv.ParseInt(number, 10, 64)
	_, wrong := time.Parse(time.DateOnly, day)
	if !ok || err != nil || wrong != nil || seq < 0 {
		return "", 0, event.Invalid("cursor", "is not next of a page before")
	}
	return Day(day), seq, nil
}
