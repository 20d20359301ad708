package elastic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// How many names and numbers are asked for at once. Elasticsearch refuses answers
// of more than 65,536 buckets.
const (
	// mostNames is the most of each ranking. Those with the most events are
	// counted exactly; the rest is missing.
	mostNames = 2000
	// mostPairs is the most pairs of each type, the smallest of them. Beyond
	// that their number is an estimate, off by 0.9 % on average.
	mostPairs = 12_000
	// mostUsers is how many (user, type) pairs come at a time, until all have.
	mostUsers = 10_000
)

// Aggregate counts the events of one week for which a query holds. A workspace is in
// one shard, so Elasticsearch's counts are exact; only Pairs and the rankings are
// cut, and say so. It counts by what Search knows, and by nothing else.
func (x *Index) Aggregate(ctx context.Context, c feed.AggregateRequest) (feed.Aggregate, error) {
	if _, exact := c.Query.Candidates(); !exact {
		return feed.Aggregate{}, fmt.Errorf("counting by a condition that is not in the index: %w", errors.ErrUnsupported)
	}
	var aggregate feed.Aggregate
	err := x.eachWeek(ctx, []event.Week{c.Week}, func([]event.Week) (err error) {
		aggregate, err = x.count(ctx, c)
		return err
	})
	if damaged, other := event.SplitDamaged(err); other == nil && len(damaged) == 1 {
		err = damaged[0]
	}
	return aggregate, failed("counting week "+c.Week.String(), err)
}

func (x *Index) count(ctx context.Context, c feed.AggregateRequest) (aggregate feed.Aggregate, err error) {
	where, err := compile(c.Query.Where)
	if err != nil {
		return aggregate, err
	}
	from, until, some := searchPage{query: c.Query}.times()
	if !some {
		return aggregate, nil
	}
	q := counting{index: x, count: c, conditions: []object{between(from, until), where}}
	if err := q.events(ctx, &aggregate); err != nil {
		return aggregate, err
	}
	if c.Parts.Has(feed.PartPairs) {
		if aggregate.Pairs, err = q.pairs(ctx); err != nil {
			return aggregate, err
		}
	}
	if c.Parts.Has(feed.PartUsers) {
		aggregate.Users, err = q.users(ctx)
	}
	return aggregate, err
}

// counting is one Count.
type counting struct {
	index      *Index
	count      feed.AggregateRequest
	conditions []object
}

// bucket is a name or a number with how many events it has.
type bucket[K any] struct {
	Key    K   `json:"key"`
	Events int `json:"doc_count"`
}

// buckets are those that were asked for; Others is how many events the others
// have.
type buckets[B any] struct {
	Buckets []B `json:"buckets"`
	Others  int `json:"sum_other_doc_count"`
}

type byName = buckets[bucket[string]]

// ask sends aggregations over the events that match, with the choice about
// automated ones.
func (q counting) ask(ctx context.Context, choice query.Automated, aggregations object, into any) error {
	answer := struct {
		searchState
		Aggregations any `json:"aggregations"`
	}{Aggregations: into}
	err := q.index.ask(ctx, q.count.Workspace, []string{q.index.names.alias(q.count.Week)}, object{
		"size": 0, "track_total_hits": false,
		"query": scoped(q.count.Workspace, choice, q.conditions...),
		"aggs":  aggregations,
	}, &answer)
	if err != nil {
		return err
	}
	return answer.whole(1)
}

// events counts what Events, Automated, Times and the rankings hold, which is all
// that one answer has room for.
func (q counting) events(ctx context.Context, aggregate *feed.Aggregate) error {
	types := termsOf("type", len(event.Types))
	shown := object{"types": types}
	if q.count.Parts.Has(feed.PartTimes) {
		shown["times"] = object{
			"date_histogram": object{"field": "@timestamp", "fixed_interval": fmt.Sprint(feed.QuarterSeconds, "s"), "min_doc_count": 1},
			"aggs":           object{"types": types},
		}
	}
	rankings := map[string]*feed.Ranking{
		"recipient": &aggregate.Recipients, "domain": &aggregate.Domains, "link": &aggregate.Links, "message": &aggregate.Messages,
	}
	for name, part := range map[string]feed.Parts{
		"recipient": feed.PartRecipients, "domain": feed.PartDomains, "link": feed.PartLinks, "message": feed.PartMessages,
	} {
		if q.count.Parts.Has(part) {
			shown[name] = termsOf(name, mostNames)
		}
	}
	var answer struct {
		Machines struct {
			Types byName `json:"types"`
		} `json:"machines"`
		Shown struct {
			Types byName `json:"types"`
			Times buckets[struct {
				bucket[int64]
				Types byName `json:"types"`
			}] `json:"times"`
			Recipient byName `json:"recipient"`
			Domain    byName `json:"domain"`
			Link      byName `json:"link"`
			Message   byName `json:"message"`
		} `json:"shown"`
	}
	// What machines did is counted even where it is hidden.
	err := q.ask(ctx, query.AutomatedShow, object{
		"machines": object{"filter": object{"term": object{"automated": true}}, "aggs": object{"types": types}},
		"shown":    object{"filter": chosen(q.count.Query.Automated), "aggs": shown},
	}, &answer)
	if err != nil {
		return err
	}
	aggregate.Events, aggregate.Automated = byType(answer.Shown.Types), byType(answer.Machines.Types)
	for _, quarter := range answer.Shown.Times.Buckets {
		const perSecond = 1000
		aggregate.Times = append(aggregate.Times, feed.Quarter{Start: quarter.Key / perSecond, Events: byType(quarter.Types)})
	}
	for name, counts := range map[string]byName{
		"recipient": answer.Shown.Recipient, "domain": answer.Shown.Domain, "link": answer.Shown.Link, "message": answer.Shown.Message,
	} {
		*rankings[name] = ranking(counts)
	}
	return nil
}

