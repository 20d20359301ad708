package api

import (
	"context"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"tidings/event"
	"tidings/feed"
)

// maxVerdictReason bounds a reason, in bytes.
const maxVerdictReason = 500

// VerdictRequest is what a person says of an event.
type VerdictRequest struct {
	Is     string `json:"is" enum:"human,machine" doc:"null takes back what was said: the rules decide again"`
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"why, for colleagues; needed unless is is null"`
}

func (r VerdictRequest) check() *event.FieldError {
	switch {
	case r.Is != "" && r.Is != event.Human && r.Is != event.Machine:
		return event.Invalid("is", "is not one of human, machine, null")
	case r.Is == "" && r.Reason != "":
		return event.Invalid("reason", "does not belong on what is taken back")
	case r.Is != "" && r.Reason == "":
		return event.Invalid("reason", "is required: why a person knows better")
	case len(r.Reason) > maxVerdictReason || !utf8.ValidString(r.Reason):
		return event.Invalid("reason", fmt.Sprintf("may have %d bytes of UTF-8", maxVerdictReason))
	}
	return nil
}

type verdictInput struct {
	content
	ID pathText `path:"id" doc:"26 characters"`
}

type verdictOutput struct {
	Status int
	Body   feed.EventView
}

func (s *Server) verdictRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "put-event-verdict", method: http.MethodPut, path: "/v1/events/{id}/verdict", group: "Feed", may: members(),
		request: VerdictRequest{},
		summary: "Override the verdict on an open, a click or a download, or take that back",
		description: "What a person says wins over every rule and over every repetition of the event. The message's recipients and " +
			"counts follow, and sockets hear of both. 202 means that it is kept and will show later: the week of the event is sealed, " +
			"or a store is away.",
	}, s.putVerdict)
	operation := docs.OpenAPI().Paths["/v1/events/{id}/verdict"].Put
	operation.Responses["202"] = &huma.Response{
		Description: "Kept, and shown later", Content: operation.Responses["200"].Content,
	}
}

func (s *Server) putVerdict(ctx context.Context, caller Caller, in *verdictInput) (*verdictOutput, error) {
	id, err := eventID(in.ID)
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[VerdictRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if err := request.check(); err != nil {
		return nil, inBody(err)
	}
	view, err := s.Feed.Event(ctx, caller.Scope(), id)
	if err != nil {
		return nil, err
	}
	e := event.Event{ID: id, Workspace: caller.Workspace, Type: view.Type, Message: view.Message, Recipient: view.Person}
	var override *event.Override
	if request.Is != "" {
		override = &event.Override{Is: request.Is, Reason: request.Reason, User: caller.User}
	}
	later, err := s.Verdicts.Override(ctx, e, override)
	if err != nil {
		return nil, err
	}
	if later {
		return &verdictOutput{http.StatusAccepted, view}, nil
	}
	if view, err = s.Feed.Event(ctx, caller.Scope(), id); err != nil {
		return nil, err
	}
	return &verdictOutput{http.StatusOK, view}, nil
}
