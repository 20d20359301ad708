package secret

import (
	"context"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tidings/event"
)

// dataKey is a key of a workspace as it is kept, under the workspace's name and a
// number that grows.
type dataKey struct {
	// Master names the key that sealed it.
	Master string `json:"master"`
	Sealed string `json:"sealed"`
}

// keyID sorts by number within a workspace.
func keyID(workspace string, number int) string { return fmt.Sprintf("%s|%06d", workspace, number) }

// sealing is the newest key of a workspace that can be opened, made where there is none.
func (b *Box) sealing(ctx context.Context, workspace string) (int, cipher.AEAD, error) {
	b.mu.Lock()
	number := b.newest[workspace]
	key := b.keys[keyID(workspace, number)]
	b.mu.Unlock()
	if key != nil {
		return number, key, nil
	}
	for range 10 { // Others may make one at once; each of them is a key.
		last, err := b.load(ctx, workspace)
		if err != nil {
			return 0, nil, err
		}
		b.mu.Lock()
		number, key = b.newest[workspace], b.keys[keyID(workspace, b.newest[workspace])]
		b.mu.Unlock()
		if key != nil {
			return number, key, nil
		}
		if err := b.add(ctx, workspace, last+1); err != nil && !errors.Is(err, event.ErrConflict) {
			return 0, nil, err
		}
	}
	return 0, nil, fmt.Errorf("make a data key: %w", event.ErrConflict)
}

// key is one of a workspace's by number.
func (b *Box) key(ctx context.Context, workspace string, number int) (cipher.AEAD, error) {
	for try := range 2 {
		b.mu.Lock()
		key := b.keys[keyID(workspace, number)]
		b.mu.Unlock()
		if key != nil {
			return key, nil
		}
		if try == 0 {
			if _, err := b.load(ctx, workspace); err != nil {
				return nil, err
			}
		}
	}
	return nil, ErrLocked
}

// load reads a workspace's keys and gives the highest number there is.
func (b *Box) load(ctx context.Context, workspace string) (last int, err error) {
	records, err := b.records.List(ctx, noWorkspace, kindDataKey)
	if err != nil {
		return 0, fmt.Errorf("read the data keys: %w", err)
	}
	for _, record := range records {
		whose, number, err := parseKeyID(record.ID)
		if err != nil || whose != workspace {
			continue
		}
		last = max(last, number)
		plain, err := b.openKey(record)
		if errors.Is(err, ErrLocked) {
			continue
		}
		if err != nil {
			return 0, err
		}
		b.mu.Lock()
		b.keys[record.ID] = gcm(plain)
		b.newest[workspace] = max(b.newest[workspace], number)
		b.mu.Unlock()
	}
	return last, nil
}

func parseKeyID(id string) (workspace string, number int, err error) {
	workspace, digits, _ := strings.Cut(id, "|")
	_, err = fmt.Sscanf(digits, "%d", &number)
	return workspace, number, err
}

func (b *Box) openKey(record event.Record) ([]byte, error) {
	var kept dataKey
	if err := json.Unmarshal(record.Doc, &kept); err != nil {
		return nil, fmt.Errorf("read a data key: %w", err)
	}
	by, err := b.master.find(kept.Master)
	if err != nil {
		return nil, err
	}
	plain, err := opened(gcm(by), kept.Sealed, recordKey(noWorkspace, kindDataKey, record.ID))
	if err == nil && len(plain) != keyLength {
		err = ErrForeign
	}
	if err != nil {
		return nil, fmt.Errorf("open a data key: %w", err)
	}
	return plain, nil
}

func (b *Box) sealKey(id string, plain []byte) (json.RawMessage, error) {
	keys, err := b.master.all()
	if err != nil {
		return nil, err
	}
	by := keys[0]
	return json.Marshal(dataKey{Master: nameOf(by), Sealed: sealed(gcm(by), plain, recordKey(noWorkspace, kindDataKey, id))})
}

// add makes a key; ErrConflict where another has made one of that number.
func (b *Box) add(ctx context.Context, workspace string, number int) error {
	id, plain := keyID(workspace, number), freshKey()
	doc, err := b.sealKey(id, plain)
	if err == nil {
		err = b.records.Swap(ctx, noWorkspace, kindDataKey, id, nil, doc)
	}
	if err == nil {
		err = b.followRotation(ctx, id, plain, doc)
	}
	if err != nil {
		return fmt.Errorf("make a data key: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keys[id], b.newest[workspace] = gcm(plain), number
	return nil
}

// followRotation seals a key that was just made by the master key of now: another process
// may have put that into the file since it was read here. A rotation that does not see
// the key among the others has done so before.
func (b *Box) followRotation(ctx context.Context, id string, plain []byte, doc json.RawMessage) error {
	var made dataKey
	err := errors.Join(json.Unmarshal(doc, &made), b.master.read())
	if err != nil {
		return fmt.Errorf("open the key of secrets: %w", err)
	}
	if keys, err := b.master.all(); err != nil || nameOf(keys[0]) == made.Master {
		return err
	}
	again, err := b.sealKey(id, plain)
	if err != nil {
		return err
	}
	return b.records.Swap(ctx, noWorkspace, kindDataKey, id, doc, again)
}

// Rotated says what a rotation did.
type Rotated struct {
	// Keys were sealed by the new master key; Locked could not be opened and stay as
	// they are.
	Keys   int `json:"keys"`
	Locked int `json:"locked"`
}

// Rotate seals every data key by a new master key and makes each workspace a new data
// key for what is sealed from now on; reseal then seals again what there is. The old
// master key is in the file until all of that is durable, so it may stop anywhere and be
// run again.
func (b *Box) Rotate(ctx context.Context, reseal func(context.Context) error) (Rotated, error) {
	var done Rotated
	if b == nil {
		return done, ErrNoKey
	}
	keys, err := b.master.all()
	if err != nil {
		return done, err
	}
	if len(keys) == 1 { // else a rotation was not finished: it is now
		keys = [][]byte{freshKey(), keys[0]}
		if err := b.master.replace(keys); err != nil {
			return done, err
		}
	}
	records, err := b.records.List(ctx, noWorkspace, kindDataKey)
	if err != nil {
		return done, fmt.Errorf("read the data keys: %w", err)
	}
	last := make(map[string]int)
	for _, record := range records {
		switch err := b.sealAnew(ctx, record); {
		case errors.Is(err, ErrLocked):
			done.Locked++
		case err != nil:
			return done, err
		default:
			done.Keys++
		}
		if workspace, number, err := parseKeyID(record.ID); err == nil {
			last[workspace] = max(last[workspace], number)
		}
	}
	for workspace, number := range last {
		if err := b.add(ctx, workspace, number+1); err != nil && !errors.Is(err, event.ErrConflict) {
			return done, err
		}
	}
	if err := reseal(ctx); err != nil {
		return done, err
	}
	return done, b.master.replace(keys[:1])
}

// sealAnew seals a data key by the master key in use.
func (b *Box) sealAnew(ctx context.Context, record event.Record) error {
	plain, err := b.openKey(record)
	if err != nil {
		return err
	}
	doc, err := b.sealKey(record.ID, plain)
	if err != nil {
		return err
	}
	if err := b.records.Swap(ctx, noWorkspace, kindDataKey, record.ID, record.Doc, doc); err != nil {
		return fmt.Errorf("seal a data key: %w", err)
	}
	return nil
}
