package elastic

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"tidings/event"
)

// found is a document as Elasticsearch returns it.
type found struct {
	Index  string `json:"_index"`
	Source stored `json:"_source"`
	SeqNo  *int64 `json:"_seq_no"`
	Term   *int64 `json:"_primary_term"`
}

// Get returns the events of a workspace that exist among ids, also those that a
// search does not see yet. Of damaged weeks it has none, which event.DamagedWeeks says.
func (x *Index) Get(ctx context.Context, workspace string, ids []event.ID) ([]event.Event, error) {
	wanted := make([]event.Event, len(ids))
	for i, id := range ids {
		wanted[i] = event.Event{ID: id, Workspace: workspace, Time: id.Seconds()}
	}
	held, err := x.documents(ctx, wanted)
	damaged, err := event.SplitDamaged(err)
	if err != nil {
		return nil, failed("reading events", err)
	}
	events := make([]event.Event, 0, len(held))
	for _, d := range held {
		if d.Source.Event.Workspace == workspace {
			events = append(events, d.Source.Event)
		}
	}
	return events, damaged.Err()
}

// documents reads what is held of events, of which it knows the id, the time and
// the workspace. Those of damaged weeks are left out, which event.DamagedWeeks says.
func (x *Index) documents(ctx context.Context, events []event.Event) (map[event.ID]found, error) {
	now, began := x.known(), time.Now()
	weeks := make(map[event.Week]bool)
	var wanted []object
	var of []event.Week
	for _, e := range events {
		weeks[e.Week()] = true
		if now.of(e.Week()) == nil {
			wanted = append(wanted, object{"_index": x.names.alias(e.Week()), "_id": e.ID, "routing": e.Workspace})
			of = append(of, e.Week())
		}
	}
	_, damaged := now.readable(slices.Sorted(maps.Keys(weeks)))
	if len(wanted) == 0 {
		return nil, damaged.Err()
	}
	var answer struct {
		Docs []struct {
			found
			Found bool `json:"found"`
			Error struct {
				Type string `json:"type"`
			} `json:"error"`
		} `json:"docs"`
	}
	request := esapi.MgetRequest{Body: body(object{"docs": wanted})}
	if err := x.read(ctx, searchTimeout, request, &answer); err != nil {
		return nil, err
	}
	held := make(map[event.ID]found, len(events))
	failing := make(map[event.Week]*refusal)
	for i, d := range answer.Docs {
		switch {
		case d.Found:
			held[d.Source.Event.ID] = d.found
		case d.Error.Type != "" && d.Error.Type != kindNoIndex:
			failing[of[i]] = &refusal{kind: d.Error.Type}
		}
	}
	for week, refused := range failing {
		found, err := x.look(ctx, began)
		if damage := found.damage[week]; err == nil && damage != nil {
			damaged = append(damaged, damage)
			continue
		}
		return nil, refused
	}
	return held, damaged.Err()
}
