package migrations

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tidings/event"
)

// KindSearch is the kind of the records of no workspace that a step of the schema
// leaves where something must be looked for in what is stored, while the program
// runs. The document says how far that has come.
const KindSearch = "search"

// searchSenders is the record of a SenderSearch.
const searchSenders = "senders"

// SenderSearch finds messages that several users have sent, of which the state
// knows one: states did not tell senders apart before schema version 3 of the
// embedded state store, and 2 of MongoDB's. It may be stopped anywhere and goes on
// with the workspace's week that it was in.
type SenderSearch struct {
	Sends  Sends
	Weeks  ListedWeeks
	States KnownStates
	Notes  Notes
	// Reevaluate has messages looked at again: see indexer.Reevaluator.
	Reevaluate func(ctx context.Context, keys []event.MessageKey) error
}

// listedWeek is a workspace's week, in the order in which they are looked through.
type listedWeek struct {
	Workspace string     `json:"w"`
	Week      event.Week `json:"week"`
}

func compareListed(a, b listedWeek) int {
	return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Week, b.Week))
}

// Run looks through what is left, where a search is asked for, and returns how many
// messages it has found.
func (s *SenderSearch) Run(ctx context.Context) (found int, err error) {
	doc, err := s.Notes.Get(ctx, "", KindSearch, searchSenders)
	if errors.Is(err, event.ErrNotFound) {
		return 0, nil
	}
	var past listedWeek
	if err == nil {
		err = json.Unmarshal(doc, &past)
	}
	if err != nil {
		return 0, fmt.Errorf("read how far the search for senders has come: %w", err)
	}
	catalogue, err := s.Weeks.Catalogue(ctx)
	if err != nil {
		return 0, fmt.Errorf("list weeks: %w", err)
	}
	var left []listedWeek
	for workspace, weeks := range catalogue {
		for _, week := range weeks {
			if each := (listedWeek{workspace, week}); compareListed(each, past) > 0 {
				left = append(left, each)
			}
		}
	}
	slices.SortFunc(left, compareListed)
	for _, each := range left {
		some, err := s.week(ctx, each)
		if found += some; err != nil {
			return found, fmt.Errorf("look for senders in week %s: %w", each.Week, err)
		}
		doc, err := json.Marshal(each)
		if err == nil {
			err = s.Notes.Put(ctx, "", KindSearch, searchSenders, doc)
		}
		if err != nil {
			return found, fmt.Errorf("note how far the search for senders has come: %w", err)
		}
	}
	return found, s.Notes.Delete(ctx, "", KindSearch, searchSenders)
}

// week looks through one week. A damaged one is left out.
func (s *SenderSearch) week(ctx context.Context, where listedWeek) (found int, err error) {
	err = s.Sends.SendsOf(ctx, where.Workspace, where.Week, func(sends []event.Event) error {
		keys := make([]event.MessageKey, len(sends))
		for i, e := range sends {
			keys[i] = event.MessageKey{Workspace: e.Workspace, Message: e.Message}
		}
		states, err := s.States.Read(ctx, keys)
		if err != nil {
			return err
		}
		var shared []event.MessageKey
		for i, e := range sends {
			if unknownSender(e, states[keys[i]]) && !slices.Contains(shared, keys[i]) {
				shared = append(shared, keys[i])
			}
		}
		if len(shared) == 0 {
			return nil
		}
		found += len(shared)
		return s.Reevaluate(ctx, shared)
	})
	_, err = event.SplitDamaged(err)
	return found, err
}

// unknownSender reports whether a state has recipients of a send, but not its
// user as their sender.
func unknownSender(e event.Event, state event.State) bool {
	return e.User != "" && slices.ContainsFunc(e.Recipients, func(p event.Person) bool {
		key := event.KeyOf(p.Email)
		_, recipient := state.Recipients[key]
		senders := state.SendersOf(key)
		return recipient && len(senders) < event.MaxSenders && !slices.Contains(senders, e.User)
	})
}
