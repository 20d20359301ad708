package secret

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"tidings/event"
)

// Kinds of records, all outside of any workspace: they are the operator's.
const (
	kindDataKey = "data-key"
	// kindNote names what is sealed, so that somebody can say what is lost without the
	// master key.
	kindNote    = "sealed"
	noWorkspace = ""
)

// version begins what is sealed.
const version = "v1"

var (
	// ErrLocked is a secret whose key is not here: the data directory was restored
	// without its secrets.key. It must be entered again, or the file brought back.
	ErrLocked = fmt.Errorf("the key that sealed this secret is not here; bring secrets.key back, or enter the secret again: %w", event.ErrUnavailable)
	// ErrNoKey is an installation without a master key.
	ErrNoKey = fmt.Errorf("secrets cannot be kept: start with --secrets-key FILE: %w", event.ErrUnavailable)
	// ErrForeign is what was sealed for another record, or was changed.
	ErrForeign = errors.New("this secret was sealed for another record, or it was changed")
)

// Box seals and opens. Its methods may be called by any number of goroutines. A nil Box
// has no key: it seals nothing.
type Box struct {
	master  *master
	records Records

	mu sync.Mutex
	// keys are data keys by workspace and number; newest are the numbers in use.
	keys   map[string]cipher.AEAD
	newest map[string]int
	// noted are the numbers of the keys that records are known to be sealed by.
	noted map[string]int
}

// New makes a box by the file of its master key, which is read when it is first needed,
// and made then where it is missing and mayMake is set.
func New(path string, mayMake bool, records Records) *Box {
	return &Box{
		master: &master{path: path, mayMake: mayMake}, records: records,
		keys: map[string]cipher.AEAD{}, newest: map[string]int{}, noted: map[string]int{},
	}
}

// Ready reads the master key, or makes it.
func (b *Box) Ready() error {
	if b == nil {
		return nil
	}
	return b.master.ready()
}

// recordKey is what a secret is bound to, as text. Neither a workspace nor a kind has a bar in it.
func recordKey(workspace, kind, id string) string { return workspace + "|" + kind + "|" + id }

// Seal seals a text for the record that keeps it.
func (b *Box) Seal(ctx context.Context, workspace, kind, id string, text []byte) (string, error) {
	if b == nil {
		return "", ErrNoKey
	}
	number, key, err := b.sealing(ctx, workspace)
	if err != nil {
		return "", err
	}
	if err := b.note(ctx, recordKey(workspace, kind, id), number); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s.%d.%s", version, number, sealed(key, text, recordKey(workspace, kind, id))), nil
}

// OpenText opens what Seal made for the same record.
func (b *Box) OpenText(ctx context.Context, workspace, kind, id, text string) ([]byte, error) {
	number, body, err := split(text)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, ErrLocked
	}
	key, err := b.key(ctx, workspace, number)
	if err != nil {
		return nil, err
	}
	return opened(key, body, recordKey(workspace, kind, id))
}

// Stale reports whether something is sealed by a key that is not the newest.
func (b *Box) Stale(ctx context.Context, workspace, text string) (bool, error) {
	number, _, err := split(text)
	if err != nil || b == nil {
		return false, err
	}
	newest, _, err := b.sealing(ctx, workspace)
	return err == nil && newest != number, err
}

// Forget says that nothing is sealed any more for a record.
func (b *Box) Forget(ctx context.Context, workspace, kind, id string) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	delete(b.noted, recordKey(workspace, kind, id))
	b.mu.Unlock()
	if err := b.records.Delete(ctx, noWorkspace, kindNote, recordKey(workspace, kind, id)); err != nil {
		return fmt.Errorf("forget a secret: %w", err)
	}
	return nil
}

// RecordKey is what a secret is sealed for.
type RecordKey struct{ Workspace, Kind, ID string }

// SealedRecords lists what is sealed.
func SealedRecords(ctx context.Context, records Records) ([]RecordKey, error) {
	return recordsWhere(ctx, records, func(RecordKey, json.RawMessage) (bool, error) { return true, nil })
}

// Locked lists what is sealed by a key that cannot be opened: its master key is not
// there any more, and it must be entered again.
func (b *Box) Locked(ctx context.Context) ([]RecordKey, error) {
	return recordsWhere(ctx, b.records, func(at RecordKey, note json.RawMessage) (bool, error) {
		number, err := strconv.Atoi(string(note))
		if err != nil {
			return false, fmt.Errorf("read the note of a secret: %w", err)
		}
		_, err = b.key(ctx, at.Workspace, number)
		if errors.Is(err, ErrLocked) {
			return true, nil
		}
		return false, err
	})
}

func recordsWhere(ctx context.Context, records Records, is func(at RecordKey, note json.RawMessage) (bool, error)) ([]RecordKey, error) {
	notes, err := records.List(ctx, noWorkspace, kindNote)
	if err != nil {
		return nil, fmt.Errorf("list what is sealed: %w", err)
	}
	var found []RecordKey
	for _, note := range notes {
		parts := strings.SplitN(note.ID, "|", 3)
		if len(parts) != 3 {
			continue
		}
		at := RecordKey{parts[0], parts[1], parts[2]}
		wanted, err := is(at, note.Doc)
		if err != nil {
			return nil, err
		}
		if wanted {
			found = append(found, at)
		}
	}
	return found, nil
}

// note goes before what is sealed is kept: what is sealed is always noted, with the
// number of its key.
func (b *Box) note(ctx context.Context, at string, number int) error {
	b.mu.Lock()
	known := b.noted[at] == number
	b.mu.Unlock()
	if known {
		return nil
	}
	if err := b.records.Put(ctx, noWorkspace, kindNote, at, json.RawMessage(strconv.Itoa(number))); err != nil {
		return fmt.Errorf("note a secret: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.noted[at] = number
	return nil
}

func split(text string) (number int, body string, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || parts[0] != version {
		return 0, "", ErrForeign
	}
	if _, err := fmt.Sscanf(parts[1], "%d", &number); err != nil {
		return 0, "", ErrForeign
	}
	return number, parts[2], nil
}

func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // The key has another length; files and records are checked for it.
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the block that GCM wants.
	}
	return aead
}

// sealed is a random nonce and what it seals, in base64.
func sealed(key cipher.AEAD, text []byte, record string) string {
	nonce := make([]byte, key.NonceSize(), key.NonceSize()+len(text)+key.Overhead())
	_, _ = rand.Read(nonce) // It never fails.
	return base64.RawURLEncoding.EncodeToString(key.Seal(nonce, nonce, text, []byte(record)))
}

func opened(key cipher.AEAD, text, record string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < key.NonceSize() {
		return nil, ErrForeign
	}
	plain, err := key.Open(nil, raw[:key.NonceSize()], raw[key.NonceSize():], []byte(record))
	if err != nil {
		return nil, ErrForeign
	}
	return plain, nil
}
