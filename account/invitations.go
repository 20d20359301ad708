package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tidings/address"
	"tidings/event"
)

const (
	// kindInvitation holds an invitation, by the hash of its token; the workspace keeps
	// it by its id, without the token.
	kindInvitation = "invitation"
	// InvitationLife is how long an invitation is good for unless told otherwise.
	InvitationLife    = 7 * 24 * time.Hour
	maxInvitationLife = 30
	maxInvitations    = 1000
	maxInvitedTeams   = 50
)

// Invitations are links with which people come into a workspace.
type Invitations struct {
	records   Records
	directory *Directory
	clock     func() time.Time
	rand      io.Reader
}

// NewInvitations keeps invitations in records.
func NewInvitations(records Records, directory *Directory, clock func() time.Time, rand io.Reader) *Invitations {
	return &Invitations{records, directory, clock, rand}
}

// InvitationRequest is who to invite, and as what.
type InvitationRequest struct {
	User  string   `json:"user,omitempty" doc:"the id of somebody who is in the directory already; a new user when absent" maxLength:"200"`
	Name  string   `json:"name,omitempty" doc:"needed for a new user" maxLength:"200"`
	Email string   `json:"email,omitempty" doc:"their own address" maxLength:"320"`
	Role  Role     `json:"role" enum:"viewer,member,lead,support,auditor,integrator,admin"`
	Teams []string `json:"teams,omitempty" doc:"ids of the teams that they join" maxItems:"50"`
	Days  int      `json:"days,omitempty" doc:"how long the link is good for; 7 when absent" minimum:"1" maximum:"30"`
	Mail  bool     `json:"mail,omitempty" doc:"send them the link too, to email; 409 where no mail is sent from here"`
}

// Invitation is one that was not accepted yet.
type Invitation struct {
	ID    string    `json:"id"`
	User  string    `json:"user"`
	Name  string    `json:"name"`
	Email string    `json:"email,omitempty"`
	Role  Role      `json:"role" enum:"viewer,member,lead,support,auditor,integrator,admin"`
	Teams []string  `json:"teams"`
	Ends  time.Time `json:"ends"`
}

type invitationRecord struct {
	Workspace string `json:"w"`
	ID        string `json:"id"`
}

type invitationNote struct {
	Invitation
	Hash string `json:"hash"`
}

// Make makes an invitation and returns the token of its link, which is told this once.
func (i *Invitations) Make(ctx context.Context, workspace string, request InvitationRequest) (string, Invitation, error) {
	made, err := i.read(ctx, workspace, request)
	if err != nil {
		return "", Invitation{}, err
	}
	token, err := RandomText(i.rand, SecretLength)
	if err != nil {
		return "", Invitation{}, err
	}
	if made.ID, err = RandomText(i.rand, 9); err != nil {
		return "", Invitation{}, err
	}
	hash := HashOf(token)
	if err := Put(ctx, i.records, workspace, kindInvitation, made.ID, invitationNote{made, hash}); err != nil {
		return "", Invitation{}, fmt.Errorf("note invitation: %w", err)
	}
	if err := Put(ctx, i.records, NoWorkspace, kindInvitation, hash, invitationRecord{workspace, made.ID}); err != nil {
		return "", Invitation{}, fmt.Errorf("keep invitation: %w", err)
	}
	return token, made, nil
}

