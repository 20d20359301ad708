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

// SignInLife is how long a one-time link is good for unless told otherwise.
const SignInLife = 15 * time.Minute

// SessionLife is how long a session lives from its last use unless told otherwise.
const SessionLife = 14 * 24 * time.Hour

const (
	// sessionNoted is how often it is written down that a session is used.
	sessionNoted = 15 * time.Minute
	// handedOver is how long a session is good for that another one has taken over.
	handedOver = time.Minute
)

// Lives say how long sessions live: from their sign-in, and from their last use. A
// zero is the default: 30 days, 14 days, and 12 hours for admins.
type Lives struct{ Absolute, Idle, AdminIdle time.Duration }

func (l Lives) orDefault() Lives {
	return Lives{cmp.Or(l.Absolute, 30*24*time.Hour), cmp.Or(l.Idle, SessionLife), cmp.Or(l.AdminIdle, 12*time.Hour)}
}

// idle is how long a session of a role may go unused.
func (l Lives) idle(role Role) time.Duration {
	if role == RoleAdmin {
		return min(l.AdminIdle, l.Idle)
	}
	return l.Idle
}

// Sessions are browsers that have signed in. As with keys, only the hash of
// what the browser holds is kept.
type Sessions struct {
	records   Records
	keys      *Keys
	directory *Directory
	lives     Lives
	clock     func() time.Time
	rand      io.Reader
	lately    *Lately[dated]
	swept     sweeps
}

// dated is a session with its last use, and the key that began it.
type dated struct {
	record sessionRecord
	key    keyRecord
	seen   time.Time
	// ends is zero unless another session has taken over.
	ends time.Time
}

// sessionRecord is a session as it is kept. Its last use is apart (kindSeen), so
// that noting it cannot bring back one that is being ended.
type sessionRecord struct {
	Workspace string `json:"w"`
	Role      Role   `json:"role"`
	User      string `json:"user,omitempty"`
	// Key is the hash of the key that signed in, "" for a one-time link. The
	// session ends with its key.
	Key string `json:"key,omitempty"`
	// SignedIn is when; of a session from before that was kept, when it was first used
	// since.
	SignedIn time.Time `json:"signed_in,omitzero"`
	From     string    `json:"from,omitempty"`
	Agent    string    `json:"agent,omitempty"`
	// Vouched is who vouches for the user, nil where nobody does.
	Vouched *Voucher `json:"vouched,omitempty"`
	// Ends is when the session ends whatever is done with it; zero where nothing says so.
	Ends time.Time `json:"ends,omitzero"`
}

// seenRecord is when a session was last used. It used to be when it ends.
type seenRecord struct {
	Seen time.Time `json:"seen"`
	// Ends is set once another session has taken over.
	Ends time.Time `json:"ends,omitzero"`
}

// UnmarshalJSON also reads what was kept before.
func (r *seenRecord) UnmarshalJSON(doc []byte) error {
	var ends time.Time
	if len(doc) > 0 && doc[0] == '"' {
		err := json.Unmarshal(doc, &ends)
		r.Seen = ends.Add(-SessionLife)
		return err
	}
	type plain seenRecord
	return json.Unmarshal(doc, (*plain)(r))
}

// sessionNote is what the workspace keeps of a session, under its hash.
type sessionNote struct {
	User string `json:"user,omitempty"`
	Key  string `json:"key,omitempty"`
	// Identity, Sid and Grant are those of who vouches.
	Identity string `json:"identity,omitempty"`
	Sid      string `json:"sid,omitempty"`
	Grant    string `json:"grant,omitempty"`
}

func (r sessionRecord) note() sessionNote {
	note := sessionNote{User: r.User, Key: r.Key}
	if r.Vouched != nil {
		note.Identity, note.Sid, note.Grant = r.Vouched.Identity, r.Vouched.Sid, r.Vouched.Grant
	}
	return note
}

// signInRecord is a one-time link.
type signInRecord struct {
	Workspace string    `json:"w"`
	Role      Role      `json:"role"`
	User      string    `json:"user,omitempty"`
	Ends      time.Time `json:"ends"`
}

// Browser is where a session comes from.
type Browser struct{ From, Agent string }

// Begin signs a caller in and returns the token for the browser.
func (s *Sessions) Begin(ctx context.Context, caller Caller, browser Browser) (string, error) {
	return s.begin(ctx, sessionRecord{
		Workspace: caller.Workspace, Role: cmp.Or(caller.Given, caller.Role), User: caller.User, Key: caller.Credential,
		SignedIn: s.clock().UTC().Truncate(time.Second), From: browser.From, Agent: clipped(browser.Agent, maxAgent),
		Vouched: caller.Vouched, Ends: caller.Ends,
	})
}

