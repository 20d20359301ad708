package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/event"
)

// Bounds of a thread: how many mails follow the first, and for how long.
const (
	maxDepth   = 3
	threadLife = 30 * 24 * time.Hour
)

// life is what comes of one mail: the events, and the mails that we write next.
type life struct {
	o *Office
	r *rand.Rand
	m message
	// live squeezes days into minutes and knows no office hours.
	live   bool
	events []event.Input
	next   []message
	// reached are the recipients whom the mail was delivered to.
	reached []int
}

// lifeOf makes the life of a mail, its events in the order of their times.
func (o *Office) lifeOf(m message, live bool) *life {
	l := &life{o: o, r: o.random("life "+m.id, 0), m: m, live: live, events: []event.Input{o.send(m)}}
	answered := false
	for _, to := range m.to {
		answered = l.recipient(to) || answered
	}
	if !answered && m.depth == 0 && !m.topic.news && m.topic.team != support && chance(l.r, 0.2) {
		l.write(m.to[0], m.at.Add(l.delay(between(l.r, 48*time.Hour, 96*time.Hour))), "Following up: ", pick(l.r, reminders()))
	}
	slices.SortStableFunc(l.events, func(a, b event.Input) int { return int(*a.Time - *b.Time) })
	return l
}

// recipient is what one recipient and the machines around them do. It reports
// whether they answered.
func (l *life) recipient(to int) bool {
	delivered, ok := l.deliver(to)
	if !ok {
		return false
	}
	l.reached = append(l.reached, to)
	l.machines(to, delivered)
	p := l.o.contacts[to].keen * l.m.topic.pull
	if l.m.topic.news {
		p *= 0.8
	}
	if !chance(l.r, min(p, 0.94)) {
		return false
	}
	return l.read(to, delivered)
}

// deliver says when the mail arrived, if it did.
func (l *life) deliver(to int) (time.Time, bool) {
	at := l.m.at.Add(between(l.r, time.Second, 25*time.Second))
	switch luck := l.r.Float64(); {
	case luck < 0.009:
		l.bounce(to, at, "hard", pick(l.r, []string{"550 5.1.1 The account does not exist", "550 5.4.1 Recipient address rejected: Access denied", "554 5.7.1 Message blocked by policy"}))
		return at, false
	case luck < 0.018:
		l.bounce(to, at, "soft", pick(l.r, []string{"452 4.2.2 The mailbox is full", "421 4.7.0 Try again later", "451 4.7.1 Greylisted, please try again"}))
		if chance(l.r, 0.35) {
			return at, false
		}
		at = at.Add(l.delay(between(l.r, 15*time.Minute, 2*time.Hour)))
	}
	l.add(event.Delivery, to, at)
	return at, true
}

func (l *life) bounce(to int, at time.Time, kind, detail string) {
	l.add(event.Bounce, to, at).Bounce = &event.BounceDetail{Kind: kind, Detail: detail}
}

// machines are the scanners and proxies that fetch the mail before, or instead
// of, its reader.
func (l *life) machines(to int, delivered time.Time) {
	c := l.o.contacts[to]
	if kind := l.o.companies[c.company].scanner; kind != noScanner && chance(l.r, 0.7) {
		at := delivered.Add(between(l.r, time.Second, 3*time.Second))
		l.add(event.Open, to, at).Client = scan(l.r, kind, c.company)
		for _, link := range l.m.links {
			click := l.add(event.Click, to, at.Add(time.Second))
			click.Link, click.Client = link, scan(l.r, kind, c.company)
		}
	}
	switch {
	case c.reader.proxy == gmail && chance(l.r, 0.08):
		l.add(event.Open, to, delivered.Add(between(l.r, time.Second, 6*time.Second))).Client = fetchedBy(gmailEarly, "66.249.93.12")
	case c.reader.proxy == apple:
		at := delivered.Add(l.delay(between(l.r, 90*time.Second, 3*time.Hour)))
		l.add(event.Open, to, at).Client = appleProxy(l.r)
	}
}