func (i *Invitations) read(ctx context.Context, workspace string, request InvitationRequest) (Invitation, error) {
	if !request.Role.OfPerson() {
		return Invitation{}, event.Invalid("role", "is not one of viewer, member, lead, support, auditor, integrator, admin")
	}
	if request.Days < 0 || request.Days > maxInvitationLife {
		return Invitation{}, event.Invalid("days", "is 1 to 30")
	}
	if len(request.Teams) > maxInvitedTeams {
		return Invitation{}, event.Invalid("teams", "has more than 50 teams")
	}
	made := Invitation{User: request.User, Name: request.Name, Role: request.Role, Teams: sorted(request.Teams)}
	if request.Email != "" {
		email, problem := address.Canonical(request.Email)
		if problem != "" {
			return Invitation{}, event.Invalid("email", problem)
		}
		made.Email = email
	} else if request.Mail {
		return Invitation{}, event.Invalid("email", "is needed to send the link there")
	}
	made.Ends = i.clock().Add(InvitationLife).UTC().Truncate(time.Second)
	if request.Days > 0 {
		made.Ends = i.clock().AddDate(0, 0, request.Days).UTC().Truncate(time.Second)
	}
	if err := i.whom(ctx, workspace, &made); err != nil {
		return Invitation{}, err
	}
	for at, team := range made.Teams {
		if _, err := i.records.Get(ctx, workspace, kindTeam, team); err != nil {
			if errors.Is(err, event.ErrNotFound) {
				return Invitation{}, event.Invalid(fmt.Sprintf("teams[%d]", at), "is no team of this workspace")
			}
			return Invitation{}, err
		}
	}
	open, err := i.List(ctx, workspace)
	if err == nil && len(open) >= maxInvitations {
		return Invitation{}, &event.TooMuch{What: "there are 1,000 open invitations"}
	}
	return made, err
}

// whom finds who is invited: somebody of the directory, by id or address, or a new user.
func (i *Invitations) whom(ctx context.Context, workspace string, made *Invitation) error {
	users, err := i.directory.users(ctx, workspace)
	if err != nil {
		return err
	}
	if made.User == "" && made.Email != "" {
		made.User = users.byAddress[address.Fold(made.Email)]
	}
	if made.User != "" {
		user, ok := users.byID[made.User]
		if !ok {
			return event.Invalid("user", "is not in the directory")
		}
		made.Name = cmp.Or(made.Name, user.Name)
	} else {
		text, err := RandomText(i.rand, 9)
		if err != nil {
			return err
		}
		made.User = "u_" + text
	}
	if err := CheckName("name", made.Name); err != nil {
		return err
	}
	return nil
}

