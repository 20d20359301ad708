package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// Bounds of a preview.
const (
	// PreviewTime is how far back a preview looks.
	PreviewTime = 7 * 24 * time.Hour
	// mostPreviewed is how many events it looks at, and mostExamples how many it names.
	mostPreviewed = 1000
	mostExamples  = 20
)

// Preview is what a rule would have told last week.
type Preview struct {
	Since, Until time.Time
	// Count is how many, and More that there were more events than are looked at.
	Count int
	More  bool
	// Days are the days of the owner's zone with a count, the oldest first, all of them.
	Days []DayCount
	// Examples are the newest of what would have been told.
	Examples []event.ID
}

// DayCount is how many a day has.
type DayCount struct {
	Date  string `json:"date" doc:"such as 2026-11-29"`
	Count int    `json:"count"`
}

// PreviewRule says what a rule of its owner would have told last week. Nobody is told.
func (x *Engine) PreviewRule(ctx context.Context, workspace string, r Rule) (Preview, error) {
	if err := x.CheckRule(ctx, workspace, r); err != nil {
		return Preview{}, err
	}
	r.Enabled = true
	book, err := x.Books.Load(ctx, workspace)
	if err != nil {
		return Preview{}, fmt.Errorf("load settings of notifications: %w", err)
	}
	settings := book.Settings[r.Owner]
	p := newPreview(x.Clock(), settings.location())
	if r.timed() {
		return p, x.previewTimed(ctx, book, workspace, r, &p)
	}
	q, err := x.previewed(ctx, workspace, r)
	if err != nil {
		return p, err
	}
	q.From = p.Since.Unix()
	events, _, err := x.Feed.Find(ctx, workspace, q, mostPreviewed)
	if err != nil {
		return p, fmt.Errorf("find what a rule would have told: %w", err)
	}
	p.More = len(events) == mostPreviewed
	slices.SortFunc(events, func(a, b event.Event) int { return int(a.Time - b.Time) })
	addresses, err := x.People.UsersByAddress(ctx, workspace)
	if err != nil {
		return p, fmt.Errorf("ask for own addresses: %w", err)
	}
	claims, counts := make(map[string]event.ID), make(map[string]*counted)
	for _, e := range events {
		t, ok := event.TriggerOf(event.Announcement{Kind: event.AnnounceEvent, Event: &e})
		if !ok || !r.about(&e) {
			continue
		}
		given := Context{
			User: r.Owner, Visible: true, Scope: scopeOf(r.Owner, e), Defaults: book.Defaults, Fresh: x.Fresh, Rules: []Rule{r},
			Own: addresses[e.RecipientEmail()] == r.Owner, Devices: book.Devices[r.Owner],
		}
		if r.asked() == OnCount {
			by := countedBy(r, e)
			if counts[by] == nil {
				counts[by] = new(counted)
			}
			if !e.Automated() && counts[by].add(r, e) {
				p.add(e, settings.location())
			}
			continue
		}
		d := Decide(t, settings, given, e.At())
		if holder, held := claims[d.Claim]; held {
			given.Holder = holder
			d = Decide(t, settings, given, e.At())
		}
		if d.Tells() {
			claims[d.Claim] = e.ID
			delete(claims, "")
			p.add(e, settings.location())
			if r.Once {
				break
			}
		}
	}
	p.newest()
	return p, nil
}

// newest leaves the newest examples.
func (p *Preview) newest() {
	slices.Reverse(p.Examples)
	p.Examples = p.Examples[:min(len(p.Examples), mostExamples)]
}

// previewTimed is PreviewRule for a rule that waits for a time: what it would tell of
// the sends whose time was over last week, as they are now, or what it would tell now.
func (x *Engine) previewTimed(ctx context.Context, book *Book, workspace string, r Rule, p *Preview) error {
	r.Created = p.Since.UnixMilli()
	zone := book.Settings[r.Owner].location()
	var found []*question
	var err error
	looked := 0
	switch r.asked() {
	case OnAbsence:
		err = x.sweep(ctx, book, workspace, r, progress{UpTo: p.Since.Unix()}, new(progress), func(some []*question) (bool, error) {
			if looked += sweptAtOnce; looked > mostPreviewed {
				p.More = true
				return false, nil
			}
			found = append(found, some...)
			return true, nil
		})
	case OnBy:
		found, err = x.byDue(ctx, book, workspace, r, p.Until)
	case OnReport:
		var visible []string
		if visible, err = x.visible(ctx, workspace, r.Owner); err == nil {
			found, err = x.report(ctx, book, workspace, r, visible, p.Until)
		}
	default:
		found, err = x.measure(ctx, book, workspace, r, progress{}, new(progress))
	}
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b *question) int { return int(a.trigger.Event.Time - b.trigger.Event.Time) })
	for _, q := range found {
		e := q.trigger.Event
		p.Count++
		if !e.ID.IsZero() {
			p.Examples = append(p.Examples, e.ID)
		}
		date := q.given.Timed.Due.In(zone).Format(time.DateOnly)
		for i := range p.Days {
			if p.Days[i].Date == date {
				p.Days[i].Count++
			}
		}
	}
	p.newest()
	return nil
}

// previewed is what a rule finds of what its owner may see.
func (x *Engine) previewed(ctx context.Context, workspace string, r Rule) (query.Query, error) {
	var q query.Query
	var err error
	if r.Q != "" {
		if q, err = x.questions.understand(ctx, workspace, r.Owner, r.Q); err != nil {
			return q, err
		}
	}
	and := func(field query.KeywordField, values ...string) {
		q.Where = query.AllOf(query.Keyword{Field: field, Values: values}, q.Where)
	}
	if r.Message != "" {
		and(query.FieldMessage, r.Message)
	}
	if r.asked() == OnAbsence && r.Q == "" && r.Message == "" {
		and(query.FieldUser, r.Owner)
	}
	if len(r.Kinds) > 0 {
		kinds := make([]string, len(r.Kinds))
		for i, kind := range r.Kinds {
			kinds[i] = string(kind)
		}
		and(query.FieldType, kinds...)
	}
	visible, err := x.visible(ctx, workspace, r.Owner)
	if err != nil {
		return q, err
	}
	return q.Restrict(visible), nil
}

func newPreview(now time.Time, zone *time.Location) Preview {
	p := Preview{Since: now.Add(-PreviewTime), Until: now}
	for day := p.Since.In(zone); ; day = day.AddDate(0, 0, 1) {
		p.Days = append(p.Days, DayCount{Date: day.Format(time.DateOnly)})
		if day.Format(time.DateOnly) >= now.In(zone).Format(time.DateOnly) {
			return p
		}
	}
}

func (p *Preview) add(e event.Event, zone *time.Location) {
	p.Count++
	p.Examples = append(p.Examples, e.ID)
	date := e.At().In(zone).Format(time.DateOnly)
	for i := range p.Days {
		if p.Days[i].Date == date {
			p.Days[i].Count++
		}
	}
}

func scopeOf(user string, e event.Event) Scope {
	if e.User == user {
		return Mine
	}
	return Team
}