// read is a person who opens the mail, and what they do then.
func (l *life) read(to int, delivered time.Time) (answered bool) {
	c := l.o.contacts[to]
	opened := l.firstOpen(c, delivered)
	device := c.reader
	if chance(l.r, 0.25) {
		device = c.away
	}
	l.add(event.Open, to, opened).Client = device.opens(l.r)
	l.act(to, opened, device)
	for last := opened; chance(l.r, 0.4); {
		last = l.awake(c, last.Add(l.delay(l.spread(5*time.Hour, 1.5))))
		l.add(event.Open, to, last).Client = pick(l.r, []reader{c.reader, c.reader, c.away}).opens(l.r)
	}
	if chance(l.r, 0.03) {
		l.forwarded(to, opened)
	}
	l.leave(to, opened)
	return l.answer(to, opened)
}

// firstOpen is soon for some and days later for a few.
func (l *life) firstOpen(c contact, delivered time.Time) time.Time {
	if chance(l.r, 0.2) {
		return delivered.Add(between(l.r, 25*time.Second, 4*time.Minute))
	}
	wait := 25*time.Second + l.spread(55*time.Minute, 1.6)
	return l.awake(c, delivered.Add(l.delay(wait)))
}

// act is what a reader does with the mail open: links, files, invitations.
func (l *life) act(to int, opened time.Time, device reader) {
	at := opened.Add(between(l.r, 8*time.Second, 80*time.Second))
	if len(l.m.links) > 0 && chance(l.r, 0.27) {
		l.click(to, at, pick(l.r, l.m.links), device)
		if len(l.m.links) > 1 && chance(l.r, 0.3) {
			at = at.Add(between(l.r, 25*time.Second, 3*time.Minute))
			l.click(to, at, pick(l.r, l.m.links), device)
		}
	}
	if len(l.m.files) > 0 && chance(l.r, 0.32) {
		at = at.Add(between(l.r, 15*time.Second, 2*time.Minute))
		download := l.add(event.Download, to, at)
		download.File, download.Client = pick(l.r, l.m.files), device.clicks()
	}
	if l.m.topic.meeting != "" && l.m.depth == 0 && chance(l.r, 0.3) {
		l.invited(to, at.Add(l.delay(between(l.r, time.Minute, 5*time.Hour))))
	}
}

func (l *life) click(to int, at time.Time, link string, device reader) {
	click := l.add(event.Click, to, at)
	click.Link, click.Client = link, device.clicks()
}

// invited is an answer to an invitation.
func (l *life) invited(to int, at time.Time) {
	c := l.o.contacts[to]
	customer := l.o.companies[c.company]
	local := at.Add(time.Duration(customer.zone) * time.Hour)
	start := time.Date(local.Year(), local.Month(), local.Day()+2+l.r.IntN(8), 9, 30*l.r.IntN(15), 0, 0, time.UTC)
	for start.Weekday() == time.Saturday || start.Weekday() == time.Sunday {
		start = start.AddDate(0, 0, 1)
	}
	fill := l.o.filler(l.r, l.m.from, c, l.m.at)
	meeting := l.add(event.Meeting, to, at)
	meeting.Source = "calendar"
	meeting.Meeting = &event.AppointmentInput{
		Title:  fill.Replace(l.m.topic.meeting),
		Start:  moment(start.Add(-time.Duration(customer.zone) * time.Hour)),
		Answer: pick(l.r, []string{"yes", "yes", "yes", "yes", "yes", "maybe", "no", "no"}),
	}
}

// forwarded is colleagues of the recipient who open what was passed on to them.
func (l *life) forwarded(to int, opened time.Time) {
	company := l.o.contacts[to].company
	at := opened
	for range 2 + l.r.IntN(3) {
		at = at.Add(l.delay(between(l.r, 2*time.Minute, 40*time.Minute)))
		l.add(event.Open, to, at).Client = readerAtDesk(l.r, company).opens(l.r)
	}
}

// leave is a reader who has had enough: rare, and only of what nobody asked for.
func (l *life) leave(to int, opened time.Time) {
	if !l.m.topic.news && l.m.topic.answer != "cold" {
		return
	}
	at := opened.Add(between(l.r, 10*time.Second, time.Minute))
	switch luck := l.r.Float64(); {
	case luck < 0.012:
		l.add(event.Unsubscribe, to, at)
	case luck < 0.016:
		l.add(event.Complaint, to, at)
	}
}

