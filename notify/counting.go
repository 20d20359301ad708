package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tidings/event"
	"tidings/query"
)

// What a rule counts apart.
const (
	perRecipient = "recipient"
	perMessage   = "message"
	perDomain    = "domain"
)

// countTries is how often a count is made anew that others were faster with.
const countTries = 10

// counted are the newest events that a rule of counts found of one recipient, message or
// company, by time.
type counted struct {
	Events []countedEvent `json:"events"`
	// Told is the event with which the number was reached last, and At its time: until
	// there was none for the length of the window, it is not told again.
	Told event.ID `json:"told,omitzero"`
	At   int64    `json:"at,omitempty"`
}

type countedEvent struct {
	ID event.ID `json:"id"`
	At int64    `json:"at"`
}

// countAll counts an event for the rules that find it, and asks about those whose number
// it reached. It may be repeated: an event counts once.
func (x *Engine) countAll(ctx context.Context, book *Book, t event.Trigger, candidates []string, asks *asking, d query.Document) ([]*question, error) {
	if t.Event.Automated() {
		return nil, nil
	}
	var questions []*question
	for _, user := range candidates {
		for _, r := range matches(asks.byOwner[user], d, true) {
			reached, err := x.count(ctx, r, t.Event)
			if err != nil {
				return nil, err
			}
			if reached {
				questions = append(questions, x.conclude(book, r, t.Event, Timed{
					Kind: KindCount, Reason: ReasonCount, Cause: r.cause(t.Event.ID.String()), Due: t.Event.At(),
					Found: fmt.Sprintf("It is the %dth within %s that your rule “%s” found.", r.Count, r.Within, r.Name),
				}))
			}
		}
	}
	return questions, nil
}

// count counts an event and reports whether the number was reached with it.
func (x *Engine) count(ctx context.Context, r Rule, e event.Event) (bool, error) {
	key := r.cause(r.Owner + "|" + countedBy(r, e))
	for range countTries {
		old, err := x.Store.Note(ctx, e.Workspace, key)
		if err != nil {
			return false, err
		}
		var c counted
		if old != nil {
			if err := json.Unmarshal(old, &c); err != nil {
				return false, fmt.Errorf("read a count: %w", err)
			}
		}
		if slices.ContainsFunc(c.Events, func(known countedEvent) bool { return known.ID == e.ID }) {
			return c.Told == e.ID, nil
		}
		reached := c.add(r, e)
		doc, err := json.Marshal(c)
		if err != nil {
			return false, err
		}
		if done, err := x.Store.SwapNote(ctx, e.Workspace, key, old, doc, x.Clock().UnixMilli()); err != nil || done {
			return reached, err
		}
	}
	return false, fmt.Errorf("count for a rule: %w", event.ErrUnavailable) // it comes again
}

// countedBy is what a rule counts apart.
func countedBy(r Rule, e event.Event) string {
	email := e.RecipientEmail()
	switch r.Per {
	case perMessage:
		return e.Message
	case perDomain:
		return string(event.KeyOf(email[strings.LastIndexByte(email, '@')+1:]))
	}
	return string(event.KeyOf(email))
}

// add counts an event and reports whether the number was reached with it.
func (c *counted) add(r Rule, e event.Event) bool {
	window := int64(spanOf(r.Within).length.Seconds())
	quiet := int64(0) // the time of the newest before
	for _, known := range c.Events {
		quiet = max(quiet, known.At)
	}
	at, _ := slices.BinarySearchFunc(c.Events, e.Time, func(known countedEvent, time int64) int { return int(known.At - time) })
	c.Events = slices.Insert(c.Events, at, countedEvent{e.ID, e.Time})
	if len(c.Events) > mostCounted {
		c.Events = c.Events[len(c.Events)-mostCounted:]
	}
	if !c.Told.IsZero() && e.Time-max(quiet, c.At) < window {
		return false // told already, and it never was quiet since
	}
	// The window may end at any of those that follow: an older one may come late.
	for i := r.Count - 1; i < len(c.Events); i++ {
		first, last := c.Events[i-r.Count+1].At, c.Events[i].At
		if last-first < window && first <= e.Time && e.Time <= last && last > c.At {
			c.Told, c.At = e.ID, last
			return true
		}
	}
	if !c.Told.IsZero() {
		c.Told = event.ID{}
	}
	return false
}