func (s *Sessions) begin(ctx context.Context, record sessionRecord) (string, error) {
	token, err := RandomText(s.rand, SecretLength)
	if err != nil {
		return "", err
	}
	if err := s.sweep(ctx, record.Workspace); err != nil {
		return "", err
	}
	hash := HashOf(token)
	if err := s.note(ctx, record.Workspace, hash, time.Time{}, s.clock()); err != nil {
		return "", err
	}
	if err := s.index(ctx, record.Workspace, hash, record.note()); err != nil {
		return "", err
	}
	if err := Put(ctx, s.records, record.Workspace, kindSession, hash, record.note()); err != nil {
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
	session, begun, known := s.lately.Get(hash)
	if !known {
		var err error
		if session, err = s.find(ctx, hash); err != nil {
			return Caller{}, err
		}
	}
	now := s.clock()
	over, err := s.over(ctx, session)
	if err != nil {
		return Caller{}, err
	}
	if over {
		return Caller{}, fmt.Errorf("session is over: %w", event.ErrNotFound)
	}
	if now.Sub(session.seen) >= sessionNoted && session.ends.IsZero() {
		err := s.note(ctx, session.record.Workspace, hash, session.seen, now)
		if err != nil && !errors.Is(err, event.ErrUnavailable) {
			return Caller{}, fmt.Errorf("prolong session: %w", err)
		}
		if err == nil {
			session.seen = now
			s.lately.Keep(hash, session, begun)
		}
	}
	if !known {
		s.lately.Keep(hash, session, begun)
	}
	caller := session.record.caller()
	caller.Credential, caller.Session = hash, token
	if caller.ByKey { // the session may do what the key may, and no more
		caller.Scopes, caller.Sources, caller.Networks = session.key.scopes(), session.key.Sources, session.key.Networks
	}
	return caller, nil
}

func (r sessionRecord) caller() Caller {
	caller := Caller{Workspace: r.Workspace, Role: r.Role, Given: r.Role, ByKey: r.Key != "", User: r.User, SignedIn: r.SignedIn, Vouched: r.Vouched}
	if r.Vouched != nil && !r.Vouched.At.IsZero() && r.Vouched.At.Before(r.SignedIn) {
		caller.SignedIn = r.Vouched.At
	}
	return caller
}

// over reports whether a session has come to its end. Its user's role now says how long
// it may go unused.
func (s *Sessions) over(ctx context.Context, session dated) (bool, error) {
	now, role := s.clock(), session.record.Role
	if s.directory != nil {
		caller, err := s.directory.Now(ctx, session.record.caller())
		if errors.Is(err, event.ErrNotFound) {
			return true, nil // suspended
		}
		if err != nil {
			return false, err
		}
		role = caller.Role
	}
	for _, ends := range []time.Time{session.ends, session.record.Ends} {
		if !ends.IsZero() && !now.Before(ends) {
			return true, nil
		}
	}
	return !now.Before(session.seen.Add(s.lives.idle(role))) || !now.Before(session.record.SignedIn.Add(s.lives.Absolute)), nil
}

// find reads a session, which ends with its key.
func (s *Sessions) find(ctx context.Context, hash string) (dated, error) {
	doc, err := s.records.Get(ctx, NoWorkspace, kindSession, hash)
	if err != nil {
		return dated{}, fmt.Errorf("find session: %w", err)
	}
	var record sessionRecord
	if err := json.Unmarshal(doc, &record); err != nil {
		return dated{}, fmt.Errorf("decode session: %w", err)
	}
	seen, err := Get[seenRecord](ctx, s.records, NoWorkspace, kindSeen, hash)
	if err != nil {
		return dated{}, fmt.Errorf("find last use of session: %w", err)
	}
	var key keyRecord
	if record.Key != "" {
		if key, err = s.keys.byHash(ctx, record.Key); err != nil {
			return dated{}, fmt.Errorf("find key of session: %w", err)
		}
	}
	if record.SignedIn.IsZero() {
		record.SignedIn = s.clock().UTC().Truncate(time.Second)
		since, err := json.Marshal(record)
		if err != nil {
			return dated{}, fmt.Errorf("encode session: %w", err)
		}
		err = s.records.Swap(ctx, NoWorkspace, kindSession, hash, doc, since)
		if err != nil && !errors.Is(err, event.ErrConflict) && !errors.Is(err, event.ErrUnavailable) {
			return dated{}, fmt.Errorf("date session: %w", err)
		}
	}
	return dated{record, key, seen.Seen, seen.Ends}, nil
}

// UserOf is whose session a hash is; "" where there is none, or it is nobody's.
func (s *Sessions) UserOf(ctx context.Context, workspace, hash string) (string, error) {
	note, err := Get[sessionNote](ctx, s.records, workspace, kindSession, hash)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return "", fmt.Errorf("find whose session it is: %w", err)
	}
	return note.User, nil
}

// End forgets a session. It is no error when there is none.
func (s *Sessions) End(ctx context.Context, workspace, hash string) error {
	note, err := Get[sessionNote](ctx, s.records, workspace, kindSession, hash)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return fmt.Errorf("end session: %w", err)
	}
	if note.Grant != "" {
		if err := s.records.Delete(ctx, workspace, KindProviderGrant, note.Grant); err != nil {
			return fmt.Errorf("end session: %w", err)
		}
	}
	kinds := []struct{ workspace, kind string }{{NoWorkspace, kindSession}, {NoWorkspace, kindSeen}}
	for _, list := range note.lists() {
		kinds = append(kinds, struct{ workspace, kind string }{workspace, list})
	}
	for _, kept := range append(kinds, struct{ workspace, kind string }{workspace, kindSession}) {
		if err := s.records.Delete(ctx, kept.workspace, kept.kind, hash); err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		s.lately.Forget(hash)
	}
	return nil
}

// Ended reports whether a hash names no session, or not any more.
func (s *Sessions) Ended(ctx context.Context, hash string) (bool, error) {
	session, begun, ok := s.lately.Get(hash)
	if !ok {
		var err error
		session, err = s.find(ctx, hash)
		if errors.Is(err, event.ErrNotFound) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		s.lately.Keep(hash, session, begun)
	}
	return s.over(ctx, session)
}

// NewSessions keeps sessions in records. The directory says what their users may do; it
// may be nil.
func NewSessions(records Records, keys *Keys, directory *Directory, lives Lives, clock func() time.Time, rand io.Reader) *Sessions {
	return &Sessions{
		records: records, keys: keys, directory: directory, lives: lives.orDefault(), clock: clock, rand: rand, lately: NewLately[dated](clock, FreshFor),
	}
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
