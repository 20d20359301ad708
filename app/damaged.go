package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"tidings/event"
	"tidings/rollover"
)

// lookEvery is how often it is looked for damaged weeks, and for repaired ones that
// events wait for.
const lookEvery = 5 * time.Second

// keepLooking notices damaged weeks. Where events are indexed it puts those back that
// wait for one as soon as it can be written again.
func (a *App) keepLooking(ctx context.Context, indexing bool) error {
	index, ok := a.Index.(damageable)
	if !ok {
		return nil
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		index.Look(ctx)
		if indexing {
			if err := a.releaseHeld(ctx, index); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "events that wait for a damaged week were not put back; it is tried again", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *App) releaseHeld(ctx context.Context, index damageable) error {
	if a.Stream.Stats().DeadLetters == 0 {
		return nil
	}
	held, err := a.Stream.Held(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, week := range slices.Sorted(maps.Keys(held)) {
		if index.Usable(ctx, week) != nil {
			continue
		}
		released, err := a.Stream.Release(ctx, week)
		if released > 0 {
			a.log.InfoContext(ctx, "a week can be written again; the events that waited for it were put back",
				"week", week.String(), "events", released)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

const (
	// walkEvery is how often a share of the weeks is read from end to end.
	walkEvery = 24 * time.Hour
	// walkShare is how many walks it takes to read all of them.
	walkShare = 14
)

// checkFiles reads the files beside the weeks from end to end. What is found stays a
// problem of this process until it ends.
func (a *App) checkFiles(ctx context.Context) error {
	files := make(map[string]checkable)
	if state, is := a.State.(checkable); is {
		files["state.db"] = state
	}
	if a.outboxFile != nil {
		files[outboxName] = a.outboxFile
	}
	if a.decisionsFile != nil {
		files[decisionsName] = a.decisionsFile
	}
	var errs []error
	for name, file := range files {
		err := file.Check(ctx)
		if degraded, is := errors.AsType[*event.Degraded](err); is {
			a.fileDamage.Store(name, degraded)
			a.log.ErrorContext(ctx, "a file is damaged", "file", name, "error", degraded)
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// damagedFiles says by name what was found wrong with files beside the weeks.
func (a *App) damagedFiles() map[string]*event.Degraded {
	found := make(map[string]*event.Degraded)
	a.fileDamage.Range(func(name, degraded any) bool {
		found[name.(string)] = degraded.(*event.Degraded)
		return true
	})
	return found
}

// keepWalking reads the files beside the weeks, and weeks from end to end, a share a day, so that
// flipped bytes are noticed before somebody asks for what they were.
func (a *App) keepWalking(ctx context.Context) error {
	if a.Words == nil {
		return nil
	}
	tick := time.NewTicker(walkEvery)
	defer tick.Stop()
	for last := event.Week(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var damaged event.DamagedWeeks
		var err error
		last, damaged, err = a.Words.CheckSome(ctx, last, walkShare)
		err = errors.Join(err, a.checkFiles(ctx))
		if len(damaged) > 0 {
			a.log.ErrorContext(ctx, "weeks are damaged", "error", damaged)
		}
		if err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "weeks could not be checked", "error", err)
		}
	}
}

// damagedWeeks are those that are known to be damaged.
func (a *App) damagedWeeks(ctx context.Context) event.DamagedWeeks {
	if index, ok := a.Index.(damageable); ok {
		return index.Damaged(ctx)
	}
	return nil
}

// WeekRestore asks for one week of a backup.
type WeekRestore struct {
	Week event.Week `json:"week"`
	From string     `json:"from"`
}

// WeekRestored says what a week has now.
type WeekRestored struct {
	Events int64 `json:"events"`
	Erased int   `json:"erased"`
}

// RestoreWeek puts a week of a backup in the place of what there is, which is set
// aside. People who were erased since are erased from it.
func (a *App) RestoreWeek(ctx context.Context, request WeekRestore) (WeekRestored, error) {
	var out WeekRestored
	if a.Words == nil {
		return out, fmt.Errorf("a week that is not in the data directory is restored with the tools of its makers: %w", errors.ErrUnsupported)
	}
	list, err := readManifest(request.From)
	if err != nil {
		return out, err
	}
	file, sealed, found := weekIn(list, request.Week)
	if !found {
		return out, fmt.Errorf("the backup has no week %s: %w", request.Week, event.ErrNotFound)
	}
	made := filepath.Join(a.Words.Dir(), request.Week.String()+".restore.new")
	if err := a.Stream.RunUnderLease(ctx, rollover.Lease, rollover.LeaseTime, func(ctx context.Context) error {
		if err := restoreFileAnew(made, filepath.Join(request.From, filepath.Clean("/"+file.Name)), file); err != nil {
			return err
		}
		return a.Words.Replace(ctx, request.Week, made, sealed)
	}); err != nil {
		return out, err
	}
	if out.Erased, err = a.eraseFrom(ctx, request.Week); err != nil {
		return out, fmt.Errorf("the week is there, but people who were erased since the backup may be in it; run this again: %w", err)
	}
	infos, err := a.Index.WeekInfos(ctx)
	for _, info := range infos {
		if info.Week == request.Week {
			out.Events = info.Events
		}
	}
	return out, err
}

// weekIn finds a week's file in a backup.
func weekIn(list Manifest, week event.Week) (file BackupFile, sealed, found bool) {
	for _, file := range list.Files {
		switch filepath.Base(file.Name) {
		case week.String() + ".sealed.db":
			return file, true, true
		case week.String() + ".db":
			return file, false, true
		}
	}
	return BackupFile{}, false, false
}

// eraseFrom erases from a week who is on the list of erased people, and returns how
// many that were.
func (a *App) eraseFrom(ctx context.Context, week event.Week) (int, error) {
	// people are those that the week names, with the time of their oldest event.
	people := make(map[string]map[string]int64)
	for after := ""; ; {
		events, next, err := a.Words.Scan(ctx, week, after, 1000)
		if err != nil {
			return 0, err
		}
		for _, e := range events {
			named := e.Recipients
			if e.Recipient != nil {
				named = []event.Person{*e.Recipient}
			}
			for _, person := range named {
				if people[e.Workspace] == nil {
					people[e.Workspace] = make(map[string]int64)
				}
				if first, known := people[e.Workspace][person.Email]; !known || e.Time < first {
					people[e.Workspace][person.Email] = e.Time
				}
			}
		}
		if after = next; after == "" {
			break
		}
	}
	asked := make(map[string][]string, len(people))
	for workspace, emails := range people {
		asked[workspace] = slices.Collect(maps.Keys(emails))
	}
	erased, err := a.State.Erased(ctx, asked)
	if err != nil {
		return 0, err
	}
	n := 0
	for workspace, emails := range erased {
		for email, until := range emails {
			if people[workspace][email] > until {
				continue // all of it is later
			}
			_, _, err := a.Index.EraseRecipient(ctx, workspace, email)
			if _, err := event.SplitDamaged(err); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}
