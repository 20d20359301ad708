package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/address"
	"tidings/event"
	"tidings/feed"
)

const (
	// kindRevision holds a text that changes with a workspace's directory.
	kindRevision      = "revision"
	directoryRevision = "directory"
	// directoryLife is when a directory is read again whatever its revision: a
	// process may have died between a change and its revision.
	directoryLife = time.Minute
	// directoriesKept bounds the workspaces whose directory is in memory.
	directoriesKept = 500
)

// known is what is in memory of a workspace's directory, at one revision.
type known struct {
	mu       sync.Mutex
	revision string
	// checked is when the revision was last read, and loaded when what is known was.
	checked, loaded time.Time
	users           *knownUsers
	teams           *knownTeams
}

// knownUsers and knownTeams are not changed once they are made.
type knownUsers struct {
	all       []Member
	names     map[string]string
	byAddress map[string]string
	byID      map[string]Member
}

type knownTeams struct {
	all    []Team
	listed []feed.Team
	// of are the indexes of the teams that a user is in.
	of map[string][]int
	// led says who leads a team.
	led map[string]bool
	// visible are the users that a user shares a team with, and viewers those of them who
	// may see their events, as *seenBy.
	visible, viewers sync.Map
}

// newKnownUsers knows users. Who is admin is said by admins alone.
func newKnownUsers(all []Member, admins []string) *knownUsers {
	u := &knownUsers{all, make(map[string]string, len(all)), make(map[string]string, len(all)), make(map[string]Member, len(all))}
	admin := make(map[string]bool, len(admins))
	for _, id := range admins {
		admin[id] = true
	}
	for i, user := range all {
		user = user.shown()
		switch {
		case admin[user.ID]:
			user.Role, user.State = RoleAdmin, StateActive
		case user.isAdmin(): // it was not said to the end
			user.Role = RoleMember
		}
		all[i], u.byID[user.ID] = user, user
	}
	for _, user := range all {
		u.names[user.ID] = user.Name
		for _, email := range user.Emails {
			u.byAddress[address.Fold(email)] = user.ID
		}
	}
	return u
}

func newKnownTeams(all []Team) *knownTeams {
	t := &knownTeams{all: all, listed: make([]feed.Team, len(all)), of: make(map[string][]int), led: make(map[string]bool)}
	for i, team := range all {
		t.listed[i] = feed.Team{ID: team.ID, Name: team.Name, Members: team.Members}
		for _, member := range team.Members {
			t.of[member] = append(t.of[member], i)
		}
		for _, lead := range team.Leads {
			t.led[lead] = true
		}
	}
	return t
}

// visibleTo lists the user and those who share a team with them, in order.
func (t *knownTeams) visibleTo(user string) []string {
	if kept, ok := t.visible.Load(user); ok {
		return kept.([]string)
	}
	if len(t.of[user]) == 0 { // they are without bound
		return []string{user}
	}
	users := map[string]bool{user: true}
	for _, i := range t.of[user] {
		for _, member := range t.all[i].Members {
			users[member] = true
		}
	}
	sorted := slices.Sorted(maps.Keys(users))
	t.visible.Store(user, sorted)
	return sorted
}

// seenBy are who may see somebody's events, as users were.
type seenBy struct {
	users *knownUsers
	all   []string
}

// viewersOf lists who may see a user's events, in order.
func (t *knownTeams) viewersOf(user string, users *knownUsers) []string {
	if kept, ok := t.viewers.Load(user); ok && kept.(*seenBy).users == users {
		return kept.(*seenBy).all
	}
	all := slices.DeleteFunc(slices.Clone(t.visibleTo(user)), func(other string) bool {
		person := users.byID[other]
		return other == "" || !person.sees() || person.Role == RoleIntegrator && other != user
	})
	if len(t.of[user]) > 0 { // the others are without bound
		t.viewers.Store(user, &seenBy{users, all})
	}
	return all
}

// sees reports whether a user's role and state let them see events.
func (m Member) sees() bool {
	return m.State != StateSuspended && m.Role != RoleSupport && m.Role != RoleAuditor
}

func newDirectories() *lru.Cache[string, *known] {
	by, err := lru.New[string, *known](directoriesKept)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return by
}

func (d *Directory) knownOf(workspace string) *known {
	d.mu.Lock()
	defer d.mu.Unlock()
	k, ok := d.known.Get(workspace)
	if !ok {
		k = &known{}
		d.known.Add(workspace, k)
	}
	return k
}

// check forgets what is known when it is of another revision. The lock of k is held.
func (d *Directory) check(ctx context.Context, workspace string, k *known) error {
	now := d.clock()
	if !k.checked.IsZero() && now.Sub(k.checked) < FreshFor {
		return nil
	}
	revision, err := Get[string](ctx, d.records, workspace, kindRevision, directoryRevision)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return fmt.Errorf("read revision of directory: %w", err)
	}
	if revision != k.revision || now.Sub(k.loaded) >= directoryLife {
		k.users, k.teams, k.revision, k.loaded = nil, nil, revision, now
	}
	k.checked = now
	return nil
}

func (d *Directory) users(ctx context.Context, workspace string) (*knownUsers, error) {
	k := d.knownOf(workspace)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := d.check(ctx, workspace, k); err != nil {
		return nil, err
	}
	if k.users == nil {
		all, err := List[Member](ctx, d.records, workspace, kindUser)
		if err != nil {
			return nil, err
		}
		admins, _, err := d.admins(ctx, workspace)
		if err != nil {
			return nil, err
		}
		k.users = newKnownUsers(all, admins)
	}
	return k.users, nil
}

func (d *Directory) teams(ctx context.Context, workspace string) (*knownTeams, error) {
	k := d.knownOf(workspace)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := d.check(ctx, workspace, k); err != nil {
		return nil, err
	}
	if k.teams == nil {
		all, err := List[Team](ctx, d.records, workspace, kindTeam)
		if err != nil {
			return nil, err
		}
		k.teams = newKnownTeams(all)
	}
	return k.teams, nil
}

// changed makes what is known old, here and in other processes. It is called after
// each change.
func (d *Directory) changed(ctx context.Context, workspace string) error {
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.known.Remove(workspace)
	}()
	if err := Put(ctx, d.records, workspace, kindRevision, directoryRevision, rand.Text()); err != nil {
		return fmt.Errorf("note change of directory: %w", err)
	}
	return nil
}
