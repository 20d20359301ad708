package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tidings/event"
)

// conflicts is how often another process may be first before a write gives up.
const conflicts = 20

// Head is the last row of a chain.
type Head struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// kindHead is the kind of the records that keep heads, by day.
const kindHead = "audit-head"

// write adds the rows to their chains and returns the IDs of those that are in. The
// caller holds committing.
func (l *Log) write(ctx context.Context, batch []*waiting) (map[string]struct{}, error) {
	day := DayOf(batch[0].row.At)
	written := make(map[string]struct{})
	for range conflicts {
		if l.uncertain {
			if err := l.catchUp(ctx, day, batch, written); err != nil {
				return written, err
			}
			l.uncertain = false
		}
		entries, err := l.link(ctx, day, batch, written)
		if err != nil || len(entries) == 0 {
			return written, err
		}
		n, err := l.Store.Append(ctx, day, entries)
		if err == nil {
			n = len(entries)
		}
		for _, e := range entries[:n] {
			written[e.ID] = struct{}{}
			key := chainKey{e.Workspace, day}
			l.heads[key] = Head{e.Seq, e.Hash}
			l.unsaved[key] = true
		}
		if err == nil {
			return written, nil
		}
		l.uncertain = true
		if !errors.Is(err, event.ErrConflict) {
			return written, err
		}
	}
	return written, fmt.Errorf("other processes were always first: %w", event.ErrUnavailable)
}

// link makes entries of the rows that are not written yet.
func (l *Log) link(ctx context.Context, day Day, batch []*waiting, written map[string]struct{}) ([]Entry, error) {
	heads := make(map[string]Head)
	entries := make([]Entry, 0, len(batch))
	for _, w := range batch {
		if _, ok := written[w.row.ID]; ok {
			continue
		}
		w.row.nameBy(l.names)
		workspace := w.row.Workspace
		head, ok := heads[workspace]
		if !ok {
			var err error
			if head, err = l.head(ctx, workspace, day); err != nil {
				return nil, err
			}
		}
		entry, err := link(w.row, head.Seq+1, head.Hash)
		if err != nil {
			return nil, err
		}
		heads[workspace] = Head{entry.Seq, entry.Hash}
		entries = append(entries, entry)
	}
	return entries, nil
}

// head is the head of a chain as far as this process knows.
func (l *Log) head(ctx context.Context, workspace string, day Day) (Head, error) {
	key := chainKey{workspace, day}
	if head, ok := l.heads[key]; ok {
		return head, nil
	}
	for old := range l.heads {
		if old.day < day && !l.unsaved[old] {
			delete(l.heads, old)
		}
	}
	last, err := l.Store.Last(ctx, workspace, day)
	head := Head{last.Seq, last.Hash}
	if errors.Is(err, event.ErrNotFound) {
		head, err = Head{0, genesis(workspace, day)}, nil
	}
	if err != nil {
		return Head{}, fmt.Errorf("find the end of the audit log: %w", err)
	}
	l.heads[key] = head
	return head, nil
}

// catchUp reads what has come into the batch's chains since this process looked, from
// others or from a write of its own of which it was told nothing.
func (l *Log) catchUp(ctx context.Context, day Day, batch []*waiting, written map[string]struct{}) error {
	ours := make(map[string]struct{})
	chains := make(map[string]struct{})
	for _, w := range batch {
		ours[w.row.ID], chains[w.row.Workspace] = struct{}{}, struct{}{}
	}
	for workspace := range chains {
		head, err := l.head(ctx, workspace, day)
		for err == nil {
			var entries []Entry
			entries, err = l.Store.Chain(ctx, workspace, day, head.Seq, commitRows)
			for _, e := range entries {
				if _, ok := ours[e.ID]; ok {
					written[e.ID] = struct{}{}
				}
				head = Head{e.Seq, e.Hash}
			}
			if len(entries) < commitRows {
				break
			}
		}
		if err != nil {
			return fmt.Errorf("find the end of the audit log: %w", err)
		}
		l.heads[chainKey{workspace, day}] = head
	}
	return nil
}

// saveHeads keeps the heads of the chains that have grown apart from them.
func (l *Log) saveHeads(ctx context.Context) error {
	select {
	case l.committing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l.committing }()
	for key := range l.unsaved {
		if err := l.saveHead(ctx, key, l.heads[key]); err != nil {
			return fmt.Errorf("keep the head of the audit log: %w", err)
		}
		delete(l.unsaved, key)
	}
	return nil
}

// saveHead never takes a head back: another process may have been there before.
func (l *Log) saveHead(ctx context.Context, key chainKey, head Head) error {
	doc, err := json.Marshal(head)
	if err != nil {
		return err
	}
	for range conflicts {
		kept, err := l.keptHead(ctx, key)
		if err != nil {
			return err
		}
		if kept.Seq >= head.Seq {
			return nil
		}
		var old json.RawMessage
		if kept.Seq == 0 {
			err = l.chained(ctx, key.workspace)
		}
		if err != nil {
			return err
		}
		if kept.Seq > 0 {
			if old, err = json.Marshal(kept); err != nil {
				return err
			}
		}
		err = l.Records.Swap(ctx, key.workspace, kindHead, string(key.day), old, doc)
		if !errors.Is(err, event.ErrConflict) {
			return err
		}
	}
	return event.ErrConflict
}

// keptHead is the head that is kept apart, the zero Head when none is.
func (l *Log) keptHead(ctx context.Context, key chainKey) (Head, error) {
	doc, err := l.Records.Get(ctx, key.workspace, kindHead, string(key.day))
	if errors.Is(err, event.ErrNotFound) {
		return Head{}, nil
	}
	var head Head
	if err == nil {
		err = json.Unmarshal(doc, &head)
	}
	return head, err
}

// KeptHeads are the heads of a workspace that are kept apart, by day.
func (l *Log) KeptHeads(ctx context.Context, workspace string) (map[Day]Head, error) {
	records, err := l.Records.List(ctx, workspace, kindHead)
	if err != nil {
		return nil, fmt.Errorf("list the heads of the audit log: %w", err)
	}
	heads := make(map[Day]Head, len(records))
	for _, record := range records {
		var head Head
		if err := json.Unmarshal(record.Doc, &head); err != nil {
			return nil, fmt.Errorf("read a head of the audit log: %w", err)
		}
		heads[Day(record.ID)] = head
	}
	return heads, nil
}
