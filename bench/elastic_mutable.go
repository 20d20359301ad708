package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"tidings/bench/internal/bulk"
	"tidings/bench/internal/mutable"
	"tidings/event"
	"tidings/store/sqlite"
)

// Names of figures that a bound is of.
const (
	figureMutableIngest = "P7, events a second ÷ those of one mutable index"
	figureMutableBytes  = "P7, bytes sealed ÷ those of one mutable index"
	figureMutablePage   = "P7, page ÷ that of one mutable index, p99"
)

// mutable measures P7: weeks that never change with the state of recipients beside
// them, to one index with the state in its sends, which each open updates.
//
// Both are given documents that were analysed before, have the same fields and
// settings, and take one request a batch, one after the other. Weeks have the state
// of a batch written while the batch before is indexed, as the indexer's workers do.
// The mutable index must keep the whole document to update it, and has two fields
// more; what its updates need to know of their sends is known to it for nothing.
func (b *elasticBench) mutable(ctx context.Context) (err error) {
	s, err := b.open(ctx, "weekly", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(), b.clean(ctx)) }()
	p := &paged{s, b.load(b.Weeks)}
	changeable := b.prefix + "-mutable-events"
	works, err := b.works(ctx, p, changeable)
	if err != nil {
		return err
	}
	b.made = append(b.made, b.prefix+"-mutable")
	var ours, theirs []time.Duration
	var weekly, oneIndex int64
	for round := range 1 + b.Rounds {
		runtime.GC()
		took, size, err := b.writeWeekly(ctx, p, works)
		if err != nil {
			return err
		}
		runtime.GC()
		tookMutable, sizeMutable, err := b.writeMutable(ctx, s.prefix, changeable, works)
		if err != nil {
			return err
		}
		if round == 0 {
			continue // it warms up
		}
		fmt.Fprintf(b.Err, "mutable, round %d: weekly %v, mutable %v\n", round, took.Round(time.Millisecond), tookMutable.Round(time.Millisecond))
		ours, theirs = append(ours, took), append(theirs, tookMutable)
		weekly, oneIndex = size, sizeMutable
	}
	if err := b.sealWeeks(ctx, p.site); err != nil {
		return err
	}
	sealed, err := b.raw.size(ctx, s.prefix)
	if err != nil {
		return err
	}
	state, err := directorySize(b.Data, "weekly-state")
	if err != nil {
		return err
	}
	ratios := make([]float64, b.Rounds)
	for i := range ratios {
		ratios[i] = theirs[i].Seconds() / ours[i].Seconds()
	}
	rate := func(took []time.Duration) float64 { return float64(b.Events) / median(took).Seconds() }
	each := func(size int64) float64 { return float64(size) / float64(b.Events) }
	b.Found.Add(figureMutableIngest, "", median(ratios))
	b.Found.Add(figureMutableBytes, "", float64(sealed+state)/float64(oneIndex))
	b.Found.Add("P7, bytes an event, sealed and state included", "", each(sealed+state))
	if _, err := fmt.Fprintf(b.Out, `
| P7, %d events in %d weeks | weeks that never change, state beside | one mutable index | ratio | must be |
| --- | --- | --- | --- | --- |
| events a second, median of %d (spread) | %.0f | %.0f | %.2f (%.2f to %.2f) | at least %.2f |
| bytes an event, sealed and state included | %.0f | %.0f | %.2f | at most %.2f |
| the same before sealing | %.0f | %.0f | %.2f | |
| state alone | %.0f | | | |
`, b.Events, b.Weeks, b.Rounds, rate(ours), rate(theirs), median(ratios), slices.Min(ratios), slices.Max(ratios), leastMutableIngest,
		each(sealed+state), each(oneIndex), float64(sealed+state)/float64(oneIndex), mostMutableBytes,
		each(weekly+state), each(oneIndex), float64(weekly+state)/float64(oneIndex), each(state)); err != nil {
		return err
	}
	if err := b.mutablePages(ctx, p, changeable); err != nil {
		return err
	}
	return b.mutableBytes(ctx, s.prefix, sealed, state, oneIndex)
}

// works writes the events once, which shows their documents, and leaves the state
// that pages are read with.
func (b *elasticBench) works(ctx context.Context, p *paged, changeable string) ([]mutable.Work, error) {
	if err := p.prepare(ctx, p.load); err != nil {
		return nil, err
	}
	var works []mutable.Work
	var failed error
	sends := mutable.NewSends(changeable)
	for batch := range batches(p.load, b.Events, &failed) {
		var documents []bulk.Document
		b.tap.listen(func(a asked) {
			some, err := bulk.Parse(a.body)
			documents, failed = append(documents, some...), errors.Join(failed, err)
		})
		err := errors.Join(writeBoth(ctx, p.App, batch), failed)
		b.tap.listen(nil)
		if err != nil {
			return nil, err
		}
		if len(documents) != len(batch) {
			return nil, fmt.Errorf("%d documents were written for %d events", len(documents), len(batch))
		}
		works = append(works, sends.Work(batch, documents))
	}
	return works, failed
}

