package feed

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"tidings/event"
)

// activity is what somebody's acts are worth now: each half as much after twelve
// hours. Opens shortly after each other are one, and five of a message count.
func (a *acted) activity(now time.Time) float64 {
	var worth float64
	for _, e := range a.counted() {
		age := now.Sub(e.At())
		worth += float64(worthOf(e)) * math.Pow(0.5, max(0, age.Hours())/callHalf.Hours())
	}
	return worth
}

func worthOf(e event.Event) int {
	switch e.Type {
	case event.Reply:
		return worthReply
	case event.Meeting:
		return worthMeeting
	case event.Download:
		return worthDownload
	case event.Click:
		return worthClick
	}
	return worthOpen
}

// counted are the acts that count, newest first.
func (a *acted) counted() []event.Event {
	var kept []event.Event
	opens, last := make(map[string]int), make(map[string]int64)
	for _, e := range a.acts {
		switch e.Type {
		case event.Reply, event.Meeting:
			if e.Time <= a.answered || e.Meeting != nil && e.Meeting.Answer == "no" {
				continue // we have written since, or there is nothing to talk about
			}
		case event.Open:
			near := last[e.Message] != 0 && last[e.Message]-e.Time < int64(callApart.Seconds())
			last[e.Message] = e.Time
			if near || opens[e.Message] == callOpens {
				continue
			}
			opens[e.Message]++
		}
		kept = append(kept, e)
	}
	return kept
}

// reasons are what was done, in words, the strongest first.
func (a *acted) reasons() []CallReason {
	counted := a.counted()
	var reasons []CallReason
	for _, kind := range []event.Type{event.Reply, event.Meeting, event.Download, event.Click, event.Open} {
		told := ""
		if len(reasons) > 0 {
			told = reasons[len(reasons)-1].Subject
		}
		if reason, any := reasonOf(kind, counted, told); any {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

// reasonOf tells of the acts of one type with the message that most of them are about.
// The subject that was told last is not told again.
func reasonOf(kind event.Type, acts []event.Event, told string) (CallReason, bool) {
	times := make(map[string][]int64)
	var most event.Event
	for _, e := range acts {
		if e.Type != kind {
			continue
		}
		times[e.Message] = append(times[e.Message], e.Time)
		if len(times[e.Message]) > len(times[most.Message]) || most.Message == "" {
			most = e
		}
	}
	if most.Message == "" {
		return CallReason{}, false
	}
	of := times[most.Message]
	r := CallReason{Subject: most.Subject, Count: len(of), Seconds: slices.Max(of) - slices.Min(of)}
	named := "a mail"
	if r.Subject != "" && r.Subject == told {
		named = "it"
	} else if r.Subject != "" {
		named = "“" + r.Subject + "”"
	}
	switch kind {
	case event.Reply:
		r.Is, r.Words = "replied", "replied to "+named+" and waits for an answer"
	case event.Meeting:
		r.Is, r.Words = "meeting", "answered the invitation to "+named
	case event.Download:
		r.Is, r.Words = "downloaded", "downloaded "+most.File+" from "+named+often(r)
		if most.File == "" {
			r.Words = "downloaded a file from " + named + often(r)
		}
	case event.Click:
		r.Is, r.Words = "clicked", "clicked in "+named+often(r)
	default:
		r.Is, r.Words = "opened", "opened "+named+often(r)
	}
	return r, true
}

// often is " three times in 20 minutes".
func often(r CallReason) string {
	if r.Count < 2 {
		return ""
	}
	return fmt.Sprintf(" %s in %s", countWord(r.Count), spanWord(time.Duration(r.Seconds)*time.Second))
}

func countWord(n int) string {
	words := []string{"", "once", "twice", "three times", "four times", "five times"}
	if n < len(words) {
		return words[n]
	}
	return strconv.Itoa(n) + " times"
}

func spanWord(d time.Duration) string {
	of := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch {
	case d < time.Minute:
		return "a minute"
	case d < 90*time.Minute:
		return of(int(d.Round(time.Minute).Minutes()), "minute")
	case d < 36*time.Hour:
		return of(int(d.Round(time.Hour).Hours()), "hour")
	}
	return of(int(d.Round(24*time.Hour).Hours()/24), "day")
}

// unusual is what is unlike somebody's habit.
type unusual struct {
	CallReason
	worth int
}

func (a *acted) unusual() []unusual {
	var found []unusual
	counted := a.counted()
	if len(counted) == 0 {
		return nil
	}
	first := counted[len(counted)-1].Time
	switch {
	case a.unread: // nobody knows whether they are new
	case len(a.habit) == 0:
		found = append(found, unusual{CallReason{Is: "new", Words: "nothing from them in the eight weeks before"}, worthNew})
	default:
		if away := time.Duration(first-a.habit[0]) * time.Second; away >= callAway {
			days := int(away.Hours() / 24)
			found = append(found, unusual{CallReason{Is: "back", Count: days, Words: "for the first time in " + weeksWord(days)}, worthBack})
		}
	}
	today := 0
	for _, e := range counted {
		if counted[0].Time-e.Time < int64((24 * time.Hour).Seconds()) {
			today++
		}
	}
	if usual := a.usual(); usual > 0 && today >= callMuch && today >= callTimes*usual {
		found = append(found, unusual{CallReason{
			Is: "more", Count: today, Usual: usual,
			Words: fmt.Sprintf("did %d things in a day, usually %d", today, usual),
		}, worthMuch})
	}
	return found
}

// usual is how much somebody does on a day on which they do anything: the median of
// the days of their habit, in UTC; 0 where there are none.
func (a *acted) usual() int {
	days := make(map[int64]int)
	for _, at := range a.habit {
		days[at/int64((24*time.Hour).Seconds())]++
	}
	if len(days) == 0 {
		return 0
	}
	counts := make([]int, 0, len(days))
	for _, n := range days {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	return counts[len(counts)/2]
}

// weeksWord is three weeks, and days where those are few.
func weeksWord(days int) string {
	words := []string{"", "a week", "two weeks", "three weeks", "four weeks", "five weeks", "six weeks", "seven weeks", "eight weeks"}
	if weeks := days / 7; weeks < len(words) && weeks > 0 {
		return words[weeks]
	}
	return fmt.Sprintf("%d days", days)
}
