package erasures_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/store/erasures"
)

func TestARecordIsFoundAgainAndTellsNobodyWho(t *testing.T) {
	secret := []byte("secret")
	id := erasures.ID(secret, "acme", "Jo@acme.example")
	require.Equal(t, id, erasures.ID(secret, "acme", "jo@ACME.example"), "however the address is written")
	require.NotContains(t, id, "jo")
	require.Len(t, id, 64)
	for name, other := range map[string]string{
		"another person":    erasures.ID(secret, "acme", "ana@acme.example"),
		"another workspace": erasures.ID(secret, "beta", "jo@acme.example"),
		"another secret":    erasures.ID([]byte("other"), "acme", "jo@acme.example"),
		"moved border":      erasures.ID(secret, "acmejo", "@acme.example"),
	} {
		require.NotEqual(t, id, other, name)
	}
	doc, err := erasures.Record(time.Unix(7, 0), 5, nil)
	require.NoError(t, err)
	require.JSONEq(t, `{"at":7}`, string(doc))
	require.Equal(t, int64(7), erasures.Until(doc))
	doc, err = erasures.Record(time.Unix(7, 0), 9, []byte(`{"at":8}`))
	require.NoError(t, err)
	require.Equal(t, int64(9), erasures.Until(doc))
	require.Equal(t, int64(math.MaxInt64), erasures.Until(nil), "what cannot be read bars everything")
}

// raced has another erasure come between each first reading and writing.
type raced struct {
	doc     json.RawMessage
	between func()
}

func (r *raced) Get(context.Context, string, string, string) (json.RawMessage, error) {
	doc := r.doc
	if between := r.between; between != nil {
		r.between = nil
		between()
	}
	if doc == nil {
		return nil, event.ErrNotFound
	}
	return doc, nil
}

func (r *raced) Swap(_ context.Context, _, _, _ string, old, doc json.RawMessage) error {
	if !bytes.Equal(r.doc, old) {
		return event.ErrConflict
	}
	r.doc = doc
	return nil
}

func TestOfTwoErasuresAtOnceNeitherIsLost(t *testing.T) {
	mark := func(r *raced, at, until int64) {
		require.NoError(t, erasures.Mark(t.Context(), r, "acme", "id", time.Unix(at, 0), until))
	}
	r := &raced{}
	r.between = func() { mark(r, 5, 900) }
	mark(r, 6, 0)
	require.Equal(t, int64(900), erasures.Until(r.doc))
	r.between = func() { mark(r, 7, 1000) }
	mark(r, 8, 950)
	require.Equal(t, int64(1000), erasures.Until(r.doc))
}
