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
	// questionFresh is how long a rule's text counts as understood where names and teams
	// stay: it may be read by words that were not there before. questionsKept bounds what
	// is remembered.
	questionFresh = 10 * time.Minute
	questionsKept = 50_000
)

// questions understands the texts of rules, each once as long as names and teams stay.
type questions struct {
	searches Searches
	people   People
	clock    func() time.Time
	known    *lru.Cache[questionKey, question1]
}

type questionKey struct{ workspace, user, text string }

type question1 struct {
	query    query.Query
	err      error
	until    time.Time
	revision string
}

func newQuestions(searches Searches, people People, clock func() time.Time) *questions {
	known, err := lru.New[questionKey, question1](questionsKept)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return &questions{searches: searches, people: people, clock: clock, known: known}
}

// understand reads a rule's text. A FieldError says that a rule cannot be made of it.
func (q *questions) understand(ctx context.Context, workspace, user, text string) (query.Query, error) {
	key, now := questionKey{workspace, user, text}, q.clock()
	revision, err := q.people.Revision(ctx, workspace)
	if err != nil {
		return query.Query{}, fmt.Errorf("understand a rule: %w", err)
	}
	if known, ok := q.known.Get(key); ok && now.Before(known.until) && known.revision == revision {
		return known.query, known.err
	}
	read, err := q.read(ctx, workspace, user, text)
	if err == nil || errors.Is(err, event.ErrInvalid) {
		q.known.Add(key, question1{read, err, now.Add(questionFresh), revision})
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

// matches are those of somebody's rules that find an event; counting are those that
// count, otherwise those that tell of each.
func matches(rules []understood, d query.Document, counting bool) []Rule {
	var found []Rule
	for i := range rules {
		r := &rules[i] // rules and events are large, and there may be many
		if r.about(&d.Event) && (r.On == OnCount) == counting && r.query.MayMatch(&d.Event) && r.query.Match(d, nil) {
			found = append(found, r.Rule)
		}
	}
	return found
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
