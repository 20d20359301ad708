package feed

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// Bounds of a list of nudges.
const (
	// DefaultNudgeDays and MaxNudgeDays are how long a mail waits before it is listed.
	DefaultNudgeDays = 3
	MaxNudgeDays     = 60
	// nudgeSpan is how much older than that a mail may be.
	nudgeSpan = 30 * 24 * time.Hour
	// nudgeSends is how many sends are read, nudgeMailing how many recipients a send
	// has that is no mailing: nobody is nudged one by one about a mailing.
	nudgeSends   = 20_000
	nudgeMailing = 50
	// nudgePeople is how many people are listed, nudgeMessages of how many mails each.
	nudgePeople   = 500
	nudgeMessages = 20
)

// NudgeRequest asks who has not opened or not answered what was sent to them.
type NudgeRequest struct {
	Scope
	// Only, when not nil, are the users whose mail is meant.
	Only []string
	// Days is how long ago the newest mail was sent, at least; 0 means DefaultNudgeDays.
	Days int
	Shown
}

// Shown says of a person, by whose mail it is and when there was last news of them, whether
// they are to be shown; everybody when nil. A list is cut for those who are and for those
// who are not apart: who is done takes nobody's place.
type Shown func(user, email string, news time.Time) bool

// cut leaves the first of a sorted list, so many that are shown and so many that are not.
func cut[T any](list []T, most int, shown func(T) bool) []T {
	left := map[bool]int{true: most, false: most}
	return slices.DeleteFunc(list, func(one T) bool {
		is := shown(one)
		left[is]--
		return left[is] < 0
	})
}

func (s Shown) is(user *User, email string, news time.Time) bool {
	return s == nil || s(userID(user), email, news)
}

// NudgeList is who waits to be nudged. A person is listed once for each user
// who writes to them.
type NudgeList struct {
	People []Nudge `json:"people" nullable:"false" doc:"at most 500, those who came to be due last first"`
	// Bounced are those whom nothing reaches: never nudged, and listed apart.
	Bounced []Nudge   `json:"bounced" nullable:"false" doc:"at most 500: what was sent to them came back"`
	Partial bool      `json:"partial" doc:"not every send could be read: those since reached were"`
	Reached time.Time `json:"reached" doc:"how far back was read"`
}

// Nudge is one person and what one user has sent them.
type Nudge struct {
	Email    string         `json:"email"`
	Name     string         `json:"name,omitempty"`
	Domain   string         `json:"domain"`
	User     *User          `json:"user,omitempty" doc:"whose mail it is"`
	Is       string         `json:"is" enum:"unopened,unanswered,bounced" doc:"unopened when they opened none of it"`
	Sent     time.Time      `json:"sent" doc:"when the newest mail to them was sent"`
	Messages []NudgeMessage `json:"messages" nullable:"false" doc:"at most 20, the newest first"`
}

// NudgeMessage is a mail that waits.
type NudgeMessage struct {
	Message string    `json:"message"`
	Subject string    `json:"subject,omitempty"`
	Sent    time.Time `json:"sent"`
	Is      string    `json:"is" enum:"unopened,unanswered,bounced"`
}

// The words for what somebody has not done.
const (
	nudgeUnopened   = "unopened"
	nudgeUnanswered = "unanswered"
	nudgeBounced    = "bounced"
)

// Nudges lists those who have neither answered nor reacted to what was sent to them
// at least so many days ago. Who was written to since, has answered any later, wants
// no more mail or can't be reached, is not among them.
func (r *Reader) Nudges(ctx context.Context, request NudgeRequest) (NudgeList, error) {
	names, err := r.namesFor(ctx, request.Scope)
	if err != nil {
		return NudgeList{}, err
	}
	now := r.clock()
	due := now.Add(-time.Duration(cmp.Or(request.Days, DefaultNudgeDays)) * 24 * time.Hour)
	q := query.Query{From: due.Add(-nudgeSpan).Unix(), Automated: query.AutomatedShow, Where: query.Types(event.Send)}
	if request.Only != nil {
		q = q.Restrict(request.Only)
	}
	if request.Users != nil {
		q = q.Restrict(request.Users)
	}
	b := nudgeBuilder{scope: request.Scope, due: due.Unix(), pairs: make(map[pairKey]*nudgePair), left: make(map[leftKey]bool)}
	reached, partial, err := r.walkSends(ctx, request.Scope, q, now, b.add)
	if err != nil {
		return NudgeList{}, fmt.Errorf("nudges: %w", err)
	}
	list := b.list(names, request.Shown)
	list.Reached, list.Partial = reached, partial
	return list, nil
}

// walkSends visits events of a query, newest first, within the time and number that
// a list may take, each with the state of its message.
func (r *Reader) walkSends(ctx context.Context, scope Scope, q query.Query, now time.Time, visit func(event.Event, *event.State)) (reached time.Time, partial bool, err error) {
	s := scan{reader: r, scope: scope, query: q}
	weeks, err := s.weeks(ctx, now)
	if err != nil {
		return time.Time{}, false, err
	}
	began, read, past := r.clock(), 0, q.From
	w := r.walkThrough(scope, q, weeks, readBatch)
	for more := len(weeks) > 0; more; {
		var hits []Hit
		if hits, more, err = w.next(ctx); err != nil {
			return time.Time{}, false, err
		}
		if err := w.read(ctx, hits); err != nil {
			return time.Time{}, false, err
		}
		for _, hit := range hits {
			visit(hit.Event, w.stateOf(hit.Event))
		}
		read += len(hits)
		if more && (read >= nudgeSends || r.clock().Sub(began) > r.budget) {
			partial, past = true, w.past
			break
		}
	}
	return time.Unix(past, 0).UTC(), partial || len(w.damaged) > 0, nil
}

