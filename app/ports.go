package app

import (
	"context"

	"tidings/account"
	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/rollover"
)

// Index is an index and what it takes to run it.
type Index interface {
	indexer.Index
	indexer.ErasableIndex
	feed.Index
	rollover.Weeks
	rollover.Blocks
	Ping(ctx context.Context) error
	Close() error
}

// State is a state store and what it takes to run it.
type State interface {
	indexer.States
	indexer.Erasures
	indexer.ErasableStates
	feed.States
	feed.Catalogue
	rollover.States
	rollover.Catalogue
	account.Records
	Ping(ctx context.Context) error
	Close() error
}

// damageable is an index that knows which of its weeks are damaged.
type damageable interface {
	// Look looks at every week, not into it, and returns those that are damaged.
	Look(ctx context.Context) event.DamagedWeeks
	// Damaged are those that are known to be.
	Damaged(ctx context.Context) event.DamagedWeeks
	// Usable is nil where a week can be read and written again.
	Usable(ctx context.Context, week event.Week) error
}

// checkable is a store that is a file on this machine.
type checkable interface {
	// Check reads all of it; what is wrong with it is an event.Degraded.
	Check(ctx context.Context) error
}
