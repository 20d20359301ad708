package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/event"
)

type deadLettersInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" doc:"next of the page before" maxLength:"26"`
	Reason string `query:"reason" doc:"only those that failed for this reason, as the list of reasons has it" maxLength:"300"`
}

type deadLettersOutput struct{ Body DeadLetterPage }

// DeadLetterPage is a part of the dead letters, oldest first.
type DeadLetterPage struct {
	Items []DeadLetterView `json:"items"`
	Next  *string          `json:"next" doc:"cursor of the page after this one; null when there is none"`
}

// DeadLetterView is a dead letter as an admin sees it.
type DeadLetterView struct {
	ID       string          `json:"id" doc:"the event's own id"`
	At       time.Time       `json:"at" doc:"when it was given up"`
	Event    json.RawMessage `json:"event" doc:"the event as it is stored"`
	Attempts []event.Attempt `json:"attempts" doc:"each failure, oldest first"`
}

func (s *Server) deadLetterRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-dead-letters", audit: auditReads, method: http.MethodGet, path: "/v1/dead-letters", group: "Dead letters", may: admins(),
		summary: "Events that failed for good, oldest first",
	}, s.listDeadLetters)
	handle(s, docs, route{
		id: "get-dead-letter", audit: auditReads, method: http.MethodGet, path: "/v1/dead-letters/{id}", group: "Dead letters", may: admins(),
		summary: "One event that failed for good",
	}, s.getDeadLetter)
	handle(s, docs, route{
		id: "replay-dead-letter", method: http.MethodPost, path: "/v1/dead-letters/{id}/replay", group: "Dead letters",
		may: admins(), success: http.StatusNoContent, failures: []int{http.StatusTooManyRequests},
		summary:     "Put one back into the queue",
		description: "Its attempts are forgotten. Repeating an event that is in the feed already changes nothing.",
	}, s.replayDeadLetter)
	handle(s, docs, route{
		id: "drop-dead-letter", method: http.MethodDelete, path: "/v1/dead-letters/{id}", group: "Dead letters",
		may: admins(), success: http.StatusNoContent,
		summary: "Forget one",
	}, s.dropDeadLetter)
}

func (s *Server) listDeadLetters(ctx context.Context, caller Caller, in *deadLettersInput) (*deadLettersOutput, error) {
	if in.Cursor != "" {
		if err := checkCursor(in.Cursor); err != nil {
			return nil, err
		}
	}
	// One more than is shown tells whether there is a next page.
	letters, err := s.deadLettersOf(ctx, caller.Workspace, in.Reason, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, err
	}
	page := DeadLetterPage{Items: make([]DeadLetterView, 0, in.Limit)}
	for i, letter := range letters {
		if i == in.Limit {
			page.Next = &page.Items[i-1].ID
			break
		}
		page.Items = append(page.Items, deadLetterView(letter))
	}
	return &deadLettersOutput{page}, nil
}

func deadLetterView(d event.DeadLetter) DeadLetterView {
	view := DeadLetterView{d.ID, d.At.UTC().Truncate(time.Second), d.Event, d.Attempts}
	if !json.Valid(view.Event) {
		// What could not even be read is shown as a text.
		view.Event, _ = json.Marshal(string(d.Event))
	}
	return view
}

type deadLetterOutput struct{ Body DeadLetterView }

func (s *Server) getDeadLetter(ctx context.Context, caller Caller, in *eventInput) (*deadLetterOutput, error) {
	id, err := eventID(in.ID)
	if err != nil {
		return nil, err
	}
	letter, err := s.DeadLetters.DeadLetter(ctx, caller.Workspace, id.String())
	if err != nil {
		return nil, err
	}
	return &deadLetterOutput{deadLetterView(letter)}, nil
}

func (s *Server) replayDeadLetter(ctx context.Context, caller Caller, in *eventInput) (*empty, error) {
	id, err := eventID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.DeadLetters.Replay(ctx, caller.Workspace, id.String())
}

func (s *Server) dropDeadLetter(ctx context.Context, caller Caller, in *eventInput) (*empty, error) {
	id, err := eventID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.DeadLetters.Drop(ctx, caller.Workspace, id.String())
}

// checkCursor refuses what was no id.
func checkCursor(cursor string) error {
	if _, err := event.ParseID(cursor); err != nil {
		return located("query", event.Invalid("cursor", "is not a valid cursor"))
	}
	return nil
}
