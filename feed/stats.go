package feed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// StatsField is a part of the statistics that can be asked for.
type StatsField string

// The fields, each named as in Stats.
const (
	FieldTotals     StatsField = "totals"
	FieldUnique     StatsField = "unique"
	FieldRates      StatsField = "rates"
	FieldAutomated  StatsField = "automated"
	FieldSeries     StatsField = "series"
	FieldHeatmap    StatsField = "heatmap"
	FieldRecipients StatsField = "recipients"
	FieldDomains    StatsField = "domains"
	FieldLinks      StatsField = "links"
	FieldMessages   StatsField = "messages"
	FieldUsers      StatsField = "users"
	FieldPrevious   StatsField = "previous"
	// FieldAnswerTimes is there only where it is named: mails are read for it.
	FieldAnswerTimes StatsField = "answer_times"
)

// StatsFields lists all fields.
var StatsFields = []StatsField{
	FieldTotals, FieldUnique, FieldRates, FieldAutomated, FieldSeries, FieldHeatmap,
	FieldRecipients, FieldDomains, FieldLinks, FieldMessages, FieldUsers, FieldPrevious, FieldAnswerTimes,
}

// StatsRequest asks for statistics of the events that a feed would list.
type StatsRequest struct {
	Scope
	// Text is what was typed.
	Text string
	// Filter holds the structured filters. Since 0 means the horizon.
	Filter query.Filter
	// Interval is that of the series; "" chooses one by the length of the time.
	Interval Interval
	// WeekStart is the first day of a week.
	WeekStart time.Weekday
	// Fields are what is wanted; none means all but FieldAnswerTimes.
	Fields []StatsField
}

func (r StatsRequest) wants(fields ...StatsField) bool {
	return len(r.Fields) == 0 || slices.ContainsFunc(fields, func(f StatsField) bool {
		return slices.Contains(r.Fields, f)
	})
}

// parts are what must be counted for the fields of the request.
func (r StatsRequest) parts() Parts {
	var parts Parts
	for field, part := range map[StatsField]Parts{
		FieldUnique: PartPairs, FieldRates: PartPairs, FieldSeries: PartTimes, FieldHeatmap: PartTimes,
		FieldDomains: PartDomains, FieldLinks: PartLinks,
		FieldMessages: PartMessages, FieldUsers: PartUsers,
	} {
		if r.wants(field) {
			parts |= part
		}
	}
	return parts
}

// Stats counts the events that Page lists for the same text and filters. It
// counts from the newest week backwards until the time is spent; Partial and
// Reached say so when it is.
func (r *Reader) Stats(ctx context.Context, request StatsRequest) (Stats, error) {
	who, err := r.people(ctx, request.Scope)
	if err != nil {
		return Stats{}, err
	}
	now := r.clock()
	understood, q, err := r.interpret(ctx, PageRequest{Scope: request.Scope, Text: request.Text, Filter: request.Filter}, who, now)
	if err != nil {
		return Stats{}, err
	}
	period := periodOf(q, now)
	interval, err := request.Interval.within(period)
	if err != nil {
		return Stats{}, err
	}
	counted, err := r.aggregate(ctx, request.Scope, q, request.parts(), now)
	if err != nil {
		return Stats{}, err
	}
	stats := Stats{
		Since: time.Unix(period.from, 0).UTC(), Until: time.Unix(period.until, 0).UTC(), Zone: request.zone().String(),
		Warnings: Warnings(counted.damaged), Approximate: []string{}, Query: understood,
	}
	stats.reach(counted)
	if request.wants(FieldRates) {
		if stats.Rates, err = r.rates(ctx, request.Scope, q, counted, now); err != nil {
			return Stats{}, err
		}
	}
	if request.wants(FieldRecipients) {
		active, err := r.mostActive(ctx, request.Scope, q, now)
		if err != nil {
			return Stats{}, err
		}
		counted.aggregate.Recipients = active.aggregate.Recipients
		stats.reach(active)
	}
	stats.fill(request, q, counted.aggregate, who.names)
	if stats.Totals != nil {
		rejected, err := r.rejected(ctx, request.Scope, q, stats.Totals, now)
		if err != nil {
			return Stats{}, err
		}
		stats.reach(rejected)
	}
	if request.wants(FieldSeries) {
		period.from = max(period.from, counted.reached)
		stats.Series = seriesOf(counted.aggregate.Times, interval, period, request.zone(), request.WeekStart)
	}
	if request.wants(FieldMessages) {
		if stats.Messages, err = r.topMessages(ctx, request.Scope, counted.aggregate.Messages); err != nil {
			return Stats{}, err
		}
	}
	if slices.Contains(request.Fields, FieldAnswerTimes) {
		if stats.AnswerTimes, err = r.answerTimes(ctx, request.Scope, q, now); err != nil {
			return Stats{}, err
		}
	}
	if request.wants(FieldPrevious) {
		if stats.Previous, err = r.previous(ctx, request, q, period, now); err != nil {
			return Stats{}, err
		}
	}
	return stats, nil
}

// reach says how far back a count went that the statistics are made of: of several the
// latest is told.
func (s *Stats) reach(c counted) {
	s.Partial = s.Partial || c.partial || len(c.damaged) > 0
	if reached := time.Unix(c.reached, 0).UTC(); reached.After(s.Reached) {
		s.Reached = reached
	}
}

