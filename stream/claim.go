package stream

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// claimsAge is how long a claim is kept, longer than any vendor tries a
	// webhook.
	claimsAge = 24 * time.Hour
	// claimsBytes bounds CLAIMS, for some 300,000 of them; the oldest go first.
	claimsBytes = 64 << 20
)

// Claim keeps a value under a name unless there is one, and returns the value
// that is kept: all who claim a name, in any process, get what the first of them
// gave. It is durable when this returns, and forgotten after a day, or when too
// many younger ones have come.
func (s *Stream) Claim(ctx context.Context, name, value string) (string, error) {
	subject := claimSubject(name)
	// The second try is for a claim that was forgotten between the two calls.
	for range 2 {
		_, err := s.js.Publish(ctx, subject, []byte(value), jetstream.WithExpectLastSequencePerSubject(0))
		if err == nil {
			return value, nil
		}
		refused, ok := errors.AsType[*jetstream.APIError](err)
		if !ok || refused.ErrorCode != jetstream.JSErrCodeStreamWrongLastSequence {
			return "", unavailable("claim", err)
		}
		claims, err := s.js.Stream(ctx, claimsName)
		if err != nil {
			return "", unavailable("claim", err)
		}
		first, err := claims.GetLastMsgForSubject(ctx, subject)
		if err == nil {
			return string(first.Data), nil
		}
		if !missing(err) {
			return "", unavailable("claim", err)
		}
	}
	return "", unavailable("claim", errors.New("the claim comes and goes"))
}

// Claimed is the value that is kept under a name, "" when there is none.
func (s *Stream) Claimed(ctx context.Context, name string) (string, error) {
	claims, err := s.js.Stream(ctx, claimsName)
	if err != nil {
		return "", unavailable("look a claim up", err)
	}
	first, err := claims.GetLastMsgForSubject(ctx, claimSubject(name))
	switch {
	case err == nil:
		return string(first.Data), nil
	case missing(err):
		return "", nil
	}
	return "", unavailable("look a claim up", err)
}
