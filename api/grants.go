package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tidings/account"
	"tidings/audit"
	"tidings/event"
	"tidings/notify"
)

// Emergency is access that the operator of the machine has given somebody past the
// usual ways in. Everybody in the workspace is told of it while it lasts.
type Emergency struct {
	Role   Role      `json:"role"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
	Used   bool      `json:"used" doc:"whether its link has been opened"`
}

// GrantAccess gives access to a workspace until it ends, once that is on record, and
// returns the token of its one link.
func (s *Server) GrantAccess(ctx context.Context, workspace string, role Role, life time.Duration, reason string) (string, account.Grant, error) {
	if err := account.CheckGrant(workspace, role, life, reason); err != nil {
		return "", account.Grant{}, err
	}
	by := Operator(ctx)
	if s.Audit != nil {
		row := audit.Row{
			Workspace: workspace, Kind: audit.KindBegun, Actor: by, Route: "operator access grant",
			Object: fmt.Sprintf("role=%s for=%v", role, life), Reason: s.Audit.Names().Text(reason),
		}
		if _, err := s.Audit.Must(ctx, row); err != nil {
			return "", account.Grant{}, err
		}
	}
	token, grant, err := s.grants.Give(ctx, workspace, role, life, reason, by)
	if err == nil {
		s.tellAdmins(ctx, workspace, grant.ID+"|given", fmt.Sprintf("The operator of the server has given access as %s until %s: %s", role, grant.Until.Format("15:04 UTC"), reason))
	}
	return token, grant, err
}

// tellAdmins tells all admins of a workspace of access past the usual ways in, in the page
// and by mail. Everybody sees it in the page too while it lasts, so a failure is no reason
// to give none.
func (s *Server) tellAdmins(ctx context.Context, workspace, cause, text string) {
	if s.Notify == nil {
		return
	}
	admins, err := s.directory.Admins(ctx, workspace)
	notices := make([]notify.Notice, len(admins))
	for i, admin := range admins {
		notices[i] = notify.Notice{Workspace: workspace, User: admin, Kind: notify.KindAccess, Cause: cause, Found: text}
	}
	if err := errors.Join(err, s.Notify.Tell(ctx, notices)); err != nil {
		s.Logger.WarnContext(ctx, "admins were not all told of access that the operator gave", "error", err)
	}
}

// grantedBy signs a browser in by the link of a grant; ErrNotFound when the token is
// of none.
func (s *Server) grantedBy(ctx context.Context, r *http.Request, token string) (*sessionOutput, error) {
	workspace, grant, err := s.grants.Redeem(ctx, token)
	if err != nil {
		return nil, err
	}
	caller := Caller{Workspace: workspace, Role: grant.Role, Given: grant.Role, Ends: grant.Until}
	if err := s.signsIn(ctx, r, caller, "access granted by the operator, "+grant.ID); err != nil {
		return nil, err
	}
	out, session, err := s.session(ctx, r, caller)
	if err != nil {
		return nil, err
	}
	// The browser has nothing yet: where the grant does not know its session, nobody has.
	if err := s.grants.Begun(ctx, workspace, grant, account.HashOf(session)); err != nil {
		return nil, errors.Join(err, s.sessions.End(ctx, workspace, account.HashOf(session)))
	}
	s.tellAdmins(ctx, workspace, grant.ID+"|used", fmt.Sprintf("The link with which the operator gave access as %s was opened.", grant.Role))
	return out, nil
}

// granted refuses the session of a grant that is over.
func (s *Server) granted(ctx context.Context, c Caller) error {
	if c.User != "" {
		return nil // a grant's session is nobody's
	}
	over, err := s.grants.Over(ctx, c.Workspace, c.Credential)
	if err == nil && over {
		err = fmt.Errorf("the access that was granted is over: %w", event.ErrNotFound)
	}
	return err
}

// emergencies are the grants that a workspace is told of.
func (s *Server) emergencies(ctx context.Context, workspace string) ([]Emergency, error) {
	grants, err := s.grants.Now(ctx, workspace)
	var all []Emergency
	for _, grant := range grants {
		all = append(all, Emergency{grant.Role, grant.Until, grant.Reason, grant.Session != ""})
	}
	return all, err
}
