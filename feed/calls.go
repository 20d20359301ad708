package feed

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// The rule of who to call now, as docs/now.md tells it.
const (
	// callSpan is how old an act may be; callHabit is how far behind that somebody's
	// habit is read.
	callSpan  = 72 * time.Hour
	callHabit = 8 * 7 * 24 * time.Hour
	// callHalf is after how long an act is worth half as much.
	callHalf = 12 * time.Hour
	// callLeast is what somebody needs to be listed.
	callLeast = 15
	// callOpens is how many opens of a day count, at least callApart after each other.
	callOpens = 5
	callApart = time.Minute
	// callAway is how long nothing is heard of somebody who comes back.
	callAway = 14 * 24 * time.Hour
	// callMuch is how many acts of a day are many, and how often the usual number.
	callMuch, callTimes = 3, 2
)

// What acts and what is unusual about them are worth.
const (
	worthReply, worthMeeting, worthDownload, worthClick, worthOpen = 60, 40, 20, 15, 4
	worthBack, worthNew, worthMuch                                 = 20, 10, 15
)

// Bounds of a list of calls.
const (
	callPeople    = 50
	callReasons   = 4
	callTogether  = 10
	callHistories = 1_000
)

// CallRequest asks who to call now.
type CallRequest struct {
	Scope
	// Only, when not nil, are the users whose mail is meant.
	Only []string
	Shown
}

// CallList is who to call, the most urgent first. A person is listed once for each
// user whose mail they reacted to.
type CallList struct {
	People  []Call    `json:"people" nullable:"false" doc:"at most 50"`
	Partial bool      `json:"partial" doc:"not every event could be read: those since reached were"`
	Reached time.Time `json:"reached"`
}

// Call is one person who did something lately that is worth a call.
type Call struct {
	Email  string `json:"email"`
	Name   string `json:"name,omitempty"`
	Domain string `json:"domain"`
	User   *User  `json:"user,omitempty" doc:"whose mail they reacted to"`
	// Score only ranks.
	Score   int          `json:"score" doc:"ranks people; no more than that"`
	Last    time.Time    `json:"last" doc:"when they did something last"`
	Message string       `json:"message" doc:"of what they did last"`
	Subject string       `json:"subject,omitempty"`
	Reasons []CallReason `json:"reasons" nullable:"false" doc:"why, the strongest first"`
}

// CallReason is one reason to call somebody.
type CallReason struct {
	Is      string `json:"is" enum:"replied,meeting,downloaded,clicked,opened,back,new,more"`
	Words   string `json:"words" doc:"the reason in English"`
	Subject string `json:"subject,omitempty" doc:"the subject of the mail, or the name of the file"`
	Count   int    `json:"count,omitempty" doc:"how often; with back, after how many days"`
	Seconds int64  `json:"seconds,omitempty" doc:"within how long, where it was several times"`
	Usual   int    `json:"usual,omitempty" doc:"with more: how often on their other days"`
}

// Calls lists who to call now: by what people did within the last three days, against
// what they usually do. Machines are never counted.
func (r *Reader) Calls(ctx context.Context, request CallRequest) (CallList, error) {
	names, err := r.namesFor(ctx, request.Scope)
	if err != nil {
		return CallList{}, err
	}
	now := r.clock()
	q := request.restrict(query.Query{
		From:  now.Add(-callSpan).Unix(),
		Where: query.Types(event.Send, event.Open, event.Click, event.Download, event.Reply, event.Meeting),
	})
	recent := recentActs{pairs: make(map[pairKey]*acted), sent: make(map[pairKey]int64)}
	reached, partial, err := r.walkSends(ctx, request.Scope, q, now, recent.add)
	if err != nil {
		return CallList{}, fmt.Errorf("calls: %w", err)
	}
	list := CallList{People: []Call{}, Reached: reached, Partial: partial}
	busy := recent.busiest(now, request.Shown)
	for chunk := range slices.Chunk(busy, callTogether) {
		if err := r.habits(ctx, request, chunk, now); err != nil {
			return CallList{}, fmt.Errorf("calls: %w", err)
		}
	}
	for _, a := range busy {
		if call, worth := a.call(now); worth {
			if a.key.user != "" {
				call.User = &User{ID: a.key.user, Name: names[a.key.user]}
			}
			list.People = append(list.People, call)
		}
	}
	slices.SortFunc(list.People, func(a, b Call) int {
		return cmp.Or(b.Score-a.Score, b.Last.Compare(a.Last), cmp.Compare(a.Email, b.Email), cmp.Compare(userID(a.User), userID(b.User)))
	})
	list.People = cut(list.People, callPeople, func(c Call) bool { return request.is(c.User, c.Email, c.Last) })
	return list, nil
}

