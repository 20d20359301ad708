package audit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/audit"
)

// taker is a sink that fails some of the time.
type taker struct {
	failing bool
	ids     []string
}

func (k *taker) Send(_ context.Context, entries []audit.Entry) error {
	for _, e := range entries {
		k.ids = append(k.ids, e.ID)
	}
	if k.failing {
		return errors.New("away")
	}
	return nil
}

func TestASinkGetsEveryRowAtLeastOnce(t *testing.T) {
	s := newSite(t)
	sink := &taker{failing: true}
	s.log.Note(look("GET /1"))
	require.NoError(t, s.log.Flush(t.Context()))
	require.Error(t, s.log.FeedOnce(t.Context(), sink))
	sink.failing = false
	require.NoError(t, s.log.FeedOnce(t.Context(), sink))
	require.NoError(t, s.log.FeedOnce(t.Context(), sink))
	require.Len(t, sink.ids, 2)
	require.Equal(t, sink.ids[0], sink.ids[1], "the same row has the same id")
	s.pass(24 * time.Hour)
	s.log.Note(look("GET /2"))
	require.NoError(t, s.log.Flush(t.Context()))
	require.NoError(t, s.another().FeedOnce(t.Context(), sink), "another process goes on")
	require.Len(t, sink.ids, 3)
}
