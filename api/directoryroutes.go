package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

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
		id: "list-users", audit: auditNothing, method: http.MethodGet, path: "/v1/users", group: "Directory", may: leads(),
		summary:     "The workspace's people",
		description: "Of a lead those they share a team with, without their roles.",
	}, s.listUsers)
	handle(s, docs, route{
		id: "put-user", method: http.MethodPut, path: "/v1/users/{id}", group: "Directory", may: admins(),
		request: account.MemberRequest{}, failures: []int{http.StatusConflict},
		summary: "Make or replace a user",
	}, s.putUser)
	handle(s, docs, route{
		id: "change-user", method: http.MethodPatch, path: "/v1/users/{id}", group: "Directory", may: admins(),
		request: account.Change{}, failures: []int{http.StatusConflict},
		summary: "Change a user's name, addresses, role or state",
		description: "A role counts at once, in what is open too. Who is suspended is signed out everywhere and their keys are revoked. " +
			"The last admin cannot be suspended or given another role.",
	}, s.changeUser)
	handle(s, docs, route{
		id: "delete-user", method: http.MethodDelete, path: "/v1/users/{id}", group: "Directory", may: admins(),
		success: http.StatusNoContent, failures: []int{http.StatusConflict},
		summary:     "Take a user off",
		description: "The last admin stays. Their keys are revoked, their sessions end and their saved searches go. Their events stay.",
	}, s.deleteUser)
	handle(s, docs, route{
		id: "list-teams", audit: auditNothing, method: http.MethodGet, path: "/v1/teams", group: "Directory", may: leads(),
		summary: "The workspace's teams; of a lead, those they lead",
	}, s.listTeams)
	handle(s, docs, route{
		id: "put-team", method: http.MethodPut, path: "/v1/teams/{id}", group: "Directory", may: leads(),
		request: account.TeamRequest{},
		summary: "Make or replace a team; a lead replaces the members of those they lead",
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
	if caller.Role == account.RoleAdmin {
		return out, nil
	}
	shared, err := s.directory.Visible(ctx, caller.Workspace, caller.User)
	if err != nil {
		return nil, err
	}
	out.Body.Items = slices.DeleteFunc(slices.Clone(users), func(user account.Member) bool {
		return user.ID != caller.User && !slices.Contains(shared, user.ID)
	})
	for i := range out.Body.Items {
		out.Body.Items[i].Role = ""
	}
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
	// Suspended first: it refuses to lose the last admin, and may be done again.
	suspended := account.StateSuspended
	if _, err := s.directory.ChangeUser(ctx, caller.Workspace, id, account.Change{State: &suspended}); err != nil {
		return nil, err
	}
	if err := s.endAccess(ctx, caller.Workspace, id); err != nil {
		return nil, err
	}
	if err := s.searches.ForgetUser(ctx, caller.Workspace, id); err != nil {
		return nil, err
	}
	if s.Notify != nil {
		if err := s.Notify.Books.ForgetUser(ctx, caller.Workspace, id); err != nil {
			return nil, err
		}
	}
	if err := s.vouching.identities.Forget(ctx, caller.Workspace, id); err != nil {
		return nil, err
	}
	return nil, s.directory.RemoveUser(ctx, caller.Workspace, id)
}

// endAccess takes back a user's invitations and keys, and ends their sessions and what
// is open of both.
func (s *Server) endAccess(ctx context.Context, workspace, id string) error {
	if err := s.invited.RevokeFor(ctx, workspace, id); err != nil {
		return err
	}
	keys, err := s.keys.List(ctx, workspace)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key.User != id {
			continue
		}
		if err := s.revoke(ctx, workspace, key.ID); err != nil && !errors.Is(err, event.ErrNotFound) {
			return err
		}
	}
	if err := s.forgetDevices(ctx, workspace, id, allDevices); err != nil {
		return err
	}
	sessions, err := s.sessions.OfUser(ctx, workspace, id)
	if err != nil {
		return err
	}
	return s.endSessions(ctx, workspace, sessions)
}

func (s *Server) changeUser(ctx context.Context, caller Caller, in *documentInput) (*userOutput, error) {
	id, err := directoryID(in.ID)
	if err != nil {
		return nil, err
	}
	change, err := decodeDocument[account.Change](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	user, err := s.directory.ChangeUser(ctx, caller.Workspace, id, change)
	if err != nil {
		return nil, inBody(err)
	}
	if user.State == account.StateSuspended {
		if err := s.endAccess(ctx, caller.Workspace, id); err != nil {
			return nil, err
		}
	}
	s.LookAgain(ctx)
	return &userOutput{user}, nil
}

func (s *Server) listTeams(ctx context.Context, caller Caller, _ *empty) (*teamsOutput, error) {
	teams, err := s.directory.Teams(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := new(teamsOutput)
	out.Body.Items = make([]account.Team, 0, len(teams))
	for _, team := range teams {
		if caller.Role == account.RoleAdmin || team.LedBy(caller.User) {
			out.Body.Items = append(out.Body.Items, team)
		}
	}
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
	var team account.Team
	if caller.Role == account.RoleAdmin {
		team, err = s.directory.PutTeam(ctx, caller.Workspace, id, request)
	} else {
		// A lead says who is in the team, and not who else leads it.
		team, err = s.directory.LeadTeam(ctx, caller.Workspace, id, caller.User, request)
		if errors.Is(err, event.ErrNotFound) || errors.Is(err, event.ErrForbidden) {
			err = problem(http.StatusForbidden, "you do not lead this team")
		}
	}
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
