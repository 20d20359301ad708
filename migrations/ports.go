package migrations

import (
	"context"
	"encoding/json"
	"time"

	"tidings/event"
)

// Schema is a store whose parts have a schema with a version.
type Schema interface {
	// Parts describes what there is, in the order in which it is migrated. It
	// changes nothing. A part that does not exist yet is left out: it is made
	// with the present schema.
	Parts(ctx context.Context) ([]Part, error)
	// Up takes a part the next step from the version that it has. The step and
	// its number become durable together, and a step that was taken is not
	// taken again. A week that is damaged is an event.WeekDamaged.
	Up(ctx context.Context, part string) error
}

// Part is what has a version of its own: a file, an index, a collection.
type Part struct {
	// Name is such as "state" or "week 2026-w47".
	Name string `json:"name"`
	// Have is the version it has, Want the one that this program writes.
	Have int `json:"have"`
	Want int `json:"want"`
	// Steps say in a few words what each missing step does.
	Steps []string `json:"steps,omitempty"`
	// Damage says why the version is not known, and what to do.
	Damage string `json:"damage,omitempty"`
}

// History keeps what was done.
type History interface {
	// Note adds a step that was taken.
	Note(ctx context.Context, step Taken) error
	// Taken lists the steps that were taken, the oldest first.
	Taken(ctx context.Context) ([]Taken, error)
}

// Taken is a step that was taken.
type Taken struct {
	Part string        `json:"part"`
	From int           `json:"from"`
	To   int           `json:"to"`
	At   time.Time     `json:"at"`
	Took time.Duration `json:"took"`
	// By is the version of the program.
	By string `json:"by"`
}

// Generations builds weeks of an index anew.
type Generations interface {
	// NextGeneration begins an empty one beside a week, with the present
	// mapping, and forgets one that was left half made. What is written to the
	// week from then on is remembered for Copy. ErrNotFound when there is no
	// such week, ErrConflict while it is being built already.
	NextGeneration(ctx context.Context, week event.Week) (Generation, error)
}

// Generation is a week beside the one that is read. One of Swap and Discard
// ends it.
type Generation interface {
	// Copy brings over what was written to the week since the last Copy, and at
	// first everything, a batch at a time and each as judge returns it. It
	// returns how many events it looked at. What was removed from the week is
	// removed.
	Copy(ctx context.Context, judge Judge) (int, error)
	// Block makes writes to the week an event.WeekBlocked until the generation
	// ends. Reading goes on.
	Block(ctx context.Context) error
	// Swap brings over what is left, holds the generation to having as many
	// events as the week (ErrConflict), puts it in its place, sealed where that
	// was, and takes the block off.
	Swap(ctx context.Context, judge Judge) error
	// Discard forgets the generation and takes the block off.
	Discard(ctx context.Context) error
}

// EventSource is the index that is copied.
type EventSource interface {
	WeekInfos(ctx context.Context) ([]event.WeekInfo, error)
	// Scan returns at most most events of a week, of all workspaces, from
	// behind a position that it returned, or from the beginning where that is "".
	// The order is always the same. The position is "" at the end.
	Scan(ctx context.Context, week event.Week, after string, most int) (events []event.Event, next string, err error)
}

// EventTarget is the index that it is copied into.
type EventTarget interface {
	// WeekInfos counts what was created before.
	WeekInfos(ctx context.Context) ([]event.WeekInfo, error)
	// Create writes events that are not there yet; see indexer.Index.
	Create(ctx context.Context, events []event.Event) ([]event.Outcome, error)
	// Get returns the events that exist among ids, in any order.
	Get(ctx context.Context, workspace string, ids []event.ID) ([]event.Event, error)
	// Drop deletes a week with all its events.
	Drop(ctx context.Context, week event.Week) error
}

// Sealer seals a week of the target.
type Sealer interface {
	Seal(ctx context.Context, week event.Week) error
}

// StateSource is the state store that is copied. Nobody writes it meanwhile.
type StateSource interface {
	// ScanStates and ScanRecords return at most most states, and records of all
	// workspaces, as EventSource.Scan does events.
	ScanStates(ctx context.Context, after string, most int) (states []event.State, next string, err error)
	ScanRecords(ctx context.Context, after string, most int) (records []Record, next string, err error)
	// Catalogue is the weeks of each workspace.
	Catalogue(ctx context.Context) (map[string][]event.Week, error)
	// ErasureSecret is what the list of erased people was made with.
	ErasureSecret(ctx context.Context) ([]byte, error)
}

// Record is a small document with where it belongs.
type Record struct {
	Workspace, Kind, ID string
	Doc                 json.RawMessage
}

// StateTarget is the state store that it is copied into.
type StateTarget interface {
	// PutStates writes states over what there is, as they are.
	PutStates(ctx context.Context, states []event.State) error
	// Read returns the states that exist among keys.
	Read(ctx context.Context, keys []event.MessageKey) (map[event.MessageKey]event.State, error)
	// SetErasureSecret takes the place of the store's own. It counts from when
	// the store is opened again.
	SetErasureSecret(ctx context.Context, secret []byte) error
}

// RecordTarget takes the rest of the state.
type RecordTarget interface {
	Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error
	Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error)
	// ListWeeks adds weeks to a workspace's catalogue.
	ListWeeks(ctx context.Context, workspace string, weeks []event.Week) error
}

// Progress remembers what was copied into a target.
type Progress interface {
	// Begun reports whether copying into the target has begun, Begin notes it.
	Begun(ctx context.Context) (bool, error)
	Begin(ctx context.Context) error
	// Copied is what was copied of a week, false when it was not.
	Copied(ctx context.Context, week event.Week) (Digest, bool, error)
	// NoteCopied writes what was copied of a week over what it was.
	NoteCopied(ctx context.Context, week event.Week, digest Digest) error
}

// Digest is how many things there were, and a hash of them in their order.
type Digest struct {
	Count  int64  `json:"count"`
	SHA256 string `json:"sha256"`
}

// Sends finds the sends of a week.
type Sends interface {
	// SendsOf gives the sends of a workspace's week to visit, a bounded number at a
	// time. It ends with the first error of visit.
	SendsOf(ctx context.Context, workspace string, week event.Week, visit func([]event.Event) error) error
}

// ListedWeeks says where events are.
type ListedWeeks interface {
	// Catalogue is the weeks of each workspace.
	Catalogue(ctx context.Context) (map[string][]event.Week, error)
}

// KnownStates reads what is known of messages.
type KnownStates interface {
	// Read returns the states that exist among keys.
	Read(ctx context.Context, keys []event.MessageKey) (map[event.MessageKey]event.State, error)
}

// Notes keeps how far a search has come.
type Notes interface {
	Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error)
	Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error
	Delete(ctx context.Context, workspace, kind, id string) error
}
