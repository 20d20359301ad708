package mongo

import (
	"context"
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/event"
	"tidings/store/erasures"
)

// MarkErased notes that a person was erased from a workspace, with what happened
// up to now, or until a later time.
func (s *State) MarkErased(ctx context.Context, workspace, email string, until int64) error {
	return erasures.Mark(ctx, s, workspace, s.erasureID(workspace, email), s.now(), until)
}

// Erased reports which of the addresses, by workspace, were erased, and up to when.
// It asks once,
// however many workspaces there are.
func (s *State) Erased(ctx context.Context, emails map[string][]string) (map[string]map[string]int64, error) {
	type person struct{ workspace, email string }
	by := make(map[string]person)
	for workspace, emails := range emails {
		for _, email := range emails {
			// A record may be older than the address's one text.
			for _, text := range event.TextsOf(email) {
				by[recordID(workspace, erasures.Kind, s.erasureID(workspace, text))] = person{workspace, email}
			}
		}
	}
	erased := make(map[string]map[string]int64)
	if len(by) == 0 {
		return erased, nil
	}
	cursor, err := s.records.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: slices.Collect(maps.Keys(by))}}}})
	if err != nil {
		return nil, failed("reading erasures", err)
	}
	var found []record
	if err := cursor.All(ctx, &found); err != nil {
		return nil, failed("reading erasures", err)
	}
	for _, each := range found {
		who := by[each.ID]
		if erased[who.workspace] == nil {
			erased[who.workspace] = make(map[string]int64)
		}
		erased[who.workspace][who.email] = max(erased[who.workspace][who.email], erasures.Until([]byte(each.Doc)))
	}
	return erased, nil
}

func (s *State) erasureID(workspace, email string) string {
	return erasures.ID(s.secret, workspace, email)
}

// EraseRecipient takes a person out of every state of a workspace and returns
// the states that named them, as they are now. One that has nobody left and
// nothing about anybody is gone from the store. A state that moves meanwhile is
// found again.
func (s *State) EraseRecipient(ctx context.Context, workspace, email string) ([]event.State, error) {
	keys := event.KeysOf(email)
	naming := bson.D{{Key: "w", Value: workspace}, {Key: "k", Value: bson.D{{Key: "$in", Value: keys}}}}
	var touched []event.State
	for range conflictTries {
		documents, err := s.documents(ctx, naming, options.Find())
		if err != nil {
			return nil, failed("erasing a recipient's states", err)
		}
		if len(documents) == 0 {
			return touched, nil
		}
		for _, d := range documents {
			state := d.state()
			for _, key := range keys {
				if state.Names(key) {
					state.Forget(key)
				}
			}
			erased, err := s.putErased(ctx, d.Version, state)
			if err != nil {
				return nil, failed("erasing a recipient's states", err)
			}
			if erased {
				touched = append(touched, state)
			}
		}
	}
	return nil, failed("erasing a recipient's states", errBusy)
}

// putErased writes a state that a person was taken out of, unless it has moved.
func (s *State) putErased(ctx context.Context, before int64, state event.State) (bool, error) {
	if state.Vacant() {
		result, err := s.messages.DeleteOne(ctx, unmoved(state.MessageKey, before))
		if err != nil || result.DeletedCount == 0 {
			return false, err
		}
		return true, s.removeNames(ctx, state)
	}
	s.schedule(&state)
	return s.replace(ctx, before, state)
}

// removeNames takes out the other names of a message that is gone.
func (s *State) removeNames(ctx context.Context, state event.State) error {
	if len(state.Aliases) == 0 {
		return nil
	}
	ids := make([]string, len(state.Aliases))
	for i, name := range state.Aliases {
		ids[i] = idOf(event.MessageKey{Workspace: state.Workspace, Message: name})
	}
	_, err := s.messages.DeleteMany(ctx, bson.D{
		{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}, {Key: "to", Value: state.Message},
	})
	return err
}
