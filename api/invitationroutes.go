package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
)

type invitationsOutput struct {
	Body struct {
		Items []account.Invitation `json:"items"`
	} `nameHint:"InvitationList"`
}

type invitationInput struct{ content }

// NewInvitation is an invitation with the token of its link, which is told this once.
type NewInvitation struct {
	account.Invitation
	Token string `json:"token" doc:"accept it with POST /v1/session"`
	// Mailed is absent where nobody asked for it.
	Mailed string `json:"mailed,omitempty" enum:"sent,failed" doc:"whether the mail server took the mail; the link is good in any case"`
	Path   string `json:"path" doc:"the page that accepts it, on this server; what follows # is not sent to it"`
}

type newInvitationOutput struct{ Body NewInvitation }

func (s *Server) invitationRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-invitations", audit: auditNothing, method: http.MethodGet, path: "/v1/invitations", group: "Directory", may: admins(),
		summary: "The invitations that were not accepted yet",
	}, s.listInvitations)
	handle(s, docs, route{
		id: "invite", method: http.MethodPost, path: "/v1/invitations", group: "Directory", may: admins(),
		success: http.StatusCreated, request: account.InvitationRequest{}, failures: []int{http.StatusConflict, http.StatusTooManyRequests},
		summary: "Invite somebody",
		description: "Who opens the link and accepts becomes a user of the workspace, in the teams that are named, and is signed in. " +
			"It works once. Whoever has the link can use it: give it to nobody else.",
	}, s.invite)
	handle(s, docs, route{
		id: "revoke-invitation", method: http.MethodDelete, path: "/v1/invitations/{id}", group: "Directory", may: admins(),
		success: http.StatusNoContent,
		summary: "Take an invitation back",
	}, s.revokeInvitation)
}

func (s *Server) listInvitations(ctx context.Context, caller Caller, _ *empty) (*invitationsOutput, error) {
	open, err := s.invited.List(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := new(invitationsOutput)
	out.Body.Items = open
	return out, nil
}

func (s *Server) invite(ctx context.Context, caller Caller, in *invitationInput) (*newInvitationOutput, error) {
	request, err := decodeDocument[account.InvitationRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if request.Mail && (s.Mail == nil || s.PublicURL == "") {
		return nil, noMail()
	}
	token, made, err := s.invited.Make(ctx, caller.Workspace, request)
	if err != nil {
		return nil, inBody(err)
	}
	out := NewInvitation{Invitation: made, Token: token, Path: "/#invitation=" + token}
	if request.Mail {
		out.Mailed = "sent"
		if err := s.mailInvitation(ctx, out); err != nil {
			s.Logger.WarnContext(ctx, "an invitation was not sent by mail", "error", err)
			out.Mailed = "failed"
		}
	}
	return &newInvitationOutput{out}, nil
}

func (s *Server) mailInvitation(ctx context.Context, made NewInvitation) error {
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	return s.Mail(ctx, made.Email, "You are invited to Tidings", fmt.Sprintf(`%s, you are invited to Tidings, which shows what becomes of the mail that you send.

Open this and press the button there:

%s%s

It works once, until %s. Give it to nobody else.
`, made.Name, strings.TrimRight(s.PublicURL, "/"), made.Path, made.Ends.Format(time.RFC1123)))
}

func (s *Server) revokeInvitation(ctx context.Context, caller Caller, in *nameInput) (*empty, error) {
	id, err := in.ID.decode("id")
	if err != nil {
		return nil, err
	}
	return nil, s.invited.Revoke(ctx, caller.Workspace, id)
}
