package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/api/hooks"
	"tidings/api/hooks/mapping"
	"tidings/event"
)

// TryRequest is a mapping to be tried; the source's own where absent.
type TryRequest struct {
	Mapping *mapping.Mapping `json:"mapping,omitempty"`
}

// Tries are the last payloads of a source, as a mapping reads them.
type Tries struct {
	Items []Try `json:"items" doc:"newest first; at most 10, of this process"`
}

// Try is one payload.
type Try struct {
	At      time.Time    `json:"at"`
	Payload string       `json:"payload" doc:"addresses, secrets and the text of mails hidden, and cut"`
	Events  []TriedEvent `json:"events"`
	Unknown []string     `json:"unknown" doc:"words that are not in the table"`
	Error   string       `json:"error,omitempty" doc:"why nothing of it can be read"`
}

// TriedEvent is an event that came out, with what did not.
type TriedEvent struct {
	Event   event.Input       `json:"event"`
	Refused string            `json:"refused,omitempty" doc:"why it would be rejected"`
	Found   []string          `json:"found" doc:"fields of the mapping of which something came out"`
	Missing []string          `json:"missing" doc:"fields of the mapping of which nothing did"`
	Notes   map[string]string `json:"notes" doc:"by field: why an expression failed"`
}

type triesOutput struct{ Body Tries }

func (s *Server) tryRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "try-source", audit: auditCounts, method: http.MethodPost, path: "/v1/sources/{name}/try", group: "Sources", may: admins(), request: TryRequest{},
		summary: "See what a mapping makes of the last payloads",
		description: "For sources whose provider is json or a mapping. Nothing is kept or taken in: PUT the source with the mapping " +
			"when it reads what it should. A payload of more than 16 KiB is not kept whole, and cannot be tried.",
	}, s.trySource)
}

func (s *Server) trySource(ctx context.Context, caller Caller, in *sourceInput) (*triesOutput, error) {
	source, err := s.namedSource(ctx, caller, in.Name)
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[TryRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	custom := source.Custom
	if request.Mapping != nil {
		custom.Mapping = request.Mapping
	}
	if _, err := s.Hooks.For(source.Provider, custom); err != nil {
		return nil, inBody(err)
	}
	out := &triesOutput{Tries{Items: []Try{}}}
	limits := event.Limits{Now: s.Clock(), Retention: s.Retention, Lenient: true}
	for _, seen := range s.traffic.last(caller.Workspace, source.Name) {
		result, err := s.Hooks.Try(custom, source.Provider, &hooks.Request{Header: seen.header, Body: seen.body})
		out.Body.Items = append(out.Body.Items, triedOf(seen, result, err, limits))
	}
	return out, nil
}

func triedOf(seen sample, result mapping.Result, failed error, limits event.Limits) Try {
	tried := Try{
		At: seen.at.UTC().Truncate(time.Second), Payload: hooks.Masked(seen.body, shownBytes), Events: []TriedEvent{}, Unknown: []string{},
	}
	if failed != nil {
		tried.Error = hooks.Masked([]byte(failed.Error()), maxReason)
		return tried
	}
	for _, e := range result.Events {
		one := TriedEvent{Event: e.Input, Found: e.Found, Missing: e.Missing, Notes: e.Notes}
		if e.Untimed {
			e.Time = new(event.Moment(limits.Now.Unix()))
		}
		if _, err := e.Input.Event("try", "try", limits); err != nil {
			one.Refused = hooks.Masked([]byte(err.Error()), maxReason)
		}
		tried.Events = append(tried.Events, one)
	}
	for _, u := range result.Unknown {
		tried.Unknown = append(tried.Unknown, u.Name)
	}
	return tried
}
