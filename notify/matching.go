package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/event"
	"tidings/query"
)

const (
	// questionFresh is how long a rule's text counts as understood: names and teams
	// change. questionsKept bounds what is remembered.
	questionFresh = time.Minute
	questionsKept = 5000
)

// questions understands the texts of rules, each once a minute.
type questions struct {
	searches Searches
	clock    func() time.Time
	known    *lru.Cache[questionKey, question1]
}

type questionKey struct{ workspace, user, text string }

type question1 struct {
	query query.Query
	err   error
	until time.Time
}

func newQuestions(searches Searches, clock func() time.Time) *questions {
	known, err := lru.New[questionKey, question1](questionsKept)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return &questions{searches: searches, clock: clock, known: known}
}

// understand reads a rule's text. A FieldError says that a rule cannot be made of it.
func (q *questions) understand(ctx context.Context, workspace, user, text string) (query.Query, error) {
	key, now := questionKey{workspace, user, text}, q.clock()
	if known, ok := q.known.Get(key); ok && now.Before(known.until) {
		return known.query, known.err
	}
	read, err := q.read(ctx, workspace, user, text)
	if err == nil || errors.Is(err, event.ErrInvalid) {
		q.known.Add(key, question1{read, err, now.Add(questionFresh)})
	}
	return read, err
}

func (q *questions) read(ctx context.Context, workspace, user, text string) (query.Query, error) {
	read, timed, err := q.searches.Search(ctx, workspace, user, text)
	switch {
	case err != nil:
		return query.Query{}, fmt.Errorf("understand a rule: %w", err)
	case timed != "":
		return query.Query{}, event.Invalid("q", "has a time, “"+timed+"”: a rule tells of what comes. Leave it out")
	case read.History != nil:
		return query.Query{}, event.Invalid("q", "asks how often something was done, or whether: one event does not tell that. Ask for events, such as opens from acme")
	}
	read.From, read.Until = 0, 0
	return read, nil
}

// matches are those of a person's rules that find an event; counting are those that
// count, otherwise those that tell of each.
func (x *Engine) matches(ctx context.Context, workspace string, rules []Rule, d query.Document, counting bool) ([]Rule, error) {
	var found []Rule
	for _, r := range rules {
		if !r.about(d.Event) || (r.asked() == OnCount) != counting {
			continue
		}
		if r.Q != "" {
			q, err := x.questions.understand(ctx, workspace, r.Owner, r.Q)
			if errors.Is(err, event.ErrInvalid) {
				continue // its owner sees that in the list of rules
			}
			if err != nil {
				return nil, err
			}
			if q.AsksRecipients() || !q.Match(d, nil) {
				continue
			}
		}
		found = append(found, r)
	}
	return found, nil
}

// CheckRule says what is wrong with a rule, its text too.
func (x *Engine) CheckRule(ctx context.Context, workspace string, r Rule) error {
	if err := r.Check(); err != nil {
		return err
	}
	if r.Q == "" {
		return nil
	}
	q, err := x.questions.understand(ctx, workspace, r.Owner, r.Q)
	if err == nil && q.AsksRecipients() && r.asked() != OnBy && r.asked() != OnReport {
		return event.Invalid("q", "asks what recipients have done until now: one event does not tell that. Ask for events, such as opens from acme, or for a time")
	}
	return err
}

// endOnce ends the rules of once that told of events, and has those go on whose event
// was withdrawn.
func (x *Engine) endOnce(ctx context.Context, bells []bell) error {
	for _, b := range bells {
		for _, r := range b.book.Rules[b.User] {
			if !r.Once || !slices.Contains(b.Rules, r.Name) {
				continue
			}
			var err error
			switch {
			case b.Tells() && !b.Shadow && r.Done.IsZero():
				err = x.Books.endRule(ctx, b.Workspace, r, event.ID{}, b.Event)
			case b.Outcome == Withdrawn && r.Done == b.Event:
				err = x.Books.endRule(ctx, b.Workspace, r, b.Event, event.ID{})
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
