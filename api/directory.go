package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"tidings/address"
	"tidings/event"
	"tidings/feed"
)

// Kinds of records of the directory.
const (
	kindUser = "user"
	kindTeam = "team"
)

// Directory is a workspace's people and teams.
type Directory struct{ records Records }

// NewDirectory reads and writes the directory in records.
func NewDirectory(records Records) *Directory { return &Directory{records} }

// Member is one of the workspace's own people.
type Member struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Emails []string `json:"emails" doc:"their own addresses, lower case; what these do with the user's mail is nobody's interest"`
}

// MemberRequest is a user as an admin writes them.
type MemberRequest struct {
	Name   string   `json:"name" minLength:"1" maxLength:"200"`
	Emails []string `json:"emails,omitempty" maxItems:"50"`
}

// Team is a set of users who see each other's events.
type Team struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Members []string `json:"members" doc:"ids of users"`
}

// TeamRequest is a team as an admin writes it.
type TeamRequest struct {
	Name    string   `json:"name" minLength:"1" maxLength:"200"`
	Members []string `json:"members" doc:"ids of users" maxItems:"1000"`
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
	names := make(map[string]string, len(users))
	for _, user := range users {
		names[user.ID] = user.Name
	}
	return names, nil
}

// ListTeams returns the teams, for the search language.
func (d *Directory) ListTeams(ctx context.Context, workspace string) ([]feed.Team, error) {
	teams, err := d.teams(ctx, workspace)
	if err != nil {
		return nil, err
	}
	listed := make([]feed.Team, len(teams))
	for i, team := range teams {
		listed[i] = feed.Team{ID: team.ID, Name: team.Name, Members: team.Members}
	}
	return listed, nil
}

func (d *Directory) users(ctx context.Context, workspace string) ([]Member, error) {
	return list[Member](ctx, d.records, workspace, kindUser)
}

func (d *Directory) teams(ctx context.Context, workspace string) ([]Team, error) {
	return list[Team](ctx, d.records, workspace, kindTeam)
}

// visible lists whose events a user may see: their own and their teams'.
func (d *Directory) visible(ctx context.Context, workspace, user string) ([]string, error) {
	teams, err := d.teams(ctx, workspace)
	if err != nil {
		return nil, err
	}
	users := map[string]bool{user: true}
	for _, team := range teams {
		if !slices.Contains(team.Members, user) {
			continue
		}
		for _, member := range team.Members {
			users[member] = true
		}
	}
	return slices.Sorted(maps.Keys(users)), nil
}

// putUser makes or replaces a user.
func (d *Directory) putUser(ctx context.Context, workspace, id string, request MemberRequest) (Member, error) {
	if err := checkName("name", request.Name); err != nil {
		return Member{}, err
	}
	if len(request.Emails) > maxEmails {
		return Member{}, event.Invalid("emails", fmt.Sprintf("has %d addresses; at most %d are taken", len(request.Emails), maxEmails))
	}
	user := Member{ID: id, Name: request.Name, Emails: make([]string, 0, len(request.Emails))}
	for i, email := range request.Emails {
		email, problem := checkEmail(email)
		if problem != "" {
			return Member{}, event.Invalid(fmt.Sprintf("emails[%d]", i), problem)
		}
		if !slices.Contains(user.Emails, email) {
			user.Emails = append(user.Emails, email)
		}
	}
	return user, put(ctx, d.records, workspace, kindUser, id, user)
}

// putTeam makes or replaces a team.
func (d *Directory) putTeam(ctx context.Context, workspace, id string, request TeamRequest) (Team, error) {
	if err := checkName("name", request.Name); err != nil {
		return Team{}, err
	}
	if request.Members == nil {
		return Team{}, event.Invalid("members", "is required: an empty list for nobody")
	}
	if len(request.Members) > maxMembers {
		return Team{}, event.Invalid("members", fmt.Sprintf("has %d users; at most 1,000 are taken", len(request.Members)))
	}
	members := make(map[string]bool, len(request.Members))
	for i, member := range request.Members {
		if err := checkName(fmt.Sprintf("members[%d]", i), member); err != nil {
			return Team{}, err
		}
		members[member] = true
	}
	team := Team{ID: id, Name: request.Name, Members: slices.AppendSeq(make([]string, 0, len(members)), maps.Keys(members))}
	slices.Sort(team.Members)
	return team, put(ctx, d.records, workspace, kindTeam, id, team)
}

// remove takes a user or a team off; ErrNotFound when there is none.
func (d *Directory) remove(ctx context.Context, workspace, kind, id string) error {
	if _, err := d.records.Get(ctx, workspace, kind, id); err != nil {
		return fmt.Errorf("find %s: %w", kind, err)
	}
	if err := d.records.Delete(ctx, workspace, kind, id); err != nil {
		return fmt.Errorf("delete %s: %w", kind, err)
	}
	return nil
}

// user returns one user; one who is not in the directory has their id alone.
func (d *Directory) user(ctx context.Context, workspace, id string) (Member, error) {
	user, err := get[Member](ctx, d.records, workspace, kindUser, id)
	if errors.Is(err, event.ErrNotFound) {
		return Member{ID: id}, nil
	}
	return user, err
}

func list[T any](ctx context.Context, records Records, workspace, kind string) ([]T, error) {
	docs, err := records.List(ctx, workspace, kind)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", kind, err)
	}
	values := make([]T, len(docs))
	for i, doc := range docs {
		if err := json.Unmarshal(doc.Doc, &values[i]); err != nil {
			return nil, fmt.Errorf("decode %s: %w", kind, err)
		}
	}
	return values, nil
}

// checkName bounds a name or an id of 1 to 200 bytes without control
// characters.
func checkName(field, value string) *event.FieldError {
	switch {
	case value == "":
		return event.Invalid(field, "is required")
	case len(value) > maxNameLength:
		return event.Invalid(field, fmt.Sprintf("has %d bytes; at most %d are taken", len(value), maxNameLength))
	case !utf8.ValidString(value):
		return event.Invalid(field, "is not valid UTF-8")
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return event.Invalid(field, "holds a control character")
	}
	return nil
}

// checkEmail makes an address canonical; problem says what is wrong with it.
func checkEmail(email string) (canonical, problem string) { return address.Canonical(email) }
