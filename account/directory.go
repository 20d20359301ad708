package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/address"
	"tidings/event"
	"tidings/feed"
)

// Kinds of records of the directory.
const (
	kindUser = "user"
	kindTeam = "team"
)

// Directory is the people and teams of workspaces. What it gives out is shared and
// not to be changed.
type Directory struct {
	records Records
	clock   func() time.Time

	mu    sync.Mutex
	known *lru.Cache[string, *known]
}

// NewDirectory reads and writes the directory in records. What another process
// changes is seen after a second.
func NewDirectory(records Records, clock func() time.Time) *Directory {
	return &Directory{records: records, clock: clock, known: newDirectories()}
}

// Member is one of the workspace's own people.
type Member struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Emails []string `json:"emails" doc:"their own addresses, lower case; what these do with the user's mail is nobody's interest"`
	Role   Role     `json:"role,omitempty" enum:"viewer,member,lead,support,auditor,integrator,admin" doc:"absent until one was given: keys alone say then what the user may do"`
	State  string   `json:"state,omitempty" enum:"active,suspended"`
	Rev    int64    `json:"rev" doc:"grows with each change"`
}

// MemberRequest is a user as an admin writes them.
type MemberRequest struct {
	Name   string   `json:"name" minLength:"1" maxLength:"200"`
	Emails []string `json:"emails,omitempty" maxItems:"50"`
	Role   Role     `json:"role,omitempty" enum:"viewer,member,lead,support,auditor,integrator,admin" doc:"as it is when absent"`
}

// Team is a set of users who see each other's events.
type Team struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Members []string `json:"members" doc:"ids of users"`
	Leads   []string `json:"leads,omitempty" doc:"ids of the members who say who else is in the team"`
}

// TeamRequest is a team as an admin writes it.
type TeamRequest struct {
	Name    string   `json:"name" minLength:"1" maxLength:"200"`
	Members []string `json:"members" doc:"ids of users" maxItems:"1000"`
	Leads   []string `json:"leads,omitempty" doc:"ids of members; nobody when absent" maxItems:"1000"`
}

// Bounds of the directory.
const (
	maxNameLength = 200
	maxEmails     = 50
	maxMembers    = 1000
)

// Names returns name by user id, for the search language and for items.
func (d *Directory) Names(ctx context.Context, workspace string) (map[string]string, error) {
	users, err := d.users(ctx, workspace)
	if err != nil {
		return nil, err
	}
	return users.names, nil
}

// UsersByAddress are the workspace's users by each of their addresses.
func (d *Directory) UsersByAddress(ctx context.Context, workspace string) (map[string]string, error) {
	users, err := d.users(ctx, workspace)
	if err != nil {
		return nil, err
	}
	return users.byAddress, nil
}

// ListTeams returns the teams, for the search language.
func (d *Directory) ListTeams(ctx context.Context, workspace string) ([]feed.Team, error) {
	teams, err := d.teams(ctx, workspace)
	if err != nil {
		return nil, err
	}
	return teams.listed, nil
}

// Users returns the people of a workspace, by id.
func (d *Directory) Users(ctx context.Context, workspace string) ([]Member, error) {
	users, err := d.users(ctx, workspace)
	if err != nil {
		return nil, err
	}
	return users.all, nil
}

// Teams returns the teams of a workspace, by id.
func (d *Directory) Teams(ctx context.Context, workspace string) ([]Team, error) {
	teams, err := d.teams(ctx, workspace)
	if err != nil {
		return nil, err
	}
	return teams.all, nil
}

// Visible lists whose events a user may see as one of their teams: their own and their
// teams', their own alone as an integrator, and nobody's where they are suspended or do
// work that no event is needed for.
func (d *Directory) Visible(ctx context.Context, workspace, user string) ([]string, error) {
	users, err := d.users(ctx, workspace)
	if err != nil {
		return nil, err
	}
	teams, err := d.teams(ctx, workspace)
	if err != nil {
		return nil, err
	}
	switch person := users.byID[user]; {
	case !person.sees():
		return []string{}, nil
	case person.Role == RoleIntegrator:
		return []string{user}, nil
	}
	return teams.visibleTo(user), nil
}

// Viewers lists who may see a user's events now, in order: for each of them Visible has the
// user.
func (d *Directory) Viewers(ctx context.Context, workspace, user string) ([]string, error) {
	users, err := d.users(ctx, workspace)
	if err != nil {
		return nil, err
	}
	teams, err := d.teams(ctx, workspace)
	if err != nil {
		return nil, err
	}
	return teams.viewersOf(user, users), nil
}

// Revision changes with the directory.
func (d *Directory) Revision(ctx context.Context, workspace string) (string, error) {
	k := d.knownOf(workspace)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := d.check(ctx, workspace, k); err != nil {
		return "", err
	}
	return k.revision, nil
}

