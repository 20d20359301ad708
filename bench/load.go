package bench

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"tidings/event"
)

// Load is what events are made of. The same Load makes the same events.
type Load struct {
	Seed uint64
	// Workspaces share the events by Zipf; 0 means 200.
	Workspaces int
	// Users and People are how many a workspace has; 0 means 20 and 4,000.
	Users, People int
	// Weeks is how far the events are spread, the last ending at Until; 0 means
	// that all of them happen within the day before it.
	Weeks int
	// Until is the time of the last event.
	Until time.Time
	// Mails are what is sent and answered, one after the other and then from the
	// beginning; nil makes texts and links up.
	Mails *Mails
}

// Given is an event as its sender gives it, with the workspace of the key.
type Given struct {
	Workspace string
	Input     event.Input
}

// mix is the shares of the types, out of 1,000. A send has 1.6 people on average;
// not every provider reports deliveries.
var mix = []struct {
	kind  event.Type
	share int
}{
	{event.Send, 250},
	{event.Open, 320},
	{event.Delivery, 230},
	{event.Click, 120},
	{event.Reply, 55},
	{event.Download, 12},
	{event.Bounce, 7},
	{event.Meeting, 4},
	{event.Unsubscribe, 1},
	{event.Complaint, 1},
}

func (l Load) withDefaults() Load {
	orElse := func(given, otherwise int) int {
		if given > 0 {
			return given
		}
		return otherwise
	}
	l.Workspaces = orElse(l.Workspaces, 200)
	l.Users, l.People = orElse(l.Users, 20), orElse(l.People, 4000)
	return l
}

// Workspace is the name of the workspace of a rank, 0 being the busiest.
func (l Load) Workspace(rank int) string { return fmt.Sprintf("bench-%03d", rank) }

// User is the id of a user of a rank, 0 being the busiest.
func (l Load) User(rank int) string { return fmt.Sprintf("u_%02d", rank) }

// Word is the word of a rank, 0 being the most frequent, for searches.
func (l Load) Word(rank int) string {
	if l.Mails != nil {
		return l.Mails.words[rank%len(l.Mails.words)]
	}
	return newWords(l.Seed).list[rank]
}

// Inputs makes n events in the order of time.
func (l Load) Inputs(n int) iter.Seq[Given] {
	return func(yield func(Given) bool) {
		m := newMaker(l.withDefaults())
		begin, span := l.span()
		for i := range n {
			at := begin + int64(float64(span)*float64(i+1)/float64(n))
			if !yield(m.make(i, at)) {
				return
			}
		}
	}
}

// Events makes the same n events as they are stored.
func (l Load) Events(n int) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for given := range l.Inputs(n) {
			if !yield(given.Input.Event(given.Workspace, "bench", event.Limits{Now: l.Until})) {
				return
			}
		}
	}
}

// span is when events begin and for how many seconds they go on.
func (l Load) span() (begin, seconds int64) {
	seconds = int64(l.Weeks) * 7 * 24 * 3600
	if l.Weeks == 0 {
		seconds = 24 * 3600
	}
	return l.Until.Unix() - seconds, seconds
}

// remembered is how many sends of a workspace later events can be about.
const remembered = 512

// office is one workspace while it is made.
type office struct {
	name string
	sent []sent // a ring
	next int
}

// sent is a mail that later events are about.
type sent struct {
	message, subject string
	user             int
	people           [5]int32
	count            int8
	// real is the mail where mails are real; people and count are then not used.
	real *realMail
}

// maker holds what is needed to make events one after the other.
type maker struct {
	load       Load
	r          *rand.Rand
	words      *words
	workspaces []float64 // cumulated shares
	users      []float64
	kinds      [1000]event.Type
	offices    []office
	text       []byte // scratch
	mail       int    // the next of Load.Mails
}

func newMaker(l Load) *maker {
	m := &maker{
		load: l, r: rand.New(rand.NewPCG(l.Seed, 0x6c6f6164)), words: newWords(l.Seed),
		workspaces: zipf(l.Workspaces), users: zipf(l.Users), offices: make([]office, l.Workspaces),
	}
	at := 0
	for _, part := range mix {
		for range part.share {
			m.kinds[at] = part.kind
			at++
		}
	}
	for i := range m.offices {
		m.offices[i].name = l.Workspace(i)
	}
	return m
}

