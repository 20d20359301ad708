package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tidings/event"
)

// kindThen is the kind of the records of what settings were before: of a person by their
// id, and of the workspace's defaults by "".
const kindThen = "notify-then"

const (
	// thenKept is for how long it is known what settings were, as long as decisions are
	// kept and a little more, and mostThen and thenBytes how much of it at most.
	thenKept  = 32 * 24 * time.Hour
	mostThen  = 50
	thenBytes = 256 << 10
)

// past is what settings were until a change.
type past struct {
	// Until is when they were changed, Unix milliseconds.
	Until int64           `json:"until"`
	Rev   int64           `json:"rev"`
	Doc   json.RawMessage `json:"doc,omitempty"`
}

// remember keeps what is about to be changed; doc is nil where there was nothing. It comes
// before the change: where that fails, the next moves the time.
func (b *Books) remember(ctx context.Context, workspace, id string, rev int64, doc json.RawMessage) error {
	now := b.clock()
	return b.rewriteThen(ctx, workspace, id, func(all []past) []past {
		if n := len(all); n > 0 && all[n-1].Rev == rev {
			all = all[:n-1]
		}
		all = append(all, past{now.UnixMilli(), rev, doc})
		size := 0
		for i := len(all) - 1; i >= 0; i-- {
			size += len(all[i].Doc)
			if len(all)-i > mostThen || size > thenBytes || now.Sub(time.UnixMilli(all[i].Until)) > thenKept {
				return slices.Clone(all[i+1:])
			}
		}
		return all
	})
}

// rewriteThen changes what is kept of earlier settings, anew where somebody was faster.
func (b *Books) rewriteThen(ctx context.Context, workspace, id string, change func([]past) []past) error {
	return b.swap(ctx, workspace, kindThen, id, func(old json.RawMessage) (any, error) {
		var all []past
		if old != nil {
			if err := json.Unmarshal(old, &all); err != nil {
				return nil, fmt.Errorf("decode earlier settings: %w", err)
			}
		}
		return change(all), nil
	})
}

// then finds what settings were at a time, Unix milliseconds; now where they were not
// changed since. known is false where it is not kept: of the oldest that is kept nobody
// knows since when it held, but for the first of all and for the revision that is asked for.
func then[T any](ctx context.Context, b *Books, workspace, id string, at, rev int64, now T) (_ T, known bool, _ error) {
	all, err := read[[]past](ctx, b.records, workspace, kindThen, id)
	if err != nil {
		return now, false, err
	}
	for i, was := range all {
		if was.Until <= at {
			continue
		}
		var value T
		if was.Doc != nil {
			if err := json.Unmarshal(was.Doc, &value); err != nil {
				return now, false, fmt.Errorf("decode earlier settings: %w", err)
			}
		}
		return value, i > 0 || was.Rev == 0 || was.Rev == rev, nil
	}
	return now, true, nil
}

// forgetThen takes an erased person out of what a user's settings were.
func (b *Books) forgetThen(ctx context.Context, workspace, user string, forms []string) error {
	all, err := read[[]past](ctx, b.records, workspace, kindThen, user)
	if err != nil || len(all) == 0 {
		return err
	}
	return b.rewriteThen(ctx, workspace, user, func(all []past) []past {
		for i, was := range all {
			var s Settings
			if was.Doc == nil || json.Unmarshal(was.Doc, &s) != nil || !s.Forget(forms) {
				continue
			}
			if doc, err := json.Marshal(s); err == nil {
				all[i].Doc = doc
			}
		}
		return all
	})
}

// rulesThen are those of today's rules that were asked the same when it was decided.
func rulesThen(rules []Rule, at int64, kept *Decision) []Rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool {
		return r.Created > at || kept != nil && !slices.Contains(kept.Rules, r.Name)
	})
}

// checksThen are the checks by what was in force when it was decided, or would have been.
func (x *Engine) checksThen(ctx context.Context, t event.Trigger, book *Book, given Context, kept *Decision) ([]Checked, error) {
	at, rev := t.Event.At(), int64(-1)
	if kept != nil {
		at, rev = time.UnixMilli(kept.At), kept.Rev
	}
	workspace := t.Event.Workspace
	settings, known, err := then(ctx, x.Books, workspace, given.User, at.UnixMilli(), rev, book.Settings[given.User])
	if err != nil {
		return nil, err
	}
	var knownToo bool
	if given.Defaults, knownToo, err = then(ctx, x.Books, workspace, "", at.UnixMilli(), -1, book.Defaults); err != nil {
		return nil, err
	}
	given.Rules = rulesThen(given.Rules, at.UnixMilli(), kept)
	checks := []Checked{}
	if known && knownToo {
		checks = Decide(t, settings, given, at).Checks
	}
	if kept != nil {
		checks = asDecided(*kept, checks)
	}
	return checks, nil
}
