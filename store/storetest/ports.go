package storetest

import (
	"context"
	"encoding/json"

	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/rollover"
)

// AnswersStates is what the suite needs of a state store.
type AnswersStates interface {
	indexer.States
	feed.States
	feed.Catalogue
}

// Index is what every index can do.
type Index interface {
	feed.Index
	indexer.Index
	Close() error
}

// Weeks is the life of a week.
type Weeks interface {
	WeekInfos(ctx context.Context) ([]event.WeekInfo, error)
	// Seal refuses writes to the week from then on, with an event.WeekBlocked.
	Seal(ctx context.Context, week event.Week) error
	Unseal(ctx context.Context, week event.Week) error
	Drop(ctx context.Context, week event.Week) error
	// Prepare makes a week that does not exist yet.
	Prepare(ctx context.Context, week event.Week) error
	// RemoveSends takes the sends of messages out of a week, sealed or not.
	RemoveSends(ctx context.Context, week event.Week, messages []event.MessageKey) (int, error)
}

// EventEraser takes a person out of an index.
type EventEraser interface {
	EraseRecipient(ctx context.Context, workspace, email string) (deleted []event.ID, rewritten []event.Event, err error)
}

// Records is what every store of records can do. The packages that use one
// declare what they need of it; this is all of it.
type Records interface {
	Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error)
	Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error
	Swap(ctx context.Context, workspace, kind, id string, old, doc json.RawMessage) error
	Delete(ctx context.Context, workspace, kind, id string) error
	Take(ctx context.Context, workspace, kind, id string) (json.RawMessage, error)
	List(ctx context.Context, workspace, kind string) ([]event.Record, error)
	Close() error
}

// State is what every state store can do.
type State interface {
	indexer.States
	indexer.Erasures
	feed.States
	feed.Catalogue
	rollover.States
	rollover.Catalogue
	// Incomplete returns sends that somebody has not opened, newest first, from
	// behind the send of message at before, or from the newest when it is 0.
	Incomplete(ctx context.Context, workspace string, before int64, message string, limit int) ([]event.State, error)
	MarkErased(ctx context.Context, workspace, email string, until int64) error
	// EraseRecipient takes a person out of every state of a workspace and
	// returns those that named them, as they are now.
	EraseRecipient(ctx context.Context, workspace, email string) ([]event.State, error)
	Close() error
}
