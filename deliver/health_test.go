package deliver

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// oneRecord keeps one record and counts how often it is written.
type oneRecord struct {
	Records
	doc    json.RawMessage
	writes int
}

func (r *oneRecord) Get(context.Context, string, string, string) (json.RawMessage, error) {
	if r.doc == nil {
		return nil, event.ErrNotFound
	}
	return r.doc, nil
}

func (r *oneRecord) Swap(_ context.Context, _, _, _ string, _, doc json.RawMessage) error {
	r.doc, r.writes = doc, r.writes+1
	return nil
}

// That all is well is written once a minute, and a failure each time.
func TestAHealthThatIsTheSameIsNotWritten(t *testing.T) {
	records := &oneRecord{}
	directory := NewDirectory(records, nil, nil)
	at := noon
	learn := func(ok bool) {
		t.Helper()
		_, err := directory.Health(t.Context(), EndpointKey{"w", "crm"}, func(h *Health) {
			if ok {
				h.succeeded(at)
			} else {
				h.failed(at, "it answered 500", false, 0)
			}
		})
		require.NoError(t, err)
	}
	for range 60 {
		learn(true)
		at = at.Add(time.Second)
	}
	require.Equal(t, 1, records.writes)
	learn(true)
	learn(false)
	learn(false)
	learn(true)
	learn(true)
	require.Equal(t, 5, records.writes, "a minute later, two failures, and the end of them")
}
