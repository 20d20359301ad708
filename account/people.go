package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tidings/event"
)

// Change is what is to be different of a user; nil leaves it as it is.
type Change struct {
	Name   *string   `json:"name,omitempty" minLength:"1" maxLength:"200"`
	Emails *[]string `json:"emails,omitempty" maxItems:"50"`
	Role   *Role     `json:"role,omitempty" enum:"viewer,member,lead,support,auditor,integrator,admin"`
	State  *string   `json:"state,omitempty" enum:"active,suspended"`
	// Rev guards a change against one that was made meanwhile.
	Rev *int64 `json:"rev,omitempty" doc:"the rev that the change is made to; 409 when the user has changed since"`
}

func (c Change) check() error {
	if c.Name != nil {
		if err := CheckName("name", *c.Name); err != nil {
			return err
		}
	}
	if c.Role != nil && !c.Role.OfPerson() {
		return event.Invalid("role", "is not one of viewer, member, lead, support, auditor, integrator, admin")
	}
	if c.State != nil && *c.State != StateActive && *c.State != StateSuspended {
		return event.Invalid("state", "is not one of active, suspended")
	}
	return nil
}

// ChangeUser changes a user of the directory; ErrNotFound when there is none,
// ErrLastAdmin when the workspace would have no admin left, ErrConflict when the user
// has changed meanwhile.
func (d *Directory) ChangeUser(ctx context.Context, workspace, id string, change Change) (Member, error) {
	return d.write(ctx, workspace, id, change, false)
}

// write changes a user, or makes one where that is wanted. Of several at once each
// counts.
func (d *Directory) write(ctx context.Context, workspace, id string, change Change, create bool) (Member, error) {
	if err := change.check(); err != nil {
		return Member{}, err
	}
	for range swapTries {
		user, err := d.writeOnce(ctx, workspace, id, change, create)
		if !errors.Is(err, errSwap) {
			return user, err
		}
	}
	return Member{}, fmt.Errorf("change user: %w", event.ErrConflict)
}

// errSwap is a change that met another one and is made anew.
var errSwap = errors.New("changed meanwhile")

func (d *Directory) writeOnce(ctx context.Context, workspace, id string, change Change, create bool) (Member, error) {
	user := Member{ID: id, Emails: []string{}}
	old, err := d.records.Get(ctx, workspace, kindUser, id)
	switch {
	case err == nil:
		if err := json.Unmarshal(old, &user); err != nil {
			return Member{}, fmt.Errorf("decode user: %w", err)
		}
	case !errors.Is(err, event.ErrNotFound) || !create:
		return Member{}, fmt.Errorf("find user: %w", err)
	}
	admins, _, err := d.admins(ctx, workspace)
	if err != nil {
		return Member{}, err
	}
	listed := slices.Contains(admins, id)
	if !listed && user.isAdmin() {
		user.Role = RoleMember // as they are shown: who is admin is said by admins alone
	}
	if change.Rev != nil && *change.Rev != user.Rev {
		return Member{}, fmt.Errorf("user has changed: %w", event.ErrConflict)
	}
	if err := user.apply(change); err != nil {
		return Member{}, err
	}
	admin := user.isAdmin()
	if !admin { // before anything says otherwise
		if err := d.setAdmin(ctx, workspace, id, false); err != nil {
			return Member{}, err
		}
	}
	user.Rev++
	doc, err := json.Marshal(user)
	if err != nil {
		return Member{}, fmt.Errorf("encode user: %w", err)
	}
	err = d.records.Swap(ctx, workspace, kindUser, id, old, doc)
	if errors.Is(err, event.ErrConflict) {
		return Member{}, errSwap
	}
	if err != nil {
		return Member{}, fmt.Errorf("change user: %w", err)
	}
	if admin && !listed {
		if err := d.promote(ctx, workspace, user); err != nil {
			return Member{}, err
		}
	}
	return user.shown(), d.changed(ctx, workspace)
}

// promote makes a user admin who was just written as one. errSwap says that they have
// changed meanwhile: who was suspended then was not there yet to be taken off.
func (d *Directory) promote(ctx context.Context, workspace string, user Member) error {
	if err := d.setAdmin(ctx, workspace, user.ID, true); err != nil {
		return err
	}
	now, err := Get[Member](ctx, d.records, workspace, kindUser, user.ID)
	switch {
	case errors.Is(err, event.ErrNotFound):
		return errors.Join(err, d.setAdmin(ctx, workspace, user.ID, false))
	case err != nil:
		return err
	case now.Rev != user.Rev:
		return errSwap
	}
	return nil
}

