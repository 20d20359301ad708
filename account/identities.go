package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/address"
	"tidings/event"
)

// kindIdentity holds which user somebody is whom a provider vouches for, by the hash of
// the provider's issuer and their subject there.
const kindIdentity = "identity"

// Why somebody whom a provider vouches for does not come in. Each is an ErrForbidden.
var (
	ErrNotInvited = fmt.Errorf("nobody has invited them: %w", event.ErrForbidden)
	ErrNoRole     = fmt.Errorf("none of their groups has a role: %w", event.ErrForbidden)
	ErrSuspended  = fmt.Errorf("they are suspended: %w", event.ErrForbidden)
)

// Vouched is somebody whom a provider vouches for.
type Vouched struct {
	Provider, Issuer, Subject string
	// Email is empty unless the provider has verified it and decides over its domain.
	Email string
	Name  string
	// Groups count where GroupsKnown says that the provider has told all of them.
	Groups      []string
	GroupsKnown bool
}

// IdentityID names who somebody is at a provider.
func IdentityID(issuer, subject string) string { return HashOf(issuer + "\x00" + subject) }

// GroupRule gives those of a provider's group a role, a place in a team, or both.
type GroupRule struct {
	Group string `json:"group" minLength:"1" maxLength:"500" doc:"as the provider names it: a name, or an id as with Entra"`
	Team  string `json:"team,omitempty" maxLength:"200" doc:"the id of a team that they are in"`
	Role  Role   `json:"role,omitempty" enum:"viewer,member,lead,support,auditor,integrator,admin" doc:"lead beside a team is a lead of that team"`
}

// GroupRules are what a provider's groups give. Where there are rules or a default, roles
// are the provider's to give.
type GroupRules struct {
	Map []GroupRule
	// Default is the role of those in none of the groups; without one they are refused.
	Default Role
}

// ranks are the roles from the least to the most; of several, the last counts.
var ranks = []Role{RoleViewer, RoleMember, RoleLead, RoleIntegrator, RoleSupport, RoleAuditor, RoleAdmin}

// gift is what somebody's groups give.
type gift struct {
	// role is "" for none; byDefault says that no group gave it.
	role      Role
	byDefault bool
	// teams are those that they are in, and whether they lead them.
	teams map[string]bool
}

// give says what somebody's groups give.
func (r GroupRules) give(groups []string) gift {
	var role Role
	teams := make(map[string]bool)
	for _, rule := range r.Map {
		if !slices.Contains(groups, rule.Group) {
			continue
		}
		if slices.Index(ranks, rule.Role) > slices.Index(ranks, role) {
			role = rule.Role
		}
		if rule.Team != "" {
			teams[rule.Team] = teams[rule.Team] || rule.Role == RoleLead
		}
	}
	return gift{cmp.Or(role, r.Default), role == "" && r.Default != "", teams}
}

func (r GroupRules) any() bool { return len(r.Map) > 0 || r.Default != "" }

// identity is who somebody is, as it is kept.
type identity struct {
	User     string    `json:"user"`
	Provider string    `json:"provider"`
	Issuer   string    `json:"issuer"`
	Subject  string    `json:"subject"`
	Since    time.Time `json:"since"`
	// Role is what the provider gave them, "" where people did.
	Role Role `json:"role,omitempty"`
	// Teams are those that the provider's groups put them into, and whether as a lead.
	Teams map[string]bool `json:"teams,omitempty"`
}

// Identities are who people are at providers.
type Identities struct {
	records   Records
	directory *Directory
	invited   *Invitations
	clock     func() time.Time
}

// NewIdentities keeps identities in records.
func NewIdentities(records Records, directory *Directory, invited *Invitations, clock func() time.Time) *Identities {
	return &Identities{records, directory, invited, clock}
}

