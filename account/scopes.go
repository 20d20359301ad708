package account

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tidings/event"
)

// Scope is a thing that a key may do.
type Scope string

// The scopes. ScopeAdmin holds all others.
const (
	ScopeEvents        Scope = "events:write"
	ScopeFeed          Scope = "feed:read"
	ScopeStats         Scope = "stats:read"
	ScopeExport        Scope = "export"
	ScopeRules         Scope = "rules:write"
	ScopeNotifications Scope = "notifications:read"
	ScopeSCIM          Scope = "scim"
	ScopeAudit         Scope = "audit:read"
	ScopeAdmin         Scope = "admin"
)

// Scopes are all of them.
func Scopes() []Scope {
	return []Scope{ScopeEvents, ScopeFeed, ScopeStats, ScopeExport, ScopeRules, ScopeNotifications, ScopeSCIM, ScopeAudit, ScopeAdmin}
}

// reading are the scopes of the role read.
func reading() []Scope {
	return []Scope{ScopeFeed, ScopeStats, ScopeExport, ScopeRules, ScopeNotifications}
}

const (
	keyLife = 365 * 24 * time.Hour
	// never, said as the end of a key, is none.
	never = "never"
	// KeyOverlap is how long the text of a key goes on after a rotation unless told
	// otherwise.
	KeyOverlap    = 24 * time.Hour
	maxKeyOverlap = 7 * 24 * time.Hour
	maxKeyLists   = 50
	// checksumLength is how many letters of a key tell whether the others are right.
	checksumLength = 6
	newKeyLength   = len(keyPrefix) + 43 + checksumLength
)

// scopes are what a key may do; its role says it where nothing else does.
func (r keyRecord) scopes() []Scope {
	switch {
	case len(r.Scopes) > 0:
		return r.Scopes
	case r.Role == RoleAdmin:
		return []Scope{ScopeAdmin}
	case r.Role == RoleRead:
		return reading()
	}
	return []Scope{ScopeEvents}
}

func (r keyRecord) over(now time.Time) bool { return !r.Ends.IsZero() && !now.Before(r.Ends) }

// role is the role that the scopes of a request come near to.
func (r KeyRequest) role() Role {
	switch {
	case r.Role != "":
		return r.Role
	case slices.Contains(r.Scopes, ScopeAdmin):
		return RoleAdmin
	case slices.ContainsFunc(r.Scopes, func(s Scope) bool { return slices.Contains(reading(), s) }):
		return RoleRead
	}
	return RoleIngest
}

func (r KeyRequest) checkScopes() *event.FieldError {
	if (r.Role == "") == (len(r.Scopes) == 0) {
		if r.Role != "" {
			return event.Invalid("scopes", "cannot be given beside role")
		}
		return event.Invalid("role", "is not one of ingest, read, admin")
	}
	if r.Role != "" && !r.Role.Valid() {
		return event.Invalid("role", "is not one of ingest, read, admin")
	}
	for i, scope := range r.Scopes {
		if !slices.Contains(Scopes(), scope) {
			return event.Invalid(fmt.Sprintf("scopes[%d]", i), "is no scope")
		}
	}
	if len(r.Sources) > maxKeyLists || len(r.Networks) > maxKeyLists {
		return event.Invalid("sources", "and networks have 50 each at most")
	}
	for i, source := range r.Sources {
		if err := CheckName(fmt.Sprintf("sources[%d]", i), source); err != nil {
			return err
		}
	}
	for i, network := range r.Networks {
		if _, err := netip.ParsePrefix(network); err != nil {
			return event.Invalid(fmt.Sprintf("networks[%d]", i), "is no network such as 192.0.2.0/24")
		}
	}
	return nil
}

// ends is when the key is to end; zero is never.
func (r KeyRequest) ends(now time.Time) (time.Time, error) {
	switch r.Ends {
	case never:
		return time.Time{}, nil
	case "":
		return now.Add(keyLife).UTC().Truncate(time.Second), nil
	}
	ends, err := time.Parse(time.RFC3339, r.Ends)
	if err != nil || !ends.After(now) {
		return time.Time{}, event.Invalid("ends", "is a time to come (RFC 3339) or never")
	}
	return ends.UTC().Truncate(time.Second), nil
}

// newText is the text of a new key: a secret, and letters that tell a typing error.
func (k *Keys) newText() (string, error) {
	secret, err := RandomText(k.rand, SecretLength)
	if err != nil {
		return "", err
	}
	return keyPrefix + secret + checksum(secret), nil
}

// checksum is the CRC-32 of a secret in 6 letters.
func checksum(secret string) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(secret)))
	return base64.RawURLEncoding.EncodeToString(sum)
}

// mistyped reports whether a text looks like a key and cannot be one. Keys of before
// have no checksum.
func mistyped(text string) bool {
	if len(text) != newKeyLength {
		return false
	}
	secret := strings.TrimPrefix(text, keyPrefix)
	at := len(secret) - checksumLength
	return checksum(secret[:at]) != secret[at:]
}

// From reports whether a caller may come from an address.
func (c Caller) From(address netip.Addr) bool {
	return len(c.Networks) == 0 || slices.ContainsFunc(c.Networks, func(network string) bool {
		prefix, err := netip.ParsePrefix(network)
		return err == nil && prefix.Contains(address.Unmap())
	})
}

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
	k.hashes.forget(workspace + "/" + id)
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
