package feed

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tidings/query"
)

// people is a workspace's directory as the search language asks it.
type people struct {
	// names are by user id.
	names map[string]string
	teams []Team
	// called are user ids by name and by first name, folded, "" where
	// several have it. It is made when it is first asked for.
	called map[string]string
}

// namesFor are the names, by user id, that a reader may know of: those of users whose
// events they may see. There is no other way to a name of the directory: chips,
// suggestions, what from: means and what items show are all made of these.
func (r *Reader) namesFor(ctx context.Context, scope Scope) (map[string]string, error) {
	names, err := r.directory.Names(ctx, scope.Workspace)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	if scope.Users == nil {
		return names, nil
	}
	known := make(map[string]string, len(scope.Users))
	for _, user := range scope.Users {
		if name, ok := names[user]; ok {
			known[user] = name
		}
	}
	return known, nil
}

// people reads what a reader may know of the directory: the names of those whose events
// they may see, and the teams that are made of those alone.
func (r *Reader) people(ctx context.Context, scope Scope) (*people, error) {
	names, err := r.namesFor(ctx, scope)
	if err != nil {
		return nil, err
	}
	if r.teams == nil {
		return &people{names: names}, nil
	}
	teams, err := r.teams.ListTeams(ctx, scope.Workspace)
	if err != nil {
		return nil, fmt.Errorf("read teams: %w", err)
	}
	if scope.Users != nil {
		teams = teamsWithin(teams, scope.Users)
	}
	return &people{names: names, teams: teams}, nil
}

// teamsWithin are the teams that have members, all of them among users.
func teamsWithin(teams []Team, users []string) []Team {
	known := make(map[string]bool, len(users))
	for _, user := range users {
		known[user] = true
	}
	var within []Team
	for _, team := range teams {
		stranger := func(member string) bool { return !known[member] }
		if len(team.Members) > 0 && !slices.ContainsFunc(team.Members, stranger) {
			within = append(within, team)
		}
	}
	return within
}

// User returns the id of the user who is called text.
func (p *people) User(text string) (string, bool) {
	if _, ok := p.names[text]; ok {
		return text, true
	}
	if p.called == nil {
		p.called = make(map[string]string, 2*len(p.names))
		for id, name := range p.names {
			name = query.FoldName(name)
			first, _, several := strings.Cut(name, " ")
			p.call(name, id)
			if several {
				p.call(first, id)
			}
		}
	}
	id := p.called[query.FoldName(text)]
	return id, id != ""
}

// Names are what the users and teams that the reader may know of are called, sorted:
// see query.Named.
func (p *people) Names() []string {
	names := slices.AppendSeq(make([]string, 0, len(p.names)+len(p.teams)), maps.Values(p.names))
	for _, team := range p.teams {
		names = append(names, team.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// alone reports whether nobody but the user has the name.
func (p *people) alone(name, user string) bool {
	id, ok := p.User(name)
	return ok && id == user
}

func (p *people) call(name, id string) {
	if _, taken := p.called[name]; taken {
		id = ""
	}
	p.called[name] = id
}

// Team returns the team that is called text, with or without the word team.
func (p *people) Team(text string) (string, []string, bool) {
	named := func(match func(Team) bool) (string, []string, bool) {
		at := slices.IndexFunc(p.teams, match)
		if at < 0 {
			return "", nil, false
		}
		return p.teams[at].ID, p.teams[at].Members, true
	}
	if id, members, ok := named(func(t Team) bool { return t.ID == text }); ok {
		return id, members, true
	}
	return named(func(t Team) bool {
		return strings.EqualFold(t.Name, text) || strings.EqualFold(t.Name+" team", text) || strings.EqualFold(t.Name, text+" team")
	})
}

// TeamsOf returns the ids of the teams that a user is in.
func (p *people) TeamsOf(user string) []string {
	var ids []string
	for _, team := range p.teams {
		if slices.Contains(team.Members, user) {
			ids = append(ids, team.ID)
		}
	}
	return ids
}