// writeWeekly writes all batches into empty weeks and an empty state.
func (b *elasticBench) writeWeekly(ctx context.Context, p *paged, works []mutable.Work) (took time.Duration, size int64, err error) {
	if err := b.raw.removeIndices(ctx, p.prefix); err != nil {
		return 0, 0, err
	}
	if err := p.prepare(ctx, p.load); err != nil {
		return 0, 0, err
	}
	dir := filepath.Join(b.Data, "weekly-state")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return 0, 0, err
	}
	state, err := sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	began := time.Now()
	group, writing := errgroup.WithContext(ctx)
	applied := make(chan []byte)
	group.Go(func() error {
		defer close(applied)
		for _, w := range works {
			if _, err := state.Apply(writing, w.Changes, w.Weeks); err != nil {
				return err
			}
			select {
			case applied <- w.Weekly:
			case <-writing.Done():
				return writing.Err()
			}
		}
		return nil
	})
	group.Go(func() error {
		for body := range applied {
			if err := b.raw.bulk(writing, [][]byte{body}, 1); err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return 0, 0, err
	}
	if took, err = b.searchable(ctx, p.prefix, began); err == nil {
		size, err = b.raw.size(ctx, p.prefix)
	}
	return took, size, err
}

// writeMutable writes all batches into one empty index.
func (b *elasticBench) writeMutable(ctx context.Context, weekly, name string, works []mutable.Work) (took time.Duration, size int64, err error) {
	prefix := b.prefix + "-mutable"
	if err := b.raw.removeIndices(ctx, prefix); err != nil {
		return 0, 0, err
	}
	if err := b.makeMutable(ctx, weekly, name); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	for _, w := range works {
		if err := b.raw.bulk(ctx, [][]byte{w.Mutable}, 1); err != nil {
			return 0, 0, err
		}
	}
	if took, err = b.searchable(ctx, prefix, began); err == nil {
		size, err = b.raw.size(ctx, prefix)
	}
	return took, size, err
}

// makeMutable makes an index like a week, with a whole _source and the fields of
// sends.
func (b *elasticBench) makeMutable(ctx context.Context, weekly, name string) error {
	var like struct {
		Template mutable.Definition `json:"template"`
	}
	week := event.WeekOf(b.load(b.Weeks).Until.Unix())
	path := "/_index_template/_simulate_index/" + weekly + "-events-v2-" + week.String()
	if err := b.raw.ask(ctx, http.MethodPost, path, nil, &like); err != nil {
		return err
	}
	body, err := mutable.IndexOf(like.Template)
	if err != nil {
		return err
	}
	return b.raw.ask(ctx, http.MethodPut, "/"+name, body, nil)
}

// sealWeeks leaves all weeks as the nights would have: sealed when the cluster has long
// forgotten the writes as such.
func (b *elasticBench) sealWeeks(ctx context.Context, s *site) error {
	fmt.Fprintln(b.Err, "waiting until Elasticsearch keeps no writes for copies that come back, at most two minutes")
	if err := b.raw.awaitForgotten(ctx, s.prefix); err != nil {
		return err
	}
	if _, err := sealAll(ctx, s.App); err != nil {
		return err
	}
	_, err := b.raw.refresh(ctx, s.prefix)
	return err
}

// mutablePages times a page of either design: a search and reading its events, and
// for weeks the state of the sends that it found.
func (b *elasticBench) mutablePages(ctx context.Context, p *paged, changeable string) error {
	var asks []pageAsked
	var searches []asked
	for _, a := range b.asks(p.load, b.Workspaces) {
		b.tap.listen(func(a asked) { searches = append(searches, a) })
		before := len(searches)
		_, _, err := p.answer(ctx, a)
		b.tap.listen(nil)
		if err != nil {
			return err
		}
		// One search each: how weeks are walked is what P6 shows.
		if searches = searches[:min(before+1, len(searches))]; len(searches) > before {
			asks = append(asks, a)
		}
	}
	bodies := make([][]byte, len(asks))
	for i, search := range searches {
		var body map[string]json.RawMessage
		if err := json.Unmarshal(search.body, &body); err != nil {
			return err
		}
		body["_source"] = json.RawMessage(`["event","unopened"]`)
		var err error
		if bodies[i], err = json.Marshal(body); err != nil {
			return err
		}
	}
	page := func(i int) (time.Duration, error) {
		began := time.Now()
		path := strings.TrimPrefix(searches[i].url.RequestURI(), "/")
		events, err := b.raw.search(ctx, path, searches[i].body)
		if err == nil {
			_, err = p.State.Of(ctx, asks[i].workspace, sendsOf(events))
		}
		return time.Since(began), err
	}
	search := func(i int) (time.Duration, error) {
		began := time.Now()
		_, err := b.raw.search(ctx, changeable+"/_search?"+searches[i].url.RawQuery, bodies[i])
		return time.Since(began), err
	}
	found, err := b.turns(len(asks), page, search)
	if err != nil {
		return err
	}
	return b.print(figureMutablePage, "P7, page", "weeks that never change: search and state", "one mutable index: search", found, mostMutablePage)
}

// sendsOf are the messages of the sends among events.
func sendsOf(events []event.Event) []string {
	var messages []string
	for _, e := range events {
		if e.Type == event.Send {
			messages = append(messages, e.Message)
		}
	}
	return messages
}

// search asks and reads the events of the answer.
func (e rawElastic) search(ctx context.Context, path string, body []byte) ([]event.Event, error) {
	var answer struct {
		Hits struct {
			Hits []struct {
				Source struct {
					Event    string   `json:"event"`
					Unopened []string `json:"unopened"`
				} `json:"_source"`
			} `json:"hits"`
		} `json:"hits"`
	}
	if err := e.ask(ctx, http.MethodPost, "/"+path, body, &answer); err != nil {
		return nil, err
	}
	events := make([]event.Event, len(answer.Hits.Hits))
	for i, hit := range answer.Hits.Hits {
		if err := jsonv2.Unmarshal([]byte(hit.Source.Event), &events[i]); err != nil {
			return nil, err
		}
	}
	return events, nil
}
