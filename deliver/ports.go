package deliver

import (
	"context"
	"encoding/json"
	"time"

	"tidings/secret"
)

// EndpointKey names an endpoint of a workspace.
type EndpointKey struct{ Workspace, Endpoint string }

// Want is up to so many deliveries of an endpoint.
type Want struct {
	EndpointKey
	Most int
}

// Filter chooses deliveries of a workspace. What is empty chooses all.
type Filter struct {
	Endpoint string
	IDs      []string
	State    State
	// Since and Until bound when it was decided, in Unix milliseconds; Until is left out.
	Since, Until int64
}

// Outbox keeps deliveries, durable when a call returns. Several processes may use one.
type Outbox interface {
	// Add writes those that are not there yet, by workspace and id, and leaves the others
	// as they are: adding again is no error.
	Add(ctx context.Context, deliveries []Delivery) error
	// Due are the endpoints that have something waiting that is due and under no lease.
	Due(ctx context.Context, now time.Time) ([]EndpointKey, error)
	// Claim takes of each endpoint as many as are wanted of those that are due and under no
	// lease, by due time, and puts them under one: of several that claim, one has each.
	Claim(ctx context.Context, wants []Want, now, lease time.Time) ([]Delivery, error)
	// Resolve writes what became of a claimed delivery. event.ErrConflict says that it is
	// not under that lease any more: another took it after the lease's end, or it was
	// cancelled or erased meanwhile.
	Resolve(ctx context.Context, d Delivery, lease int64) error
	// List returns up to most, newest first by At and id, after the cursor that it returned.
	List(ctx context.Context, workspace string, filter Filter, after string, most int) (list []Delivery, next string, err error)
	// Change applies change to each that the filter chooses and writes those for which it
	// says true; how many were written. One that is changed meanwhile is left out.
	Change(ctx context.Context, workspace string, filter Filter, change func(*Delivery) bool) (int, error)
	// Waiting counts a workspace's waiting deliveries by endpoint.
	Waiting(ctx context.Context, workspace string) (map[string]int, error)
	// Expire deletes those that ended before a time, up to most; how many.
	Expire(ctx context.Context, before time.Time, most int) (int, error)
}

// Endpoints reads and writes endpoints.
type Endpoints interface {
	// Endpoint opens the secrets too. event.ErrNotFound where there is none.
	Endpoint(ctx context.Context, key EndpointKey) (Endpoint, error)
	// Health reads and replaces the health of an endpoint, one after another: apply is
	// called again where somebody else was faster.
	Health(ctx context.Context, key EndpointKey, apply func(*Health)) (Health, error)
	// Gone says that an endpoint wants nothing any more: a device is let go.
	Gone(ctx context.Context, key EndpointKey) error
}

// Source renders what a delivery tells of, as of now.
type Source interface {
	// Content is what may be said, with the time of the decision. why is not empty where
	// nothing may be sent any more: withdrawn, erased, not visible. One that may only be
	// sent later is asked for again then, and no try of it is counted.
	Content(ctx context.Context, d Delivery) (content Content, why string, err error)
}

// Observer is told what a worker does.
type Observer interface {
	// Tried is told of each try: what became of the delivery, how long the try took, and how
	// long after it was due it began.
	Tried(kind Kind, result string, took, late time.Duration)
	// Turned is told of an endpoint whose health a try has changed to a mode.
	Turned(kind Kind, mode Mode)
}

// Records keeps endpoints and their health. It is a part of the state store.
type Records interface {
	Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error)
	secret.Records
}