// fill takes from an aggregate what was asked for.
func (s *Stats) fill(request StatsRequest, q query.Query, aggregate Aggregate, names map[string]string) {
	if request.wants(FieldTotals) {
		s.Totals = totalsOf(aggregate)
	}
	if request.wants(FieldUnique) {
		s.Unique = uniqueOf(aggregate)
	}
	if request.wants(FieldAutomated) {
		s.Automated = automatedOf(aggregate, q.Automated)
	}
	if request.wants(FieldHeatmap) {
		s.Heatmap = heatmapOf(aggregate.Times, request.zone())
	}
	if request.wants(FieldUsers) {
		s.Users = usersOf(aggregate.Users, names)
	}
	for field, of := range map[StatsField]struct {
		list    *[]Ranked
		ranking Ranking
	}{
		FieldRecipients: {&s.Recipients, aggregate.Recipients},
		FieldDomains:    {&s.Domains, aggregate.Domains},
		FieldLinks:      {&s.Links, aggregate.Links},
	} {
		if request.wants(field) {
			*of.list = topOf(of.ranking)
		}
	}
	s.Approximate = approximate(request, aggregate)
}

// approximate names the fields that are not exact.
func approximate(request StatsRequest, aggregate Aggregate) []string {
	cut := false
	for _, set := range aggregate.Pairs {
		cut = cut || set.Cut
	}
	fields := []string{}
	for _, field := range []struct {
		name    StatsField
		inexact bool
	}{
		{FieldUnique, cut},
		{FieldRates, cut},
		{FieldRecipients, aggregate.Recipients.Cut},
		{FieldDomains, aggregate.Domains.Cut},
		{FieldLinks, aggregate.Links.Cut},
		{FieldMessages, aggregate.Messages.Cut},
	} {
		if field.inexact && request.wants(field.name) {
			fields = append(fields, string(field.name))
		}
	}
	return fields
}

// topMessages are the messages with the most events and what is known of them.
func (r *Reader) topMessages(ctx context.Context, scope Scope, ranking Ranking) ([]RankedMessage, error) {
	top := topOf(ranking)
	ids := make([]string, len(top))
	for i, ranked := range top {
		ids[i] = ranked.Name
	}
	states, err := r.states.Of(ctx, scope.Workspace, ids)
	if err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	messages := make([]RankedMessage, len(top))
	for i, ranked := range top {
		messages[i] = RankedMessage{Message: ranked.Name, Events: ranked.Events}
		if state, known := states[ranked.Name]; known && state.Sent {
			if seen, any := scope.seen(state); any {
				messages[i].Subject, messages[i].Sent = seen.Subject, at(seen.At)
			}
		}
	}
	return messages, nil
}

// rejected counts those of the bounces that the sender's side would not send. No index
// tells them apart, so the bounces are read where there are any.
func (r *Reader) rejected(ctx context.Context, scope Scope, q query.Query, totals *Totals, now time.Time) (counted, error) {
	if totals.Types[event.Bounce] == 0 {
		return counted{}, nil
	}
	q.Where = query.AllOf(q.Where, query.Keyword{Field: query.FieldBounce, Values: []string{event.BounceRejected}})
	found, err := r.aggregate(ctx, scope, q, 0, now)
	if err == nil {
		totals.Rejected = found.aggregate.Events.Sum()
	}
	return found, err
}

// previous counts the time that this one is compared with.
func (r *Reader) previous(ctx context.Context, request StatsRequest, q query.Query, period period, now time.Time) (*Previous, error) {
	earlier := period.before(request.zone())
	before := q
	before.From, before.Until = max(1, earlier.from), earlier.until
	if before.Until <= before.From {
		return nil, nil
	}
	var parts Parts
	if request.wants(FieldUnique, FieldRates) {
		parts = PartPairs
	}
	counted, err := r.aggregate(ctx, request.Scope, before, parts, now)
	if err != nil {
		return nil, err
	}
	previous := &Previous{
		Since: time.Unix(before.From, 0).UTC(), Until: time.Unix(before.Until, 0).UTC(),
		Partial: counted.partial || len(counted.damaged) > 0, Totals: totalsOf(counted.aggregate),
	}
	if _, err := r.rejected(ctx, request.Scope, before, previous.Totals, now); err != nil {
		return nil, err
	}
	if parts != 0 {
		previous.Unique = uniqueOf(counted.aggregate)
		if previous.Rates, err = r.rates(ctx, request.Scope, before, counted, now); err != nil {
			return nil, err
		}
	}
	return previous, nil
}

// period is the time that is counted, [from, until).
type period struct{ from, until int64 }

// periodOf is the time of a query; one that is open ends now, or a little later
// where senders' clocks are ahead.
func periodOf(q query.Query, now time.Time) period {
	p := period{q.From, q.Until}
	if p.until == 0 {
		p.until = max(now.Unix(), p.from) + 1
	}
	p.until = max(p.until, p.from)
	return p
}

// typeCounts are the numbers of those types that have any.
func typeCounts(counts ByType) map[event.Type]int {
	byType := make(map[event.Type]int)
	for i, t := range event.Types {
		if counts[i] > 0 {
			byType[t] = int(counts[i])
		}
	}
	return byType
}
