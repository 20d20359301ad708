package migrations

import (
	"context"
	"time"
)

// Schema is a store whose parts have a schema with a version.
type Schema interface {
	// Parts describes what there is, in the order in which it is migrated. It
	// changes nothing. A part that does not exist yet is left out: it is made
	// with the present schema.
	Parts(ctx context.Context) ([]Part, error)
	// Up takes a part the next step from the version that it has. The step and
	// its number become durable together, and a step that was taken is not
	// taken again.
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
