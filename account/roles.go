package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tidings/event"
)

// The roles of people. Everybody but an auditor looks after their own settings.
const (
	// RoleViewer sees their own and their teams' events.
	RoleViewer Role = "viewer"
	// RoleMember may also say what an event was, note who to call, and share searches.
	RoleMember Role = "member"
	// RoleLead is a member who says who is in the teams they lead.
	RoleLead Role = "lead"
	// RoleSupport looks after deliveries, without the events' content.
	RoleSupport Role = "support"
	// RoleAuditor reads the audit log and nothing else.
	RoleAuditor Role = "auditor"
	// RoleIntegrator sees their own events and sets up sources.
	RoleIntegrator Role = "integrator"
)

// PersonRoles are the roles that people may have.
func PersonRoles() []Role {
	return []Role{RoleViewer, RoleMember, RoleLead, RoleSupport, RoleAuditor, RoleIntegrator, RoleAdmin}
}

// OfPerson reports whether people may have the role.
func (r Role) OfPerson() bool { return slices.Contains(PersonRoles(), r) }

// States of people.
const (
	StateActive    = "active"
	StateSuspended = "suspended"
)

const (
	// kindAdmins holds who is admin of a workspace. It alone decides that, so that
	// two changes at once cannot take off the last two.
	kindAdmins = "admins"
	adminsID   = "workspace"
	// swapTries is how often a change is made anew that met another one.
	swapTries = 20
)

// ErrLastAdmin says that a workspace would have no admin left. It is an ErrConflict.
var ErrLastAdmin = fmt.Errorf("this is the last admin of the workspace; make somebody else admin first: %w", event.ErrConflict)

// limitedBy is what a credential's role allows a person of a role. Theirs is "" where
// it was never set. What a key of a person allows beyond that, and a session that it
// began, is for its scopes to bound.
func limitedBy(credential, person Role, byKey bool) Role {
	switch {
	case person == "":
		return credential
	case !byKey && person.includes(credential):
		return credential // until the session is made anew (Sessions.Rotate)
	case !byKey:
		return person
	case person == RoleAdmin:
		return credential
	}
	return person
}

// includes reports whether a role may all that another one may. Roles for different work
// do not: who is auditor no more, and member now, has no business with the audit log.
func (r Role) includes(other Role) bool {
	switch {
	case r == other || r == RoleAdmin:
		return true
	case r == RoleLead || r == RoleMember:
		return other == RoleMember || other == RoleViewer || other == RoleRead
	}
	return false
}

// SignedIn is who has just shown who they are, with all that their role gives now.
func (d *Directory) SignedIn(ctx context.Context, caller Caller) (Caller, error) {
	if !caller.ByKey && caller.User != "" {
		role, err := d.RoleOf(ctx, caller.Workspace, caller.User)
		if err != nil {
			return caller, err
		}
		caller.Given = cmp.Or(role, caller.Given, caller.Role)
	}
	return d.Now(ctx, caller)
}

// Risen reports whether a session's user has a role that may what the session may not,
// and which.
func (d *Directory) Risen(ctx context.Context, caller Caller) (Role, bool, error) {
	if caller.Session == "" || caller.ByKey || caller.User == "" {
		return "", false, nil
	}
	role, err := d.RoleOf(ctx, caller.Workspace, caller.User)
	return role, role != "" && !caller.Given.includes(role), err
}

// Now returns the caller with the role that their user has now, and whose events they
// see; ErrNotFound where the user is suspended.
func (d *Directory) Now(ctx context.Context, caller Caller) (Caller, error) {
	if caller.Given == "" {
		caller.Given = caller.Role
	}
	if caller.User == "" {
		return caller, nil
	}
	users, err := d.users(ctx, caller.Workspace)
	if err != nil {
		return caller, err
	}
	teams, err := d.teams(ctx, caller.Workspace)
	if err != nil {
		return caller, err
	}
	person := users.byID[caller.User]
	if person.State == StateSuspended {
		return caller, fmt.Errorf("user is suspended: %w", event.ErrNotFound)
	}
	caller.Role = limitedBy(caller.Given, person.Role, caller.ByKey)
	if teams.led[caller.User] && (caller.Role == RoleMember || caller.Role == RoleViewer) {
		caller.Role = RoleLead
	}
	switch caller.Role {
	case RoleAdmin:
		caller.Users = nil
	case RoleIntegrator:
		caller.Users = []string{caller.User}
	default:
		caller.Users = teams.visibleTo(caller.User)
	}
	return caller, nil
}

// RoleOf is the role that a user has now; "" where it was never set.
func (d *Directory) RoleOf(ctx context.Context, workspace, id string) (Role, error) {
	users, err := d.users(ctx, workspace)
	if err != nil {
		return "", err
	}
	return users.byID[id].Role, nil
}

// admins reads who is admin of a workspace, and how that is written; nobody is where
// nothing is.
func (d *Directory) admins(ctx context.Context, workspace string) ([]string, json.RawMessage, error) {
	doc, err := d.records.Get(ctx, workspace, kindAdmins, adminsID)
	if errors.Is(err, event.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read admins: %w", err)
	}
	var admins []string
	if err := json.Unmarshal(doc, &admins); err != nil {
		return nil, nil, fmt.Errorf("decode admins: %w", err)
	}
	return admins, doc, nil
}

// setAdmin makes a user admin or takes that from them; ErrLastAdmin where nobody would
// be left.
func (d *Directory) setAdmin(ctx context.Context, workspace, id string, admin bool) error {
	for range swapTries {
		admins, old, err := d.admins(ctx, workspace)
		if err != nil {
			return err
		}
		if slices.Contains(admins, id) == admin {
			return nil
		}
		if admin {
			admins = append(admins, id)
		} else {
			admins = slices.DeleteFunc(admins, func(each string) bool { return each == id })
		}
		if len(admins) == 0 {
			return ErrLastAdmin
		}
		slices.Sort(admins)
		doc, err := json.Marshal(admins)
		if err != nil {
			return fmt.Errorf("encode admins: %w", err)
		}
		err = d.records.Swap(ctx, workspace, kindAdmins, adminsID, old, doc)
		if !errors.Is(err, event.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("change admins: %w", event.ErrConflict)
}
