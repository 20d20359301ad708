package migrations

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"tidings/event"
)

// StateCopier copies the state of an installation that nothing writes any more.
// It may be stopped and run again from the beginning.
type StateCopier struct {
	From    StateSource
	To      StateTarget
	Records RecordTarget
	// Leave names kinds of records that are about the source itself.
	Leave map[string]bool
}

// Copy copies the secret of erasures, the catalogue, states and records, and
// reads each batch back.
func (c *StateCopier) Copy(ctx context.Context) (Copied, error) {
	var done Copied
	secret, err := c.From.ErasureSecret(ctx)
	if err == nil {
		err = c.To.SetErasureSecret(ctx, secret)
	}
	if err != nil {
		return done, fmt.Errorf("copy the secret of erasures: %w", err)
	}
	catalogue, err := c.From.Catalogue(ctx)
	if err != nil {
		return done, fmt.Errorf("copy the catalogue: %w", err)
	}
	for workspace, weeks := range catalogue {
		if err := c.Records.ListWeeks(ctx, workspace, weeks); err != nil {
			return done, fmt.Errorf("copy the catalogue: %w", err)
		}
	}
	if done.States, err = c.states(ctx); err != nil {
		return done, fmt.Errorf("copy states: %w", err)
	}
	if done.Records, err = c.records(ctx); err != nil {
		return done, fmt.Errorf("copy records: %w", err)
	}
	return done, nil
}

func (c *StateCopier) states(ctx context.Context) (int64, error) {
	total := int64(0)
	for after := ""; ; {
		states, next, err := c.From.ScanStates(ctx, after, copyBatch)
		if err != nil {
			return total, err
		}
		if err := c.To.PutStates(ctx, states); err != nil {
			return total, err
		}
		keys := make([]event.MessageKey, len(states))
		for i, state := range states {
			keys[i] = state.MessageKey
		}
		found, err := c.To.Read(ctx, keys)
		if err != nil {
			return total, err
		}
		have, got := newDigester(), newDigester()
		for i, state := range states {
			if err := add(have, []event.State{state}); err != nil {
				return total, err
			}
			if written, ok := found[keys[i]]; ok {
				if err := add(got, []event.State{written}); err != nil {
					return total, err
				}
			}
		}
		if have.digest() != got.digest() {
			return total, fmt.Errorf("what was copied reads differently: %w", event.ErrConflict)
		}
		total += have.count
		if next == "" {
			return total, nil
		}
		after = next
	}
}

func (c *StateCopier) records(ctx context.Context) (int64, error) {
	total := int64(0)
	for after := ""; ; {
		records, next, err := c.From.ScanRecords(ctx, after, copyBatch)
		if err != nil {
			return total, err
		}
		for _, r := range records {
			if c.Leave[r.Kind] {
				continue
			}
			if err := c.record(ctx, r); err != nil {
				return total, fmt.Errorf("kind %s: %w", r.Kind, err)
			}
			total++
		}
		if next == "" {
			return total, nil
		}
		after = next
	}
}

func (c *StateCopier) record(ctx context.Context, r Record) error {
	if err := c.Records.Put(ctx, r.Workspace, r.Kind, r.ID, r.Doc); err != nil {
		return err
	}
	written, err := c.Records.Get(ctx, r.Workspace, r.Kind, r.ID)
	if err != nil {
		return err
	}
	if !bytes.Equal(compact(written), compact(r.Doc)) {
		return fmt.Errorf("what was copied reads differently: %w", event.ErrConflict)
	}
	return nil
}

func compact(doc json.RawMessage) []byte {
	var out bytes.Buffer
	if json.Compact(&out, doc) != nil {
		return doc
	}
	return out.Bytes()
}
