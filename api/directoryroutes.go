package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/event"
)

type usersOutput struct {
	Body struct {
		Items []account.Member `json:"items"`
	} `nameHint:"MemberList"`
}

type teamsOutput struct {
	Body struct {
		Items []account.Team `json:"items"`
	} `nameHint:"TeamList"`
}

type documentInput struct {
	content
	ID pathText `path:"id" doc:"percent-encoded"`
}

type userOutput struct{ Body account.Member }

type teamOutput struct{ Body account.Team }

func (s *Server) directoryRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-users", method: http.MethodGet, path: "/v1/users", group: "Directory", may: admins(),
		summary: "The workspace's people",
	}, s.listUsers)
	handle(s, docs, route{
		id: "put-user", method: http.MethodPut, path: "/v1/users/{id}", group: "Directory", may: admins(),
		request: account.MemberRequest{},
		summary: "Make or replace a user",
	}, s.putUser)
	handle(s, docs, route{
		id: "delete-user", method: http.MethodDelete, path: "/v1/users/{id}", group: "Directory", may: admins(),
		success:     http.StatusNoContent,
		summary:     "Take a user off",
		description: "Their keys are revoked, their sessions end and their saved searches go. Their events stay.",
	}, s.deleteUser)
	handle(s, docs, route{
		id: "list-teams", method: http.MethodGet, path: "/v1/teams", group: "Directory", may: admins(),
		summary: "The workspace's teams",
	}, s.listTeams)
	handle(s, docs, route{
		id: "put-team", method: http.MethodPut, path: "/v1/teams/{id}", group: "Directory", may: admins(),
		request: account.TeamRequest{},
		summary: "Make or replace a team",
	}, s.putTeam)
	handle(s, docs, route{
		id: "delete-team", method: http.MethodDelete, path: "/v1/teams/{id}", group: "Directory", may: admins(),
		success: http.StatusNoContent,
		summary: "Take a team off",
	}, s.deleteTeam)
}

func (s *Server) listUsers(ctx context.Context, caller Caller, _ *empty) (*usersOutput, error) {
	users, err := s.directory.Users(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := new(usersOutput)
	out.Body.Items = users
	return out, nil
}

func (s *Server) putUser(ctx context.Context, caller Caller, in *documentInput) (*userOutput, error) {
	id, err := directoryID(in.ID)
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[account.MemberRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	user, err := s.directory.PutUser(ctx, caller.Workspace, id, request)
	if err != nil {
		return nil, inBody(err)
	}
	return &userOutput{user}, nil
}

// deleteUser takes a user off, their access first.
func (s *Server) deleteUser(ctx context.Context, caller Caller, in *nameInput) (*empty, error) {
	id, err := directoryID(in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.directory.HasUser(ctx, caller.Workspace, id); err != nil {
		return nil, err
	}
	keys, err := s.keys.List(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if key.User != id {
			continue
		}
		if err := s.revoke(ctx, caller.Workspace, key.ID); err != nil && !errors.Is(err, event.ErrNotFound) {
			return nil, err
		}
	}
	sessions, err := s.sessions.OfUser(ctx, caller.Workspace, id)
	if err != nil {
		return nil, err
	}
	if err := s.endSessions(ctx, caller.Workspace, sessions); err != nil {
		return nil, err
	}
	if err := s.searches.ForgetUser(ctx, caller.Workspace, id); err != nil {
		return nil, err
	}
	return nil, s.directory.RemoveUser(ctx, caller.Workspace, id)
}

func (s *Server) listTeams(ctx context.Context, caller Caller, _ *empty) (*teamsOutput, error) {
	teams, err := s.directory.Teams(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := new(teamsOutput)
	out.Body.Items = teams
	return out, nil
}

func (s *Server) putTeam(ctx context.Context, caller Caller, in *documentInput) (*teamOutput, error) {
	id, err := directoryID(in.ID)
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[account.TeamRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	team, err := s.directory.PutTeam(ctx, caller.Workspace, id, request)
	if err != nil {
		return nil, inBody(err)
	}
	return &teamOutput{team}, nil
}

func (s *Server) deleteTeam(ctx context.Context, caller Caller, in *nameInput) (*empty, error) {
	id, err := directoryID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.directory.RemoveTeam(ctx, caller.Workspace, id)
}

// directoryID reads the id of a user or a team out of a path.
func directoryID(part pathText) (string, error) {
	id, err := part.decode("id")
	if err != nil {
		return "", err
	}
	if err := account.CheckName("id", id); err != nil {
		return "", badPath("id", err.Problem)
	}
	return id, nil
}
