package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tidings/address"
	"tidings/event"
)

// Searches are kept under kindSearch, by owner and name.
const kindSearch = "search"

// Bounds of saved searches: how many one owner may keep, and the bytes of a text.
const (
	maxSearches   = 200
	maxSearchText = 2000
)

// SavedSearch is a text of the search box with a name.
type SavedSearch struct {
	Name string `json:"name"`
	Q    string `json:"q" doc:"the text, as it is typed"`
	// Shared ones are seen by the owner's team.
	Shared bool `json:"shared" doc:"whether those see it too who see the owner's events"`
	// Owner is "" where the key that saved it belonged to nobody: such a search
	// is the workspace's, and always shared.
	Owner   string    `json:"owner,omitempty" doc:"whose it is; absent for one of the whole workspace"`
	Changed time.Time `json:"changed"`
}

// SearchRequest is a search as its owner writes it.
type SearchRequest struct {
	Q      string `json:"q" minLength:"1" maxLength:"2000"`
	Shared bool   `json:"shared,omitempty" doc:"let those see it who see your events; a key of nobody always does"`
}

// Check says what is wrong with a request.
func (r SearchRequest) Check() *event.FieldError {
	switch {
	case strings.TrimSpace(r.Q) == "":
		return event.Invalid("q", "is required")
	case len(r.Q) > maxSearchText:
		return event.Invalid("q", fmt.Sprintf("has %d bytes; at most %d are taken", len(r.Q), maxSearchText))
	case !utf8.ValidString(r.Q):
		return event.Invalid("q", "is not valid UTF-8")
	}
	return nil
}

// Searches keeps saved searches.
type Searches struct {
	records Records
	clock   func() time.Time
}

// NewSearches keeps saved searches in records.
func NewSearches(records Records, clock func() time.Time) *Searches { return &Searches{records, clock} }

// searchID is where a search is kept. Names may hold a slash, so both parts are
// escaped.
func searchID(owner, name string) string { return url.PathEscape(owner) + "/" + url.PathEscape(name) }

// List returns what a caller may see: their own, the workspace's, and those that
// somebody shares whose events they may see.
func (s *Searches) List(ctx context.Context, caller Caller) ([]SavedSearch, error) {
	all, err := List[SavedSearch](ctx, s.records, caller.Workspace, kindSearch)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(saved SavedSearch) bool {
		visible := caller.Users == nil || saved.Owner == "" || slices.Contains(caller.Users, saved.Owner)
		return saved.Owner != caller.User && !(saved.Shared && visible)
	})
	slices.SortFunc(all, func(a, b SavedSearch) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Owner, b.Owner))
	})
	return all, nil
}

// Put makes or replaces one of the caller's own.
func (s *Searches) Put(ctx context.Context, caller Caller, name string, request SearchRequest) (SavedSearch, error) {
	saved := SavedSearch{
		Name: name, Q: request.Q, Shared: request.Shared || caller.User == "", Owner: caller.User,
		Changed: s.clock().UTC().Truncate(time.Second),
	}
	all, err := List[SavedSearch](ctx, s.records, caller.Workspace, kindSearch)
	if err != nil {
		return SavedSearch{}, err
	}
	own := 0
	for _, other := range all {
		if other.Owner == caller.User && other.Name != name {
			own++
		}
	}
	if own >= maxSearches {
		return SavedSearch{}, &event.TooMuch{What: fmt.Sprintf("there are %d saved searches already: delete one first", own)}
	}
	return saved, Put(ctx, s.records, caller.Workspace, kindSearch, searchID(caller.User, name), saved)
}

// Remove deletes one of the caller's own, or for an admin one of the workspace.
func (s *Searches) Remove(ctx context.Context, caller Caller, name string) error {
	owners := []string{caller.User}
	if caller.Role == RoleAdmin && caller.User != "" {
		owners = append(owners, "")
	}
	for _, owner := range owners {
		id := searchID(owner, name)
		_, err := s.records.Get(ctx, caller.Workspace, kindSearch, id)
		switch {
		case errors.Is(err, event.ErrNotFound):
			continue
		case err != nil:
			return fmt.Errorf("find search: %w", err)
		}
		if err := s.records.Delete(ctx, caller.Workspace, kindSearch, id); err != nil {
			return fmt.Errorf("delete search: %w", err)
		}
		return nil
	}
	return fmt.Errorf("search: %w", event.ErrNotFound)
}

// ForgetUser deletes the searches of a user who leaves. It may be repeated.
func (s *Searches) ForgetUser(ctx context.Context, workspace, user string) error {
	return s.forget(ctx, workspace, func(saved SavedSearch) bool { return saved.Owner == user })
}

// ForgetPerson deletes the searches that name an erased person, by the forms in lower
// case that their address is written in. It may be repeated.
func (s *Searches) ForgetPerson(ctx context.Context, workspace string, forms []string) error {
	return s.forget(ctx, workspace, func(saved SavedSearch) bool {
		return address.Names(saved.Q, forms) || address.Names(saved.Name, forms)
	})
}

// forget deletes the searches of a workspace that match says are to go.
func (s *Searches) forget(ctx context.Context, workspace string, match func(SavedSearch) bool) error {
	all, err := List[SavedSearch](ctx, s.records, workspace, kindSearch)
	if err != nil {
		return err
	}
	for _, saved := range all {
		if !match(saved) {
			continue
		}
		if err := s.records.Delete(ctx, workspace, kindSearch, searchID(saved.Owner, saved.Name)); err != nil {
			return fmt.Errorf("delete search: %w", err)
		}
	}
	return nil
}
