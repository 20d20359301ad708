package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/event"
)

type keysOutput struct {
	Body struct {
		Items []account.Key `json:"items"`
	} `nameHint:"KeyList"`
}

type keyInput struct{ content }

type newKeyOutput struct{ Body NewKey }

// NewKey is a key with its text, which is told this once.
type NewKey struct {
	account.Key
	Text string `json:"key" doc:"the key itself; it is not kept and cannot be shown again"`
}

type nameInput struct {
	ID pathText `path:"id" doc:"percent-encoded"`
}

func (s *Server) keyRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-keys", audit: auditNothing, method: http.MethodGet, path: "/v1/keys", group: "Keys", may: admins(),
		summary: "The workspace's keys",
	}, s.listKeys)
	handle(s, docs, route{
		id: "create-key", stepUp: true, method: http.MethodPost, path: "/v1/keys", group: "Keys", may: admins(),
		success: http.StatusCreated, request: account.KeyRequest{},
		summary: "Make a key",
		description: "A read key with a user sees that user's events and those of their teams; one without sees the whole workspace. " +
			"It ends after a year unless ends says otherwise.",
	}, s.createKey)
	handle(s, docs, route{
		id: "rotate-key", stepUp: true, method: http.MethodPost, path: "/v1/keys/{id}/rotate", group: "Keys", may: admins(),
		success: http.StatusCreated, request: RotateRequest{}, failures: []int{http.StatusConflict},
		summary:     "Give a key another text",
		description: "The text before works for a day still, or for as many hours as overlap_hours says (0 to 168).",
	}, s.rotateKey)
	handle(s, docs, route{
		id: "revoke-key", method: http.MethodDelete, path: "/v1/keys/{id}", group: "Keys", may: admins(),
		success:     http.StatusNoContent,
		summary:     "Revoke a key",
		description: "It stops working at once; the sessions that it signed in end and their sockets close.",
	}, s.revokeKey)
}

func (s *Server) listKeys(ctx context.Context, caller Caller, _ *empty) (*keysOutput, error) {
	keys, err := s.keys.List(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := new(keysOutput)
	out.Body.Items = keys
	return out, nil
}

func (s *Server) createKey(ctx context.Context, caller Caller, in *keyInput) (*newKeyOutput, error) {
	request, err := decodeDocument[account.KeyRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	text, key, err := s.keys.Create(ctx, caller.Workspace, request)
	if err != nil {
		return nil, inBody(err)
	}
	return &newKeyOutput{NewKey{key, text}}, nil
}

func (s *Server) revokeKey(ctx context.Context, caller Caller, in *nameInput) (*empty, error) {
	id, err := in.ID.decode("id")
	if err != nil {
		return nil, err
	}
	return nil, s.revoke(ctx, caller.Workspace, id)
}

// revoke takes a key back, ends the sessions that it began, and closes the
// sockets of all of them.
func (s *Server) revoke(ctx context.Context, workspace, id string) error {
	hashes, err := s.keys.Revoke(ctx, workspace, id)
	if err != nil {
		return err
	}
	for _, hash := range hashes {
		s.opened.end(hash)
		sessions, err := s.sessions.OfKey(ctx, workspace, hash)
		if err != nil {
			return err
		}
		if err := s.endSessions(ctx, workspace, sessions); err != nil {
			return err
		}
	}
	return nil
}

// RotateRequest says how long the text before goes on.
type RotateRequest struct {
	OverlapHours *int `json:"overlap_hours,omitempty" doc:"24 when absent" minimum:"0" maximum:"168"`
}

type rotateInput struct {
	content
	ID pathText `path:"id" doc:"percent-encoded"`
}

func (s *Server) rotateKey(ctx context.Context, caller Caller, in *rotateInput) (*newKeyOutput, error) {
	id, err := in.ID.decode("id")
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[RotateRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	overlap := account.KeyOverlap
	if request.OverlapHours != nil {
		overlap = time.Duration(*request.OverlapHours) * time.Hour
	}
	text, key, err := s.keys.Rotate(ctx, caller.Workspace, id, overlap)
	if err != nil {
		return nil, inBody(err)
	}
	return &newKeyOutput{NewKey{key, text}}, nil
}

// endSessions ends sessions by their hashes and closes their sockets.
func (s *Server) endSessions(ctx context.Context, workspace string, sessions []string) error {
	for _, session := range sessions {
		if err := s.forgetDevicesOf(ctx, workspace, session); err != nil {
			return err
		}
		if err := s.sessions.End(ctx, workspace, session); err != nil {
			return err
		}
		s.opened.end(session)
	}
	return nil
}

// inBody makes a field at fault one of the body.
func inBody(err error) error {
	var field *event.FieldError
	if errors.As(err, &field) {
		return invalidBody(field.Field, field.Problem)
	}
	return err
}
