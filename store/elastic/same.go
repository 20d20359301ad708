package elastic

import (
	"context"
	"fmt"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"tidings/event"
)

// same holds the new index to having the events that the old one has. It may have
// more: those that were removed after they were read and before they were copied.
func (g *generation) same(ctx context.Context) error {
	if err := g.index.Refresh(ctx); err != nil {
		return err
	}
	before, err := g.size(ctx, g.from)
	if err != nil {
		return err
	}
	after, err := g.size(ctx, g.to)
	if err != nil || after == before {
		return err
	}
	if err := g.removeRemoved(ctx); err != nil {
		return err
	}
	if after, err = g.size(ctx, g.to); err == nil && after != before {
		err = fmt.Errorf("%w: %d events became %d", event.ErrConflict, before, after)
	}
	return err
}

func (g *generation) size(ctx context.Context, index string) (n int64, err error) {
	var answer struct {
		Count int64 `json:"count"`
	}
	err = g.index.read(ctx, writeTimeout, esapi.CountRequest{Index: []string{index}}, &answer)
	return answer.Count, err
}

// removeRemoved takes out of the new index what the old one does not have.
func (g *generation) removeRemoved(ctx context.Context) error {
	built := generation{index: g.index, from: g.to}
	for shard := range g.index.config.Shards {
		if err := g.removeFrom(ctx, &built, shard); err != nil {
			return err
		}
	}
	return nil
}

func (g *generation) removeFrom(ctx context.Context, built *generation, shard int) error {
	for after := int64(-1); ; {
		hits, err := built.read(ctx, shard, after)
		if err != nil || len(hits) == 0 {
			return err
		}
		after = *hits[len(hits)-1].SeqNo
		held, err := g.held(ctx, hits)
		if err != nil {
			return err
		}
		var actions []action
		for _, hit := range hits {
			if e := hit.Source.Event; !held[e.ID] {
				actions = append(actions, action{op: opDelete, target: target{Index: g.to, ID: e.ID, Routing: e.Workspace}})
			}
		}
		results, err := g.index.bulk(ctx, actions, true)
		if err != nil {
			return err
		}
		for _, result := range results {
			if err := result.err(); err != nil && result.Status != http.StatusNotFound {
				return err
			}
		}
	}
}

// held are the ids of documents that the old index has.
func (g *generation) held(ctx context.Context, documents []found) (map[event.ID]bool, error) {
	wanted := make([]object, len(documents))
	for i, d := range documents {
		wanted[i] = object{"_id": d.Source.Event.ID, "routing": d.Source.Event.Workspace, "_source": false}
	}
	var answer struct {
		Docs []struct {
			ID    event.ID `json:"_id"`
			Found bool     `json:"found"`
		} `json:"docs"`
	}
	err := g.index.read(ctx, writeTimeout, esapi.MgetRequest{Index: g.from, Body: body(object{"docs": wanted})}, &answer)
	held := make(map[event.ID]bool, len(documents))
	for _, d := range answer.Docs {
		held[d.ID] = d.Found
	}
	return held, err
}
