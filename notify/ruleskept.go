package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"tidings/address"
	"tidings/event"
)

// doneKept is how long a rule of once is listed after it told: it begins anew where that
// is withdrawn.
const doneKept = 2 * Fresh

func ruleID(owner, name string) string { return url.PathEscape(owner) + "/" + url.PathEscape(name) }

// Rules returns a person's rules by name, as they are stored now.
func (b *Books) Rules(ctx context.Context, workspace, owner string) ([]Rule, error) {
	book, err := b.read(ctx, workspace)
	if err != nil {
		return nil, err
	}
	rules := slices.Clone(book.Rules[owner])
	slices.SortFunc(rules, func(a, b Rule) int { return strings.Compare(a.Name, b.Name) })
	return rules, nil
}

// PutRule makes or replaces one of its owner's rules, and returns it as it is kept.
func (b *Books) PutRule(ctx context.Context, workspace string, r Rule) (Rule, error) {
	if err := r.Check(); err != nil {
		return r, err
	}
	book, err := b.read(ctx, workspace)
	if err != nil {
		return r, err
	}
	all, others, now := 0, 0, b.clock()
	for owner, rules := range book.Rules {
		for _, other := range rules {
			if other.over(now) {
				if err := b.DeleteRule(ctx, workspace, owner, other.Name); err != nil && !errors.Is(err, event.ErrNotFound) {
					return r, err
				}
				continue
			}
			if owner == r.Owner && other.Name == r.Name {
				continue // it is replaced
			}
			if all++; owner == r.Owner {
				others++
			}
		}
	}
	if others >= MaxRules {
		return r, &event.TooMuch{What: fmt.Sprintf("there are %d rules already: delete one first", others)}
	}
	if all >= maxWorkspaceRules {
		return r, &event.TooMuch{What: fmt.Sprintf("the workspace has %d rules already: delete one first", all)}
	}
	if r.timed() {
		// The note goes first: a workspace with such rules always has one.
		if err := b.records.Put(ctx, noWorkspace, kindTimed, workspace, json.RawMessage("true")); err != nil {
			return r, fmt.Errorf("note a rule of a time: %w", err)
		}
	}
	err = b.change(ctx, workspace, kindRule, ruleID(r.Owner, r.Name), func(old json.RawMessage) (any, error) {
		var before Rule
		if old != nil {
			if err := json.Unmarshal(old, &before); err != nil {
				return nil, fmt.Errorf("decode a rule: %w", err)
			}
		}
		r.Created, r.Done = now.UnixMilli(), event.ID{}
		if old != nil && before.Enabled && before.sameQuestion(r) {
			r.Created, r.Done = before.Created, before.Done
		}
		return r, nil
	})
	return r, err
}

// Timed are the workspaces that have, or had, rules that wait for a time.
func (b *Books) Timed(ctx context.Context) ([]string, error) {
	docs, err := b.records.List(ctx, noWorkspace, kindTimed)
	if err != nil {
		return nil, fmt.Errorf("list rules of a time: %w", err)
	}
	names := make([]string, len(docs))
	for i, doc := range docs {
		names[i] = doc.ID
	}
	return names, nil
}

// over reports whether a rule of once ended so long ago that it is not listed any more.
func (r Rule) over(now time.Time) bool {
	return !r.Done.IsZero() && now.Sub(time.Unix(r.Done.Seconds(), 0)) > doneKept
}

// sameQuestion reports whether two rules ask the same, wherever they tell it.
func (r Rule) sameQuestion(other Rule) bool {
	a, b := r.Ask, other.Ask
	a.Cell, b.Cell, a.Enabled, b.Enabled = Cell{}, Cell{}, false, false
	one, err := json.Marshal(a)
	two, other2 := json.Marshal(b)
	return err == nil && other2 == nil && string(one) == string(two)
}

// DeleteRule takes a rule off, or is ErrNotFound.
func (b *Books) DeleteRule(ctx context.Context, workspace, owner, name string) error {
	id := ruleID(owner, name)
	if _, err := b.records.Get(ctx, workspace, kindRule, id); err != nil {
		return fmt.Errorf("find rule: %w", err)
	}
	if err := b.records.Delete(ctx, workspace, kindRule, id); err != nil {
		return fmt.Errorf("delete rule: %w", err)
	}
	return b.changed(ctx, workspace)
}

