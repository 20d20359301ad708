package notify

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/event"
)

// Kinds of the records that a book is made of.
const (
	kindSettings = "notify-settings"
	kindDefaults = "notify-defaults"
	kindMode     = "notify-mode"
	kindRule     = "notify-rule"
	kindTimed    = "notify-timed"
	kindDevices  = "notify-devices"
	noWorkspace  = ""
	kindRevision = "revision"
	bookRevision = "notify"
)

const (
	// bookFresh is how long a book is used before its revision is read again, and
	// bookLife how long before it is read whatever its revision says: a process may
	// have died between a change and its revision.
	bookFresh = time.Second
	bookLife  = time.Minute
	// booksKept bounds the workspaces whose book is in memory.
	booksKept = 500
	// changeTries is how often a change is made anew that others were faster with.
	changeTries = 10
)

// Mode says what a workspace does with decisions.
type Mode string

// The modes. The zero value is On.
const (
	ModeOff Mode = "off"
	// ModeShadow decides and keeps, and tells nobody.
	ModeShadow Mode = "shadow"
	ModeOn     Mode = "on"
)

// Book is what a workspace's people want to be told. It is shared and not to be changed.
type Book struct {
	Mode     Mode
	Defaults Defaults
	Settings map[string]Settings
	// Rules are by owner, in the order of names.
	Rules map[string][]Rule
	// Devices are those who have a device that is pushed to.
	Devices map[string]bool
	// told is of which kinds somebody with settings is told, usual of others.
	told  map[string]interest
	usual interest
	// reaching are those whose settings reach beyond their own messages, in order.
	reaching []string
	asking   asking
}

// Books keeps books in records. What another process changes is seen after a second.
type Books struct {
	records Records
	clock   func() time.Time

	mu    sync.Mutex
	known *lru.Cache[string, *knownBook]
}

type knownBook struct {
	mu              sync.Mutex
	revision        string
	checked, loaded time.Time
	book            *Book
}

// NewBooks keeps books in records.
func NewBooks(records Records, clock func() time.Time) *Books {
	known, err := lru.New[string, *knownBook](booksKept)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return &Books{records: records, clock: clock, known: known}
}

// Load returns a workspace's book, which is a second old at most.
func (b *Books) Load(ctx context.Context, workspace string) (*Book, error) {
	k := b.knownOf(workspace)
	k.mu.Lock()
	defer k.mu.Unlock()
	now := b.clock()
	if k.book != nil && now.Sub(k.checked) < bookFresh {
		return k.book, nil
	}
	revision, err := read[string](ctx, b.records, workspace, kindRevision, bookRevision)
	if err != nil {
		return nil, err
	}
	if k.book != nil && revision == k.revision && now.Sub(k.loaded) < bookLife {
		k.checked = now
		return k.book, nil
	}
	book, err := b.read(ctx, workspace)
	if err != nil {
		return nil, err
	}
	k.book, k.revision, k.checked, k.loaded = book, revision, now, now
	return book, nil
}

func (b *Books) knownOf(workspace string) *knownBook {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, ok := b.known.Get(workspace)
	if !ok {
		k = &knownBook{}
		b.known.Add(workspace, k)
	}
	return k
}

func (b *Books) read(ctx context.Context, workspace string) (*Book, error) {
	book := &Book{Settings: make(map[string]Settings), Rules: make(map[string][]Rule), Devices: make(map[string]bool)}
	var err error
	if book.Defaults, err = read[Defaults](ctx, b.records, workspace, kindDefaults, ""); err != nil {
		return nil, err
	}
	if book.Mode, err = read[Mode](ctx, b.records, workspace, kindMode, ""); err != nil {
		return nil, err
	}
	records, err := b.records.List(ctx, workspace, kindSettings)
	if err != nil {
		return nil, fmt.Errorf("list settings of notifications: %w", err)
	}
	for _, record := range records {
		var s Settings
		if err := json.Unmarshal(record.Doc, &s); err != nil {
			return nil, fmt.Errorf("decode settings of notifications: %w", err)
		}
		book.Settings[record.ID] = s
	}
	if records, err = b.records.List(ctx, workspace, kindRule); err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	for _, record := range records {
		var r Rule
		if err := json.Unmarshal(record.Doc, &r); err != nil {
			return nil, fmt.Errorf("decode a rule: %w", err)
		}
		book.Rules[r.Owner] = append(book.Rules[r.Owner], r)
	}
	if records, err = b.records.List(ctx, workspace, kindDevices); err != nil {
		return nil, fmt.Errorf("list who has devices: %w", err)
	}
	for _, record := range records {
		book.Devices[record.ID] = true
	}
	book.index()
	return book, nil
}

// Settings returns a person's, as they are stored now.
func (b *Books) Settings(ctx context.Context, workspace, user string) (Settings, error) {
	return read[Settings](ctx, b.records, workspace, kindSettings, user)
}

