package app

import (
	"context"

	"tidings/account"
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
