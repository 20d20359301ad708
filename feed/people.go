package feed

import (
	"context"
	"fmt"
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

// people reads the directory of a workspace.
func (r *Reader) people(ctx context.Context, workspace string) (*people, error) {
	names, err := r.directory.Names(ctx, workspace)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	if r.teams == nil {
		return &people{names: names}, nil
	}
	teams, err := r.teams.ListTeams(ctx, workspace)
	if err != nil {
		return nil, fmt.Errorf("read teams: %w", err)
	}
	return &people{names: names, teams: teams}, nil
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
