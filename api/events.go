package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"tidings/account"
	"tidings/event"
)

// Media types of events.
const (
	typeJSON   = "application/json"
	typeNDJSON = "application/x-ndjson"
)

// eventBytes is how much of a body, decompressed, counts as an event: reading it costs, also
// where nothing of it is good.
const eventBytes = 1 << 10

type eventsInput struct {
	content
	IDs       bool   `query:"ids" doc:"answer with the ids of the accepted events too, in their order"`
	Lane      string `query:"lane" enum:"live,bulk" default:"live" doc:"bulk is for imports: it never delays what is live"`
	SkipKnown bool   `query:"skip_known" doc:"leave out, and count, the events that can be read already: for imports that are made again"`
}

type eventsOutput struct{ Body Receipt }

// Receipt is what became of the events of one request.
type Receipt struct {
	Accepted int        `json:"accepted" doc:"how many events are durable now"`
	Known    int        `json:"known,omitempty" doc:"with skip_known=true: how many of them were in before"`
	Rejected []Rejected `json:"rejected" doc:"the others, each with why"`
	IDs      []event.ID `json:"ids,omitempty" doc:"with ids=1: the accepted events' ids, in their order"`
}

// Rejected is one event that was refused.
type Rejected struct {
	Index  int    `json:"index" doc:"which one: from 0; blank lines are not counted"`
	Detail string `json:"detail" doc:"the field and what is wrong with it"`
}

func (s *Server) eventRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "post-events", audit: auditIntake, method: http.MethodPost, path: "/v1/events", group: "Events",
		may: []Role{account.RoleIngest, account.RoleAdmin}, success: http.StatusAccepted, request: event.Input{}, uses: useEvents,
		summary: "Take events in",
		description: "One event, an array of them, or one a line (application/x-ndjson); plain, or with Content-Encoding gzip or zstd. " +
			"At most 10,000 events and 10 MiB, decompressed. Every accepted event is durable when this answers, and every other " +
			"one is named; 400 when none is good. The same event again is the same event: repeating a request is safe.",
	}, s.postEvents)
	documentEvents(docs)
}

// documentEvents adds the other two forms of the body to the document.
func documentEvents(docs huma.API) {
	body := docs.OpenAPI().Paths["/v1/events"].Post.RequestBody
	one := body.Content[typeJSON].Schema
	many := maxEvents
	least := 1
	body.Content[typeJSON].Schema = &huma.Schema{OneOf: []*huma.Schema{
		one, {Type: huma.TypeArray, Items: one, MinItems: &least, MaxItems: &many},
	}}
	body.Content[typeNDJSON] = &huma.MediaType{Schema: &huma.Schema{
		Type: huma.TypeString, Description: "one event a line; a bad line is rejected alone",
	}}
}

func (s *Server) postEvents(ctx context.Context, caller Caller, in *eventsInput) (*eventsOutput, error) {
	batch, err := s.readEvents(caller, &in.content)
	read := int(in.came / eventBytes)
	if err != nil {
		s.charge(in.request, useEvents, caller, read)
		return nil, err
	}
	s.refuseErased(ctx, caller.Workspace, batch)
	more := max(0, len(batch.good)-1, read) // one was taken before the body was read
	if err := s.spend(humagin.Unwrap(in.request).Request, in.request.SetHeader, useEvents, caller, more); err != nil {
		s.charge(in.request, useEvents, caller, read)
		return nil, err
	}
	for _, rejected := range batch.rejected {
		s.metrics.rejected.WithLabelValues(string(rejected.reason)).Inc()
	}
	if len(batch.good) == 0 {
		return nil, noneGood(batch)
	}
	lane := event.LaneLive
	if in.Lane == string(event.LaneBulk) {
		lane = event.LaneBulk
	}
	fresh := batch.good
	if in.SkipKnown {
		if fresh, err = s.unknown(ctx, caller.Workspace, fresh); err != nil {
			return nil, err
		}
	}
	if len(fresh) > 0 {
		if err := s.Intake.Publish(ctx, lane, fresh); err != nil {
			return nil, fmt.Errorf("publish: %w", err)
		}
	}
	s.metrics.accepted.Add(float64(len(batch.good)))
	receipt := Receipt{Accepted: len(batch.good), Known: len(batch.good) - len(fresh), Rejected: make([]Rejected, len(batch.rejected))}
	for i, rejected := range batch.rejected {
		receipt.Rejected[i] = Rejected{rejected.index, rejected.text()}
	}
	if in.IDs {
		receipt.IDs = make([]event.ID, len(batch.good))
		for i := range batch.good {
			receipt.IDs[i] = batch.good[i].ID
		}
	}
	return &eventsOutput{receipt}, nil
}

// unknown are the events that cannot be read yet.
func (s *Server) unknown(ctx context.Context, workspace string, events []event.Event) ([]event.Event, error) {
	if s.Known == nil {
		return events, nil
	}
	ids := make([]event.ID, len(events))
	for i := range events {
		ids[i] = events[i].ID
	}
	known, err := s.Known.Known(ctx, workspace, ids)
	if err != nil {
		return nil, fmt.Errorf("look for known events: %w", err)
	}
	fresh := make([]event.Event, 0, len(events)-len(known))
	for _, e := range events {
		if !known[e.ID] {
			fresh = append(fresh, e)
		}
	}
	return fresh, nil
}

// readEvents reads and checks all events before any is published. They share
// nothing with the body's buffer, which is let go.
func (s *Server) readEvents(caller Caller, in *content) (*batch, error) {
	mediaType, err := in.mediaType(typeJSON, typeNDJSON)
	if err != nil {
		return nil, err
	}
	body, release, err := s.bodies.read(in, maxEventsBody, true)
	if err != nil {
		return nil, err
	}
	defer release()
	r := newReader(caller.Workspace, event.Limits{Now: s.Clock(), Retention: s.Retention})
	r.sources = caller.Sources
	if mediaType == typeNDJSON {
		err = r.readLines(body)
	} else {
		err = r.readJSON(body)
	}
	if err != nil {
		return nil, err
	}
	return &r.batch, nil
}

// noneGood refuses a body without a single good event, naming the faults.
func noneGood(b *batch) *Problem {
	if b.total == 0 {
		return invalidBody("", "holds no event")
	}
	p := problem(http.StatusBadRequest, fmt.Sprintf("none of %d events is valid", b.total))
	if b.total == 1 {
		p.Detail = "the event is not good: " + b.rejected[0].text()
	}
	for _, rejected := range b.rejected {
		if len(p.Errors) == maxProblemErrors {
			break
		}
		location := fmt.Sprintf("events[%d]", rejected.index)
		if rejected.field != "" {
			location += "." + rejected.field
		}
		p.Errors = append(p.Errors, ProblemError{Location: location, Message: rejected.message})
	}
	return p
}

func tooMany() *Problem {
	p := problem(http.StatusRequestEntityTooLarge, "at most 10,000 events are taken at once")
	p.Errors = []ProblemError{{Location: "body", Message: p.Detail}}
	return p
}
