package hooks

import (
	"context"
	"time"

	"tidings/event"
)

// Provider verifies and decodes the webhooks of one vendor. Its methods may be
// called at the same time.
type Provider interface {
	// Check reports what is wrong with a source's secrets, by field: a key of
	// the wrong kind, or none where one is needed.
	Check(Secrets) *event.FieldError
	// Verify returns nil when the request comes from who holds a secret. A
	// Refusal says why not; event.ErrUnavailable that it cannot be known now.
	Verify(ctx context.Context, r *Request, secrets Secrets, now time.Time) error
	// Decode reads a verified request. Decoding the same request again gives
	// the same events. The error is an event.ErrInvalid: nothing of the
	// request can be understood.
	Decode(r *Request) (Decoded, error)
	// Sample is a request as the vendor sends it, unsigned.
	Sample() *Request
}

// Claims lets processes agree on who was first.
type Claims interface {
	// Claim keeps a value under a name unless there is one, and returns the one
	// that is kept. It is kept for a day, or less where there are very many.
	// event.ErrUnavailable says that it cannot be known now.
	Claim(ctx context.Context, name, value string) (string, error)
	// Claimed is the value that is kept under a name, "" when there is none.
	// event.ErrUnavailable says that it cannot be known now.
	Claimed(ctx context.Context, name string) (string, error)
}

// heading is a Provider that can tell by the head of some requests that no body makes them
// believed.
type heading interface {
	// VerifyHead is the part of Verify that looks at all but the body, which may still have
	// to come.
	VerifyHead(r *Request, secrets Secrets, now time.Time) error
}

// acknowledger is a Provider with something to note of a request once what it reports
// is durable. Doing so again changes nothing.
type acknowledger interface {
	Acknowledge(ctx context.Context, r *Request) error
}
