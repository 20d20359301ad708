package api

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"tidings/account"
	"tidings/audit"
	"tidings/event"
)

// Recorded are records that tell the request that writes them, if one does, what it
// has changed, for its row in the audit log.
func Recorded(records account.Records, log *audit.Log) account.Records {
	if log == nil {
		return records
	}
	return recordedRecords{records, log.Names()}
}

type recordedRecords struct {
	account.Records
	names audit.Names
}

// bookkeeping are kinds that are written beside what somebody does.
var bookkeeping = []string{"session-seen", "key-used", "revision"}

// changing is the request whose changes are noted, or nil.
func changing(ctx context.Context, kind string) *recording {
	r := recordingFrom(ctx)
	if r == nil || r.is != auditChanges || slices.Contains(bookkeeping, kind) {
		return nil
	}
	return r
}

// before is what a record was.
func (r recordedRecords) before(ctx context.Context, workspace, kind, id string) (json.RawMessage, error) {
	doc, err := r.Records.Get(ctx, workspace, kind, id)
	if errors.Is(err, event.ErrNotFound) {
		return nil, nil
	}
	return doc, err
}

func (r *recording) changed(names audit.Names, kind, id string, before, after json.RawMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(id) == 64 {
		id = id[:12] // the hash of a secret
	}
	r.changes = append(r.changes, audit.Change{Kind: kind, ID: names.Text(id), Before: names.Doc(before), After: names.Doc(after)})
}

func (r recordedRecords) Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error {
	rec := changing(ctx, kind)
	if rec == nil {
		return r.Records.Put(ctx, workspace, kind, id, doc)
	}
	before, err := r.before(ctx, workspace, kind, id)
	if err == nil {
		err = r.Records.Put(ctx, workspace, kind, id, doc)
	}
	if err == nil {
		rec.changed(r.names, kind, id, before, doc)
	}
	return err
}

func (r recordedRecords) Swap(ctx context.Context, workspace, kind, id string, old, doc json.RawMessage) error {
	err := r.Records.Swap(ctx, workspace, kind, id, old, doc)
	if rec := changing(ctx, kind); rec != nil && err == nil {
		rec.changed(r.names, kind, id, old, doc)
	}
	return err
}

func (r recordedRecords) Delete(ctx context.Context, workspace, kind, id string) error {
	rec := changing(ctx, kind)
	if rec == nil {
		return r.Records.Delete(ctx, workspace, kind, id)
	}
	before, err := r.before(ctx, workspace, kind, id)
	if err == nil {
		err = r.Records.Delete(ctx, workspace, kind, id)
	}
	if err == nil && before != nil {
		rec.changed(r.names, kind, id, before, nil)
	}
	return err
}

func (r recordedRecords) Take(ctx context.Context, workspace, kind, id string) (json.RawMessage, error) {
	doc, err := r.Records.Take(ctx, workspace, kind, id)
	if rec := changing(ctx, kind); rec != nil && err == nil {
		rec.changed(r.names, kind, id, doc, nil)
	}
	return doc, err
}
