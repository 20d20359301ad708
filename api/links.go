package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tidings/account"
	"tidings/event"
	"tidings/notify"
	"tidings/tracking"
)

// Kinds of records of tracking. A key is found by its name before the workspace
// is known; the workspace keeps a note of it, and which one makes new addresses.
const (
	kindLinkKey   = "link-key"
	kindLinkMaker = "link-maker"
	kindUntracked = "untracked"
	// currentMaker is the one record of kindLinkMaker.
	currentMaker = "current"
)

const (
	// linkKeyLife is how long a key may be used after it was taken back
	// elsewhere.
	linkKeyLife = time.Minute
)

// LinkKey is a key of a workspace's tracking addresses, without its secret.
type LinkKey struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Current bool      `json:"current" doc:"new addresses are made with it"`
}

// linkKeyRecord is a key as it is kept.
type linkKeyRecord struct {
	Workspace string    `json:"w"`
	Secret    string    `json:"secret"`
	Created   time.Time `json:"created"`
}

// linkKeyNote is what the workspace keeps of a key, under its name.
type linkKeyNote struct {
	Created time.Time `json:"created"`
}

// linkKeys are the keys that tracking addresses are made and read with.
type linkKeys struct {
	records Records
	clock   func() time.Time
	rand    io.Reader
	known   *account.Lately[knownLinkKey]
}

// knownLinkKey is a key as it was read, with an empty workspace for one that is
// not there.
type knownLinkKey struct {
	workspace string
	key       *tracking.Key
}

func newLinkKeys(config Config) *linkKeys {
	known := account.NewLately[knownLinkKey](config.Clock, linkKeyLife)
	return &linkKeys{records: config.Records, clock: config.Clock, rand: config.Rand, known: known}
}

// maker is the key that new addresses of a workspace are made with; the first
// is made when it is asked for.
func (l *linkKeys) maker(ctx context.Context, workspace string) (*tracking.Key, error) {
	id, err := account.Get[string](ctx, l.records, workspace, kindLinkMaker, currentMaker)
	if errors.Is(err, event.ErrNotFound) {
		id, err = l.make(ctx, workspace)
	}
	if err != nil {
		return nil, fmt.Errorf("find the current tracking key: %w", err)
	}
	_, key, err := l.find(ctx, id)
	return key, err
}

// make makes a key and lets it make new addresses. Those of older keys stay
// good. The key itself is on disk before anything names it.
func (l *linkKeys) make(ctx context.Context, workspace string) (string, error) {
	var id tracking.KeyID
	secret := make([]byte, 32)
	for _, into := range [][]byte{id[:], secret} {
		if _, err := io.ReadFull(l.rand, into); err != nil {
			return "", fmt.Errorf("make a tracking key: %w", err)
		}
	}
	name, now := hex.EncodeToString(id[:]), l.clock().UTC().Truncate(time.Second)
	record := linkKeyRecord{workspace, hex.EncodeToString(secret), now}
	if err := account.Put(ctx, l.records, account.NoWorkspace, kindLinkKey, name, record); err != nil {
		return "", fmt.Errorf("keep a tracking key: %w", err)
	}
	if err := account.Put(ctx, l.records, workspace, kindLinkKey, name, linkKeyNote{now}); err != nil {
		return "", fmt.Errorf("note a tracking key: %w", err)
	}
	if err := account.Put(ctx, l.records, workspace, kindLinkMaker, currentMaker, name); err != nil {
		return "", fmt.Errorf("choose a tracking key: %w", err)
	}
	l.known.Forget(name)
	return name, nil
}

// find is a key by name, and whose it is; ErrNotFound when there is none.
func (l *linkKeys) find(ctx context.Context, name string) (string, *tracking.Key, error) {
	known, begun, ok := l.known.Get(name)
	if !ok {
		var err error
		if known, err = l.read(ctx, name); err != nil {
			return "", nil, err
		}
		l.known.Keep(name, known, begun)
	}
	if known.key == nil {
		return "", nil, fmt.Errorf("tracking key: %w", event.ErrNotFound)
	}
	return known.workspace, known.key, nil
}