// answer is a reply, and what we write then.
func (l *life) answer(to int, opened time.Time) bool {
	likely := map[string]float64{"pricing": 0.24, "meeting": 0.26, "cold": 0.08, "ticket": 0.3, "documents": 0.18, "invoice": 0.14, "silent": 0.02}
	if !chance(l.r, likely[l.m.topic.answer]/float64(1+len(l.m.to)/4)) {
		return false
	}
	c := l.o.contacts[to]
	at := l.awake(c, opened.Add(90*time.Second+l.delay(l.spread(40*time.Minute, 1.4))))
	reply := l.add(event.Reply, to, at)
	reply.Subject = answerTo(l.m.subject)
	reply.Body = fmt.Sprintf("%s\n\n%s", pick(l.r, answers()[l.m.topic.answer]), c.person.Name)
	if l.m.topic.team == sales && chance(l.r, 0.2) {
		l.noted(to, at.Add(l.delay(between(l.r, 3*time.Minute, 2*time.Hour))))
	}
	if chance(l.r, 0.6) {
		l.write(to, at.Add(l.delay(l.spread(90*time.Minute, 1))), "", pick(l.r, ownFollowUps()))
	}
	return true
}

// noted is what the customer database says of an answer.
func (l *life) noted(to int, at time.Time) {
	note := l.add(event.Custom, to, at)
	note.Source = "crm"
	if chance(l.r, 0.6) {
		note.Kind = "deal"
		note.Title = "Deal moved to " + pick(l.r, []string{"Qualified", "Proposal", "Negotiation", "Legal review", "Won", "Lost"})
		return
	}
	note.Kind = "call"
	note.Title = "Call logged: " + strconv.Itoa(3+l.r.IntN(40)) + " minutes"
}

// write adds our next mail of the thread.
func (l *life) write(to int, at time.Time, prefix, text string) {
	if l.m.depth >= maxDepth || at.Sub(l.m.begun) > threadLife {
		return
	}
	next := l.m
	next.id = l.m.id + "-" + strconv.Itoa(len(l.next)+2)
	next.to, next.depth = []int{to}, l.m.depth+1
	next.at = at
	if !l.live {
		next.at = atWork(l.r, at, l.m.from.zone)
	}
	next.subject = prefix + l.m.subject
	if prefix == "" {
		next.subject = answerTo(l.m.subject)
	}
	next.links, next.files = l.m.links[:min(1, len(l.m.links))], nil
	next.body = l.o.letter(l.r, next, strings.Split(text, "|"))
	l.next = append(l.next, next)
}

func answerTo(subject string) string {
	if strings.HasPrefix(subject, "Re: ") {
		return subject
	}
	return "Re: " + subject
}

// add is a new event of the mail; the pointer holds until the next one.
func (l *life) add(t event.Type, to int, at time.Time) *event.Input {
	person := l.o.contacts[to].person
	l.events = append(l.events, event.Input{
		ID: l.m.id + "/" + strconv.Itoa(len(l.events)), Type: t, Time: moment(at), Message: l.m.id,
		User: l.m.from.id, Recipient: &person, Source: l.m.source(),
	})
	return &l.events[len(l.events)-1]
}

// spread is a wait with a median and a long tail.
func (l *life) spread(median time.Duration, sigma float64) time.Duration {
	wait := time.Duration(float64(median) * math.Exp(sigma*l.r.NormFloat64()))
	return min(wait, 15*24*time.Hour).Truncate(time.Second)
}

// delay is a wait as it is, or squeezed when live: what is over a minute is
// taken to the power of 0.6, which makes a day a quarter of an hour.
func (l *life) delay(wait time.Duration) time.Duration {
	if !l.live || wait <= time.Minute {
		return wait
	}
	return time.Minute + time.Duration(math.Pow((wait-time.Minute).Seconds(), 0.6))*time.Second
}

// awake moves a time out of the night and the weekend of a contact, mostly.
func (l *life) awake(c contact, at time.Time) time.Time {
	if l.live {
		return at
	}
	zone := time.Duration(l.o.companies[c.company].zone) * time.Hour
	local := at.Add(zone)
	morning := func(days int) time.Time {
		day := local.AddDate(0, 0, days).Truncate(24 * time.Hour)
		return day.Add(between(l.r, 7*time.Hour, 10*time.Hour))
	}
	switch day, hour := local.Weekday(), local.Hour(); {
	case day == time.Saturday && chance(l.r, 0.75):
		local = morning(2)
	case day == time.Sunday && chance(l.r, 0.75):
		local = morning(1)
	case hour < 7 && chance(l.r, 0.85):
		local = morning(0)
	case hour >= 22 && chance(l.r, 0.85):
		local = morning(1)
	}
	return local.Add(-zone)
}
