package stream

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	trimEvery = time.Minute
	trimLease = 30 * time.Second
)

// Run trims EVENTS every minute, and when it fills, as long as it holds the
// lease for that. It returns when ctx ends.
func (s *Stream) Run(ctx context.Context) error {
	return s.RunUnderLease(ctx, "trim", trimLease, s.trimRegularly)
}

func (s *Stream) trimRegularly(ctx context.Context) error {
	ticker := time.NewTicker(trimEvery)
	defer ticker.Stop()
	for {
		if _, err := s.Trim(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Logger.WarnContext(ctx, "the queue was not trimmed", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		case <-s.figures.full:
		}
	}
}

// Trim removes events that every lane has acknowledged and that arrived longer
// than Keep ago, and returns how many. It never removes an event that is still
// needed.
//
// When EVENTS is more than three quarters full, younger events go too, oldest
// first, until five eighths are left: what has been indexed is worth less than
// taking new events in.
func (s *Stream) Trim(ctx context.Context) (uint64, error) {
	events, err := s.stream(ctx, eventsName)
	if err != nil {
		return 0, unavailable("trim", err)
	}
	info := events.CachedInfo()
	if info.State.Msgs == 0 {
		return 0, nil
	}
	// Everything up to the floor is done with.
	floor, err := s.acknowledged(ctx, events)
	if err != nil {
		return 0, fmt.Errorf("trim: %w", err)
	}
	upTo, err := sequenceAt(ctx, events, eventsPrefix, info.State, s.cfg.Clock().Add(-s.cfg.Keep))
	if err != nil {
		return 0, fmt.Errorf("trim: %w", err)
	}
	upTo = min(max(upTo-1, tooMuch(info)), floor)
	if upTo < info.State.FirstSeq {
		return 0, nil
	}
	if err := events.Purge(ctx, jetstream.WithPurgeSequence(upTo+1)); err != nil {
		return 0, unavailable("trim", err)
	}
	gone := upTo - info.State.FirstSeq + 1
	s.counts.trimmed.Add(gone)
	return gone, nil
}

// overThreeQuarters reports whether a stream is so full that acknowledged events
// go before their time.
func overThreeQuarters(bytes uint64, bound int64) bool {
	return bound > 0 && bytes > uint64(bound)/4*3
}

// tooMuch is the sequence up to which events have to go to leave five eighths
// of the bound, by their average size; 0 when there is room.
func tooMuch(info *jetstream.StreamInfo) uint64 {
	state, bound := info.State, info.Config.MaxBytes
	if !overThreeQuarters(state.Bytes, bound) {
		return 0
	}
	excess := float64(state.Bytes) - float64(bound)*5/8
	events := math.Ceil(excess / float64(state.Bytes) * float64(state.Msgs))
	return state.FirstSeq + uint64(events) - 1
}

// sequenceAt is the sequence of the first message of a stream that arrived at a time or
// later, one more than the last when there is none.
func sequenceAt(ctx context.Context, events jetstream.Stream, prefix string, state jetstream.StreamState, at time.Time) (uint64, error) {
	if !state.FirstTime.Before(at) {
		return state.FirstSeq, nil // Nothing has to be read: each look loads a block.
	}
	low, high := state.FirstSeq, state.LastSeq+1
	for low < high {
		middle := low + (high-low)/2
		message, err := events.GetMsg(ctx, middle, jetstream.WithGetMsgSubject(prefix+">"))
		switch {
		case missing(err):
			high = middle
		case err != nil:
			return 0, unavailable("find a time", err)
		case message.Time.Before(at):
			low = message.Sequence + 1
		default:
			high = middle
		}
	}
	return low, nil
}
