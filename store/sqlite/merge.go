package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"tidings/event"
)

// The words of a transaction are a segment, and a search looks into each. Merging
// them at once would cost a third of the speed while events pour in, so writers merge
// 64 at a time, small ones in their transaction and large ones by FTS5, a step behind each
// batch; what they leave is merged by FTS5, too, once it is quiet.
const (
	mergeEvery = time.Second
	// mergeRetry is after how long it is tried again where that failed.
	mergeRetry = time.Minute
	// mergeBelow is how many events at most came in during a second that is quiet.
	mergeBelow = 1000
	// mergePages is what one step writes: the week's writers wait for it, some
	// 10 ms.
	mergePages = 100
	// mergeAhead is how many times as many pages are merged as were written where a level is
	// full, so that it is done before the next one is, and mergeLeast how many at least.
	mergeAhead, mergeLeast = 2, 16
	// mergeRests is how many times a step's time others have until the next.
	mergeRests = 4
)

// KeepMerged merges the words of open weeks whenever it is quiet, until ctx ends.
func (x *Index) KeepMerged(ctx context.Context, log *slog.Logger) error {
	wait := mergeEvery
	for {
		before := x.created.Load()
		if !pause(ctx, wait) {
			return nil
		}
		wait = mergeEvery
		if x.pouring(before) {
			continue
		}
		if err := x.MergeWords(ctx, mergeRests); err != nil && ctx.Err() == nil {
			wait = mergeRetry
			log.WarnContext(ctx, "words could not be merged, which slows searches; it is tried again", "error", err, "wait", wait)
		}
	}
}

// pouring reports whether many events came in since there were before.
func (x *Index) pouring(before int64) bool { return x.created.Load()-before > mergeBelow }

// MergeWords merges the words of open weeks, and rests that many times as long as
// each step takes. It gives up when events begin to pour in.
func (x *Index) MergeWords(ctx context.Context, rests int) error {
	for _, week := range x.known() {
		for more := x.unmerged(week); more; {
			began, before := time.Now(), x.created.Load()
			var err error
			if more, err = x.mergeStep(ctx, week, mergePages); err != nil {
				return failed("merging the words of week "+week.String(), err)
			}
			if !pause(ctx, time.Duration(rests)*time.Since(began)) || x.pouring(before) {
				return nil
			}
		}
	}
	return nil
}

// pause reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// unmerged reports whether a week is open for writing and may have words to merge.
func (x *Index) unmerged(week event.Week) bool {
	slot := x.slot(week)
	slot.mu.RLock()
	defer slot.mu.RUnlock()
	return slot.file != nil && !slot.sealed && !slot.file.merged.Load()
}

// mergeDue merges a part of a week's words behind a batch that wrote so many pages of them,
// in turns of its own, between which others write. The batch is written whatever becomes of
// it: what is left is merged behind the next one, or once it is quiet.
func (x *Index) mergeDue(ctx context.Context, week event.Week, written int) {
	if written == 0 {
		return
	}
	for left := max(mergeAhead*written, mergeLeast); left > 0; left -= mergePages {
		if more, err := x.mergeStep(ctx, week, min(left, mergePages)); err != nil || !more {
			return
		}
	}
}

// mergeStep reports whether there may be more to merge. A week that takes no writes
// is left alone.
func (x *Index) mergeStep(ctx context.Context, week event.Week, pages int) (more bool, err error) {
	err = x.writing(ctx, week, false, func(file *weekFile, closed bool) error {
		if closed {
			return nil
		}
		more, err = file.mergeWords(ctx, pages)
		return err
	})
	return more, err
}

// mergeWords does one step, and notes when there was nothing to do. The caller
// has the right to write.
func (w *weekFile) mergeWords(ctx context.Context, pages int) (more bool, err error) {
	if err := w.rereadWords(ctx); err != nil {
		return false, err
	}
	conn, err := w.writer.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var before, after int
	if err := conn.QueryRowContext(ctx, "SELECT total_changes()").Scan(&before); err != nil {
		return false, err
	}
	if _, err := conn.ExecContext(ctx, "INSERT INTO words(words, rank) VALUES('merge', ?)", pages); err != nil {
		return false, err
	}
	if err := conn.QueryRowContext(ctx, "SELECT total_changes()").Scan(&after); err != nil {
		return false, err
	}
	more = after-before > 1 // The command itself counts as one.
	w.merged.Store(!more)
	return more, nil
}
