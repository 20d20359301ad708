package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tidings/account"
	"tidings/event"
	"tidings/verdict"
)

// checkWindows refuses windows that mean nothing; 0 is the default.
func checkWindows(c verdict.Config) error {
	for _, window := range []struct {
		flag string
		size time.Duration
	}{{"--open-too-soon", c.OpenWindow}, {"--click-too-soon", c.ClickWindow}, {"--click-burst", c.BurstWindow}} {
		if window.size < 0 || window.size > time.Hour || window.size%time.Second != 0 {
			return fmt.Errorf("%s must be whole seconds, from 1s to 1h", window.flag)
		}
	}
	return nil
}

// One process at a time corrects verdicts.
const (
	correctionsLease = "corrections"
	correctionsTTL   = 10 * time.Second
)

// pendingReevaluations keeps what is to be judged again in the records of the state store.
type pendingReevaluations struct{ records account.Records }

// kindReevaluation keeps the name that released versions gave it.
const kindReevaluation = "doubt"

// Note keeps a list of messages.
func (p pendingReevaluations) Note(ctx context.Context, id string, keys []event.MessageKey) error {
	raw, err := json.Marshal(keys)
	if err == nil {
		err = p.records.Put(ctx, noWorkspace, kindReevaluation, id, raw)
	}
	if err != nil {
		return fmt.Errorf("keep messages to re-evaluate: %w", err)
	}
	return nil
}

// Noted returns all lists.
func (p pendingReevaluations) Noted(ctx context.Context) (map[string][]event.MessageKey, error) {
	records, err := p.records.List(ctx, noWorkspace, kindReevaluation)
	if err != nil {
		return nil, fmt.Errorf("list messages to re-evaluate: %w", err)
	}
	lists := make(map[string][]event.MessageKey, len(records))
	for _, record := range records {
		var keys []event.MessageKey
		if err := json.Unmarshal(record.Doc, &keys); err != nil {
			return nil, fmt.Errorf("read messages to re-evaluate: %w", err)
		}
		lists[record.ID] = keys
	}
	return lists, nil
}

// Forget lets a list go.
func (p pendingReevaluations) Forget(ctx context.Context, id string) error {
	if err := p.records.Delete(ctx, noWorkspace, kindReevaluation, id); err != nil {
		return fmt.Errorf("forget messages to re-evaluate: %w", err)
	}
	return nil
}
