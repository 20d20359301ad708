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

// answerWithin is how long after their message a mail to them still is its answer.
const answerWithin = 30 * 24 * time.Hour

// AnswerTimes are how long people took to answer each other. docs/statistics.md has the rule.
type AnswerTimes struct {
	Theirs AnswerTime `json:"theirs" doc:"from a send that is counted to the recipient's first reply, whenever that came"`
	Ours   AnswerTime `json:"ours" doc:"from the first reply that waits to the next mail to them by the user whose mail it answers, of up to 50 recipients and within 30 days"`
}

// AnswerTime is how long it took one side.
type AnswerTime struct {
	Median   *int64 `json:"median" doc:"seconds, nights and weekends among them; null when nothing was answered, or when it is not known"`
	Answered *int   `json:"answered" doc:"how many were answered: the median is of these; null when it is not known"`
	Of       *int   `json:"of" doc:"how many could have been; null when it is not known"`
}

func answerTimeOf(delays []int64, of int) AnswerTime {
	n := len(delays)
	took := AnswerTime{Answered: &n, Of: &of}
	if n > 0 {
		slices.Sort(delays)
		took.Median = &delays[n/2]
	}
	return took
}

// answerTimes reads the sends and replies that a question finds, with the state of the
// sends, and then the mails that may answer those replies. They are not known where
// there are more than can be read.
func (r *Reader) answerTimes(ctx context.Context, scope Scope, q query.Query, now time.Time) (*AnswerTimes, error) {
	if q.History == nil { // which is decided by all that the question finds
		q.Where = query.AllOf(query.Types(event.Send, event.Reply), q.Where)
	}
	sends := sentPairs{scope: scope, took: make(map[uint64]answeredSend)}
	waits := make(replyWaits)
	_, partial, err := r.walkSends(ctx, scope, q, now, func(e event.Event, state *event.State) {
		switch {
		case e.Type == event.Send:
			sends.add(e, state)
		case e.Type == event.Reply && e.Recipient != nil:
			waits.add(pairKey{e.User, e.Recipient.Email}, e.Time, true)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read sends and replies: %w", err)
	}
	if partial {
		return &AnswerTimes{}, nil
	}
	times := AnswerTimes{Theirs: sends.time()}
	if partial, err = r.answersTo(ctx, scope, waits, now); err != nil || partial {
		return &times, err
	}
	times.Ours = waits.time()
	return &times, nil
}

// answersTo adds the mails that may answer what waits; partial where there are too many.
func (r *Reader) answersTo(ctx context.Context, scope Scope, waits replyWaits, now time.Time) (partial bool, err error) {
	if len(waits) == 0 {
		return false, nil
	}
	first, last, users := waits.bounds()
	q := query.Query{
		From: first, Until: last + int64(answerWithin/time.Second) + 1,
		Automated: query.AutomatedShow, Where: query.Types(event.Send),
	}
	if !slices.Contains(users, "") {
		q = q.Restrict(users)
	}
	if scope.Users != nil {
		q = q.Restrict(scope.Users)
	}
	_, partial, err = r.walkSends(ctx, scope, q, now, func(e event.Event, _ *event.State) {
		if len(e.Recipients) > nudgeMailing {
			return
		}
		for _, person := range e.Recipients {
			waits.add(pairKey{e.User, person.Email}, e.Time, false)
		}
	})
	if err != nil {
		return false, fmt.Errorf("read answers: %w", err)
	}
	return partial, nil
}

// sentPairs are the recipients of the counted sends, each message once.
type sentPairs struct {
	scope Scope
	took  map[uint64]answeredSend
}

// answeredSend is when a message was first sent to somebody, and when they first
// replied; 0 where they did not.
type answeredSend struct{ sent, replied int64 }

func (s *sentPairs) add(e event.Event, state *event.State) {
	var seen event.State
	if state != nil {
		seen, _ = s.scope.seen(*state)
	}
	for _, person := range e.Recipients {
		pair := PairOf(e.Message, person.Email)
		known, again := s.took[pair]
		if again && known.sent <= e.Time {
			continue
		}
		s.took[pair] = answeredSend{e.Time, seen.First[event.MarkReplied][event.KeyOf(person.Email)]}
	}
}

func (s *sentPairs) time() AnswerTime {
	var delays []int64
	for _, one := range s.took {
		if one.replied >= one.sent {
			delays = append(delays, one.replied-one.sent)
		}
	}
	return answerTimeOf(delays, len(s.took))
}

// replyWaits are, by who writes to whom, the replies that are counted and the mails
// that may answer them.
type replyWaits map[pairKey][]mailTime

// mailTime is when somebody wrote: they, or we.
type mailTime struct {
	at     int64
	theirs bool
}

// add takes in a mail; one of ours where they have written nothing answers nothing.
func (w replyWaits) add(key pairKey, at int64, theirs bool) {
	if mails, known := w[key]; known || theirs {
		w[key] = append(mails, mailTime{at, theirs})
	}
}

// bounds are when the first and the last wrote, and to whom of us.
func (w replyWaits) bounds() (first, last int64, users []string) {
	for key, mails := range w {
		users = append(users, key.user)
		for _, mail := range mails {
			if first == 0 || mail.at < first {
				first = mail.at
			}
			last = max(last, mail.at)
		}
	}
	slices.Sort(users)
	return first, last, slices.Compact(users)
}

// time is how long they waited: from the first reply that was not answered yet, however
// many came after it.
func (w replyWaits) time() AnswerTime {
	var delays []int64
	of := 0
	for _, mails := range w {
		slices.SortFunc(mails, compareMails)
		waits, since := false, int64(0)
		for _, mail := range mails {
			late := mail.at-since > int64(answerWithin/time.Second)
			switch {
			case mail.theirs && (!waits || late):
				waits, since = true, mail.at
				of++
			case !mail.theirs && waits:
				if waits = false; !late {
					delays = append(delays, mail.at-since)
				}
			}
		}
	}
	return answerTimeOf(delays, of)
}

// compareMails has ours first within a second: it answers no reply of that second.
func compareMails(a, b mailTime) int {
	switch {
	case a.at != b.at:
		return cmp.Compare(a.at, b.at)
	case a.theirs == b.theirs:
		return 0
	case a.theirs:
		return 1
	}
	return -1
}
