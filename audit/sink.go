package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tidings/event"
)

const (
	kindSent = "audit-sent"
	// sinkRows is how many rows are sent at once, and sinkEvery how often it is looked
	// for new ones. After failures it waits twice as long each time, up to sinkPause.
	sinkRows  = 200
	sinkEvery = time.Second
	sinkPause = time.Minute
	// sinkDays is for how many days rows are sent after all, once a sink that was away
	// is back.
	sinkDays = 30
)

// Feed sends what is in the log to a sink until ctx ends, each chain in its order. One
// process at a time is to do so.
func (l *Log) Feed(ctx context.Context, sink Sink) error {
	pause := sinkEvery
	for {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		err := l.FeedOnce(ctx, sink)
		if err == nil || ctx.Err() != nil {
			pause = sinkEvery
			continue
		}
		pause = min(2*pause, sinkPause)
		l.Logger.WarnContext(ctx, "the audit log's sink takes nothing", "error", err, "again_in", pause)
	}
}

// FeedOnce sends what a sink has not had yet. A sink that is new gets the days that
// there are, up to a month.
func (l *Log) FeedOnce(ctx context.Context, sink Sink) error {
	days, err := l.Store.Days(ctx)
	if err != nil {
		return fmt.Errorf("list the days of the audit log: %w", err)
	}
	oldest := DayOf(l.Clock().AddDate(0, 0, -sinkDays))
	for _, day := range days {
		if day < oldest {
			continue
		}
		workspaces, err := l.Store.Workspaces(ctx, day)
		if err != nil {
			return fmt.Errorf("list the workspaces of the audit log: %w", err)
		}
		for _, workspace := range workspaces {
			if err := l.feedChain(ctx, sink, chainKey{workspace, day}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *Log) feedChain(ctx context.Context, sink Sink, key chainKey) error {
	var sent int64
	doc, err := l.Records.Get(ctx, key.workspace, kindSent, string(key.day))
	if err == nil {
		err = json.Unmarshal(doc, &sent)
	}
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return fmt.Errorf("read how much of the audit log was sent: %w", err)
	}
	for {
		entries, err := l.Store.Chain(ctx, key.workspace, key.day, sent, sinkRows)
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		if len(entries) == 0 {
			return nil
		}
		if err := sink.Send(ctx, entries); err != nil {
			return fmt.Errorf("send the audit log: %w", err)
		}
		sent = entries[len(entries)-1].Seq
		next, err := json.Marshal(sent)
		if err == nil {
			err = l.Records.Swap(ctx, key.workspace, kindSent, string(key.day), doc, next)
		}
		if err != nil {
			return fmt.Errorf("note how much of the audit log was sent: %w", err)
		}
		doc = next
	}
}
