package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tidings/event"
)

const (
	// kindOfUser and kindOfKey, with a user or the hash of a key behind them, list the
	// sessions of one.
	kindOfUser = "session-of/"
	kindOfKey  = "session-by/"
	// kindVouched and kindOfSid list those of an identity, and of a provider's session.
	kindVouched = "session-vouched/"
	kindOfSid   = "session-sid/"
	// KindProviderGrant holds with what a provider is asked whether it still vouches. It
	// goes with its session.
	KindProviderGrant = "sign-in-grant"
	// indexedID says that a workspace's sessions from before there were those lists are
	// in them.
	indexedID = "indexed"
	// sessionID is how many letters of its hash name a session: 96 bits.
	sessionID   = 24
	maxAgent    = 200
	maxSessions = 1000
)

// Session is a browser that is signed in, as it may be shown.
type Session struct {
	ID       string    `json:"id"`
	User     string    `json:"user,omitempty"`
	SignedIn time.Time `json:"signed_in"`
	LastSeen time.Time `json:"last_seen" doc:"to the hour, and never before the sign-in"`
	From     string    `json:"from,omitempty" doc:"the network address of the sign-in"`
	Agent    string    `json:"agent,omitempty" doc:"what the browser says it is"`
	Current  bool      `json:"current" doc:"the session that asks"`
}

// lists are the kinds of the lists that a session is in.
func (n sessionNote) lists() []string {
	var kinds []string
	for _, list := range []struct{ kind, of string }{{kindOfUser, n.User}, {kindOfKey, n.Key}, {kindVouched, n.Identity}, {kindOfSid, n.Sid}} {
		if list.of != "" {
			kinds = append(kinds, list.kind+list.of)
		}
	}
	return kinds
}

// index lists a session under its user, its key and who vouches.
func (s *Sessions) index(ctx context.Context, workspace, hash string, note sessionNote) error {
	for _, kind := range note.lists() {
		if err := Put(ctx, s.records, workspace, kind, hash, true); err != nil {
			return fmt.Errorf("index session: %w", err)
		}
	}
	return nil
}

// of lists the hashes of a workspace's sessions that satisfy a condition.
func (s *Sessions) of(ctx context.Context, workspace string, want func(sessionNote) bool) ([]string, error) {
	records, err := s.records.List(ctx, workspace, kindSession)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var hashes []string
	for _, record := range records {
		var note sessionNote
		if err := json.Unmarshal(record.Doc, &note); err != nil {
			return nil, fmt.Errorf("decode session: %w", err)
		}
		if want(note) {
			hashes = append(hashes, record.ID)
		}
	}
	return hashes, nil
}

// listed are the hashes in one of the lists. A workspace from before there were lists
// has them made once.
func (s *Sessions) listed(ctx context.Context, workspace, kind string) ([]string, error) {
	_, err := s.records.Get(ctx, workspace, kindSwept, indexedID)
	if errors.Is(err, event.ErrNotFound) {
		err = s.indexAll(ctx, workspace)
	}
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	records, err := s.records.List(ctx, workspace, kind)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	hashes := make([]string, len(records))
	for i, record := range records {
		hashes[i] = record.ID
	}
	return hashes, nil
}

func (s *Sessions) indexAll(ctx context.Context, workspace string) error {
	records, err := s.records.List(ctx, workspace, kindSession)
	if err != nil {
		return err
	}
	for _, record := range records {
		var note sessionNote
		if err := json.Unmarshal(record.Doc, &note); err != nil {
			return fmt.Errorf("decode session: %w", err)
		}
		if err := s.index(ctx, workspace, record.ID, note); err != nil {
			return err
		}
	}
	return Put(ctx, s.records, workspace, kindSwept, indexedID, true)
}

// OfUser lists the hashes of a user's sessions.
func (s *Sessions) OfUser(ctx context.Context, workspace, user string) ([]string, error) {
	return s.listed(ctx, workspace, kindOfUser+user)
}

// OfKey lists the hashes of the sessions that a key began.
func (s *Sessions) OfKey(ctx context.Context, workspace, key string) ([]string, error) {
	return s.listed(ctx, workspace, kindOfKey+key)
}

// OfIdentity lists the hashes of the sessions of an identity, and OfSid those of a
// provider's own session, by its hash.
func (s *Sessions) OfIdentity(ctx context.Context, workspace, identity string) ([]string, error) {
	return s.listed(ctx, workspace, kindVouched+identity)
}

// OfSid is described at OfIdentity.
func (s *Sessions) OfSid(ctx context.Context, workspace, sid string) ([]string, error) {
	return s.listed(ctx, workspace, kindOfSid+sid)
}

// Shown are sessions by their hashes, the last used first; those that are over are
// left out. At most 1,000 are read.
func (s *Sessions) Shown(ctx context.Context, hashes []string, current string) ([]Session, error) {
	all := make([]Session, 0, len(hashes))
	for _, hash := range hashes[:min(len(hashes), maxSessions)] {
		session, err := s.find(ctx, hash)
		if errors.Is(err, event.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if over, err := s.over(ctx, session); err != nil || over {
			if err != nil {
				return nil, err
			}
			continue
		}
		record := session.record
		seen := session.seen.UTC().Truncate(time.Hour)
		if seen.Before(record.SignedIn) {
			seen = record.SignedIn
		}
		all = append(all, Session{SessionID(hash), record.User, record.SignedIn, seen, record.From, record.Agent, hash == current})
	}
	slices.SortFunc(all, func(a, b Session) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), b.SignedIn.Compare(a.SignedIn), strings.Compare(a.ID, b.ID))
	})
	return all, nil
}

// SessionID is how the session of a hash is named.
func SessionID(hash string) string { return hash[:min(len(hash), sessionID)] }

// Rotate makes another session in the place of one whose user has more to say than
// when it began; the old one ends after a minute, for what is under way.
func (s *Sessions) Rotate(ctx context.Context, caller Caller, role Role) (string, error) {
	session, err := s.find(ctx, caller.Credential)
	if err != nil {
		return "", err
	}
	record := session.record
	record.Role = role
	token, err := s.begin(ctx, record)
	if err != nil {
		return "", err
	}
	if note := record.note(); note.Grant != "" { // it goes with the new one
		note.Grant = ""
		if err := Put(ctx, s.records, record.Workspace, kindSession, caller.Credential, note); err != nil {
			return "", fmt.Errorf("hand session over: %w", err)
		}
	}
	ends := seenRecord{session.seen, s.clock().Add(handedOver).UTC()}
	if err := Put(ctx, s.records, NoWorkspace, kindSeen, caller.Credential, ends); err != nil {
		return "", fmt.Errorf("hand session over: %w", err)
	}
	s.lately.Forget(caller.Credential)
	return token, nil
}

// clipped is a text of at most so many bytes of printable UTF-8.
func clipped(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}
