package notify

import (
	"context"
	"fmt"
	"time"

	"tidings/event"
	"tidings/query"
)

// byNow is what a rule of a time tells that became due since it was looked at.
func (x *Engine) byNow(ctx context.Context, book *Book, workspace string, r Rule, before progress, now time.Time) ([]*question, error) {
	var questions []*question
	for _, due := range r.dues(before.after(r), now, book.Settings[r.Owner].location()) {
		found, err := x.byDue(ctx, book, workspace, r, due)
		if err != nil {
			return nil, err
		}
		questions = append(questions, found...)
	}
	return questions, nil
}

// after is from when on the times of a rule are looked at.
func (p progress) after(r Rule) time.Time {
	after := time.Unix(p.UpTo, 0)
	if r.Created/1000 == p.UpTo {
		after = after.Add(-time.Second) // the second in which it was made counts
	}
	return after
}

func (x *Engine) byDue(ctx context.Context, book *Book, workspace string, r Rule, due time.Time) ([]*question, error) {
	q, err := x.previewed(ctx, workspace, r)
	if err != nil {
		return nil, err
	}
	cause := r.cause(due.UTC().Format(time.RFC3339))
	if r.Message != "" {
		return x.byMessage(ctx, book, workspace, r, q, Timed{Kind: KindSchedule, Reason: ReasonSchedule, Cause: cause, Due: due})
	}
	count, all, err := x.found(ctx, workspace, q)
	if err != nil {
		return nil, err
	}
	found := fmt.Sprintf("Your search finds %d.", count)
	switch {
	case count == 0:
		return nil, nil // there is nothing to tell
	case !all && count <= mostListed:
		found = fmt.Sprintf("Your search finds %d among the newest %d events that it may be about.", count, mostSimulated)
	case count > mostListed:
		found = fmt.Sprintf("Your search finds more than %d.", mostListed)
	case count == 1:
		found = "Your search finds one."
	}
	e := event.Event{Workspace: workspace, User: r.Owner}
	return []*question{x.conclude(book, r, e, Timed{Kind: KindSchedule, Reason: ReasonSchedule, Cause: cause, Due: due, Found: found})}, nil
}

// found counts what a search finds, up to more than mostListed; all is false where there
// was more to look at.
func (x *Engine) found(ctx context.Context, workspace string, q query.Query) (count int, all bool, err error) {
	asked, _ := q.Candidates()
	if asked.Until == 0 {
		asked.Until = x.Clock().Add(x.Fresh).Unix()
	}
	looked := 0
	all = true
	err = x.Feed.FindEach(ctx, workspace, asked, sweptAtOnce, func(events []event.Event, states map[string]event.State) (bool, error) {
		for _, e := range events {
			var state *event.State
			if known, ok := states[e.Message]; ok {
				state = &known
			}
			if q.Match(query.NewDocument(e), state) {
				count++
			}
		}
		looked += len(events)
		all = looked < mostSimulated
		return all && count <= mostListed, nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("count what a search finds: %w", err)
	}
	return count, all, nil
}

// byMessage reminds of one message, where nothing was heard of it.
func (x *Engine) byMessage(ctx context.Context, book *Book, workspace string, r Rule, q query.Query, timed Timed) ([]*question, error) {
	q.Where = query.AllOf(query.Types(event.Send), q.Where)
	q.Automated = query.AutomatedShow
	sends, states, err := x.Feed.Find(ctx, workspace, q, 1)
	if err != nil {
		return nil, fmt.Errorf("find the send of a message: %w", err)
	}
	if len(sends) == 0 {
		return nil, nil
	}
	state, known := states[sends[0].Message]
	if !known || !silent(state, sends[0], r) {
		return nil, nil
	}
	timed.Kind, timed.Found = KindUnopened, "Nobody has opened it yet."
	if r.No == NoReply {
		timed.Kind, timed.Found = KindUnreplied, "Nobody has answered it yet."
	}
	return []*question{x.conclude(book, r, sends[0], timed)}, nil
}

// measure looks at a rate or a silence, and tells when it begins and when it ends.
func (x *Engine) measure(ctx context.Context, book *Book, workspace string, r Rule, before progress, after *progress) ([]*question, error) {
	now, within := x.Clock(), spanOf(r.Within)
	visible, err := x.visible(ctx, workspace, r.Owner)
	if err != nil {
		return nil, err
	}
	text, kind := r.Q, KindRate
	if r.asked() == OnSilence {
		text, kind = `source:"`+r.Source+`" `+r.Q, KindSilence
	}
	counts, err := x.Counts.Count(ctx, workspace, r.Owner, visible, text, now.Add(-within.length))
	if err != nil {
		return nil, fmt.Errorf("count for a rule: %w", err)
	}
	over, found := r.rate(counts)
	if r.asked() == OnSilence {
		over, found = r.silence(counts)
		if made := time.UnixMilli(r.Created); now.Sub(made) < within.length {
			return nil, nil // it may have been silent for less
		}
	}
	if over == before.Over {
		return nil, nil
	}
	after.Over = over
	e := event.Event{Workspace: workspace, User: r.Owner}
	timed := Timed{Kind: kind, Reason: ReasonRate, Cause: r.cause(fmt.Sprintf("%t|%d", over, before.UpTo)), Due: now, Found: found}
	return []*question{x.conclude(book, r, e, timed)}, nil
}

// rate says whether too many sends bounced.
func (r Rule) rate(counts map[event.Type]int) (over bool, found string) {
	sends, bounces := counts[event.Send], counts[event.Bounce]
	least := r.Least
	if least == 0 {
		least = leastSends
	}
	percent := 0.0
	if sends > 0 {
		percent = 100 * float64(bounces) / float64(sends)
	}
	over = sends >= least && percent > r.Percent
	words := "%d of %d sends of the last %s bounced, %.1f %%: your bound is %g %%."
	if !over {
		words = "It is over: " + words
	}
	return over, fmt.Sprintf(words, bounces, sends, r.Within, percent, r.Percent)
}

// silence says whether nothing came.
func (r Rule) silence(counts map[event.Type]int) (over bool, found string) {
	for _, count := range counts {
		if count > 0 {
			return false, "The source " + r.Source + " sends again."
		}
	}
	return true, "Nothing came from the source " + r.Source + " for " + r.Within + "."
}
