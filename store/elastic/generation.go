package elastic

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"tidings/backoff"
	"tidings/event"
	"tidings/migrations"
)

// generation is an index that is built beside the one that is read. That the week
// is blocked for its sake is said by an alias of the old index, so that whoever
// opens sealed weeks to erase somebody leaves it alone. All of it is in the
// cluster: what a crash leaves is cleared up by the next generation, and by
// opening or sealing the week.
type generation struct {
	index  *Index
	week   event.Week
	from   string
	to     string
	sealed bool
	// copied is, by shard, the number below which all writes were copied, those
	// included.
	copied []int64
	ended  bool
}

// copyBatch is how many events are copied at a time.
const copyBatch = 1000

// NextGeneration makes an empty index for a week beside the one it has.
func (x *Index) NextGeneration(ctx context.Context, week event.Week) (migrations.Generation, error) {
	g, err := x.nextGeneration(ctx, week)
	if err != nil {
		return nil, failed("building week "+week.String()+" anew", err)
	}
	return g, nil
}

func (x *Index) nextGeneration(ctx context.Context, week event.Week) (_ *generation, err error) {
	if err := x.Usable(ctx, week); err != nil {
		return nil, err
	}
	x.mu.Lock()
	if x.building[week] {
		x.mu.Unlock()
		return nil, fmt.Errorf("%w: it is being built already", event.ErrConflict)
	}
	x.building[week] = true
	x.mu.Unlock()
	g := &generation{index: x, week: week}
	defer func() {
		if err != nil {
			g.end()
		}
	}()
	name, info, err := x.current(ctx, week)
	switch {
	case err != nil:
		return nil, err
	case name == "":
		return nil, fmt.Errorf("%w: there is no such week", event.ErrNotFound)
	}
	if err := x.dropOthers(ctx, week, name); err != nil {
		return nil, err
	}
	if info.moving(x.names, week) { // its process ended while it was blocked
		if err := x.open(ctx, week, name); err != nil {
			return nil, err
		}
		info.Settings.Index.Blocks.Write = ""
	}
	shards, err := strconv.Atoi(info.Settings.Index.Shards)
	if err != nil {
		return nil, fmt.Errorf("the index %s has %q shards", name, info.Settings.Index.Shards)
	}
	g.from, g.to, g.sealed = name, x.names.next(week, name), info.blocked()
	for range shards {
		g.copied = append(g.copied, -1)
	}
	if err := x.prepareTemplate(ctx); err != nil {
		return nil, err
	}
	return g, x.make(ctx, g.to)
}

