package account

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"tidings/event"
)

// Lives of sessions, from their last use, and of one-time links.
const (
	SessionLife = 14 * 24 * time.Hour
	// sessionSlide is how often a session that is used is made longer.
	sessionSlide = 24 * time.Hour
	// SignInLife is how long a one-time link is good for unless told otherwise.
	SignInLife = 15 * time.Minute
)

// Sessions are browsers that have signed in. As with keys, only the hash of
// what the browser holds is kept.
type Sessions struct {
	records Records
	keys    *Keys
	clock   func() time.Time
	rand    io.Reader
	lately  *lately[dated]
	swept   sweeps
}

// dated is a session with its end.
type dated struct {
	record sessionRecord
	ends   time.Time
}

// sessionRecord is a session as it is kept. Its end is apart (kindSeen), so
// that making it longer cannot bring back one that is being ended.
type sessionRecord struct {
	Workspace string `json:"w"`
	Role      Role   `json:"role"`
	User      string `json:"user,omitempty"`
	// Key is the hash of the key that signed in, "" for a one-time link. The
	// session ends with its key.
	Key string `json:"key,omitempty"`
}

// sessionNote is what the workspace keeps of a session, under its hash.
type sessionNote struct {
	User string `json:"user,omitempty"`
	Key  string `json:"key,omitempty"`
}

// signInRecord is a one-time link.
type signInRecord struct {
	Workspace string    `json:"w"`
	Role      Role      `json:"role"`
	User      string    `json:"user,omitempty"`
	Ends      time.Time `json:"ends"`
}

// Begin signs a caller in and returns the token for the browser.
func (s *Sessions) Begin(ctx context.Context, caller Caller) (string, error) {
	token, err := RandomText(s.rand, SecretLength)
	if err != nil {
		return "", err
	}
	if err := s.sweep(ctx, caller.Workspace); err != nil {
		return "", err
	}
	hash := HashOf(token)
	ends := s.clock().Add(SessionLife)
	record := sessionRecord{caller.Workspace, cmp.Or(caller.Given, caller.Role), caller.User, caller.Credential}
	if err := s.date(ctx, caller.Workspace, hash, ends); err != nil {
		return "", err
	}
	if err := Put(ctx, s.records, record.Workspace, kindSession, hash, sessionNote{record.User, record.Key}); err != nil {
		return "", fmt.Errorf("note session: %w", err)
	}
	if err := Put(ctx, s.records, NoWorkspace, kindSession, hash, record); err != nil {
		return "", fmt.Errorf("keep session: %w", err)
	}
	return token, nil
}

// Caller is who a session's token stands for; ErrNotFound when it is none.
func (s *Sessions) Caller(ctx context.Context, token string) (Caller, error) {
	hash := HashOf(token)
	session, begun, known := s.lately.get(hash)
	if !known {
		var err error
		if session, err = s.find(ctx, hash); err != nil {
			return Caller{}, err
		}
	}
	now := s.clock()
	if !now.Before(session.ends) {
		return Caller{}, fmt.Errorf("session is over: %w", event.ErrNotFound)
	}
	record := session.record
	if session.ends.Sub(now) < SessionLife-sessionSlide {
		ends := now.Add(SessionLife)
		err := s.date(ctx, record.Workspace, hash, ends)
		if err != nil && !errors.Is(err, event.ErrUnavailable) {
			return Caller{}, fmt.Errorf("prolong session: %w", err)
		}
		if err == nil {
			session.ends = ends
		}
	}
	if !known {
		s.lately.keep(hash, session, begun)
	}
	return Caller{
		Workspace: record.Workspace, Role: record.Role, Given: record.Role, ByKey: record.Key != "", User: record.User,
		Credential: hash, Session: token,
	}, nil
}