// ChangeSettings makes a change to a person's settings, anew where somebody else was
// faster, and returns what holds afterwards.
func (b *Books) ChangeSettings(ctx context.Context, workspace, user string, change func(*Settings) error) (Settings, error) {
	var s Settings
	err := b.change(ctx, workspace, kindSettings, user, func(old json.RawMessage) (any, error) {
		s = Settings{}
		if old != nil {
			if err := json.Unmarshal(old, &s); err != nil {
				return nil, fmt.Errorf("decode settings of notifications: %w", err)
			}
		}
		if err := change(&s); err != nil {
			return nil, err
		}
		if err := s.Check(); err != nil {
			return nil, err
		}
		if err := b.remember(ctx, workspace, user, s.Rev, old); err != nil {
			return nil, err
		}
		s.Rev++
		return s, nil
	})
	return s, err
}

// ChangeDefaults makes a change to a workspace's, as ChangeSettings does.
func (b *Books) ChangeDefaults(ctx context.Context, workspace string, change func(*Defaults) error) (Defaults, error) {
	var d Defaults
	err := b.change(ctx, workspace, kindDefaults, "", func(old json.RawMessage) (any, error) {
		d = Defaults{}
		if old != nil {
			if err := json.Unmarshal(old, &d); err != nil {
				return nil, fmt.Errorf("decode defaults of notifications: %w", err)
			}
		}
		if err := change(&d); err != nil {
			return nil, err
		}
		if err := d.Cells.Check(); err != nil {
			return nil, err
		}
		if err := b.remember(ctx, workspace, "", d.Rev, old); err != nil {
			return nil, err
		}
		d.Rev++
		return d, nil
	})
	return d, err
}

// Defaults returns a workspace's and its mode, as they are stored now.
func (b *Books) Defaults(ctx context.Context, workspace string) (Defaults, Mode, error) {
	d, err := read[Defaults](ctx, b.records, workspace, kindDefaults, "")
	if err != nil {
		return d, "", err
	}
	mode, err := read[Mode](ctx, b.records, workspace, kindMode, "")
	return d, mode, err
}

// SetMode says what a workspace does with decisions.
func (b *Books) SetMode(ctx context.Context, workspace string, mode Mode) error {
	return b.change(ctx, workspace, kindMode, "", func(json.RawMessage) (any, error) { return mode, nil })
}

// SetDevices says whether somebody has a device that is pushed to. It may be repeated.
func (b *Books) SetDevices(ctx context.Context, workspace, user string, has bool) error {
	now, err := read[bool](ctx, b.records, workspace, kindDevices, user)
	if err != nil || now == has {
		return err
	}
	if has {
		err = b.records.Put(ctx, workspace, kindDevices, user, json.RawMessage("true"))
	} else {
		err = b.records.Delete(ctx, workspace, kindDevices, user)
	}
	if err != nil {
		return fmt.Errorf("note who has devices: %w", err)
	}
	return b.changed(ctx, workspace)
}

// change compares and swaps a record of a book, anew where somebody else was faster.
func (b *Books) change(ctx context.Context, workspace, kind, id string, change func(old json.RawMessage) (any, error)) error {
	if err := b.swap(ctx, workspace, kind, id, change); err != nil {
		return err
	}
	return b.changed(ctx, workspace)
}

func (b *Books) swap(ctx context.Context, workspace, kind, id string, change func(old json.RawMessage) (any, error)) error {
	for range changeTries {
		old, err := b.records.Get(ctx, workspace, kind, id)
		if err != nil && !errors.Is(err, event.ErrNotFound) {
			return fmt.Errorf("read %s: %w", kind, err)
		}
		value, err := change(old)
		if err != nil {
			return err
		}
		doc, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("encode %s: %w", kind, err)
		}
		err = b.records.Swap(ctx, workspace, kind, id, old, doc)
		if errors.Is(err, event.ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", kind, err)
		}
		return nil
	}
	return fmt.Errorf("write %s: %w", kind, event.ErrConflict)
}

// changed makes what is known old, here and in other processes.
func (b *Books) changed(ctx context.Context, workspace string) error {
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.known.Remove(workspace)
	}()
	doc, err := json.Marshal(rand.Text())
	if err != nil {
		return err
	}
	if err := b.records.Put(ctx, workspace, kindRevision, bookRevision, doc); err != nil {
		return fmt.Errorf("note change of notifications: %w", err)
	}
	return nil
}

// read reads a record; the zero value where there is none.
func read[T any](ctx context.Context, records Records, workspace, kind, id string) (T, error) {
	var value T
	doc, err := records.Get(ctx, workspace, kind, id)
	if errors.Is(err, event.ErrNotFound) {
		return value, nil
	}
	if err != nil {
		return value, fmt.Errorf("read %s: %w", kind, err)
	}
	if err := json.Unmarshal(doc, &value); err != nil {
		return value, fmt.Errorf("decode %s: %w", kind, err)
	}
	return value, nil
}