// PutUser makes or replaces a user, whose state stays. ErrLastAdmin when the workspace
// would have no admin left.
func (d *Directory) PutUser(ctx context.Context, workspace, id string, request MemberRequest) (Member, error) {
	if request.Emails == nil {
		request.Emails = []string{}
	}
	change := Change{Name: &request.Name, Emails: &request.Emails}
	if request.Role != "" {
		change.Role = &request.Role
	}
	return d.write(ctx, workspace, id, change, true)
}

func canonicalEmails(emails []string) ([]string, error) {
	if len(emails) > maxEmails {
		return nil, event.Invalid("emails", fmt.Sprintf("has %d addresses; at most %d are taken", len(emails), maxEmails))
	}
	canonical := make([]string, 0, len(emails))
	for i, email := range emails {
		email, problem := address.Canonical(email)
		if problem != "" {
			return nil, event.Invalid(fmt.Sprintf("emails[%d]", i), problem)
		}
		if !slices.Contains(canonical, email) {
			canonical = append(canonical, email)
		}
	}
	return canonical, nil
}

// PutTeam makes or replaces a team.
func (d *Directory) PutTeam(ctx context.Context, workspace, id string, request TeamRequest) (Team, error) {
	team, err := request.team(id)
	if err != nil {
		return Team{}, err
	}
	return team, d.put(ctx, workspace, kindTeam, id, team)
}

// team is the team that is asked for.
func (r TeamRequest) team(id string) (Team, error) {
	if err := CheckName("name", r.Name); err != nil {
		return Team{}, err
	}
	if r.Members == nil {
		return Team{}, event.Invalid("members", "is required: an empty list for nobody")
	}
	if len(r.Members) > maxMembers {
		return Team{}, event.Invalid("members", fmt.Sprintf("has %d users; at most 1,000 are taken", len(r.Members)))
	}
	for i, member := range r.Members {
		if err := CheckName(fmt.Sprintf("members[%d]", i), member); err != nil {
			return Team{}, err
		}
	}
	for i, lead := range r.Leads {
		if !slices.Contains(r.Members, lead) {
			return Team{}, event.Invalid(fmt.Sprintf("leads[%d]", i), "is not a member of the team")
		}
	}
	team := Team{ID: id, Name: r.Name, Members: sorted(r.Members)}
	if len(r.Leads) > 0 {
		team.Leads = sorted(r.Leads)
	}
	return team, nil
}

// HasUser returns ErrNotFound when a user is not in the directory.
func (d *Directory) HasUser(ctx context.Context, workspace, id string) error {
	if _, err := d.records.Get(ctx, workspace, kindUser, id); err != nil {
		return fmt.Errorf("find user: %w", err)
	}
	return nil
}

// RemoveUser takes a user off; ErrNotFound when there is none, ErrLastAdmin when the
// workspace would have no admin left.
func (d *Directory) RemoveUser(ctx context.Context, workspace, id string) error {
	if err := d.HasUser(ctx, workspace, id); err != nil {
		return err
	}
	if err := d.setAdmin(ctx, workspace, id, false); err != nil {
		return err
	}
	return d.remove(ctx, workspace, kindUser, id)
}

// RemoveTeam takes a team off; ErrNotFound when there is none.
func (d *Directory) RemoveTeam(ctx context.Context, workspace, id string) error {
	return d.remove(ctx, workspace, kindTeam, id)
}

func (d *Directory) put(ctx context.Context, workspace, kind, id string, value any) error {
	if err := Put(ctx, d.records, workspace, kind, id, value); err != nil {
		return err
	}
	return d.changed(ctx, workspace)
}

func (d *Directory) remove(ctx context.Context, workspace, kind, id string) error {
	if _, err := d.records.Get(ctx, workspace, kind, id); err != nil {
		return fmt.Errorf("find %s: %w", kind, err)
	}
	if err := d.records.Delete(ctx, workspace, kind, id); err != nil {
		return fmt.Errorf("delete %s: %w", kind, err)
	}
	return d.changed(ctx, workspace)
}

// User returns one user; one who is not in the directory has their id alone.
func (d *Directory) User(ctx context.Context, workspace, id string) (Member, error) {
	user, err := Get[Member](ctx, d.records, workspace, kindUser, id)
	if errors.Is(err, event.ErrNotFound) {
		return Member{ID: id, State: StateActive}, nil
	}
	return user.shown(), err
}

// Team returns one team, or ErrNotFound.
func (d *Directory) Team(ctx context.Context, workspace, id string) (Team, error) {
	return Get[Team](ctx, d.records, workspace, kindTeam, id)
}

// sorted is a list in order, each once; never nil.
func sorted(all []string) []string {
	all = append(make([]string, 0, len(all)), all...)
	slices.Sort(all)
	return slices.Compact(all)
}
