package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"tidings/address"
	"tidings/api"
	"tidings/deliver"
	"tidings/event"
	"tidings/indexer"
	"tidings/migrations"
)

// erasedWhy is why a delivery of an erased event is not made.
const erasedWhy = "the event was erased"

// personEraser removes a person wherever they are named beside what the API keeps.
type personEraser struct {
	app    *App
	eraser *indexer.Eraser
}

// Erase bars the person, removes them, and notes that files are to be cleared of them.
func (e personEraser) Erase(ctx context.Context, workspace, email string) (api.Erased, error) {
	if err := (leftovers{e.app}).want(ctx); err != nil {
		return api.Erased{}, err
	}
	erased, err := e.eraser.Erase(ctx, workspace, email)
	if err != nil {
		return api.Erased{}, err
	}
	out := api.Erased{
		EventsDeleted: erased.EventsDeleted, SendsRewritten: erased.SendsRewritten,
		MessagesTouched: erased.MessagesTouched, DeadLetters: erased.DeadLetters,
	}
	if out.Endpoints, err = e.app.forgetOutside(ctx, workspace, email); err != nil {
		return out, err
	}
	e.app.tellBackups(ctx, workspace, email)
	// A night that ran meanwhile has cleared less than what was removed.
	return out, leftovers{e.app}.want(ctx)
}

// forgetOutside takes a person out of what leaves the house: endpoints that send to them
// or choose them, and what receivers have answered to deliveries that tell of them.
func (a *App) forgetOutside(ctx context.Context, workspace, email string) (endpoints int, err error) {
	forms := address.Forms(email)
	kept, err := a.endpoints.List(ctx, workspace)
	if err != nil {
		return 0, err
	}
	for _, one := range kept {
		if !address.Names(one.To, forms) && !address.Names(one.Search, forms) && !address.Names(one.URL, forms) && !address.Names(one.Name, forms) {
			continue
		}
		if err := a.endpoints.Delete(ctx, deliver.EndpointKey{Workspace: workspace, Endpoint: one.Name}); err != nil {
			return endpoints, err
		}
		endpoints++
	}
	_, err = a.outbox.Change(ctx, workspace, deliver.Filter{}, func(d *deliver.Delivery) bool {
		doc, err := json.Marshal(d)
		if err != nil || !address.Names(string(doc), forms) {
			return false
		}
		d.Reason, d.Tries = "", nil
		if d.State == deliver.Waiting {
			d.State, d.Why, d.Lease, d.Ended = deliver.Cancelled, erasedWhy, 0, time.Now().UnixMilli()
		}
		return true
	})
	return endpoints, err
}

// leftovers are what erasures leave in the files of the data directory.
type leftovers struct{ app *App }

// Leftovers are noted under kindLeftovers. A mark that another erasure has replaced while
// they were cleared stays.
const (
	kindLeftovers = "leftovers"
	leftoversID   = "erased"
)

type leftoversMark struct {
	// At is when somebody was erased last, in nanoseconds; 0 once the files were cleared.
	At int64 `json:"at"`
}

func (l leftovers) want(ctx context.Context) error {
	doc, err := json.Marshal(leftoversMark{time.Now().UnixNano()})
	if err != nil {
		return err
	}
	if err := l.app.State.Put(ctx, noWorkspace, kindLeftovers, leftoversID, doc); err != nil {
		return fmt.Errorf("note an erasure: %w", err)
	}
	return nil
}

func (l leftovers) mark(ctx context.Context) (doc json.RawMessage, wanted bool, err error) {
	doc, err = l.app.State.Get(ctx, noWorkspace, kindLeftovers, leftoversID)
	if errors.Is(err, event.ErrNotFound) {
		return nil, false, nil
	}
	var mark leftoversMark
	if err == nil {
		err = json.Unmarshal(doc, &mark)
	}
	return doc, mark.At != 0, err
}

// Wanted reports whether somebody was erased since the last Clear.
func (l leftovers) Wanted(ctx context.Context) (bool, error) {
	_, wanted, err := l.mark(ctx)
	return wanted, err
}

