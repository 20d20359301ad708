package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"tidings/bench/internal/bulk"
	"tidings/event"
)

// figureOverBulk is the name of the figure that a bound is of.
const figureOverBulk = "P2, ÷ raw bulk requests"

// ingest measures P2: events posted, durable, judged, in the state and searchable,
// to the same documents written by nobody but bulk requests.
func (b *elasticBench) ingest(ctx context.Context) (err error) {
	plain := &Ingest{
		Data: b.Data, Seed: b.Seed, Weeks: b.Weeks, Events: b.Events,
		Senders: 4, Batch: 500, Every: 20_000,
	}
	posts, err := plain.keepPosts(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, posts.Close()) }()
	// The first round warms both up, and shows what is written.
	bodies, _, err := b.ingestKept(ctx, plain, posts)
	if err != nil {
		return err
	}
	if _, err := b.ingestRaw(ctx, load(plain.Seed, plain.Weeks), bodies); err != nil {
		return err
	}
	var ours, raw []time.Duration
	for round := range b.Rounds {
		measures := []func() error{
			func() error { took, err := b.ingestOurs(ctx, plain, posts); ours = append(ours, took); return err },
			func() error {
				took, err := b.ingestRaw(ctx, load(plain.Seed, plain.Weeks), bodies)
				raw = append(raw, took)
				return err
			},
		}
		if round%2 == 1 {
			slices.Reverse(measures)
		}
		for _, measure := range measures {
			runtime.GC()
			if err := measure(); err != nil {
				return err
			}
		}
		fmt.Fprintf(b.Err, "ingest, round %d: %v, raw %v\n", round+1, ours[round].Round(time.Millisecond), raw[round].Round(time.Millisecond))
	}
	ratios := make([]float64, b.Rounds)
	for i := range ratios {
		ratios[i] = raw[i].Seconds() / ours[i].Seconds()
	}
	rate := func(took []time.Duration) float64 { return float64(b.Events) / median(took).Seconds() }
	b.Found.Add("P2, posted, durable, in the state and searchable", "events/s", rate(ours))
	b.Found.Add("P2, raw bulk requests", "events/s", rate(raw))
	b.Found.Add(figureOverBulk, "", median(ratios))
	_, err = fmt.Fprintf(b.Out, `
| P2, %d events in %d weeks, %.0f bytes of JSON each | median of %d | spread | must be at least |
| --- | --- | --- | --- |
| posted, durable, in the state and searchable | %.0f/s | | |
| raw bulk requests of %d by %d writers, refreshed | %.0f/s | | |
| ratio | %.2f | %.2f to %.2f | %.2f |
`, b.Events, b.Weeks, float64(posts.size)/float64(b.Events), b.Rounds, rate(ours), b.Bulk, b.Writers, rate(raw),
		median(ratios), slices.Min(ratios), slices.Max(ratios), leastIngest)
	return err
}

// ingestKept is ingestOurs that keeps the documents, as raw bulk requests.
func (b *elasticBench) ingestKept(ctx context.Context, c *Ingest, posts *keptPosts) (bodies [][]byte, took time.Duration, err error) {
	var mu sync.Mutex
	var bulks [][]byte
	b.tap.listen(func(a asked) {
		if a.url.Path == "/_bulk" {
			mu.Lock()
			defer mu.Unlock()
			bulks = append(bulks, a.body)
		}
	})
	took, err = b.ingestOurs(ctx, c, posts)
	b.tap.listen(nil)
	if err != nil {
		return nil, took, err
	}
	var body []byte
	held := make(map[event.ID]bool, b.Events)
	for _, text := range bulks {
		documents, err := bulk.Parse(text)
		if err != nil {
			return nil, took, err
		}
		for _, d := range documents {
			if held[d.Target.ID] {
				continue // It was given out twice, or there was no room for it at first.
			}
			held[d.Target.ID] = true
			if body = bulk.Append(body, "create", d.Target, d.Doc); len(held)%b.Bulk == 0 {
				bodies, body = append(bodies, body), nil
			}
		}
	}
	if len(held) != b.Events {
		return nil, took, fmt.Errorf("%d documents were written for %d events", len(held), b.Events)
	}
	if body != nil {
		bodies = append(bodies, body)
	}
	return bodies, took, nil
}

// ingestOurs posts all events and waits until all can be found.
func (b *elasticBench) ingestOurs(ctx context.Context, c *Ingest, posts *keptPosts) (time.Duration, error) {
	return b.intoPrepared(ctx, load(c.Seed, c.Weeks), true, func(s *site) error {
		if _, err := c.postAll(ctx, s.dial, posts); err != nil {
			return err
		}
		return s.awaitAcked(ctx, b.Events)
	})
}

// ingestRaw writes the documents with bulk requests.
func (b *elasticBench) ingestRaw(ctx context.Context, load Load, bodies [][]byte) (time.Duration, error) {
	return b.intoPrepared(ctx, load, false, func(*site) error { return b.raw.bulk(ctx, bodies, b.Writers) })
}

// intoPrepared times how long write takes to bring all events into weeks that are
// there and empty, until all can be found. running says whether Tidings indexes.
func (b *elasticBench) intoPrepared(ctx context.Context, load Load, running bool, write func(*site) error) (took time.Duration, err error) {
	s, err := b.open(ctx, "ingest", running)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close(), b.clean(ctx)) }()
	if err := s.prepare(ctx, load); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := write(s); err != nil {
		return 0, err
	}
	return b.searchable(ctx, s.prefix, began)
}

// searchable ends the time of events: all of them are found. An event that was
// given out twice was acknowledged twice, so that some may be missing at first.
func (b *elasticBench) searchable(ctx context.Context, prefix string, began time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		found, err := b.raw.refresh(ctx, prefix)
		if err != nil || found >= b.Events {
			return time.Since(began), err
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%d of %d events are found", found, b.Events)
		case <-tick.C:
		}
	}
}

// awaitAcked waits until as many events are done with.
func (s *site) awaitAcked(ctx context.Context, events int) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.Stream.Stats().Acked < uint64(events) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// median is the middle one, or the upper of two.
func median[T time.Duration | float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