// dropOthers deletes the indices of a week that are not read.
func (x *Index) dropOthers(ctx context.Context, week event.Week, current string) error {
	infos, err := x.indices(ctx, x.names.of(week))
	if err != nil {
		return err
	}
	for name := range infos {
		if name != current {
			if err := x.drop(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// end lets the week be built again.
func (g *generation) end() {
	g.index.mu.Lock()
	defer g.index.mu.Unlock()
	delete(g.index.building, g.week)
}

func (g *generation) failed(doing string, err error) error {
	return failed(doing+" week "+g.week.String(), err)
}

// Copy brings over what was written since the last. Writes have numbers in the
// order in which a shard took them; one is told by Elasticsearch below which all
// are done.
func (g *generation) Copy(ctx context.Context, judge migrations.Judge) (int, error) {
	total := 0
	done, err := g.done(ctx)
	if err == nil {
		err = g.index.Refresh(ctx)
	}
	for shard := range g.copied {
		if err != nil {
			break
		}
		var n int
		n, err = g.copyShard(ctx, shard, judge)
		total += n
		if err == nil {
			g.copied[shard] = done[shard]
		}
	}
	return total, g.failed("copying", err)
}

// done is, by shard, the number up to which all writes are done on every copy.
func (g *generation) done(ctx context.Context) ([]int64, error) {
	var answer struct {
		Indices map[string]struct {
			Shards map[string][]struct {
				SeqNo struct {
					Checkpoint int64 `json:"global_checkpoint"`
				} `json:"seq_no"`
			} `json:"shards"`
		} `json:"indices"`
	}
	err := g.index.read(ctx, adminTimeout, esapi.IndicesStatsRequest{
		Index: []string{g.from}, Metric: []string{"docs"}, Level: "shards",
		FilterPath: []string{"indices.*.shards.*.seq_no.global_checkpoint"},
	}, &answer)
	if err != nil {
		return nil, err
	}
	done := slices.Repeat([]int64{math.MaxInt64}, len(g.copied))
	for number, copies := range answer.Indices[g.from].Shards {
		shard, err := strconv.Atoi(number)
		if err != nil || shard >= len(done) {
			return nil, fmt.Errorf("the index %s has a shard %q", g.from, number)
		}
		for _, each := range copies {
			done[shard] = min(done[shard], each.SeqNo.Checkpoint)
		}
	}
	return done, nil
}

func (g *generation) copyShard(ctx context.Context, shard int, judge migrations.Judge) (int, error) {
	total := 0
	for after := g.copied[shard]; ; {
		hits, err := g.read(ctx, shard, after)
		if err != nil || len(hits) == 0 {
			return total, err
		}
		events := make([]event.Event, len(hits))
		for i, hit := range hits {
			events[i] = hit.Source.Event
		}
		if events, err = judge(ctx, events); err != nil {
			return total, err
		}
		if err := g.write(ctx, events); err != nil {
			return total, err
		}
		total += len(hits)
		after = *hits[len(hits)-1].SeqNo
	}
}

// read returns documents of a shard that were written after a number.
func (g *generation) read(ctx context.Context, shard int, after int64) ([]found, error) {
	no := false
	var answer struct {
		searchState
		Hits struct {
			Hits []found `json:"hits"`
		} `json:"hits"`
	}
	err := g.index.read(ctx, writeTimeout, esapi.SearchRequest{
		Index: []string{g.from}, Preference: "_shards:" + strconv.Itoa(shard), AllowPartialSearchResults: &no,
		Body: body(object{
			"size": copyBatch, "track_total_hits": false, "seq_no_primary_term": true,
			"query": object{"range": object{"_seq_no": object{"gt": after}}},
			"sort":  []object{{"_seq_no": "asc"}},
		}),
	}, &answer)
	if err != nil {
		return nil, err
	}
	return answer.Hits.Hits, answer.whole(1)
}

// write puts events into the new index, over what it has of them. What is too
// much for the cluster is tried again, for a while.
func (g *generation) write(ctx context.Context, events []event.Event) error {
	actions := make([]action, len(events))
	for i, e := range events {
		doc, err := encode(e)
		if err != nil {
			return err
		}
		actions[i] = action{op: opIndex, doc: doc, target: target{Index: g.to, ID: e.ID, Routing: e.Workspace}}
	}
	for try := 1; ; try++ {
		results, err := g.index.bulk(ctx, actions, false)
		if err != nil {
			return err
		}
		var again []action
		for i, result := range results {
			if err = result.err(); err == nil {
				continue
			}
			if result.Status != http.StatusTooManyRequests || try == maxTries {
				return err
			}
			again = append(again, actions[i])
		}
		if len(again) == 0 {
			return nil
		}
		actions = again
		timer := time.NewTimer(tooBusy.After(try))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// tooBusy is how long a cluster that has too much to do is left alone.
var tooBusy = backoff.Delays{Base: 250 * time.Millisecond, Max: time.Minute}

// Block makes writes to the week wait.
func (g *generation) Block(ctx context.Context) error {
	err := g.index.putAlias(ctx, g.from, g.index.names.moving(g.week))
	if err == nil {
		err = g.index.block(ctx, g.from)
	}
	return g.failed("blocking", err)
}

// Swap brings over what is left and puts the new index in the place of the old.
func (g *generation) Swap(ctx context.Context, judge migrations.Judge) error {
	return g.failed("swapping", g.swap(ctx, judge))
}

func (g *generation) swap(ctx context.Context, judge migrations.Judge) error {
	x := g.index
	if _, err := g.Copy(ctx, judge); err != nil {
		return err
	}
	if err := g.same(ctx); err != nil {
		return err
	}
	if g.sealed {
		if err := errors.Join(x.merge(ctx, g.to), x.block(ctx, g.to)); err != nil {
			return err
		}
	}
	alias := x.names.alias(g.week)
	err := x.write(ctx, adminTimeout, esapi.IndicesUpdateAliasesRequest{Body: body(object{"actions": []object{
		{"add": object{"index": g.to, "alias": alias}}, {"remove": object{"index": g.from, "alias": alias}},
	}})}, nil)
	if err != nil {
		return err
	}
	g.ended = true
	g.end()
	return x.drop(ctx, g.from)
}

// Discard forgets the new index and opens the week, if it was open.
func (g *generation) Discard(ctx context.Context) error {
	if g.ended {
		return nil
	}
	g.ended = true
	defer g.end()
	x := g.index
	err := x.drop(ctx, g.to)
	name, info, currentErr := x.current(ctx, g.week)
	switch {
	case currentErr != nil || name != g.from || !info.moving(x.names, g.week):
		err = errors.Join(err, currentErr)
	case g.sealed:
		err = errors.Join(err, x.removeAlias(ctx, name, x.names.moving(g.week)))
	default:
		err = errors.Join(err, x.open(ctx, g.week, name))
	}
	return g.failed("forgetting the new index of", err)
}
