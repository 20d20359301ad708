package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"tidings/account"
	"tidings/deliver"
	"tidings/event"
)

type ofUserInput struct {
	User string `query:"user" doc:"whose sessions; mine when absent" maxLength:"200"`
}

type oneSessionInput struct {
	ID   pathText `path:"id" doc:"of the list"`
	User string   `query:"user" doc:"whose sessions; mine when absent" maxLength:"200"`
}

type sessionsOutput struct {
	Body struct {
		Items []account.Session `json:"items"`
	} `nameHint:"SessionList"`
}

// sessionsOf are the hashes of a caller's sessions, or of somebody else's for an admin.
// A key of nobody, and a session that it began, have no others.
func (s *Server) sessionsOf(ctx context.Context, caller Caller, user string) ([]string, error) {
	if user != "" && user != caller.User {
		if caller.Role != account.RoleAdmin {
			return nil, problem(http.StatusForbidden, "somebody else's sessions take the role admin")
		}
		return s.sessions.OfUser(ctx, caller.Workspace, user)
	}
	if caller.User != "" {
		return s.sessions.OfUser(ctx, caller.Workspace, caller.User)
	}
	if caller.Session != "" {
		return []string{caller.Credential}, nil
	}
	return nil, nil
}

func (s *Server) listSessions(ctx context.Context, caller Caller, in *ofUserInput) (*sessionsOutput, error) {
	hashes, err := s.sessionsOf(ctx, caller, in.User)
	if err != nil {
		return nil, err
	}
	out := new(sessionsOutput)
	out.Body.Items, err = s.sessions.Shown(ctx, hashes, caller.Credential)
	return out, err
}

func (s *Server) endMySessions(ctx context.Context, caller Caller, in *ofUserInput) (*empty, error) {
	hashes, err := s.sessionsOf(ctx, caller, in.User)
	if err != nil {
		return nil, err
	}
	// Devices whose sessions have ended by themselves are signed out too.
	elsewhere := func(d deliver.Device) bool { return d.Session != caller.Credential }
	if err := s.forgetDevices(ctx, caller.Workspace, cmp.Or(in.User, caller.User), elsewhere); err != nil {
		return nil, err
	}
	hashes = slices.DeleteFunc(hashes, func(hash string) bool { return hash == caller.Credential })
	return nil, s.endSessions(ctx, caller.Workspace, hashes)
}

func (s *Server) endOneSession(ctx context.Context, caller Caller, in *oneSessionInput) (*empty, error) {
	id, err := in.ID.decode("id")
	if err != nil {
		return nil, err
	}
	hashes, err := s.sessionsOf(ctx, caller, in.User)
	if err != nil {
		return nil, err
	}
	for _, hash := range hashes {
		if account.SessionID(hash) == id {
			return nil, s.endSessions(ctx, caller.Workspace, []string{hash})
		}
	}
	return nil, event.ErrNotFound
}
