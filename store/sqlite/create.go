package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"tidings/event"
	"tidings/query"
)

// chunkSize is how many events are prepared at a time while others are written.
const chunkSize = 32

// Create writes the events that are not there yet, in one transaction a week,
// and returns one outcome an event in their order. A week that fails fails the
// whole call; weeks before it are written, and creating them again does nothing.
// The events of a sealed week wait: their outcome is event.ErrUnavailable.
func (x *Index) Create(ctx context.Context, events []event.Event) ([]event.Outcome, error) {
	outcomes := make([]event.Outcome, len(events))
	weeks := make(map[event.Week][]int)
	for i, e := range events {
		if outcomes[i].Err = refusal(e); outcomes[i].Err == nil {
			weeks[e.Week()] = append(weeks[e.Week()], i)
		}
	}
	for _, week := range slices.Sorted(maps.Keys(weeks)) {
		numbers := weeks[week]
		slices.SortStableFunc(numbers, func(a, b int) int {
			return cmp.Compare(placeOf(events[a].ID), placeOf(events[b].ID))
		})
		if err := x.createWeek(ctx, week, events, numbers, outcomes); err != nil {
			return nil, failed("creating events", err)
		}
	}
	return outcomes, nil
}

// refusal is why an event can never be in the index.
func refusal(e event.Event) error {
	problem := ""
	switch {
	case e.Workspace == "":
		problem = "has no workspace"
	case e.ID.IsZero() || e.ID.Seconds() != e.Time:
		problem = "has an id of another time"
	case !e.Type.Valid():
		problem = "has no known type"
	case e.Type == event.Send && len(e.Recipients) == 0:
		problem = "is a send to nobody"
	case e.Type != event.Send && e.Recipient == nil:
		problem = "is about nobody"
	default:
		return nil
	}
	return fmt.Errorf("%w: event %s %s", event.ErrInvalid, e.ID, problem)
}

// createWeek writes the numbered events, which are in the order of their places,
// and fills in their outcomes.
func (x *Index) createWeek(ctx context.Context, week event.Week, events []event.Event, numbers []int, outcomes []event.Outcome) error {
	return x.writing(ctx, week, true, func(file *weekFile, sealed bool) error {
		if sealed {
			for _, number := range numbers {
				outcomes[number].Err = errSealed(week)
			}
			return nil
		}
		ready, stop := x.prepare(ctx, file, events, numbers)
		defer stop()
		results := make([]event.Outcome, len(numbers))
		err := file.transact(ctx, func(tx *weekTx) error {
			var created []*entry
			for i := range numbers {
				entry, err := ready(i)
				if err == nil {
					results[i].Created, err = tx.create(entry)
				}
				if err != nil && !errors.Is(err, event.ErrInvalid) {
					return err
				}
				results[i].Err = err
				if results[i].Created {
					created = append(created, entry)
				}
			}
			return tx.putAllWords(created)
		})
		if err != nil {
			return err
		}
		for i, number := range numbers {
			outcomes[number] = results[i]
		}
		return nil
	})
}

func errSealed(week event.Week) error {
	return fmt.Errorf("%w: week %s is sealed", event.ErrUnavailable, week)
}

// prepare makes entries of the numbered events on other cores while earlier ones
// are written. ready waits for one of them; they are asked for in their order.
// stop ends it and waits.
func (x *Index) prepare(ctx context.Context, file *weekFile, events []event.Event, numbers []int) (ready func(i int) (*entry, error), stop func()) {
	type chunk struct {
		done    chan struct{}
		entries [chunkSize]*entry
		errs    [chunkSize]error
	}
	chunks := make([]chunk, (len(numbers)+chunkSize-1)/chunkSize)
	for i := range chunks {
		chunks[i].done = make(chan struct{})
	}
	ctx, cancel := context.WithCancel(ctx)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(chunks)) {
		workers.Go(func() {
			for ctx.Err() == nil {
				at := int(next.Add(1)) - 1
				if at >= len(chunks) {
					return
				}
				c := &chunks[at]
				for i, number := range numbers[at*chunkSize : min((at+1)*chunkSize, len(numbers))] {
					c.entries[i], c.errs[i] = x.entryOf(file, events[number])
				}
				close(c.done)
			}
		})
	}
	ready = func(i int) (*entry, error) {
		c := &chunks[i/chunkSize]
		select {
		case <-c.done:
			return c.entries[i%chunkSize], c.errs[i%chunkSize]
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return ready, func() { cancel(); workers.Wait() }
}

// entryOf makes an event ready. An event that makes the analysis panic is that
// event's own fault, and other goroutines could not tell whose it was.
func (x *Index) entryOf(file *weekFile, e event.Event) (made *entry, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%w: event %s: its analysis panicked: %v", event.ErrInvalid, e.ID, reason)
		}
	}()
	doc, err := x.documents.pack(e)
	if err != nil {
		return nil, err
	}
	space := file.giveSpace(e.Workspace)
	return &entry{
		event: e, space: space, place: placeOf(e.ID), doc: doc,
		text: columnsOf(query.NewDocument(e), space),
	}, nil
}
