package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"tidings/event"
	"tidings/feed"
)

// Role is what a key or a session may do.
type Role string

// The roles. Ingest only takes events in, read only reads what its user may
// see, admin does both and looks after the workspace.
const (
	RoleIngest Role = "ingest"
	RoleRead   Role = "read"
	RoleAdmin  Role = "admin"
)

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r == RoleIngest || r == RoleRead || r == RoleAdmin }

// Caller is who is asking: the workspace that everything they touch belongs to,
// and what of it they may see.
type Caller struct {
	Workspace string
	Role      Role
	// User is the reader's own id, "" when the credential belongs to nobody.
	User string
	// Users are those whose events the caller may see, nil for everybody's.
	Users []string
	// Gone is closed once the key is revoked or the session ends. It is set on
	// the live routes alone, and nil (never closed) for the operator.
	Gone <-chan struct{}

	// credential is the hash that names the key or the session.
	credential string
	// session is the session's token, "" for a key.
	session string
	// origins are the pages that a token for embedding is for; nil for any
	// other credential.
	origins []string
}

type callerKey struct{}

// CallerFrom is the caller of a request that has passed the check. ok is false
// where nobody has been checked.
func CallerFrom(ctx context.Context) (caller Caller, ok bool) {
	caller, ok = ctx.Value(callerKey{}).(Caller)
	return caller, ok
}

func withCaller(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// scope is what the caller may read of the feed.
func (c Caller) scope() feed.Scope {
	return feed.Scope{Workspace: c.Workspace, Users: c.Users, Me: c.User}
}

// operatorHeader names the workspace that the local operator acts for.
const operatorHeader = "Tidings-Workspace"

type operatorMark struct{}

// Operator serves the same routes to the operator of this machine: callers are
// admin of the workspace that their Tidings-Workspace header names. It is for a
// unix socket that only the owner of the data directory can open; nothing that
// comes in another way can pass for it, since the mark is not in the request.
func (s *Server) Operator() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), operatorMark{}, true)))
	})
}

// sessionCookie holds the session's token.
const sessionCookie = "tidings_session"

// csrfHeader repeats the session's CSRF token on writes.
const csrfHeader = "X-CSRF-Token"

// identify finds out who is asking. The error is a *Problem or a failure of the
// records.
func (s *Server) identify(r *http.Request) (Caller, error) {
	if r.Context().Value(operatorMark{}) != nil {
		workspace := r.Header.Get(operatorHeader)
		if err := checkWorkspace(workspace); err != nil {
			return Caller{}, located("header", event.Invalid(operatorHeader, err.Problem))
		}
		return Caller{Workspace: workspace, Role: RoleAdmin}, nil
	}
	caller, err := s.credential(r)
	if errors.Is(err, event.ErrNotFound) {
		return Caller{}, unauthorized("the key or session is not valid, or not any more")
	}
	if err != nil || caller.Role == RoleAdmin || caller.User == "" {
		return caller, err
	}
	caller.Users, err = s.directory.visible(r.Context(), caller.Workspace, caller.User)
	return caller, err
}

// credential finds the caller that the request's key or cookie names. A key
// goes before a cookie: it cannot have been sent by accident.
func (s *Server) credential(r *http.Request) (Caller, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, text, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Caller{}, unauthorized("the Authorization header must be: Bearer, and a key")
		}
		if text = strings.TrimSpace(text); isEmbedToken(text) {
			return s.embeddedIn(r, text)
		}
		return s.keys.caller(r.Context(), text)
	}
	if token, ok := embedTokenIn(r); ok {
		return s.embeddedIn(r, token)
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return Caller{}, unauthorized("a key (Authorization: Bearer …) or a session is needed")
	}
	caller, err := s.sessions.caller(r.Context(), cookie.Value)
	if err != nil {
		return Caller{}, err
	}
	if err := s.checkForgery(r, cookie.Value); err != nil {
		return caller, err
	}
	if err := s.sightings.note(r.Context(), caller.Workspace, r, s); err != nil {
		// Nobody is kept out for it, and the next request notes it.
		s.Logger.WarnContext(r.Context(), "a session's address was not noted", "error", err)
	}
	return caller, nil
}

// checkForgery refuses writes that another site may have made the browser send.
func (s *Server) checkForgery(r *http.Request, token string) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	given := []byte(r.Header.Get(csrfHeader))
	if subtle.ConstantTimeCompare(given, []byte(csrfToken(token))) != 1 {
		return located("header", event.Invalid(csrfHeader,
			"must repeat csrf of GET /v1/session on every write with a session")).as(http.StatusForbidden)
	}
	return nil
}

// authorize is identify and a check of the role. An empty list lets nobody in.
func (s *Server) authorize(r *http.Request, may []Role) (Caller, error) {
	caller, err := s.identify(r)
	if err != nil {
		return Caller{}, err
	}
	for _, role := range may {
		if caller.Role == role {
			return caller, nil
		}
	}
	names := make([]string, len(may))
	for i, role := range may {
		names[i] = string(role)
	}
	return Caller{}, problem(http.StatusForbidden,
		"this takes a key with the role "+strings.Join(names, " or "))
}

// CheckWorkspace refuses what is no name of a workspace. The error is a
// *event.FieldError.
func CheckWorkspace(name string) error {
	if err := checkWorkspace(name); err != nil {
		return err
	}
	return nil
}

func checkWorkspace(name string) *event.FieldError {
	if name == "" || len(name) > 64 {
		return event.Invalid("workspace", "has 1 to 64 characters")
	}
	for _, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && r != '-' && r != '_' && r != '.' {
			return event.Invalid("workspace", "holds letters of a to z, digits, dot, dash and underscore alone")
		}
	}
	return nil
}
