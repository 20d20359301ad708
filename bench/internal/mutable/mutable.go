// Package mutable stores events as a feed did before weeks became immutable: into
// one index, whose sends hold who has not opened and are updated by each open.
//
// It is there to be measured against, and nothing but the benchmarks can import it.
// Documents of weeks flow in, as they were sent to Elasticsearch; bulk requests of
// either design flow out.
package mutable

import (
	"encoding/json"
	"maps"
	"slices"

	"tidings/bench/internal/bulk"
	"tidings/event"
	"tidings/indexer"
)

// Work is what a batch of events is stored as by either design.
type Work struct {
	Changes []event.Change
	Weeks   []indexer.WorkspaceWeek
	// Weekly are creations in the weeks' indices, Mutable creations in the one
	// index, and an update of its send for each open.
	Weekly, Mutable []byte
}

// Sends knows who has not opened, as whoever updates sends must.
type Sends struct {
	index string
	known map[event.MessageKey]*send
}

type send struct {
	target   bulk.Target
	unopened []string
	opens    int
}

func NewSends(index string) *Sends {
	return &Sends{index: index, known: make(map[event.MessageKey]*send)}
}

// sendFields are what a send has beside its document.
type sendFields struct {
	Unopened []string `json:"unopened"`
	Opens    int      `json:"opens"`
}

// Work makes a batch's requests of either design.
func (s *Sends) Work(batch []event.Event, documents []bulk.Document) Work {
	var w Work
	changes := make(map[event.MessageKey]event.Change)
	weeks := make(map[indexer.WorkspaceWeek]bool)
	for i, e := range batch {
		change := event.ChangeOf(e)
		key := change.MessageKey
		if known, ok := changes[key]; ok {
			known.Merge(change)
			change = known
		}
		changes[key] = change
		weeks[indexer.WorkspaceWeek{Workspace: e.Workspace, Week: e.Week()}] = true

		d := documents[i]
		w.Weekly = bulk.Append(w.Weekly, "create", d.Target, d.Doc)
		target := d.Target
		target.Index = s.index
		doc := d.Doc
		if e.Type == event.Send {
			state := &send{target: target}
			for _, person := range e.Recipients {
				state.unopened = append(state.unopened, person.Email)
			}
			s.known[key] = state
			doc = slices.Concat(doc[:len(doc)-1], []byte(","), state.fields()[1:])
		}
		w.Mutable = bulk.Append(w.Mutable, "create", target, doc)
		if state := s.known[key]; e.Type == event.Open && state != nil {
			state.unopened = slices.DeleteFunc(state.unopened, func(email string) bool { return email == e.Recipient.Email })
			state.opens++
			w.Mutable = bulk.Append(w.Mutable, "update", state.target, slices.Concat([]byte(`{"doc":`), state.fields(), []byte("}")))
		}
	}
	w.Changes, w.Weeks = slices.Collect(maps.Values(changes)), slices.Collect(maps.Keys(weeks))
	return w
}

func (s *send) fields() []byte {
	text, err := json.Marshal(sendFields{append([]string{}, s.unopened...), s.opens})
	if err != nil {
		panic(err) // It holds texts and a number.
	}
	return text
}

// IndexOf is the definition of the one index: that of a week, with a whole _source
// and the fields of sends.
func IndexOf(week Definition) ([]byte, error) {
	var properties map[string]json.RawMessage
	if err := json.Unmarshal(week.Mappings["properties"], &properties); err != nil {
		return nil, err
	}
	properties["unopened"] = json.RawMessage(`{"type":"keyword"}`)
	properties["opens"] = json.RawMessage(`{"type":"integer"}`)
	return json.Marshal(map[string]any{
		"settings": week.Settings,
		"mappings": map[string]any{"dynamic": "strict", "properties": properties},
	})
}

// Definition is what an index is made with.
type Definition struct {
	Settings json.RawMessage            `json:"settings"`
	Mappings map[string]json.RawMessage `json:"mappings"`
}