// Admit lets somebody in whom a provider vouches for, with what their groups give, and
// returns them as a caller. Who is not known yet comes in by an invitation, by a verified
// address of a user, or by a role that their groups have. changing is called before
// anything is changed. ErrNotInvited, ErrNoRole and ErrSuspended refuse; notes are what
// could not be done and need not stop them.
func (i *Identities) Admit(ctx context.Context, workspace string, who Vouched, rules GroupRules, invitation string, changing func() error) (caller Caller, notes []string, err error) {
	id := IdentityID(who.Issuer, who.Subject)
	old, known, err := i.find(ctx, workspace, id)
	if err != nil {
		return Caller{}, nil, err
	}
	given := rules.give(who.Groups)
	if who.GroupsKnown && rules.any() && given.role == "" {
		notes, err := i.takeBack(ctx, workspace, id, known, changing)
		return Caller{}, notes, errors.Join(ErrNoRole, err)
	}
	if !known.is() {
		if err := changing(); err != nil {
			return Caller{}, nil, err
		}
		if known, err = i.meet(ctx, workspace, who, given.role, invitation); err != nil {
			return Caller{}, nil, err
		}
		if err := i.keep(ctx, workspace, id, old, &known); err != nil {
			return Caller{}, nil, err
		}
	}
	user, err := i.directory.User(ctx, workspace, known.User)
	if err != nil {
		return Caller{}, nil, err
	}
	if user.State == StateSuspended {
		return Caller{}, nil, ErrSuspended
	}
	if who.GroupsKnown && rules.any() {
		if notes, err = i.apply(ctx, workspace, id, known, user, given, changing); err != nil {
			return Caller{}, nil, err
		}
	}
	return Caller{Workspace: workspace, Role: RoleViewer, User: known.User}, notes, nil
}

func (k identity) is() bool { return k.User != "" }

// find finds who somebody is, the zero identity where they are not known or their user
// is not there any more.
func (i *Identities) find(ctx context.Context, workspace, id string) (json.RawMessage, identity, error) {
	doc, err := i.records.Get(ctx, workspace, kindIdentity, id)
	if errors.Is(err, event.ErrNotFound) {
		return nil, identity{}, nil
	}
	var known identity
	if err == nil {
		err = json.Unmarshal(doc, &known)
	}
	if err != nil {
		return nil, identity{}, fmt.Errorf("find identity: %w", err)
	}
	err = i.directory.HasUser(ctx, workspace, known.User)
	if errors.Is(err, event.ErrNotFound) {
		return doc, identity{}, nil
	}
	return doc, known, err
}

// meet finds or makes the user of somebody who comes for the first time.
func (i *Identities) meet(ctx context.Context, workspace string, who Vouched, role Role, invitation string) (identity, error) {
	known := identity{Provider: who.Provider, Issuer: who.Issuer, Subject: who.Subject, Since: i.clock().UTC().Truncate(time.Second)}
	if invitation != "" {
		of, err := i.invited.WorkspaceOf(ctx, invitation)
		if err == nil && of == workspace {
			var caller Caller
			caller, err = i.invited.Accept(ctx, invitation)
			known.User = caller.User
		}
		if err == nil && known.is() {
			return known, nil
		}
		if err != nil && !errors.Is(err, event.ErrNotFound) {
			return identity{}, err
		}
	}
	if who.Email == "" {
		return identity{}, ErrNotInvited
	}
	users, err := i.directory.UsersByAddress(ctx, workspace)
	if err != nil {
		return identity{}, err
	}
	if known.User = users[address.Fold(who.Email)]; known.is() {
		return known, nil
	}
	if role == "" {
		return identity{}, ErrNotInvited
	}
	// Two that come at once make the same one.
	known.User = "u_" + IdentityID(who.Issuer, who.Subject)[:20]
	name := clipped(cmp.Or(strings.TrimSpace(who.Name), who.Email), maxNameLength)
	emails := []string{who.Email}
	known.Role = role
	_, err = i.directory.write(ctx, workspace, known.User, Change{Name: &name, Emails: &emails, Role: &role}, true)
	return known, err
}

// keep writes who somebody is for the first time; another process that was faster is
// right.
func (i *Identities) keep(ctx context.Context, workspace, id string, old json.RawMessage, known *identity) error {
	doc, err := json.Marshal(known)
	if err == nil {
		err = i.records.Swap(ctx, workspace, kindIdentity, id, old, doc)
	}
	if errors.Is(err, event.ErrConflict) {
		_, *known, err = i.find(ctx, workspace, id)
		if err == nil && !known.is() {
			err = fmt.Errorf("keep identity: %w", event.ErrConflict)
		}
	}
	return err
}

