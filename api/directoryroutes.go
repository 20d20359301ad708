package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tidings/event"
)

type usersOutput struct {
	Body struct {
		Items []Member `json:"items"`
	} `nameHint:"MemberList"`
}

type teamsOutput struct {
	Body struct {
		Items []Team `json:"items"`
	} `nameHint:"TeamList"`
}

type documentInput struct {
	content
	ID pathText `path:"id" doc:"percent-encoded"`
}

type userOutput struct{ Body Member }

type teamOutput struct{ Body Team }

func (s *Server) directoryRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-users", method: http.MethodGet, path: "/v1/users", group: "Directory", may: admins(),
		summary: "The workspace's people",
	}, s.listUsers)
	handle(s, docs, route{
		id: "put-user", method: http.MethodPut, path: "/v1/users/{id}", group: "Directory", may: admins(),
		request: MemberRequest{},
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
		request: TeamRequest{},
		summary: "Make or replace a team",
	}, s.putTeam)
	handle(s, docs, route{
		id: "delete-team", method: http.MethodDelete, path: "/v1/teams/{id}", group: "Directory", may: admins(),
		success: http.StatusNoContent,
		summary: "Take a team off",
	}, s.deleteTeam)
}

func (s *Server) listUsers(ctx context.Context, caller Caller, _ *empty) (*usersOutput, error) {
	users, err := s.directory.users(ctx, caller.Workspace)
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
	request, err := decodeDocument[MemberRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	user, err := s.directory.putUser(ctx, caller.Workspace, id, request)
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
	if _, err := s.Records.Get(ctx, caller.Workspace, kindUser, id); err != nil {
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
	if err := s.endSessions(ctx, caller.Workspace, func(note sessionNote) bool { return note.User == id }); err != nil {
		return nil, err
	}
	if err := s.searches.forget(ctx, caller.Workspace, ofUser(id)); err != nil {
		return nil, err
	}
	return nil, s.directory.remove(ctx, caller.Workspace, kindUser, id)
}

func (s *Server) listTeams(ctx context.Context, caller Caller, _ *empty) (*teamsOutput, error) {
	teams, err := s.directory.teams(ctx, caller.Workspace)
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
	request, err := decodeDocument[TeamRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	team, err := s.directory.putTeam(ctx, caller.Workspace, id, request)
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
	return nil, s.directory.remove(ctx, caller.Workspace, kindTeam, id)
}

// directoryID reads the id of a user or a team out of a path.
func directoryID(part pathText) (string, error) {
	id, err := part.decode("id")
	if err != nil {
		return "", err
	}
	if err := checkName("id", id); err != nil {
		return "", badPath("id", err.Problem)
	}
	return id, nil
}