func (c CallRequest) restrict(q query.Query) query.Query {
	if c.Only != nil {
		q = q.Restrict(c.Only)
	}
	if c.Users != nil {
		q = q.Restrict(c.Users)
	}
	return q
}

// acted is what one person did lately with the mail of one user, newest first.
type acted struct {
	key  pairKey
	name string
	acts []event.Event
	// answered is when we last wrote to them.
	answered int64
	// habit are the times of what they did before, newest first; unread says that
	// there was no time to look for any.
	habit  []int64
	unread bool
}

// recentActs gathers what people did, newest first.
type recentActs struct {
	pairs map[pairKey]*acted
	sent  map[pairKey]int64
}

func (c *recentActs) add(e event.Event, _ *event.State) {
	if e.Type == event.Send {
		for _, person := range e.Recipients {
			key := pairKey{e.User, person.Email}
			c.sent[key] = max(c.sent[key], e.Time)
		}
		return
	}
	if !acts(e) {
		return
	}
	key := pairKey{e.User, e.Recipient.Email}
	a := c.pairs[key]
	if a == nil {
		a = &acted{key: key}
		c.pairs[key] = a
	}
	a.name = cmp.Or(a.name, e.Recipient.Name)
	a.acts = append(a.acts, e)
}

// busiest are those who may be worth a call, whatever their habit: a bounded number.
func (c *recentActs) busiest(now time.Time, shown Shown) []*acted {
	for key, a := range c.pairs {
		a.answered = c.sent[key]
	}
	worth := func(a *acted) int { return int(a.activity(now) * 1000) }
	all := slices.SortedFunc(maps.Values(c.pairs), func(a, b *acted) int {
		return cmp.Or(worth(b)-worth(a), cmp.Compare(a.key.email, b.key.email), cmp.Compare(a.key.user, b.key.user))
	})
	return cut(all, 2*callPeople, func(a *acted) bool { return shown.is(&User{ID: a.key.user}, a.key.email, a.acts[0].At()) })
}

// habits reads what people did in the weeks before. Where one read has no room for all
// of it, those of whom it has nothing are read again without the others.
func (r *Reader) habits(ctx context.Context, request CallRequest, people []*acted, now time.Time) error {
	began := r.clock()
	for {
		more, err := r.readHabits(ctx, request, people, now)
		if err != nil || !more {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(people), func(a *acted) bool { return len(a.habit) > 0 })
		if len(left) == len(people) || r.clock().Sub(began) > r.budget {
			for _, a := range left {
				a.unread = true
			}
			return nil
		}
		people = left
	}
}

// readHabits reads the newest of what people did in the weeks before, and reports whether
// there may be more.
func (r *Reader) readHabits(ctx context.Context, request CallRequest, people []*acted, now time.Time) (more bool, err error) {
	byEmail := make(map[string][]*acted, len(people))
	var values []string
	for _, a := range people {
		if byEmail[a.key.email] == nil {
			values = append(values, a.key.email)
		}
		byEmail[a.key.email] = append(byEmail[a.key.email], a)
	}
	until := now.Add(-callSpan)
	q := request.restrict(query.Query{
		From: until.Add(-callHabit).Unix(), Until: until.Unix(),
		Where: query.And{
			query.Types(event.Open, event.Click, event.Download, event.Reply, event.Meeting),
			query.Keyword{Field: query.FieldRecipient, Values: values},
		},
	})
	found := scan{reader: r, scope: request.Scope, query: q, limit: callHistories}
	if err := found.run(ctx, until); err != nil {
		return false, err
	}
	for _, hit := range found.found {
		if !acts(hit.Event) {
			continue
		}
		for _, a := range byEmail[hit.Event.Recipient.Email] {
			a.habit = append(a.habit, hit.Event.Time)
		}
	}
	return found.next != nil, nil
}

// call is what somebody's acts come to; false where that is not worth a call.
func (a *acted) call(now time.Time) (Call, bool) {
	score := a.activity(now)
	reasons := a.reasons()
	for _, unusual := range a.unusual() {
		score += float64(unusual.worth)
		reasons = append(reasons, unusual.CallReason)
	}
	last := a.acts[0]
	return Call{
		Email: a.key.email, Name: a.name, Domain: query.Domain(a.key.email), Score: int(score + 0.5),
		Last: last.At(), Message: last.Message, Subject: last.Subject, Reasons: reasons[:min(len(reasons), callReasons)],
	}, score >= callLeast && len(reasons) > 0
}