func (m Member) isAdmin() bool { return m.Role == RoleAdmin && m.State != StateSuspended }

func (m *Member) apply(change Change) error {
	if change.Name != nil {
		m.Name = *change.Name
	}
	if change.Emails != nil {
		emails, err := canonicalEmails(*change.Emails)
		if err != nil {
			return err
		}
		m.Emails = emails
	}
	if change.Role != nil {
		m.Role = *change.Role
	}
	if change.State != nil {
		m.State = *change.State
	}
	return nil
}

// shown is a user with what was not written before there were states.
func (m Member) shown() Member {
	if m.State == "" {
		m.State = StateActive
	}
	return m
}

// Join puts a user into a team, beside those who change it meanwhile; ErrNotFound
// when there is no such team.
func (d *Directory) Join(ctx context.Context, workspace, team, user string) error {
	_, err := d.changeTeam(ctx, workspace, team, func(joined Team) (Team, error) {
		joined.Members = sorted(append(joined.Members, user))
		if len(joined.Members) > maxMembers {
			return Team{}, event.Invalid("teams", "has 1,000 members already")
		}
		return joined, nil
	})
	return err
}

// addMember puts a user into a team for a provider, as a lead or not; added is false where
// somebody had put them there, which stays as it is. had says that the provider has.
func (d *Directory) addMember(ctx context.Context, workspace, team, user string, had, lead bool) (added bool, err error) {
	_, err = d.changeTeam(ctx, workspace, team, func(now Team) (Team, error) {
		if added = had || !slices.Contains(now.Members, user); !added {
			return now, nil
		}
		now.Members = sorted(append(now.Members, user))
		if len(now.Members) > maxMembers {
			return Team{}, event.Invalid("teams", "has 1,000 members already")
		}
		now.Leads = without(now.Leads, user)
		if lead {
			now.Leads = sorted(append(now.Leads, user))
		}
		return now, nil
	})
	return added, err
}

// Leave takes a user out of a team; ErrNotFound when there is no such team.
func (d *Directory) Leave(ctx context.Context, workspace, team, user string) error {
	_, err := d.changeTeam(ctx, workspace, team, func(left Team) (Team, error) {
		left.Members, left.Leads = without(left.Members, user), without(left.Leads, user)
		if left.Members == nil {
			left.Members = []string{}
		}
		return left, nil
	})
	return err
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(each string) bool { return each == one })
}

// LeadTeam replaces a team for somebody who leads it, but for who leads it. New members
// come out of the teams that the lead is in: whoever joins shares what they sent with the
// team, which is not for somebody to decide who may not see it. ErrForbidden where they
// do not lead the team, or not any more.
func (d *Directory) LeadTeam(ctx context.Context, workspace, id, lead string, request TeamRequest) (Team, error) {
	seen, err := d.Visible(ctx, workspace, lead)
	if err != nil {
		return Team{}, err
	}
	return d.changeTeam(ctx, workspace, id, func(team Team) (Team, error) {
		if !team.LedBy(lead) {
			return Team{}, fmt.Errorf("change team: %w", event.ErrForbidden)
		}
		for _, member := range request.Members {
			if !slices.Contains(team.Members, member) && !slices.Contains(seen, member) {
				return Team{}, event.Invalid("members", fmt.Sprintf("has %q, who is in none of your teams; an admin adds them", member))
			}
		}
		request.Leads = team.Leads
		return request.team(id)
	})
}

// changeTeam makes a change to a team as it is when the change is written.
func (d *Directory) changeTeam(ctx context.Context, workspace, id string, change func(Team) (Team, error)) (Team, error) {
	for range swapTries {
		old, err := d.records.Get(ctx, workspace, kindTeam, id)
		if err != nil {
			return Team{}, fmt.Errorf("find team: %w", err)
		}
		var team Team
		if err := json.Unmarshal(old, &team); err != nil {
			return Team{}, fmt.Errorf("decode team: %w", err)
		}
		if team, err = change(team); err != nil {
			return Team{}, err
		}
		doc, err := json.Marshal(team)
		if err != nil {
			return Team{}, fmt.Errorf("encode team: %w", err)
		}
		err = d.records.Swap(ctx, workspace, kindTeam, id, old, doc)
		if errors.Is(err, event.ErrConflict) {
			continue
		}
		if err != nil {
			return Team{}, fmt.Errorf("change team: %w", err)
		}
		return team, d.changed(ctx, workspace)
	}
	return Team{}, fmt.Errorf("change team: %w", event.ErrConflict)
}

// LedBy reports whether a user leads the team.
func (t Team) LedBy(user string) bool { return slices.Contains(t.Leads, user) }