// List returns the invitations that may be accepted still, the next to end first. It
// forgets those that are too old.
func (i *Invitations) List(ctx context.Context, workspace string) ([]Invitation, error) {
	notes, err := List[invitationNote](ctx, i.records, workspace, kindInvitation)
	if err != nil {
		return nil, err
	}
	open := make([]Invitation, 0, len(notes))
	for _, note := range notes {
		if i.clock().Before(note.Ends) {
			open = append(open, note.Invitation)
			continue
		}
		if err := i.forget(ctx, workspace, note.ID, note.Hash); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(open, func(a, b Invitation) int {
		return cmp.Or(a.Ends.Compare(b.Ends), strings.Compare(a.ID, b.ID))
	})
	return open, nil
}

// Revoke takes an invitation back; ErrNotFound when there is none.
func (i *Invitations) Revoke(ctx context.Context, workspace, id string) error {
	note, err := Get[invitationNote](ctx, i.records, workspace, kindInvitation, id)
	if err != nil {
		return fmt.Errorf("find invitation: %w", err)
	}
	return i.forget(ctx, workspace, id, note.Hash)
}

// RevokeFor takes back all invitations of a user, by their id or one of their addresses.
func (i *Invitations) RevokeFor(ctx context.Context, workspace, user string) error {
	who, err := i.directory.User(ctx, workspace, user)
	if err != nil {
		return err
	}
	return i.revokeWhere(ctx, workspace, func(note invitationNote) bool {
		theirs := func(email string) bool { return address.Fold(email) == address.Fold(note.Email) }
		return note.User == user || slices.ContainsFunc(who.Emails, theirs)
	})
}

// ForgetPerson takes back the invitations of an erased person, and those that name them, by
// the forms in lower case that their address is written in. It may be repeated.
func (i *Invitations) ForgetPerson(ctx context.Context, workspace string, forms []string) error {
	return i.revokeWhere(ctx, workspace, func(note invitationNote) bool {
		return address.Names(note.Email, forms) || address.Names(note.Name, forms)
	})
}

func (i *Invitations) revokeWhere(ctx context.Context, workspace string, theirs func(invitationNote) bool) error {
	notes, err := List[invitationNote](ctx, i.records, workspace, kindInvitation)
	if err != nil {
		return err
	}
	for _, note := range notes {
		if !theirs(note) {
			continue
		}
		if err := i.forget(ctx, workspace, note.ID, note.Hash); err != nil {
			return err
		}
	}
	return nil
}

func (i *Invitations) forget(ctx context.Context, workspace, id, hash string) error {
	if err := i.records.Delete(ctx, NoWorkspace, kindInvitation, hash); err != nil {
		return fmt.Errorf("forget invitation: %w", err)
	}
	if err := i.records.Delete(ctx, workspace, kindInvitation, id); err != nil {
		return fmt.Errorf("forget invitation: %w", err)
	}
	return nil
}

// WorkspaceOf says which workspace an invitation is for, and leaves it as it is;
// ErrNotFound when there is none.
func (i *Invitations) WorkspaceOf(ctx context.Context, token string) (string, error) {
	record, err := Get[invitationRecord](ctx, i.records, NoWorkspace, kindInvitation, HashOf(token))
	return record.Workspace, err
}

// Accept takes an invitation for good, puts who was invited into the directory and the
// teams, and returns them as a caller; ErrNotFound when there is none, or not any more.
func (i *Invitations) Accept(ctx context.Context, token string) (Caller, error) {
	doc, err := i.records.Take(ctx, NoWorkspace, kindInvitation, HashOf(token))
	if err != nil {
		return Caller{}, fmt.Errorf("take invitation: %w", err)
	}
	var record invitationRecord
	if err := json.Unmarshal(doc, &record); err != nil {
		return Caller{}, fmt.Errorf("decode invitation: %w", err)
	}
	doc, err = i.records.Take(ctx, record.Workspace, kindInvitation, record.ID)
	if err != nil {
		return Caller{}, fmt.Errorf("take invitation: %w", err)
	}
	var note invitationNote
	if err := json.Unmarshal(doc, &note); err != nil {
		return Caller{}, fmt.Errorf("decode invitation: %w", err)
	}
	if !i.clock().Before(note.Ends) {
		return Caller{}, fmt.Errorf("invitation is too old: %w", event.ErrNotFound)
	}
	if err := i.admit(ctx, record.Workspace, &note.Invitation); err != nil {
		return Caller{}, err
	}
	return Caller{Workspace: record.Workspace, Role: note.Role, User: note.User}, nil
}

// admit puts who was invited into the directory. For a new user that is whoever has come
// in with their address since.
func (i *Invitations) admit(ctx context.Context, workspace string, invited *Invitation) error {
	users, err := i.directory.users(ctx, workspace)
	if err != nil {
		return err
	}
	if _, known := users.byID[invited.User]; !known && invited.Email != "" {
		invited.User = cmp.Or(users.byAddress[address.Fold(invited.Email)], invited.User)
	}
	user, err := i.directory.User(ctx, workspace, invited.User)
	if err != nil {
		return err
	}
	if user.State == StateSuspended { // since the link was made
		return fmt.Errorf("user is suspended: %w", event.ErrNotFound)
	}
	change := Change{Role: &invited.Role}
	if user.Name == "" {
		change.Name = &invited.Name
	}
	if invited.Email != "" && !slices.Contains(user.Emails, invited.Email) {
		emails := append(slices.Clone(user.Emails), invited.Email)
		change.Emails = &emails
	}
	if _, err := i.directory.write(ctx, workspace, invited.User, change, true); err != nil {
		return err
	}
	for _, team := range invited.Teams {
		err := i.directory.Join(ctx, workspace, team, invited.User)
		if err != nil && !errors.Is(err, event.ErrNotFound) { // it was taken off since
			return err
		}
	}
	return nil
}

// Any reports whether somebody is invited, or has accepted and is signed in.
func (i *Invitations) Any(ctx context.Context) (bool, error) {
	for _, kind := range []string{kindInvitation, kindSession} {
		records, err := i.records.List(ctx, NoWorkspace, kind)
		if err != nil {
			return false, fmt.Errorf("look for invitations: %w", err)
		}
		if len(records) > 0 {
			return true, nil
		}
	}
	return false, nil
}
