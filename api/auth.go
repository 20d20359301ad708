package api

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"tidings/account"
	"tidings/event"
)

// Caller is who is asking, and Role what they may do.
type (
	Caller = account.Caller
	Role   = account.Role
)

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

// sessionCookie holds the session's token. Where cookies are for https alone it has the
// prefix by which browsers take it from this host only: no other host of the domain can
// set or shadow it.
const (
	sessionCookie = "tidings_session"
	hostPrefix    = "__Host-"
)

// cookieName is what the session's cookie is called.
func (s *Server) cookieName() string {
	if s.SecureCookies {
		return hostPrefix + sessionCookie
	}
	return sessionCookie
}

// csrfHeader repeats the session's CSRF token on writes.
const csrfHeader = "X-CSRF-Token"

// identify finds out who is asking. The error is a *Problem or a failure of the
// records.
func (s *Server) identify(r *http.Request) (Caller, error) {
	if r.Context().Value(operatorMark{}) != nil {
		workspace := r.Header.Get(operatorHeader)
		if err := account.CheckWorkspace(workspace); err != nil {
			return Caller{}, located("header", event.Invalid(operatorHeader, err.Problem))
		}
		return Caller{Workspace: workspace, Role: account.RoleAdmin}, nil
	}
	caller, err := s.credential(r)
	if err == nil {
		caller, err = s.directory.Now(r.Context(), caller)
	}
	if errors.Is(err, event.ErrNotFound) {
		return Caller{}, unauthorized("the key or session is not valid or has expired")
	}
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
		if text = strings.TrimSpace(text); account.IsEmbedToken(text) {
			return s.embeddedIn(r, text)
		}
		return s.keys.Caller(r.Context(), text)
	}
	if token, ok := embedTokenIn(r); ok {
		return s.embeddedIn(r, token)
	}
	cookie, err := r.Cookie(s.cookieName())
	if err != nil || cookie.Value == "" {
		return Caller{}, unauthorized("a key (Authorization: Bearer …) or a session is needed")
	}
	caller, err := s.sessions.Caller(r.Context(), cookie.Value)
	if err == nil {
		err = s.granted(r.Context(), caller)
	}
	if err != nil {
		return Caller{}, err
	}
	if err := s.checkForgery(r, cookie.Value); err != nil {
		return caller, err
	}
	s.stillVouched(r.Context(), caller)
	if s.isForwarded(r) {
		return caller, nil // The address is the proxy's, and recipients come through it too.
	}
	if err := s.addresses.Note(r.Context(), caller.Workspace, cmp.Or(caller.User, caller.Credential), s.client(r)); err != nil {
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
	if subtle.ConstantTimeCompare(given, []byte(account.CSRFToken(token))) != 1 {
		return located("header", event.Invalid(csrfHeader,
			"must repeat csrf of GET /v1/session on every write with a session")).as(http.StatusForbidden)
	}
	return nil
}

// authorize is identify and a check of the role, the scope and the time of the sign-in.
func (s *Server) authorize(r *http.Request, of route) (Caller, error) {
	caller, err := s.identify(r)
	if err != nil {
		return Caller{}, err
	}
	if caller.Scopes != nil && caller.Origins == nil {
		if err := s.scoped(r, caller, of); err != nil {
			return caller, err
		}
	} else if !slices.Contains(of.may, caller.Role) {
		return caller, problem(http.StatusForbidden, "this takes the role "+namesOf(of.may))
	}
	if of.stepUp && caller.Session != "" && s.Clock().Sub(caller.SignedIn) > stepUpWithin {
		return caller, located(stepUpLocation, event.Invalid("", "is older than 10 minutes: sign in again for this")).as(http.StatusForbidden)
	}
	return caller, nil
}

// stepUpWithin is how old a sign-in may be for what asks for a fresh one, and
// stepUpLocation tells the page so.
const (
	stepUpWithin   = 10 * time.Minute
	stepUpLocation = "session.signed_in"
)

// scoped refuses what a key is not for, and what its user may not do. Events are taken
// from a key whatever its user may do.
func (s *Server) scoped(r *http.Request, caller Caller, of route) error {
	if !caller.From(s.client(r)) {
		return problem(http.StatusForbidden, "this key may not be used from this network")
	}
	scope := keyScope(of)
	if scope != "" && !slices.Contains(caller.Scopes, scope) && !slices.Contains(caller.Scopes, account.ScopeAdmin) {
		return problem(http.StatusForbidden, "this takes a key with the scope "+string(scope))
	}
	if caller.Role != caller.Given && scope != account.ScopeEvents && !slices.Contains(of.may, caller.Role) {
		return problem(http.StatusForbidden, "the key's user may not: this takes the role "+namesOf(of.may))
	}
	return nil
}

// keyScope is the scope that a route takes, "" for any.
func keyScope(of route) account.Scope {
	reads, sends := slices.Contains(of.may, account.RoleRead), slices.Contains(of.may, account.RoleIngest)
	switch {
	case of.scope != "":
		return of.scope
	case reads && sends:
		return ""
	case sends:
		return account.ScopeEvents
	case reads && of.method == http.MethodGet:
		return account.ScopeFeed
	case reads:
		return account.ScopeRules
	}
	return account.ScopeAdmin
}

func namesOf(roles []Role) string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	return strings.Join(names, " or ")
}