// Clear takes them out: what is done with of the queue, what is free in the files of
// weeks that are written, what the logs of SQLite hold, and what was set aside.
func (l leftovers) Clear(ctx context.Context) error {
	before, wanted, err := l.mark(ctx)
	if err != nil || !wanted {
		return err
	}
	errs := []error{l.app.Stream.Clear(ctx, l.app.forwardedTo), l.weeks(ctx), l.logs(ctx), l.aside(ctx), l.app.syncBackups(ctx)}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	done, err := json.Marshal(leftoversMark{})
	if err != nil {
		return err
	}
	err = l.app.State.Swap(ctx, noWorkspace, kindLeftovers, leftoversID, before, done)
	if errors.Is(err, event.ErrConflict) {
		return nil // somebody else was erased meanwhile: the next run goes over the files again
	}
	return err
}

// weeks writes each week anew that is not sealed: what was overwritten or moved in its
// file before the erasure is still there, where the file is free. A sealed one has
// nothing free.
func (l leftovers) weeks(ctx context.Context) error {
	if l.app.Words == nil {
		return nil
	}
	infos, err := l.app.Index.WeekInfos(ctx)
	if err != nil {
		return err
	}
	var errs []error
	same := func(_ context.Context, events []event.Event) ([]event.Event, error) { return events, nil }
	builder := &migrations.Rebuilder{Index: l.app.Words, Judge: same, Logger: l.app.log}
	for _, info := range infos {
		if info.Sealed || info.Damage != nil || info.Events == 0 && info.Bytes <= emptyWeek {
			continue
		}
		_, err := builder.Rebuild(ctx, info.Week)
		if errors.Is(err, event.ErrNotFound) {
			continue // dropped meanwhile
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// emptyWeek is how large a week's file is at most that never held an event.
const emptyWeek = 256 << 10

// logs cuts off the logs of the other files.
func (l leftovers) logs(ctx context.Context) error {
	var errs []error
	if state, ok := l.app.State.(interface{ CutLog(context.Context) error }); ok {
		errs = append(errs, state.CutLog(ctx))
	}
	if l.app.outboxFile != nil {
		errs = append(errs, l.app.outboxFile.CutLog(ctx))
	}
	if l.app.decisionsFile != nil {
		errs = append(errs, l.app.decisionsFile.CutLog(ctx))
	}
	return errors.Join(errs...)
}

// aside deletes what was set aside: nothing reads it, so nothing can be erased from it.
func (l leftovers) aside(ctx context.Context) error {
	if l.app.data == "" {
		return nil
	}
	var errs []error
	for _, pattern := range []string{"*.aside-*", "*/*.aside-*", "*.damaged-*"} {
		paths, err := filepath.Glob(filepath.Join(l.app.data, pattern))
		errs = append(errs, err)
		for _, path := range paths {
			l.app.log.WarnContext(ctx, "what was set aside is deleted, since somebody was erased who may be in it", "path", path)
			errs = append(errs, os.RemoveAll(path))
		}
	}
	return errors.Join(errs...)
}

// refuses reports whether a workspace refuses what comes of erased people.
func (a *App) refuses(ctx context.Context, workspace string) (bool, error) {
	return a.Server.RefusesErased(ctx, workspace)
}

// refusing is an erasure list by which a workspace that refuses erased people drops
// what comes of them whenever it happened.
type refusing struct {
	indexer.Erasures
	refuses func(ctx context.Context, workspace string) (bool, error)
}

func (r refusing) Erased(ctx context.Context, emails map[string][]string) (map[string]map[string]int64, error) {
	erased, err := r.Erasures.Erased(ctx, emails)
	if err != nil {
		return nil, err
	}
	for workspace, people := range erased {
		refuses, err := r.refuses(ctx, workspace)
		if err != nil {
			return nil, err
		}
		for email := range people {
			if refuses {
				people[email] = math.MaxInt64
			}
		}
	}
	return erased, nil
}