// chosen is a choice about automated events as a condition.
func chosen(choice query.Automated) object {
	if choice == query.AutomatedShow {
		return everything
	}
	return object{"term": object{"automated": choice == query.AutomatedOnly}}
}

func termsOf(field string, most int) object {
	return object{"terms": object{"field": field, "size": most}}
}

func byType(counts byName) feed.ByType {
	var all feed.ByType
	for _, count := range counts.Buckets {
		all.Add(event.Type(count.Key), count.Events)
	}
	return all
}

func ranking(counts byName) feed.Ranking {
	r := feed.Ranking{Cut: counts.Others > 0}
	for _, count := range counts.Buckets {
		r.Counts = append(r.Counts, feed.NameCount{Name: count.Key, Events: count.Events})
	}
	return r
}

// pairs returns the smallest numbers of each type's pairs.
func (q counting) pairs(ctx context.Context) (map[event.Type]feed.Pairs, error) {
	var answer struct {
		Types buckets[struct {
			bucket[event.Type]
			Pairs buckets[bucket[uint64]] `json:"pairs"`
		}] `json:"types"`
	}
	err := q.ask(ctx, q.count.Query.Automated, object{"types": object{
		"terms": object{"field": "type", "size": len(feed.PairTypes), "include": feed.PairTypes},
		"aggs": object{"pairs": object{
			"terms": object{"field": "pair", "size": mostPairs, "order": object{"_key": "asc"}},
		}},
	}}, &answer)
	if err != nil || len(answer.Types.Buckets) == 0 {
		return nil, err
	}
	pairs := make(map[event.Type]feed.Pairs, len(feed.PairTypes))
	for _, kind := range answer.Types.Buckets {
		set := feed.Pairs{Cut: kind.Pairs.Others > 0}
		for _, pair := range kind.Pairs.Buckets {
			set.Smallest = append(set.Smallest, pair.Key)
		}
		pairs[kind.Key] = set
	}
	return pairs, nil
}

// users counts by user and type, a run of users after the other until all are
// counted.
func (q counting) users(ctx context.Context) ([]feed.UserCount, error) {
	var counts []feed.UserCount
	for after := object(nil); ; {
		composite := object{"size": mostUsers, "sources": []object{
			{"user": object{"terms": object{"field": "user"}}}, {"type": object{"terms": object{"field": "type"}}},
		}}
		if after != nil {
			composite["after"] = after
		}
		type userType struct {
			User string     `json:"user"`
			Type event.Type `json:"type"`
		}
		var answer struct {
			Users struct {
				buckets[bucket[userType]]
				After *userType `json:"after_key"`
			} `json:"users"`
		}
		if err := q.ask(ctx, q.count.Query.Automated, object{"users": object{"composite": composite}}, &answer); err != nil {
			return nil, err
		}
		for _, count := range answer.Users.Buckets {
			if last := len(counts) - 1; last < 0 || counts[last].User != count.Key.User {
				counts = append(counts, feed.UserCount{User: count.Key.User})
			}
			counts[len(counts)-1].Events.Add(count.Key.Type, count.Events)
		}
		if len(answer.Users.Buckets) < mostUsers || answer.Users.After == nil {
			return counts, nil
		}
		after = object{"user": answer.Users.After.User, "type": answer.Users.After.Type}
	}
}

// Revisions names what searches see of a workspace in weeks: the highest number
// of a write among its events, and how many there are. A write gives an event a
// higher number than all before, and removing one leaves fewer, so that what is
// seen twice by the same name is the same. Weeks without the workspace's events
// are left out.
func (x *Index) Revisions(ctx context.Context, workspace string, weeks []event.Week) (map[event.Week]string, error) {
	infos, err := x.indices(ctx, x.names.every())
	if err != nil {
		return nil, failed("reading revisions", err)
	}
	revisions := make(map[event.Week]string, len(weeks))
	for some := range slices.Chunk(weeks, maxWeeks) {
		var named map[event.Week]string
		err := x.eachWeek(ctx, some, func(weeks []event.Week) (err error) {
			named, err = x.revisions(ctx, workspace, weeks, infos)
			return err
		})
		if _, err := event.SplitDamaged(err); err != nil { // a damaged week has no revision
			return nil, failed("reading revisions", err)
		}
		maps.Copy(revisions, named)
	}
	return revisions, nil
}

func (x *Index) revisions(ctx context.Context, workspace string, weeks []event.Week, infos map[string]indexInfo) (map[event.Week]string, error) {
	var answer struct {
		searchState
		Aggregations struct {
			Indices buckets[struct {
				bucket[string]
				Last struct {
					Value float64 `json:"value"`
				} `json:"last"`
			}] `json:"indices"`
		} `json:"aggregations"`
	}
	err := x.ask(ctx, workspace, x.aliases(weeks), object{
		"size": 0, "track_total_hits": false,
		"query": scoped(workspace, query.AutomatedShow),
		"aggs": object{"indices": object{
			"terms": object{"field": "_index", "size": maxWeeks},
			"aggs":  object{"last": object{"max": object{"field": "_seq_no"}}},
		}},
	}, &answer)
	if err == nil {
		err = answer.whole(len(weeks))
	}
	if _, less := errors.AsType[*fewer](err); err != nil && !less {
		return nil, err
	}
	revisions := make(map[event.Week]string, len(weeks))
	for _, index := range answer.Aggregations.Indices.Buckets {
		info, known := infos[index.Key]
		if week, ours := x.names.week(index.Key); known && ours {
			revisions[week] = fmt.Sprintf("%s-%.0f-%d", info.Settings.Index.UUID, index.Last.Value, index.Events)
		}
	}
	return revisions, err
}
