package demo

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

const day = 24 * time.Hour

// sendsOf are the mails that begin a thread on a day (a midnight in UTC, the
// hours being the sender's own).
func (o *Office) sendsOf(date time.Time) []message {
	r := o.random("day", date.Unix()/86400)
	var sends []message
	for _, from := range o.colleagues {
		mean := 6.4 * from.busy * mood(date)
		for range int(mean*(0.6+0.8*r.Float64()) + r.Float64()) {
			local := date.Add(workingTime(r))
			at := local.Add(-time.Duration(from.zone) * time.Hour)
			sends = append(sends, o.begin(r, "m-"+reference(r), from, at))
		}
	}
	slices.SortFunc(sends, func(a, b message) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	return sends
}

// begin is the first mail of a thread.
func (o *Office) begin(r *rand.Rand, id string, from colleague, at time.Time) message {
	about := o.subjectFor(r, from)
	return o.compose(r, id, from, o.addressees(r, from, about), at, about)
}

// subjectFor chooses what a colleague writes about; news is rare.
func (o *Office) subjectFor(r *rand.Rand, from colleague) topic {
	for {
		about := pick(r, o.topics)
		if about.team == from.team && (!about.news || chance(r, 0.3)) {
			return about
		}
	}
}

// addressees are mostly one, sometimes a few of a company, and for news two
// dozen from everywhere.
func (o *Office) addressees(r *rand.Rand, from colleague, about topic) []int {
	first := o.customerOf(r, from)
	to := []int{first}
	switch {
	case about.news:
		for len(to) < 24 {
			to = append(to, r.IntN(len(o.contacts)))
			slices.Sort(to)
			to = slices.Compact(to)
		}
	case chance(r, about.crowd):
		colleagues := o.colleaguesOf(first)
		r.Shuffle(len(colleagues), func(i, j int) { colleagues[i], colleagues[j] = colleagues[j], colleagues[i] })
		to = append(to, colleagues[:min(len(colleagues), 2+r.IntN(6))]...)
	}
	return to
}

// customerOf is mostly somebody of the companies that a colleague looks after.
func (o *Office) customerOf(r *rand.Rand, from colleague) int {
	mine := slices.IndexFunc(o.colleagues, func(c colleague) bool { return c.id == from.id })
	for {
		at := r.IntN(len(o.contacts))
		if o.contacts[at].company%4 == mine%4 || chance(r, 0.05) {
			return at
		}
	}
}

// colleaguesOf are the others of a contact's company.
func (o *Office) colleaguesOf(contact int) []int {
	var others []int
	for at, c := range o.contacts {
		if at != contact && c.company == o.contacts[contact].company {
			others = append(others, at)
		}
	}
	return others
}

// mood is how much is written on a day: little at weekends and over Christmas.
func mood(date time.Time) float64 {
	factor := 1.0
	switch date.Weekday() {
	case time.Saturday, time.Sunday:
		factor = 0.04
	case time.Friday:
		factor = 0.8
	case time.Tuesday, time.Wednesday:
		factor = 1.15
	}
	if date.Month() == time.December && date.Day() >= 24 || date.Month() == time.January && date.Day() == 1 {
		factor *= 0.2
	}
	return factor
}

// workingTime is a time of the day at which people write: most in the middle of
// the morning and after lunch.
func workingTime(r *rand.Rand) time.Duration {
	for {
		middle := 10.0
		if chance(r, 0.48) {
			middle = 14.8
		}
		hour := middle + 1.4*r.NormFloat64()
		if hour > 7.5 && hour < 18.75 {
			return time.Duration(hour * float64(time.Hour)).Truncate(time.Second)
		}
	}
}

// atWork is the same time, or the next at which somebody is at work.
func atWork(r *rand.Rand, at time.Time, zone int) time.Time {
	offset := time.Duration(zone) * time.Hour
	local := at.Add(offset)
	if local.Hour() >= 18 {
		local = local.Truncate(day).Add(day)
	}
	for local.Weekday() == time.Saturday || local.Weekday() == time.Sunday {
		local = local.Truncate(day).Add(day)
	}
	if local.Hour() < 8 {
		local = local.Truncate(day).Add(between(r, 8*time.Hour, 11*time.Hour))
	}
	return local.Add(-offset)
}
