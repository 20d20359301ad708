package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tidings/event"
)

// overlap is until when the text before a rotation works; nil when it does not.
func (k *Keys) overlap(ctx context.Context, before string) (*time.Time, error) {
	if before == "" {
		return nil, nil
	}
	record, err := Get[keyRecord](ctx, k.records, NoWorkspace, kindKey, before)
	if errors.Is(err, event.ErrNotFound) || err == nil && record.over(k.clock()) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return &record.Ends, nil
}

// Rotate gives a key another text and returns it; the one before works for overlap
// still. ErrNotFound when there is no such key, ErrConflict when somebody else has
// rotated it meanwhile.
func (k *Keys) Rotate(ctx context.Context, workspace, id string, overlap time.Duration) (string, Key, error) {
	if overlap < 0 || overlap > maxKeyOverlap {
		return "", Key{}, event.Invalid("overlap_hours", "is 0 to 168")
	}
	old, err := k.records.Get(ctx, workspace, kindKey, id)
	if err != nil {
		return "", Key{}, fmt.Errorf("find note of key: %w", err)
	}
	var was keyNote
	if err := json.Unmarshal(old, &was); err != nil {
		return "", Key{}, fmt.Errorf("decode note of key: %w", err)
	}
	if was.Revoked {
		return "", Key{}, fmt.Errorf("key is being revoked: %w", event.ErrNotFound)
	}
	hash, record, err := k.byID(ctx, workspace, id)
	if err != nil {
		return "", Key{}, err
	}
	text, err := k.newText()
	if err != nil {
		return "", Key{}, err
	}
	doc, err := k.records.Get(ctx, NoWorkspace, kindKey, hash)
	if err != nil {
		return "", Key{}, fmt.Errorf("find key: %w", err)
	}
	before := record
	if ends := k.clock().Add(overlap).UTC(); before.Ends.IsZero() || ends.Before(before.Ends) {
		before.Ends = ends
	}
	note := keyNote{Hash: HashOf(text), Before: hash}
	record.Prefix = text[:keyShown]
	if err := Put(ctx, k.records, NoWorkspace, kindKey, note.Hash, record); err != nil {
		return "", Key{}, fmt.Errorf("keep key: %w", err)
	}
	if err := k.swap(ctx, workspace, id, old, note); err != nil {
		return "", Key{}, errors.Join(fmt.Errorf("note key: %w", err), k.records.Delete(ctx, NoWorkspace, kindKey, note.Hash))
	}
	// What was before that could not be revoked by its id any more.
	if was.Before != "" {
		if err := k.records.Delete(ctx, NoWorkspace, kindKey, was.Before); err != nil {
			return "", Key{}, fmt.Errorf("forget key: %w", err)
		}
		k.trusted.forget(was.Before)
	}
	if err := k.swap(ctx, NoWorkspace, hash, doc, before); err != nil && !errors.Is(err, event.ErrConflict) { // it was revoked
		return "", Key{}, fmt.Errorf("end key: %w", err)
	}
	k.trusted.forget(hash)
	k.hashes.Forget(workspace + "/" + id)
	key := record.key(nil)
	key.Overlap = &before.Ends
	return text, key, nil
}

func (k *Keys) swap(ctx context.Context, workspace, id string, old json.RawMessage, value any) error {
	doc, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	return k.records.Swap(ctx, workspace, kindKey, id, old, doc)
}

// textBefore is the hash of a key's text before its last rotation, while that works;
// ErrNotFound when it does not.
func (k *Keys) textBefore(ctx context.Context, workspace, id string) (string, error) {
	note, err := Get[keyNote](ctx, k.records, workspace, kindKey, id)
	if err != nil || note.Before == "" {
		return "", errors.Join(event.ErrNotFound, err)
	}
	_, err = k.byHash(ctx, note.Before)
	return note.Before, err
}
