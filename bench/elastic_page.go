package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"time"

	"tidings/event"
)

// Names of figures that a bound is of.
const (
	figureOverSearch = "P3, page of 50 ÷ its searches alone, p99"
	figureDeep       = "P5, page 100 ÷ page 1, p99"
	figureGrowth     = "P6, ten times the weeks ÷ the weeks, p99"
)

// deepPage is the page that P5 compares with the first.
const deepPage = 100

// elasticKinds are the questions that are asked in turns: those of P4 that every
// reader asks, and words.
var elasticKinds = []string{"workspace", "user", "type", "one word", "two words"}

// paged are the events of one span of weeks, and who is asked for pages of them.
type paged struct {
	*site
	load Load
}

// pages measures P3 and P5 on the longer span, and P6 on both.
func (b *elasticBench) pages(ctx context.Context, page, weeks bool) (err error) {
	long, err := b.filled(ctx, "long", 10*b.Weeks, b.Events)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, long.close(), b.clean(ctx)) }()
	if page {
		if err := b.overSearch(ctx, long); err != nil {
			return err
		}
		if err := b.deep(ctx, long); err != nil {
			return err
		}
	}
	if !weeks {
		return nil
	}
	short, err := b.filled(ctx, "short", b.Weeks, b.Events/10)
	if err != nil {
		return err
	}
	return errors.Join(b.growth(ctx, short, long), short.close())
}

