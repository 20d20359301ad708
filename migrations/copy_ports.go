package migrations

import (
	"context"
	"encoding/json"

	"tidings/event"
)

// EventSource is the index that is copied.
type EventSource interface {
	WeekInfos(ctx context.Context) ([]event.WeekInfo, error)
	// Scan returns at most most events of a week, of all workspaces, from
	// behind a place that it returned, or from the beginning where that is "".
	// The order is always the same. The place is "" at the end.
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