// find reads a session, which ends with its key.
func (s *Sessions) find(ctx context.Context, hash string) (dated, error) {
	record, err := Get[sessionRecord](ctx, s.records, NoWorkspace, kindSession, hash)
	if err != nil {
		return dated{}, fmt.Errorf("find session: %w", err)
	}
	ends, err := Get[time.Time](ctx, s.records, NoWorkspace, kindSeen, hash)
	if err != nil {
		return dated{}, fmt.Errorf("find end of session: %w", err)
	}
	if record.Key != "" {
		if _, err := Get[keyRecord](ctx, s.records, NoWorkspace, kindKey, record.Key); err != nil {
			return dated{}, fmt.Errorf("find key of session: %w", err)
		}
	}
	return dated{record, ends}, nil
}

// End forgets a session. It is no error when there is none.
func (s *Sessions) End(ctx context.Context, workspace, hash string) error {
	for _, kept := range []struct{ workspace, kind string }{
		{NoWorkspace, kindSession}, {NoWorkspace, kindSeen}, {workspace, kindSession},
	} {
		if err := s.records.Delete(ctx, kept.workspace, kept.kind, hash); err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		s.lately.forget(hash)
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

// Ended reports whether a hash names no session, or not any more.
func (s *Sessions) Ended(ctx context.Context, hash string) (bool, error) {
	session, begun, ok := s.lately.get(hash)
	if !ok {
		var err error
		session, err = s.find(ctx, hash)
		if errors.Is(err, event.ErrNotFound) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		s.lately.keep(hash, session, begun)
	}
	return !s.clock().Before(session.ends), nil
}

// NewSessions keeps sessions in records.
func NewSessions(records Records, keys *Keys, clock func() time.Time, rand io.Reader) *Sessions {
	return &Sessions{records: records, keys: keys, clock: clock, rand: rand, lately: newLately[dated](clock)}
}

// OfUser lists the hashes of a user's sessions.
func (s *Sessions) OfUser(ctx context.Context, workspace, user string) ([]string, error) {
	return s.of(ctx, workspace, func(note sessionNote) bool { return note.User == user })
}

// OfKey lists the hashes of the sessions that a key began.
func (s *Sessions) OfKey(ctx context.Context, workspace, key string) ([]string, error) {
	return s.of(ctx, workspace, func(note sessionNote) bool { return note.Key == key })
}

// Offer makes the token of a one-time link, with which a browser signs in once
// within life (0 means SignInLife).
func (s *Sessions) Offer(ctx context.Context, workspace, user string, role Role, life time.Duration) (string, error) {
	if err := CheckWorkspace(workspace); err != nil {
		return "", err
	}
	if err := (KeyRequest{Role: role, User: user}).check(); err != nil {
		return "", err
	}
	if life <= 0 {
		life = SignInLife
	}
	token, err := RandomText(s.rand, SecretLength)
	if err != nil {
		return "", err
	}
	record := signInRecord{workspace, role, user, s.clock().Add(life)}
	if err := Put(ctx, s.records, NoWorkspace, kindSignIn, HashOf(token), record); err != nil {
		return "", fmt.Errorf("keep sign-in token: %w", err)
	}
	return token, nil
}

// Redeem takes a one-time link's token for good; ErrNotFound when there is
// none, or not any more.
func (s *Sessions) Redeem(ctx context.Context, token string) (Caller, error) {
	doc, err := s.records.Take(ctx, NoWorkspace, kindSignIn, HashOf(token))
	if err != nil {
		return Caller{}, fmt.Errorf("take sign-in token: %w", err)
	}
	var record signInRecord
	if err := json.Unmarshal(doc, &record); err != nil {
		return Caller{}, fmt.Errorf("decode sign-in token: %w", err)
	}
	if !s.clock().Before(record.Ends) {
		return Caller{}, fmt.Errorf("sign-in token is too old: %w", event.ErrNotFound)
	}
	return Caller{Workspace: record.Workspace, Role: record.Role, User: record.User}, nil
}

// CSRFToken is what a page repeats on writes: it follows from the session's
// token, which the page itself cannot read, and so need not be kept.
func CSRFToken(session string) string {
	mac := hmac.New(sha256.New, []byte(session))
	mac.Write([]byte("csrf"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
