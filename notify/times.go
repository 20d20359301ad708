package notify

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"tidings/event"
)

// Bounds of times in rules.
const (
	longestAfter  = 60 * 24 * time.Hour
	longestWithin = 7 * 24 * time.Hour
	mostCounted   = 50
	leastSends    = 100
)

// Weekly is a time of each week.
type Weekly struct {
	Day  time.Weekday `json:"day" minimum:"0" maximum:"6" doc:"0 is Sunday"`
	Time string       `json:"time" doc:"such as 09:00"`
}

// span is a length of time: so long, or so many days from Monday to Friday.
type span struct {
	length  time.Duration
	working int
}

var spans = regexp.MustCompile(`^(\d{1,4}) ?(m|min|minutes?|h|hours?|d|days?|w|weeks?|working days?)$`)

// spanOf reads a length such as 36h, 3d or 5 working days; the zero span is none.
func spanOf(text string) span {
	found := spans.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if found == nil {
		return span{}
	}
	n, _ := strconv.Atoi(found[1]) // four digits
	switch unit := found[2]; {
	case strings.HasPrefix(unit, "working"):
		return span{working: n}
	case unit[0] == 'm':
		return span{length: time.Duration(n) * time.Minute}
	case unit[0] == 'h':
		return span{length: time.Duration(n) * time.Hour}
	case unit[0] == 'w':
		return span{length: time.Duration(n) * 7 * 24 * time.Hour}
	}
	return span{length: time.Duration(n) * 24 * time.Hour}
}

// longest is no less than a span can take.
func (s span) longest() time.Duration {
	return s.length + time.Duration(s.working/5*7+s.working%5+4)*24*time.Hour*time.Duration(min(s.working, 1))
}

// after is the end of a span. Working days end at the same time of the clock.
func (s span) after(at time.Time) time.Time {
	at = at.Add(s.length)
	for range s.working {
		for at = at.AddDate(0, 0, 1); at.Weekday() == time.Saturday || at.Weekday() == time.Sunday; {
			at = at.AddDate(0, 0, 1)
		}
	}
	return at
}

// begins is the first second whose span ends later than a time: it never goes back.
func (s span) begins(later time.Time) time.Time {
	from, until := later.Add(-s.longest()-time.Second).Unix(), later.Unix()+1
	for from < until {
		middle := from + (until-from)/2
		if s.after(time.Unix(middle, 0).In(later.Location())).After(later) {
			until = middle
		} else {
			from = middle + 1
		}
	}
	return time.Unix(from, 0)
}

// checkTimes says what is wrong with when a rule tells.
func (a Ask) checkTimes() *event.FieldError {
	within := spanOf(a.Within)
	wrongWithin := within.length <= 0 || within.length > longestWithin
	some := strings.TrimSpace(a.Q) != "" || a.Message != "" || a.Person != ""
	switch a.asked() {
	case OnEvent, OnCount:
		switch {
		case !some:
			return event.Invalid("q", "is required where neither message nor person is given")
		case a.asked() == OnEvent:
		case a.Count < 2 || a.Count > mostCounted:
			return event.Invalid("count", "is 2 to 50")
		case wrongWithin:
			return event.Invalid("within", "is a time such as 1h; a week at most")
		case a.Per != "" && a.Per != perRecipient && a.Per != perMessage && a.Per != perDomain:
			return event.Invalid("per", "is recipient, message or domain")
		}
	case OnAbsence:
		after := spanOf(a.After)
		if after == (span{}) || after.longest() > longestAfter {
			return event.Invalid("after", "is a time such as 36h, 3d or 5 working days; 60 days at most")
		}
		return a.checkNo()
	case OnBy:
		return a.checkBy(some)
	case OnReport:
		return a.checkWeekly()
	case OnRate:
		if a.Percent <= 0 || a.Percent > 100 || a.Least < 0 {
			return event.Invalid("percent", "is above 0 and at most 100")
		}
		if wrongWithin {
			return event.Invalid("within", "is a time such as 1h; a week at most")
		}
	case OnSilence:
		if a.Source == "" || strings.ContainsAny(a.Source, "\"\r\n") {
			return event.Invalid("source", "is required")
		}
		if wrongWithin {
			return event.Invalid("within", "is a time such as 2h; a week at most")
		}
	default:
		return event.Invalid("on", "is not one of the choices")
	}
	return nil
}

func (a Ask) checkNo() *event.FieldError {
	if a.No != NoOpen && a.No != NoReply {
		return event.Invalid("no", "is open or reply")
	}
	return nil
}

func (a Ask) checkBy(some bool) *event.FieldError {
	switch {
	case (a.At == 0) == (a.Weekly == nil):
		return event.Invalid("at", "or weekly is required, one of them")
	case !some:
		return event.Invalid("q", "is required where no message is given")
	case a.Message != "":
		return a.checkNo()
	case a.Weekly == nil:
		return nil
	}
	return a.checkWeekly()
}

func (a Ask) checkWeekly() *event.FieldError {
	if a.Weekly == nil {
		return event.Invalid("weekly", "is required")
	}
	if _, err := time.Parse(clock, a.Weekly.Time); err != nil || a.Weekly.Day < time.Sunday || a.Weekly.Day > time.Saturday {
		return event.Invalid("weekly", "is a day from 0 to 6 and a time such as 09:00")
	}
	return nil
}

// dues are the times at which a rule of a time tells, after one and up to another, the
// oldest first. A time that the clock leaves out is what time.Date makes of it.
func (a Ask) dues(after, upTo time.Time, zone *time.Location) []time.Time {
	if a.At != 0 {
		if at := time.Unix(a.At, 0); at.After(after) && !at.After(upTo) {
			return []time.Time{at}
		}
		return nil
	}
	var all []time.Time
	for day := after.In(zone).AddDate(0, 0, -1); !day.After(upTo.AddDate(0, 0, 1)); day = day.AddDate(0, 0, 1) {
		if day.Weekday() != a.Weekly.Day {
			continue
		}
		if at := onDay(day, a.Weekly.Time, 0); at.After(after) && !at.After(upTo) {
			all = append(all, at)
		}
	}
	return all
}