// pairKey is a user and a person outside.
type pairKey struct{ user, email string }

// nudgePair is what is between the two.
type nudgePair struct {
	name     string
	newest   int64
	messages []NudgeMessage
	seen     map[string]bool
	// answered is the newest sign that what was sent before needs no answer any more,
	// bounced when something last came back, reached when something last did not.
	answered, bounced, reached int64
	// left says that they want no more mail.
	left bool
}

// nudgeBuilder gathers pairs from sends, newest first.
type nudgeBuilder struct {
	scope Scope
	due   int64
	pairs map[pairKey]*nudgePair
	// left are those who want no more mail since a mailing.
	left map[leftKey]bool
}

// leftKey is a user and a person who wants no more mail from them.
type leftKey struct {
	user string
	key  event.RecipientKey
}

func (b *nudgeBuilder) add(e event.Event, state *event.State) {
	if state == nil {
		return
	}
	seen, any := b.scope.seen(*state)
	if !any {
		return
	}
	if max(len(e.Recipients), len(seen.Recipients)) > nudgeMailing {
		for _, mark := range []event.Mark{event.MarkComplained, event.MarkUnsubscribed} {
			for key := range seen.First[mark] {
				b.left[leftKey{e.User, key}] = true
			}
		}
		return
	}
	for _, person := range e.Recipients {
		key := pairKey{e.User, person.Email}
		pair := b.pairs[key]
		if pair == nil {
			pair = &nudgePair{newest: e.Time, seen: make(map[string]bool)}
			b.pairs[key] = pair
		}
		pair.name = cmp.Or(pair.name, person.Name)
		pair.add(e, seen, event.KeyOf(person.Email))
	}
}

// add takes in one send to the person.
func (p *nudgePair) add(e event.Event, state event.State, key event.RecipientKey) {
	if p.seen[e.Message] {
		return
	}
	p.seen[e.Message] = true
	first := func(mark event.Mark) (int64, bool) {
		at, has := state.First[mark][key]
		return at, has
	}
	_, complained := first(event.MarkComplained)
	_, unsubscribed := first(event.MarkUnsubscribed)
	p.left = p.left || complained || unsubscribed
	opened, has := first(event.MarkOpened)
	if state.Done {
		opened, has = e.Time, true
	}
	if delivered, ok := first(event.MarkDelivered); has || ok {
		p.reached = max(p.reached, opened, delivered)
	}
	if replied, ok := first(event.MarkReplied); ok {
		p.answered = max(p.answered, replied, e.Time)
		return
	}
	is := nudgeUnopened
	bounced, came := first(event.MarkBounced)
	switch {
	case has:
		is = nudgeUnanswered
	case came:
		is = nudgeBounced
		p.bounced = max(p.bounced, bounced)
	}
	if len(p.messages) < nudgeMessages {
		p.messages = append(p.messages, NudgeMessage{Message: e.Message, Subject: e.Subject, Sent: e.At(), Is: is})
	}
}

// nudge is what a pair comes to; false where there is nothing to do.
func (p *nudgePair) nudge(due int64) (Nudge, bool) {
	if p.left {
		return Nudge{}, false
	}
	lost := p.bounced != 0 && p.reached < p.bounced
	n := Nudge{Name: p.name, Is: nudgeUnopened, Sent: time.Unix(p.newest, 0).UTC(), Messages: []NudgeMessage{}}
	for _, m := range p.messages {
		if m.Sent.Unix() <= p.answered || (m.Is == nudgeBounced) != lost {
			continue
		}
		n.Messages = append(n.Messages, m)
		if m.Is == nudgeUnanswered {
			n.Is = nudgeUnanswered
		}
	}
	if lost {
		n.Is = nudgeBounced
		return n, len(n.Messages) > 0
	}
	return n, len(n.Messages) > 0 && p.newest <= due
}

func (b *nudgeBuilder) list(names map[string]string, shown Shown) NudgeList {
	list := NudgeList{People: []Nudge{}, Bounced: []Nudge{}}
	for key, pair := range b.pairs {
		n, any := pair.nudge(b.due)
		if !any || b.left[leftKey{key.user, event.KeyOf(key.email)}] {
			continue
		}
		n.Email, n.Domain = key.email, query.Domain(key.email)
		if key.user != "" {
			n.User = &User{ID: key.user, Name: names[key.user]}
		}
		if n.Is == nudgeBounced {
			list.Bounced = append(list.Bounced, n)
		} else {
			list.People = append(list.People, n)
		}
	}
	for _, part := range []*[]Nudge{&list.People, &list.Bounced} {
		slices.SortFunc(*part, func(x, y Nudge) int {
			return cmp.Or(y.Sent.Compare(x.Sent), cmp.Compare(x.Email, y.Email), cmp.Compare(userID(x.User), userID(y.User)))
		})
		*part = cut(*part, nudgePeople, func(n Nudge) bool { return shown.is(n.User, n.Email, n.Sent) })
	}
	return list
}

// Colleagues are the users whose mail a reader may see, by name.
func (r *Reader) Colleagues(ctx context.Context, scope Scope) ([]User, error) {
	names, err := r.namesFor(ctx, scope)
	if err != nil {
		return nil, err
	}
	users := make([]User, 0, len(names))
	for id, name := range names {
		users = append(users, User{ID: id, Name: name})
	}
	slices.SortFunc(users, func(a, b User) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return users, nil
}

func userID(user *User) string {
	if user == nil {
		return ""
	}
	return user.ID
}