// filled writes events straight into the stores, and seals all weeks but the newest,
// as nights would have.
func (b *elasticBench) filled(ctx context.Context, name string, weeks, events int) (*paged, error) {
	s, err := b.open(ctx, name, false)
	if err != nil {
		return nil, err
	}
	p := &paged{s, b.load(weeks)}
	began := time.Now()
	err = s.prepare(ctx, p.load)
	for batch := range batches(p.load, events, &err) {
		if err = writeBoth(ctx, s.App, batch); err != nil {
			break
		}
	}
	newest := event.WeekOf(p.load.Until.Unix() - 1)
	for week := newest - event.Week(weeks); err == nil && week < newest; week++ {
		err = s.Index.Seal(ctx, week)
	}
	found := 0
	if err == nil {
		found, err = b.raw.refresh(ctx, s.prefix)
	}
	if err == nil && found != events {
		err = fmt.Errorf("%d of %d events are found", found, events)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	fmt.Fprintf(b.Err, "%d events in %d weeks written and sealed after %v\n", events, weeks, time.Since(began).Round(time.Second))
	return p, nil
}

// batches are the events of a load, some at a time. It ends early at an error.
func batches(load Load, events int, failed *error) func(func([]event.Event) bool) {
	const size = 1000
	return func(yield func([]event.Event) bool) {
		batch := make([]event.Event, 0, size)
		for e, err := range load.Events(events) {
			if *failed == nil {
				*failed = err
			}
			if *failed != nil {
				return
			}
			e.Verdict.Is = event.Human
			if batch = append(batch, e); len(batch) == size {
				if !yield(batch) {
					return
				}
				batch = batch[:0]
			}
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

// pageAsked is one question to a workspace.
type pageAsked struct {
	workspace string
	values    url.Values
	// searches are what Elasticsearch is asked for it.
	searches []asked
}

// asks are questions of all kinds in turns, of busy and quiet workspaces.
func (b *elasticBench) asks(load Load, workspaces int) []pageAsked {
	random := rand.New(rand.NewPCG(b.Seed, 7))
	asks := make([]pageAsked, b.Queries)
	for i := range asks {
		at := slices.IndexFunc(pageKinds, func(k pageKind) bool { return k.name == elasticKinds[i%len(elasticKinds)] })
		asks[i] = pageAsked{
			workspace: load.Workspace(int(random.ExpFloat64()*3) % workspaces),
			values:    pageKinds[at].ask(random, load),
		}
	}
	return asks
}

// answer asks through the API and says how long it took.
func (p *paged) answer(ctx context.Context, a pageAsked) (took time.Duration, next string, err error) {
	var page struct {
		Next string `json:"next"`
	}
	began := time.Now()
	err = p.client(a.workspace).Call(ctx, http.MethodGet, "/v1/feed?"+a.values.Encode(), nil, &page)
	return time.Since(began), page.Next, err
}

// overSearch measures P3: a page to the searches that it takes, asked of
// Elasticsearch and read without looking at what they say.
func (b *elasticBench) overSearch(ctx context.Context, p *paged) error {
	asks := b.asks(p.load, b.Workspaces)
	searches := 0
	for i := range asks {
		b.tap.listen(func(a asked) { asks[i].searches = append(asks[i].searches, a) })
		_, _, err := p.answer(ctx, asks[i])
		b.tap.listen(nil)
		if err != nil {
			return err
		}
		searches += len(asks[i].searches)
	}
	fmt.Fprintf(b.Err, "%.2f searches a page\n", float64(searches)/float64(len(asks)))
	page := func(i int) (time.Duration, error) {
		took, _, err := p.answer(ctx, asks[i])
		return took, err
	}
	bare := func(i int) (time.Duration, error) {
		began := time.Now()
		for _, search := range asks[i].searches {
			if _, err := b.raw.repeat(ctx, search); err != nil {
				return 0, err
			}
		}
		return time.Since(began), nil
	}
	found, err := b.turns(len(asks), page, bare)
	if err != nil {
		return err
	}
	return b.print(figureOverSearch, "P3, page of 50 ÷ its searches alone", "page", "searches alone", found, mostOverSearch)
}

// deep measures P5 in the workspaces that have so many pages.
func (b *elasticBench) deep(ctx context.Context, p *paged) error {
	var first, last []pageAsked
	for rank := range b.Workspaces {
		a := pageAsked{workspace: p.load.Workspace(rank), values: url.Values{}}
		next := ""
		for page := 1; page < deepPage; page++ {
			var err error
			if _, next, err = p.answer(ctx, a); err != nil {
				return err
			}
			if next == "" {
				break
			}
			a.values = url.Values{"cursor": {next}}
		}
		if next == "" {
			break // and the ones after it have fewer
		}
		first, last = append(first, pageAsked{workspace: a.workspace, values: url.Values{}}), append(last, a)
	}
	if len(first) == 0 {
		fmt.Fprintf(b.Err, "P5 needs a workspace with %d pages: give more --events\n", deepPage)
		return nil
	}
	found, err := b.turns(b.Queries,
		func(i int) (time.Duration, error) {
			took, _, err := p.answer(ctx, last[i%len(last)])
			return took, err
		},
		func(i int) (time.Duration, error) {
			took, _, err := p.answer(ctx, first[i%len(first)])
			return took, err
		})
	if err != nil {
		return err
	}
	return b.print(figureDeep, fmt.Sprintf("P5, page %d ÷ page 1", deepPage), fmt.Sprintf("page %d", deepPage), "page 1", found, mostDeep)
}

// growth measures P6, by questions whose page is full within the shorter span: what
// is rarer is looked for in all weeks, and takes longer where there are more.
func (b *elasticBench) growth(ctx context.Context, short, long *paged) error {
	var asks []pageAsked
	for _, a := range b.asks(long.load, b.Workspaces) {
		_, next, err := short.answer(ctx, a)
		if err != nil {
			return err
		}
		if next != "" {
			asks = append(asks, a)
		}
	}
	if len(asks) == 0 {
		fmt.Fprintf(b.Err, "P6 needs questions with more than a page in %d weeks: give more --events\n", b.Weeks)
		return nil
	}
	of := func(p *paged) func(int) (time.Duration, error) {
		return func(i int) (time.Duration, error) {
			took, _, err := p.answer(ctx, asks[i])
			return took, err
		}
	}
	found, err := b.turns(len(asks), of(long), of(short))
	if err != nil {
		return err
	}
	return b.print(figureGrowth, fmt.Sprintf("P6, page in %d weeks ÷ in %d, same density", 10*b.Weeks, b.Weeks),
		fmt.Sprintf("%d weeks", 10*b.Weeks), fmt.Sprintf("%d weeks", b.Weeks), found, mostGrowth)
}

// compared are two things that were timed in turns.
type compared struct {
	a, b   *Timing
	ratios []float64 // of p99, a round each
}

// turns times a and b of each number by turns, b first half of the time, in rounds
// of which the first is thrown away.
func (b *elasticBench) turns(n int, one, other func(int) (time.Duration, error)) (compared, error) {
	all := compared{a: NewTiming(), b: NewTiming()}
	for round := range 1 + b.Rounds {
		ours, theirs := NewTiming(), NewTiming()
		for i := range n {
			turns := []func() error{
				func() error { return record(ours, one, i) },
				func() error { return record(theirs, other, i) },
			}
			if (i/len(elasticKinds)+round)%2 == 1 {
				slices.Reverse(turns)
			}
			for _, turn := range turns {
				if err := turn(); err != nil {
					return all, err
				}
			}
		}
		if round == 0 {
			continue
		}
		all.a.Merge(ours)
		all.b.Merge(theirs)
		all.ratios = append(all.ratios, float64(ours.Percentile(99))/float64(theirs.Percentile(99)))
	}
	return all, nil
}

func record(timing *Timing, do func(int) (time.Duration, error), i int) error {
	took, err := do(i)
	if err == nil {
		timing.Record(took)
	}
	return err
}

// print writes a table of what was compared, and adds the ratio as a figure.
func (b *elasticBench) print(figure, title, one, other string, c compared, most float64) error {
	row := func(name string, t *Timing) string {
		round := func(p float64) time.Duration { return t.Percentile(p).Round(10 * time.Microsecond) }
		return fmt.Sprintf("| %s | %v | %v | %v | |", name, round(50), round(99), t.Max().Round(10*time.Microsecond))
	}
	p50 := float64(c.a.Percentile(50)) / float64(c.b.Percentile(50))
	all := float64(c.a.Percentile(99)) / float64(c.b.Percentile(99))
	b.Found.Add(figure, "", median(c.ratios))
	_, err := fmt.Fprintf(b.Out, `
| %s | p50 | p99 | most | must be at most |
| --- | --- | --- | --- | --- |
%s
%s
| ratio, of %d of each | %.2f | %.2f | | %.2f |
| ratio, median of %d rounds (spread) | | %.2f (%.2f to %.2f) | | %.2f |
`, title, row(one, c.a), row(other, c.b), c.a.Count(), p50, all, most,
		b.Rounds, median(c.ratios), slices.Min(c.ratios), slices.Max(c.ratios), most)
	return err
}