func (l *linkKeys) read(ctx context.Context, name string) (knownLinkKey, error) {
	record, err := account.Get[linkKeyRecord](ctx, l.records, account.NoWorkspace, kindLinkKey, name)
	if errors.Is(err, event.ErrNotFound) {
		return knownLinkKey{}, nil
	}
	if err != nil {
		return knownLinkKey{}, fmt.Errorf("read a tracking key: %w", err)
	}
	var id tracking.KeyID
	if _, err := hex.Decode(id[:], []byte(name)); err != nil {
		return knownLinkKey{}, fmt.Errorf("read a tracking key: %w", err)
	}
	secret, err := hex.DecodeString(record.Secret)
	if err != nil {
		return knownLinkKey{}, fmt.Errorf("read a tracking key: %w", err)
	}
	key, err := tracking.NewKey(id, secret)
	if err != nil {
		return knownLinkKey{}, err
	}
	return knownLinkKey{record.Workspace, key}, nil
}

// list returns the workspace's keys.
func (l *linkKeys) list(ctx context.Context, workspace string) ([]LinkKey, error) {
	current, err := account.Get[string](ctx, l.records, workspace, kindLinkMaker, currentMaker)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return nil, fmt.Errorf("find the current tracking key: %w", err)
	}
	records, err := l.records.List(ctx, workspace, kindLinkKey)
	if err != nil {
		return nil, fmt.Errorf("list tracking keys: %w", err)
	}
	keys := make([]LinkKey, len(records))
	for i, record := range records {
		note, err := account.Get[linkKeyNote](ctx, l.records, workspace, kindLinkKey, record.ID)
		if err != nil {
			return nil, fmt.Errorf("read a tracking key: %w", err)
		}
		keys[i] = LinkKey{record.ID, note.Created, record.ID == current}
	}
	return keys, nil
}

// drop takes a key back: what was made with it is good for nothing, within a
// minute on other servers. The current one must be replaced first.
func (l *linkKeys) drop(ctx context.Context, workspace, name string) error {
	if _, err := l.records.Get(ctx, workspace, kindLinkKey, name); err != nil {
		return fmt.Errorf("tracking key: %w", err)
	}
	current, err := account.Get[string](ctx, l.records, workspace, kindLinkMaker, currentMaker)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return fmt.Errorf("find the current tracking key: %w", err)
	}
	if current == name {
		return fmt.Errorf("new addresses are made with this key, make another first: %w", event.ErrConflict)
	}
	for _, owner := range []string{account.NoWorkspace, workspace} {
		if err := l.records.Delete(ctx, owner, kindLinkKey, name); err != nil {
			return fmt.Errorf("take back a tracking key: %w", err)
		}
	}
	l.known.Forget(name)
	return nil
}

// isTracked reports whether what a recipient does with mail is measured.
func isTracked(ctx context.Context, records Records, workspace, email string) (bool, error) {
	for _, key := range event.KeysOf(email) {
		_, err := records.Get(ctx, workspace, kindUntracked, string(key))
		if err == nil {
			return false, nil
		}
		if !errors.Is(err, event.ErrNotFound) {
			return false, fmt.Errorf("read consent: %w", err)
		}
	}
	return true, nil
}

// setTracked switches measuring of a recipient on or off. The record does not
// hold the address.
func setTracked(ctx context.Context, records Records, workspace, email string, tracked bool) error {
	if tracked {
		for _, key := range event.KeysOf(email) {
			if err := records.Delete(ctx, workspace, kindUntracked, string(key)); err != nil {
				return fmt.Errorf("note consent: %w", err)
			}
		}
		return nil
	}
	if err := account.Put(ctx, records, workspace, kindUntracked, string(event.KeyOf(email)), struct{}{}); err != nil {
		return fmt.Errorf("note missing consent: %w", err)
	}
	return nil
}

// UnsubscribeLinks makes the addresses by which people end their notification mails of a
// kind. A base that is not https makes none: one click is for https alone (RFC 8058,
// section 3.1).
func UnsubscribeLinks(config Config) func(ctx context.Context, workspace, user string, kind notify.Kind) (string, error) {
	keys := newLinkKeys(config)
	return func(ctx context.Context, workspace, user string, kind notify.Kind) (string, error) {
		if !strings.HasPrefix(config.PublicURL, "https://") {
			return "", nil
		}
		key, err := keys.maker(ctx, workspace)
		if err != nil {
			return "", err
		}
		token, err := key.Seal(tracking.Token{Kind: tracking.Notices, Message: string(kind), User: user, Recipient: user})
		if err != nil {
			return "", fmt.Errorf("make an address to unsubscribe: %w", err)
		}
		return config.PublicURL + noticesPath + token, nil
	}
}