// endRule says of which event a rule of once has told; the zero ID lets it go on where
// it was done by from. A rule that is another one by now stays as it is.
func (b *Books) endRule(ctx context.Context, workspace string, r Rule, from, to event.ID) error {
	doc, err := b.records.Get(ctx, workspace, kindRule, ruleID(r.Owner, r.Name))
	if errors.Is(err, event.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read a rule: %w", err)
	}
	var now Rule
	if err := json.Unmarshal(doc, &now); err != nil {
		return fmt.Errorf("decode a rule: %w", err)
	}
	if now.Created != r.Created || now.Done != from {
		return nil
	}
	now.Done = to
	changed, err := json.Marshal(now)
	if err != nil {
		return err
	}
	err = b.records.Swap(ctx, workspace, kindRule, ruleID(r.Owner, r.Name), doc, changed)
	if errors.Is(err, event.ErrConflict) {
		return nil // its owner changed it just now
	}
	if err != nil {
		return fmt.Errorf("end a rule: %w", err)
	}
	return b.changed(ctx, workspace)
}

// ForgetUser deletes what a user who leaves wanted to be told. It may be repeated.
func (b *Books) ForgetUser(ctx context.Context, workspace, user string) error {
	if err := b.forgetRules(ctx, workspace, func(r Rule) bool { return r.Owner == user }); err != nil {
		return err
	}
	if err := b.records.Delete(ctx, workspace, kindThen, user); err != nil && !errors.Is(err, event.ErrNotFound) {
		return fmt.Errorf("delete earlier settings of notifications: %w", err)
	}
	if err := b.SetDevices(ctx, workspace, user, false); err != nil {
		return err
	}
	if _, err := b.records.Get(ctx, workspace, kindSettings, user); errors.Is(err, event.ErrNotFound) {
		return nil
	}
	if err := b.records.Delete(ctx, workspace, kindSettings, user); err != nil {
		return fmt.Errorf("delete settings of notifications: %w", err)
	}
	return b.changed(ctx, workspace)
}

// ForgetPerson deletes the rules and mutes that name an erased person, and what those
// rules are called wherever that is kept: it says who the person was. It may be repeated.
func (x *Engine) ForgetPerson(ctx context.Context, workspace, email string, forms []string) error {
	book, err := x.Books.read(ctx, workspace)
	if err != nil {
		return err
	}
	f := Forgotten{Person: event.KeyOf(email), Rules: make(map[string]bool), Kept: make(map[string]bool)}
	for _, rules := range book.Rules {
		for _, r := range rules {
			if r.named(forms) {
				f.Rules[r.Name] = true
			} else {
				f.Kept[r.Name] = true
			}
		}
	}
	// The rules go last: their names are known from them.
	if err := x.Store.Forget(ctx, workspace, f); err != nil {
		return err
	}
	return x.Books.ForgetPerson(ctx, workspace, forms)
}

// named reports whether a rule names a person, by the forms of their address.
func (r Rule) named(forms []string) bool {
	return address.Names(r.Q, forms) || address.Names(r.Person, forms) || address.Names(r.Name, forms)
}

// Forget takes mutes and VIPs that name an erased person out, by the forms of their
// address, and reports whether there were any.
func (s *Settings) Forget(forms []string) bool {
	before := len(s.Mutes) + len(s.VIPs)
	s.Mutes = slices.DeleteFunc(s.Mutes, func(m Mute) bool { return address.Names(m.ID, forms) })
	s.VIPs = slices.DeleteFunc(s.VIPs, func(one string) bool { return address.Names(one, forms) })
	return len(s.Mutes)+len(s.VIPs) < before
}

// ForgetPerson deletes the rules, mutes and VIPs that name an erased person, by the forms in
// lower case that their address is written in. It may be repeated.
func (b *Books) ForgetPerson(ctx context.Context, workspace string, forms []string) error {
	err := b.forgetRules(ctx, workspace, func(r Rule) bool { return r.named(forms) })
	if err != nil {
		return err
	}
	book, err := b.read(ctx, workspace)
	if err != nil {
		return err
	}
	for user, s := range book.Settings {
		if err := b.forgetThen(ctx, workspace, user, forms); err != nil {
			return err
		}
		if !s.Forget(forms) {
			continue
		}
		_, err := b.ChangeSettings(ctx, workspace, user, func(s *Settings) error {
			s.Forget(forms)
			return nil
		})
		if err == nil {
			err = b.forgetThen(ctx, workspace, user, forms) // the change has kept what was before
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Books) forgetRules(ctx context.Context, workspace string, match func(Rule) bool) error {
	book, err := b.read(ctx, workspace)
	if err != nil {
		return err
	}
	for owner, rules := range book.Rules {
		for _, r := range rules {
			if !match(r) {
				continue
			}
			if err := b.DeleteRule(ctx, workspace, owner, r.Name); err != nil && !errors.Is(err, event.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}