// make makes event i at a time.
func (m *maker) make(i int, at int64) Given {
	o := &m.offices[m.rank(m.workspaces)]
	kind := m.kinds[m.r.IntN(len(m.kinds))]
	if len(o.sent) == 0 {
		kind = event.Send
	}
	moment := event.Moment(at)
	in := event.Input{ID: "b" + strconv.Itoa(i), Type: kind, Time: &moment}
	if kind == event.Send {
		m.send(o, &in, i)
	} else {
		m.reaction(o, &in)
	}
	return Given{o.name, in}
}

// send makes a mail to 1 to 5 people and remembers it.
func (m *maker) send(o *office, in *event.Input, i int) {
	s := sent{message: m.messageID(i), user: m.rank(m.users)}
	in.Message, in.User = s.message, m.load.User(s.user)
	if m.load.Mails != nil {
		m.mailed(&s, in)
	} else {
		m.madeUp(&s, in)
	}
	if len(o.sent) < remembered {
		o.sent = append(o.sent, s)
	} else {
		o.sent[o.next] = s
	}
	o.next = (o.next + 1) % remembered
}

// madeUp fills a send with what nobody wrote.
func (m *maker) madeUp(s *sent, in *event.Input) {
	s.subject = m.subject()
	s.count = int8(1 + min(4, int(m.r.ExpFloat64()*1.05)))
	for at := range s.count {
		s.people[at] = int32(m.r.IntN(m.load.People))
		in.Recipients = append(in.Recipients, m.person(s.people[at]))
	}
	in.Subject, in.Body = s.subject, m.prose(190, 430)
}

// one is one of the people a mail went to.
func (m *maker) one(s *sent) event.Person {
	if s.real != nil {
		return s.real.people[m.r.IntN(len(s.real.people))]
	}
	return m.person(s.people[m.r.IntN(int(s.count))])
}

// reaction makes an event about an earlier send, mostly a recent one.
func (m *maker) reaction(o *office, in *event.Input) {
	back := int(m.r.ExpFloat64()*float64(len(o.sent))/8) % len(o.sent)
	s := &o.sent[((o.next-1-back)%len(o.sent)+len(o.sent))%len(o.sent)]
	person := m.one(s)
	in.Message, in.User, in.Subject, in.Recipient = s.message, m.load.User(s.user), s.subject, &person
	in.Client = m.client()
	switch in.Type {
	case event.Reply:
		in.Subject, in.Client = "Re: "+s.subject, nil
		in.Body = m.prose(170, 430)
	case event.Download:
		in.File = m.words.draw(m.r.Uint64()) + "-" + m.words.draw(m.r.Uint64()) + ".pdf"
		in.Link = m.link("files")
	case event.Bounce:
		in.Bounce = &event.BounceDetail{Kind: "hard", Detail: "550 5.1.1 " + m.prose(100, 150)}
		in.Client = nil
	case event.Meeting:
		in.Meeting = &event.AppointmentInput{Title: s.subject, Answer: "yes"}
		in.Link = m.link("calendar")
	case event.Delivery:
		in.Link = m.link("view")
	default:
		in.Link = m.link("r")
	}
	if s.real != nil {
		m.told(s, in)
	}
}

// zipf is the cumulated shares of n ranks.
func zipf(n int) []float64 {
	shares := make([]float64, n)
	sum := 0.0
	for rank := range shares {
		sum += 1 / float64(rank+1)
		shares[rank] = sum
	}
	for rank := range shares {
		shares[rank] /= sum
	}
	return shares
}

// rank draws from cumulated shares.
func (m *maker) rank(shares []float64) int {
	x := m.r.Float64()
	low, high := 0, len(shares)-1
	for low < high {
		if middle := (low + high) / 2; shares[middle] < x {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// length is between low and high, short ones being more frequent.
func (m *maker) length(low, high int) int {
	x := m.r.Float64()
	return low + int(math.Pow(x, 1.6)*float64(high-low))
}
