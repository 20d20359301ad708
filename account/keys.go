package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"tidings/event"
)

// Kinds of records. A credential is found by the SHA-256 of its text before its
// workspace is known, so it is kept under no workspace; the workspace holds
// only a note of which credentials are its own.
const (
	kindKey       = "key"
	kindKeyUsed   = "key-used"
	kindSession   = "session"
	kindSeen      = "session-seen"
	kindSignIn    = "sign-in"
	keyPrefix     = "tid_"
	keyShown      = len(keyPrefix) + 8
	usedPrecision = time.Hour
)

// Keys gives out keys, knows them by their hash, and takes them back.
type Keys struct {
	records Records
	clock   func() time.Time
	rand    io.Reader

	mu sync.Mutex
	// noted says when the last use of a key was last written down.
	noted   map[string]time.Time
	trusted *trusted
	// hashes are those of keys by workspace and id.
	hashes *Lately[string]
	// directory says what a key's user may do now; it may be nil.
	directory *Directory
}

// NewKeys keeps keys in records. rand must be good enough for secrets.
func NewKeys(records Records, clock func() time.Time, rand io.Reader) *Keys {
	return &Keys{records: records, clock: clock, rand: rand, noted: make(map[string]time.Time), trusted: newTrusted(clock), hashes: NewLately[string](clock, FreshFor)}
}

// Heed lets tokens for embedding show no more than their key's user may see now.
func (k *Keys) Heed(directory *Directory) { k.directory = directory }

// Key is a key as it may be shown.
type Key struct {
	ID       string     `json:"id"`
	Prefix   string     `json:"prefix" doc:"how the key begins"`
	Role     Role       `json:"role" enum:"ingest,read,admin" doc:"the widest role that its scopes come near"`
	Scopes   []Scope    `json:"scopes" doc:"what it may do"`
	User     string     `json:"user,omitempty" doc:"whose key it is; nobody's when absent"`
	Name     string     `json:"name,omitempty" doc:"what it is for"`
	Sources  []string   `json:"sources,omitempty" doc:"the sources that it may send events of; any when absent"`
	Networks []string   `json:"networks,omitempty" doc:"where it may be used from; anywhere when absent"`
	Created  time.Time  `json:"created"`
	Ends     *time.Time `json:"ends" doc:"null for a key without an end"`
	LastUsed *time.Time `json:"last_used" doc:"to the hour; null when never"`
	// Overlap is set while the text before the last rotation works too.
	Overlap *time.Time `json:"overlap,omitempty" doc:"until when the text before the last rotation works too"`
}

// KeyRequest is what a new key should be.
type KeyRequest struct {
	Role     Role     `json:"role,omitempty" enum:"ingest,read,admin" doc:"a bundle of scopes; give this or scopes"`
	Scopes   []Scope  `json:"scopes,omitempty" enum:"events:write,feed:read,stats:read,export,rules:write,notifications:read,scim,audit:read,admin" maxItems:"9"`
	User     string   `json:"user,omitempty" doc:"whose key it is; a read key without a user sees the whole workspace" maxLength:"200"`
	Name     string   `json:"name,omitempty" doc:"what it is for, for people" maxLength:"200"`
	Sources  []string `json:"sources,omitempty" doc:"the only sources that it may send events of" maxItems:"50"`
	Networks []string `json:"networks,omitempty" doc:"the only networks that it may be used from, such as 192.0.2.0/24" maxItems:"50"`
	Ends     string   `json:"ends,omitempty" doc:"a time (RFC 3339) or never; a year from now when absent" maxLength:"40"`
}

// keyRecord is a key as it is kept.
type keyRecord struct {
	ID        string    `json:"id"`
	Workspace string    `json:"w"`
	Prefix    string    `json:"prefix"`
	Role      Role      `json:"role"`
	User      string    `json:"user,omitempty"`
	Name      string    `json:"name,omitempty"`
	Created   time.Time `json:"created"`
	Scopes    []Scope   `json:"scopes,omitempty"`
	Sources   []string  `json:"sources,omitempty"`
	Networks  []string  `json:"networks,omitempty"`
	// Ends is zero for a key without an end, as all were before they had one.
	Ends time.Time `json:"ends,omitzero"`
}

// keyNote is what the workspace keeps of a key, under the key's id.
type keyNote struct {
	Hash string `json:"hash"`
	// Before is the hash of the text before the last rotation.
	Before string `json:"before,omitempty"`
	// Revoked keeps a rotation from giving it another text while it is revoked.
	Revoked bool `json:"revoked,omitempty"`
}

