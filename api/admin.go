package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"tidings/address"
	"tidings/event"

	"github.com/danielgtaylor/huma/v2"
)

type weeksOutput struct {
	Body struct {
		Items []WeekView `json:"items"`
	} `nameHint:"WeekList"`
}

// WeekView is one week of the index.
type WeekView struct {
	Week   string    `json:"week" doc:"ISO week, such as 2026-w47"`
	Starts time.Time `json:"starts"`
	Events *int64    `json:"events" nullable:"true" doc:"the workspace's own; null when they cannot be counted"`
	Bytes  *int64    `json:"bytes" nullable:"true" doc:"what the week takes on disk; null except for the operator, since a week holds the events of all workspaces"`
	State  string    `json:"state" enum:"open,sealed"`
}

type personInput struct {
	Email pathText `path:"email" doc:"the address, percent-encoded"`
}

// address is the canonical address of a path.
func (in *personInput) address() (string, error) { return pathAddress(in.Email) }

func pathAddress(part pathText) (string, error) {
	text, err := part.decode("email")
	if err != nil {
		return "", err
	}
	email, wrong := address.Canonical(text)
	if wrong != "" {
		return "", badPath("email", wrong)
	}
	return email, nil
}

type personOutput struct{ Body ErasureReceipt }

// ErasureReceipt says what was removed of a person.
type ErasureReceipt struct {
	At              time.Time `json:"at"`
	EventsDeleted   int       `json:"events_deleted"`
	SendsRewritten  int       `json:"sends_rewritten" doc:"sends to several, which lost this recipient alone"`
	MessagesTouched int       `json:"messages_touched" doc:"messages whose recipients' state lost this person"`
	DeadLetters     int       `json:"dead_letters"`
	Endpoints       int       `json:"endpoints" doc:"endpoints that were deleted, since they named this person or sent to them"`
}

func (s *Server) personRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-weeks", audit: auditNothing, method: http.MethodGet, path: "/v1/weeks", group: "Operation", may: admins(),
		summary:     "The weeks that hold the workspace's events, newest first",
		description: "The operator of the machine, over the socket of the data directory, gets all weeks with the events of all workspaces.",
	}, s.listWeeks)
	handle(s, docs, route{
		id: "erase-person", stepUp: true, method: http.MethodDelete, path: "/v1/people/{email}", group: "Operation", may: admins(),
		summary: "Erase a person: events, state, facts, and what else names them",
		description: "A send to several loses only this recipient. What is still in the queue does not bring the person back, " +
			"nor does a repetition; what happens later is kept, or refused where the settings say so. Files forget with the next nightly run. " +
			"Erasing again is harmless.",
	}, s.erasePerson)
}

func (s *Server) listWeeks(ctx context.Context, caller Caller, _ *empty) (*weeksOutput, error) {
	weeks, err := s.Weeks.WeekInfos(ctx)
	if err != nil {
		return nil, fmt.Errorf("list weeks: %w", err)
	}
	operator := ctx.Value(operatorMark{}) != nil
	var own map[event.Week]*int64
	if !operator {
		if own, err = s.Weeks.WorkspaceEvents(ctx, caller.Workspace); err != nil {
			return nil, fmt.Errorf("count events of weeks: %w", err)
		}
	}
	out := new(weeksOutput)
	out.Body.Items = make([]WeekView, 0, len(weeks))
	for _, week := range weeks {
		view := WeekView{Week: week.Week.String(), Starts: time.Unix(week.Week.Start(), 0).UTC(), State: "open"}
		if week.Sealed {
			view.State = "sealed"
		}
		events, holds := own[week.Week]
		switch {
		case operator && week.Damage == nil:
			view.Events, view.Bytes = &week.Events, &week.Bytes
		case operator: // nothing is known of a damaged week
		case holds:
			view.Events = events
		default:
			continue
		}
		out.Body.Items = append(out.Body.Items, view)
	}
	return out, nil
}

// ForgetPerson removes what names a person, by canonical address, beside events and what
// is known of messages. It may be repeated.
func (s *Server) ForgetPerson(ctx context.Context, workspace, email string) error {
	forms := address.Forms(email)
	err := s.searches.ForgetPerson(ctx, workspace, forms)
	if err == nil {
		err = s.followups.ForgetPerson(ctx, workspace, email, forms)
	}
	if err == nil && s.Notify != nil {
		err = s.Notify.ForgetPerson(ctx, workspace, email, forms)
	}
	if err == nil {
		err = s.invited.ForgetPerson(ctx, workspace, forms)
	}
	if err == nil {
		err = s.rejected.erase(ctx, workspace, email)
	}
	s.traffic.erase(workspace)
	return err
}

func (s *Server) erasePerson(ctx context.Context, caller Caller, in *personInput) (*personOutput, error) {
	email, err := in.address()
	if err != nil {
		return nil, err
	}
	// Records go first: the eraser cuts off the log that they are in until then.
	if err := s.ForgetPerson(ctx, caller.Workspace, email); err != nil {
		return nil, fmt.Errorf("erase: %w", err)
	}
	erased, err := s.Eraser.Erase(ctx, caller.Workspace, email)
	if err != nil {
		return nil, fmt.Errorf("erase: %w", err)
	}
	return &personOutput{ErasureReceipt{
		At: s.Clock().UTC().Truncate(time.Second), EventsDeleted: erased.EventsDeleted,
		SendsRewritten: erased.SendsRewritten, MessagesTouched: erased.MessagesTouched, DeadLetters: erased.DeadLetters,
		Endpoints: erased.Endpoints,
	}}, nil
}
