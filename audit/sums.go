package audit

import (
	"time"
)

// sumFor is how long looks of one kind are counted into one row.
const sumFor = 15 * time.Minute

// maxSums is how many sums are under way; what comes beyond them is counted by
// workspace and route alone.
const (
	maxSums  = 10_000
	overflow = "several"
)

// sumKey is what looks have in common that are counted together.
type sumKey struct {
	workspace, actor, credential, route, scope string
	kind                                       Kind
}

// sum are looks that are counted, the first of which is a row already.
type sum struct {
	row   Row
	since time.Time
	until time.Time
	count int
	rows  int
}

// Sum takes a look at somebody's own mail. The first of a user, route, scope and
// quarter of an hour is a row at once; those that follow are one row with their count
// when the quarter is over.
func (l *Log) Sum(row Row, scope string) {
	now := l.Clock()
	key := sumKey{row.Workspace, row.Actor, row.Credential, row.Route, scope, row.Kind}
	row.Object = scope
	l.mu.Lock()
	s, ok := l.sums[key]
	if ok && now.Before(s.until) {
		if s.count == 0 {
			s.since = now
		}
		s.count++
		s.rows += row.Rows
		s.row.Result = row.Result
		l.mu.Unlock()
		return
	}
	if !ok && len(l.sums) >= maxSums && scope != overflow {
		l.mu.Unlock()
		row.Actor, row.Credential, row.Address = "several", "", ""
		l.Sum(row, overflow)
		return
	}
	l.sums[key] = &sum{row: row, until: now.Truncate(sumFor).Add(sumFor)}
	l.mu.Unlock()
	if ok {
		l.noteSum(s)
	}
	row.Count = 1
	l.Note(row)
}

// sumUp writes the sums whose time is over, or all.
func (l *Log) sumUp(all bool) {
	now := l.Clock()
	var over []*sum
	l.mu.Lock()
	for key, s := range l.sums {
		if all || !now.Before(s.until) {
			over = append(over, s)
			delete(l.sums, key)
		}
	}
	l.mu.Unlock()
	for _, s := range over {
		l.noteSum(s)
	}
}

func (l *Log) noteSum(s *sum) {
	if s.count == 0 {
		return
	}
	since := s.since.UTC().Truncate(time.Millisecond)
	s.row.Count, s.row.Rows, s.row.Since = s.count, s.rows, &since
	l.Note(s.row)
}
