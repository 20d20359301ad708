package demo

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"tidings/event"
)

// ahead is how much earlier than a day's midnight in UTC the day's first mail
// can be, for whoever is furthest east.
const ahead = 14 * time.Hour

// reach is how long after its first mail a thread may still go on; what would
// come later is left out, so that a day's history needs no older days than this.
const reach = threadLife + 15*day

// History is what happened in [from, to), in the order of time, and never later
// than the office's now. The same stretch gives the same events however it is
// cut, so that a later History can take up where an earlier one ended.
func (o *Office) History(from, to time.Time) iter.Seq[event.Input] {
	if to.After(o.now) {
		to = o.now
	}
	return func(yield func(event.Input) bool) {
		var waiting []event.Input
		date := from.UTC().Truncate(day).Add(-reach)
		for ; date.Add(-ahead).Before(to); date = date.Add(day) {
			for _, m := range o.sendsOf(date) {
				waiting = o.appendThread(waiting, m, from, to)
			}
			slices.SortStableFunc(waiting, func(a, b event.Input) int { return cmp.Compare(*a.Time, *b.Time) })
			allSent := date.Add(day - ahead).Unix()
			given := 0
			for given < len(waiting) && int64(*waiting[given].Time) < allSent {
				if !yield(waiting[given]) {
					return
				}
				given++
			}
			waiting = append([]event.Input(nil), waiting[given:]...)
		}
		for _, in := range waiting {
			if !yield(in) {
				return
			}
		}
	}
}

// appendThread adds what happens in [from, to) of a mail and of those that
// follow it.
func (o *Office) appendThread(to []event.Input, first message, from, until time.Time) []event.Input {
	for thread := []message{first}; len(thread) > 0; thread = thread[1:] {
		if !thread[0].at.Before(until) {
			continue
		}
		l := o.lifeOf(thread[0], false)
		end := min(until.Unix(), first.at.Add(reach-day).Unix())
		for _, in := range l.events {
			if at := int64(*in.Time); at >= from.Unix() && at < end {
				to = append(to, in)
			}
		}
		thread = append(thread, l.next...)
	}
	return to
}
