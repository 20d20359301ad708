package indexer

import (
	"context"
	"errors"
	"fmt"

	"tidings/event"
	"tidings/verdict"
)

// Override keeps a person's verdict on an event, or takes it back where override
// is nil, and corrects its message. Once it has returned nil, or an error after the
// state was written, the correction will be made, whatever happens: later says
// that it was not made yet, because a store is away or a week takes no writes.
func (c *Reevaluator) Override(ctx context.Context, e event.Event, override *event.Override) (later bool, err error) {
	if !verdict.Judged(e.Type) {
		return false, event.Invalid("", "only opens, clicks and downloads have a verdict to override")
	}
	key := keyOf(e)
	if err := c.Reevaluate(ctx, []event.MessageKey{key}); err != nil {
		return false, err
	}
	if err := c.keep(ctx, e, override); err != nil {
		return false, err
	}
	if _, err := c.Correct(ctx, key); err != nil {
		if errors.Is(err, event.ErrUnavailable) {
			return true, nil
		}
		return true, err
	}
	return false, nil
}

// keep writes an override into its message's state.
func (c *Reevaluator) keep(ctx context.Context, e event.Event, override *event.Override) error {
	key, recipient := keyOf(e), event.KeyOf(e.RecipientEmail())
	for range correctTries {
		states, err := follow(ctx, c.States, []event.MessageKey{key})
		if err != nil {
			return fmt.Errorf("read state: %w", err)
		}
		state, known := states[key]
		if !known {
			state.MessageKey = key
		}
		next := state.Clone()
		if next.SetOverride(recipient, e.ID, override) {
			replaced, err := c.States.Replace(ctx, next)
			if err != nil {
				return fmt.Errorf("replace state: %w", err)
			}
			if !replaced {
				continue
			}
		}
		return nil
	}
	return fmt.Errorf("a state moved %d times while an event of it was overridden: %w", correctTries, event.ErrUnavailable)
}