func (r KeyRequest) check() *event.FieldError {
	if err := r.checkScopes(); err != nil {
		return err
	}
	if r.User != "" {
		if err := CheckName("user", r.User); err != nil {
			return err
		}
	}
	if r.Name != "" {
		return CheckName("name", r.Name)
	}
	return nil
}

// Create makes a key and returns its text, which is told this once. The
// workspace comes into being with its first key.
func (k *Keys) Create(ctx context.Context, workspace string, request KeyRequest) (string, Key, error) {
	if err := CheckWorkspace(workspace); err != nil {
		return "", Key{}, err
	}
	if err := request.check(); err != nil {
		return "", Key{}, err
	}
	ends, err := request.ends(k.clock())
	if err != nil {
		return "", Key{}, err
	}
	text, err := k.newText()
	if err != nil {
		return "", Key{}, err
	}
	id, err := RandomText(k.rand, 9)
	if err != nil {
		return "", Key{}, err
	}
	record := keyRecord{
		ID: id, Workspace: workspace, Prefix: text[:keyShown], Role: request.role(), Scopes: request.Scopes,
		User: request.User, Name: request.Name, Created: k.clock().UTC().Truncate(time.Second),
		Sources: request.Sources, Networks: request.Networks, Ends: ends,
	}
	// The note goes first: a key that works is always one that can be listed
	// and revoked.
	if err := Put(ctx, k.records, workspace, kindKey, id, keyNote{Hash: HashOf(text)}); err != nil {
		return "", Key{}, fmt.Errorf("note key: %w", err)
	}
	if err := Put(ctx, k.records, NoWorkspace, kindKey, HashOf(text), record); err != nil {
		return "", Key{}, fmt.Errorf("keep key: %w", err)
	}
	return text, record.key(nil), nil
}

func (r keyRecord) key(lastUsed *time.Time) Key {
	key := Key{
		ID: r.ID, Prefix: r.Prefix, Role: r.Role, Scopes: r.scopes(), User: r.User, Name: r.Name, Sources: r.Sources, Networks: r.Networks,
		Created: r.Created, LastUsed: lastUsed,
	}
	if !r.Ends.IsZero() {
		key.Ends = &r.Ends
	}
	return key
}