// takeBack takes from somebody whom no group lets in any more what groups gave them: their
// places in teams, and a role that is more than a viewer's. Who has nothing of a provider
// keeps what people gave.
func (i *Identities) takeBack(ctx context.Context, workspace, id string, known identity, changing func() error) (notes []string, err error) {
	if !known.is() || known.Role == "" && len(known.Teams) == 0 {
		return nil, nil
	}
	user, err := i.directory.User(ctx, workspace, known.User)
	if err != nil {
		return nil, err
	}
	left := gift{role: user.Role}
	if known.Role != "" {
		left.role = RoleViewer
	}
	return i.apply(ctx, workspace, id, known, user, left, changing)
}

// giveRole gives a user the role of their groups. A default takes the place of no role that
// people gave.
func (i *Identities) giveRole(ctx context.Context, workspace string, known *identity, user Member, given gift, changing func() error) (notes []string, err error) {
	if given.byDefault && known.Role == "" && user.Role != "" {
		return nil, nil
	}
	if user.Role != given.role {
		if err := changing(); err != nil {
			return nil, err
		}
		_, err := i.directory.ChangeUser(ctx, workspace, user.ID, Change{Role: &given.role})
		if errors.Is(err, ErrLastAdmin) {
			return []string{"stays admin: nobody else is"}, nil
		}
		if err != nil {
			return nil, err
		}
		known.Role = given.role
	}
	return nil, nil
}

// apply gives a user what their groups give now, and takes back what they gave before
// and do not any more. What people gave stays.
func (i *Identities) apply(ctx context.Context, workspace, id string, known identity, user Member, what gift, changing func() error) (notes []string, err error) {
	before := known.Role
	if notes, err = i.giveRole(ctx, workspace, &known, user, what, changing); err != nil {
		return nil, err
	}
	given, more, err := i.giveTeams(ctx, workspace, known, user, what.teams, changing)
	if err != nil {
		return nil, err
	}
	notes = append(notes, more...)
	if before == known.Role && (len(given) == 0 && len(known.Teams) == 0 || maps.Equal(given, known.Teams)) {
		return notes, nil
	}
	known.Teams = given
	return notes, Put(ctx, i.records, workspace, kindIdentity, id, known)
}

// giveTeams puts a user into the teams of their groups, and takes them out of those that
// groups put them into before; given are those that are the provider's now.
func (i *Identities) giveTeams(ctx context.Context, workspace string, known identity, user Member, teams map[string]bool, changing func() error) (given map[string]bool, notes []string, err error) {
	given = make(map[string]bool)
	for team, lead := range teams {
		before, had := known.Teams[team]
		if had && before == lead {
			given[team] = lead
			continue
		}
		if err := changing(); err != nil {
			return nil, nil, err
		}
		added, err := i.directory.addMember(ctx, workspace, team, user.ID, had, lead)
		switch {
		case errors.Is(err, event.ErrNotFound):
			notes = append(notes, "there is no team "+team)
		case err != nil:
			return nil, nil, err
		case added || had:
			given[team] = lead
		}
	}
	for team := range known.Teams {
		if _, still := teams[team]; still {
			continue
		}
		if err := changing(); err != nil {
			return nil, nil, err
		}
		if err := i.directory.Leave(ctx, workspace, team, user.ID); err != nil && !errors.Is(err, event.ErrNotFound) {
			return nil, nil, err
		}
	}
	return given, notes, nil
}

// Forget forgets who a user is at every provider: whoever comes as one of those is
// somebody new.
func (i *Identities) Forget(ctx context.Context, workspace, user string) error {
	docs, err := i.records.List(ctx, workspace, kindIdentity)
	if err != nil {
		return fmt.Errorf("list identities: %w", err)
	}
	for _, doc := range docs {
		var known identity
		if err := json.Unmarshal(doc.Doc, &known); err != nil {
			return fmt.Errorf("decode identity: %w", err)
		}
		if known.User != user {
			continue
		}
		if err := i.records.Delete(ctx, workspace, kindIdentity, doc.ID); err != nil {
			return fmt.Errorf("forget identity: %w", err)
		}
	}
	return nil
}
