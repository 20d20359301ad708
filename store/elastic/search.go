package elastic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// maxWeeks is how many weeks one request asks: their names are in its first line,
// which Elasticsearch bounds to 4 KB.
const maxWeeks = 64

// Search returns the events of a search in its order: of the first weeks first, and
// of the others for what is lacking.
func (x *Index) Search(ctx context.Context, s feed.Search) ([]feed.Hit, error) {
	where, err := compile(s.Query.Where)
	if err != nil {
		return nil, failed("searching", err)
	}
	var hits []feed.Hit
	var damaged event.DamagedWeeks
	for weeks := range slices.Chunk(s.Weeks, maxWeeks) {
		of := searchPage{workspace: s.Workspace, query: s.Query, where: where, before: s.Before, oldest: s.Oldest}
		var found []feed.Hit
		err := x.eachWeek(ctx, weeks, func(weeks []event.Week) (err error) {
			of.weeks = weeks
			found, err = x.pages(ctx, of, s.Limit-len(hits))
			return err
		})
		more, err := event.SplitDamaged(err)
		if err != nil {
			return nil, failed("searching", err)
		}
		hits, damaged = append(hits, found...), append(damaged, more...)
	}
	return hits, damaged.Err()
}

// pages are the first of what a page has more than one request can bring.
func (x *Index) pages(ctx context.Context, p searchPage, most int) (hits []feed.Hit, err error) {
	for len(hits) < most {
		p.limit = min(most-len(hits), maxPage)
		found, err := x.page(ctx, p)
		hits = append(hits, found...)
		if err != nil || len(found) < p.limit {
			return hits, err
		}
		p.before = found[len(found)-1].Key
	}
	return hits, nil
}

// searchPage is one request of a search.
type searchPage struct {
	workspace string
	query     query.Query
	where     object
	weeks     []event.Week
	before    feed.Key
	oldest    bool
	limit     int
}

func (x *Index) page(ctx context.Context, p searchPage) ([]feed.Hit, error) {
	from, until, some := p.times()
	if !some {
		return nil, nil
	}
	order := "desc"
	if p.oldest {
		order = "asc"
	}
	search := object{
		"size":             p.limit,
		"track_total_hits": false,
		"query":            scoped(p.workspace, p.query.Automated, between(from, until), p.where),
		"sort": []object{
			{"@timestamp": object{"order": order, "format": "epoch_second"}},
			{"tie": object{"order": order}},
		},
	}
	if !p.before.IsZero() {
		// As text: a number would be taken for milliseconds.
		search["search_after"] = []any{strconv.FormatInt(min(p.before.Seconds, lastSecond), 10), tieOf(p.before.Tie)}
	}
	found, err := x.search(ctx, p.workspace, x.aliases(p.weeks), search)
	if _, less := errors.AsType[*fewer](err); err != nil && !less {
		return nil, err
	}
	hits := make([]feed.Hit, len(found))
	for i, hit := range found {
		id := hit.Source.Event.ID
		hits[i] = feed.Hit{Event: hit.Source.Event, Key: feed.Key{Seconds: id.Seconds(), Tie: id.Tie()}}
	}
	return hits, err
}

// lastSecond is after every time that an id can have.
const lastSecond = 1 << 32

// times are the bounds [from, until) of a page, and whether they hold any time.
// The range is what makes a far page cost the same as the first: the index is
// sorted by it.
func (p searchPage) times() (from, until int64, some bool) {
	from, until = max(p.query.From, 0), lastSecond
	if p.query.Until != 0 {
		until = min(p.query.Until, until)
	}
	if !p.before.IsZero() && p.oldest {
		from = max(from, p.before.Seconds)
	} else if !p.before.IsZero() {
		until = min(p.before.Seconds, lastSecond-1, until-1) + 1
	}
	return from, until, from < until
}

// between is the condition on the time [from, until), nil for all of time.
func between(from, until int64) object {
	bounds := object{}
	if from > 0 {
		bounds["gte"] = strconv.FormatInt(from, 10)
	}
	if until < lastSecond {
		bounds["lt"] = strconv.FormatInt(until, 10)
	}
	if len(bounds) == 0 {
		return nil
	}
	bounds["format"] = "epoch_second"
	return object{"range": object{"@timestamp": bounds}}
}

// scoped is a condition on the events of a workspace, and what a choice about
// automated events lets through. Conditions that are nil are left out.
func scoped(workspace string, choice query.Automated, conditions ...object) object {
	all := []object{{"term": object{"w": workspace}}}
	if choice != query.AutomatedShow {
		all = append(all, object{"term": object{"automated": choice == query.AutomatedOnly}})
	}
	for _, condition := range conditions {
		if condition != nil {
			all = append(all, condition)
		}
	}
	return object{"bool": object{"filter": all}}
}

func (x *Index) aliases(weeks []event.Week) []string {
	aliases := make([]string, len(weeks))
	for i, week := range weeks {
		aliases[i] = x.names.alias(week)
	}
	return aliases
}

// search asks indices for events of a workspace. An answer that is not of all of
// them in full is an error.
func (x *Index) search(ctx context.Context, workspace string, indices []string, search object) ([]found, error) {
	var answer struct {
		searchState
		Hits struct {
			Hits []found `json:"hits"`
		} `json:"hits"`
	}
	if err := x.ask(ctx, workspace, indices, search, &answer); err != nil {
		return nil, err
	}
	return answer.Hits.Hits, answer.whole(len(indices))
}

// searchState says whether an answer is whole.
type searchState struct {
	TimedOut bool `json:"timed_out"`
	Shards   struct {
		Total  int `json:"total"`
		Failed int `json:"failed"`
	} `json:"_shards"`
}

// whole is nil for an answer of all of so many weeks, each of which answers with one
// shard, since a workspace is in one. Of fewer it is a fewer.
func (s searchState) whole(weeks int) error {
	if s.TimedOut || s.Shards.Failed > 0 {
		return fmt.Errorf("%w: %d shards failed, timed out: %t", event.ErrUnavailable, s.Shards.Failed, s.TimedOut)
	}
	if s.Shards.Total < weeks {
		return &fewer{asked: weeks, answered: s.Shards.Total}
	}
	return nil
}

// ask sends a search. The copies of a shard may differ by a refresh, so each
// workspace is read from the same one.
func (x *Index) ask(ctx context.Context, workspace string, indices []string, search object, into any) error {
	yes, no := true, false
	search["timeout"] = milliseconds(searchTimeout)
	return x.read(ctx, searchTimeout+searchTimeout/2, esapi.SearchRequest{
		Index: indices, Routing: []string{workspace}, Preference: "w:" + workspace,
		IgnoreUnavailable: &yes, AllowNoIndices: &yes, AllowPartialSearchResults: &no,
		Body: body(search),
	}, into)
}

// Refresh lets searches see all that was written before.
func (x *Index) Refresh(ctx context.Context) error {
	return x.refresh(ctx, x.names.every()+x.known().left(x.names)) // a red index would be waited for
}

func (x *Index) refresh(ctx context.Context, pattern string) error {
	return failed("refreshing", x.write(ctx, adminTimeout, esapi.IndicesRefreshRequest{Index: []string{pattern}}, nil))
}