// List returns a workspace's keys, oldest first.
func (k *Keys) List(ctx context.Context, workspace string) ([]Key, error) {
	notes, err := k.notes(ctx, workspace)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, 0, len(notes))
	for _, note := range notes {
		record, err := Get[keyRecord](ctx, k.records, NoWorkspace, kindKey, note.hash)
		if errors.Is(err, event.ErrNotFound) {
			continue // half made or half revoked: it does not work
		}
		if err != nil {
			return nil, fmt.Errorf("read key: %w", err)
		}
		key := record.key(nil)
		if key.Overlap, err = k.overlap(ctx, note.before); err != nil {
			return nil, err
		}
		used, err := Get[time.Time](ctx, k.records, NoWorkspace, kindKeyUsed, note.hash)
		switch {
		case errors.Is(err, event.ErrNotFound):
			keys = append(keys, key)
		case err != nil:
			return nil, fmt.Errorf("read last use of key: %w", err)
		default:
			key.LastUsed = &used
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	return keys, nil
}

type noted struct{ id, hash, before string }

func (k *Keys) notes(ctx context.Context, workspace string) ([]noted, error) {
	records, err := k.records.List(ctx, workspace, kindKey)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	notes := make([]noted, 0, len(records))
	for _, record := range records {
		var note keyNote
		if err := json.Unmarshal(record.Doc, &note); err != nil {
			return nil, fmt.Errorf("decode note of key: %w", err)
		}
		notes = append(notes, noted{record.ID, note.Hash, note.Before})
	}
	return notes, nil
}

// Revoke takes a key back and returns the hashes of its texts; ErrNotFound when there
// is none. It does not work any more once Revoke returns.
func (k *Keys) Revoke(ctx context.Context, workspace, id string) ([]string, error) {
	note, err := k.retire(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	hashes := []string{note.Hash}
	if note.Before != "" {
		hashes = append(hashes, note.Before)
	}
	for _, hash := range hashes {
		if err := k.records.Delete(ctx, NoWorkspace, kindKey, hash); err != nil {
			return nil, fmt.Errorf("revoke key: %w", err)
		}
		k.trusted.forget(hash)
		if err := k.records.Delete(ctx, NoWorkspace, kindKeyUsed, hash); err != nil {
			return nil, fmt.Errorf("forget use of key: %w", err)
		}
	}
	k.hashes.Forget(workspace + "/" + id)
	if err := k.records.Delete(ctx, workspace, kindKey, id); err != nil {
		return nil, fmt.Errorf("forget key: %w", err)
	}
	return hashes, nil
}

// retire marks the note of a key that is to be revoked, so that what it names stays all
// there is.
func (k *Keys) retire(ctx context.Context, workspace, id string) (keyNote, error) {
	for range swapTries {
		old, err := k.records.Get(ctx, workspace, kindKey, id)
		if err != nil {
			return keyNote{}, fmt.Errorf("find key: %w", err)
		}
		var note keyNote
		if err := json.Unmarshal(old, &note); err != nil {
			return keyNote{}, fmt.Errorf("decode note of key: %w", err)
		}
		note.Revoked = true
		if err := k.swap(ctx, workspace, id, old, note); !errors.Is(err, event.ErrConflict) {
			return note, err
		}
	}
	return keyNote{}, fmt.Errorf("revoke key: %w", event.ErrConflict)
}

// Caller is who a key stands for; ErrNotFound when it is none. Time tells
// nothing of other keys: what is looked up is the hash of the text.
func (k *Keys) Caller(ctx context.Context, text string) (Caller, error) {
	if !strings.HasPrefix(text, keyPrefix) || len(text) > 2*SecretLength {
		return Caller{}, fmt.Errorf("key: %w", event.ErrNotFound)
	}
	if mistyped(text) {
		return Caller{}, fmt.Errorf("key is mistyped: %w", event.ErrNotFound)
	}
	hash := HashOf(text)
	record, asked, err := k.trusted.find(ctx, k.records, hash)
	if err == nil && record.over(k.clock()) {
		err = event.ErrNotFound
	}
	if err != nil {
		return Caller{}, fmt.Errorf("find key: %w", err)
	}
	if asked {
		if err := k.used(ctx, hash); err != nil {
			return Caller{}, err
		}
	}
	return Caller{
		Workspace: record.Workspace, Role: record.Role, Given: record.Role, ByKey: true, User: record.User, Credential: hash,
		Scopes: record.scopes(), Sources: record.Sources, Networks: record.Networks,
	}, nil
}

// byID finds a working key of a workspace by its id, and its hash; ErrNotFound
// when there is none.
func (k *Keys) byID(ctx context.Context, workspace, id string) (hash string, record keyRecord, err error) {
	name := workspace + "/" + id // a workspace's name holds no slash
	hash, begun, ok := k.hashes.Get(name)
	if !ok {
		note, err := Get[keyNote](ctx, k.records, workspace, kindKey, id)
		if err != nil {
			return "", keyRecord{}, fmt.Errorf("find note of key: %w", err)
		}
		hash = note.Hash
		k.hashes.Keep(name, hash, begun)
	}
	record, err = k.byHash(ctx, hash)
	return hash, record, err
}

func (k *Keys) byHash(ctx context.Context, hash string) (keyRecord, error) {
	record, _, err := k.trusted.find(ctx, k.records, hash)
	if err == nil && record.over(k.clock()) {
		err = event.ErrNotFound
	}
	if err != nil {
		return keyRecord{}, fmt.Errorf("find key: %w", err)
	}
	return record, nil
}

// Ended reports whether a hash names no key, or not any more.
func (k *Keys) Ended(ctx context.Context, hash string) (bool, error) {
	_, err := k.byHash(ctx, hash)
	if errors.Is(err, event.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// used writes down, once an hour, that a key was used. It has a record of its
// own, so that it cannot bring back a key that is being revoked.
func (k *Keys) used(ctx context.Context, hash string) error {
	now := k.clock().UTC().Truncate(usedPrecision)
	k.mu.Lock()
	known := k.noted[hash].Equal(now)
	k.noted[hash] = now
	k.mu.Unlock()
	if known {
		return nil
	}
	if err := Put(ctx, k.records, NoWorkspace, kindKeyUsed, hash, now); err != nil {
		k.mu.Lock()
		delete(k.noted, hash)
		k.mu.Unlock()
		if errors.Is(err, event.ErrUnavailable) {
			return nil // reading goes on where writing cannot
		}
		return fmt.Errorf("note use of key: %w", err)
	}
	return nil
}

// Any reports whether any workspace has a key.
func (k *Keys) Any(ctx context.Context) (bool, error) {
	records, err := k.records.List(ctx, NoWorkspace, kindKey)
	if err != nil {
		return false, fmt.Errorf("look for keys: %w", err)
	}
	return len(records) > 0, nil
}
