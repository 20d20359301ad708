package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"tidings/account"
	"tidings/audit"
	"tidings/event"
)

// SignIn signs a browser in, by one of the three.
type SignIn struct {
	Key   string `json:"key,omitempty" doc:"a key"`
	Token string `json:"token,omitempty" doc:"the token of a one-time link"`
	// Invitation makes a user of who accepts it.
	Invitation string `json:"invitation,omitempty" doc:"the token of an invitation, which is accepted with it"`
}

// SessionView is who is signed in.
type SessionView struct {
	Workspace string      `json:"workspace"`
	Role      Role        `json:"role" enum:"ingest,read,viewer,member,lead,support,auditor,integrator,admin"`
	User      *SessionWho `json:"user" doc:"null when the key belongs to nobody"`
	// Emergencies are absent most of the time.
	Emergencies []Emergency `json:"emergencies,omitempty" doc:"access that the operator has given past the usual ways in, while it lasts"`
	// Sample is absent most of the time too.
	Sample bool   `json:"sample,omitempty" doc:"whether the workspace has sample events; what removes them is DELETE /v1/sample"`
	CSRF   string `json:"csrf" doc:"repeat in X-CSRF-Token on every write; empty for a key, which needs none"`
}

// SessionWho is the user of a session.
type SessionWho struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Team is empty for somebody who is in no team.
	Team []string `json:"team" nullable:"false" doc:"ids of those who share a team with the user, the user among them; empty without a team"`
}

type sessionInput struct{ content }

type sessionOutput struct {
	SetCookie string `header:"Set-Cookie"`
	Body      SessionView
}

func (s *Server) sessionRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "sign-in", audit: auditSignIns, method: http.MethodPost, path: "/v1/session", group: "Session",
		request: SignIn{}, failures: []int{http.StatusUnauthorized, http.StatusTooManyRequests},
		summary:     "Sign a browser in, by key, one-time link or invitation",
		description: "Sets a cookie that pages cannot read, good for 14 days after its last use.",
	}, s.signIn)
	handle(s, docs, route{
		id: "get-session", audit: auditNothing, embedded: true, method: http.MethodGet, path: "/v1/session", group: "Session", may: anyone(),
		summary: "Who am I",
	}, s.getSession)
	handle(s, docs, route{
		id: "list-sessions", audit: auditNothing, method: http.MethodGet, path: "/v1/sessions", group: "Session", may: anyone(),
		summary:     "Where I am signed in, the last used first",
		description: "With user, where somebody else is, for admins. At most 1,000.",
	}, s.listSessions)
	handle(s, docs, route{
		id: "end-sessions", method: http.MethodDelete, path: "/v1/sessions", group: "Session", may: anyone(),
		success: http.StatusNoContent,
		summary: "Sign out everywhere but here; with user, somebody else everywhere, for admins",
	}, s.endMySessions)
	handle(s, docs, route{
		id: "end-session", method: http.MethodDelete, path: "/v1/sessions/{id}", group: "Session", may: anyone(),
		success: http.StatusNoContent,
		summary: "End one of my sessions; with user, one of theirs, for admins",
	}, s.endOneSession)
	handle(s, docs, route{
		id: "sign-out", method: http.MethodDelete, path: "/v1/session", group: "Session", may: anyone(),
		success: http.StatusNoContent, failures: []int{http.StatusConflict},
		summary: "Sign out",
	}, s.signOut)
}

func (s *Server) signIn(ctx context.Context, _ Caller, in *sessionInput) (*sessionOutput, error) {
	r := humagin.Unwrap(in.request).Request
	given, err := decodeDocument[SignIn](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if err := given.check(); err != nil {
		return nil, err
	}
	undo, err := s.attempt(r)
	if err != nil {
		return nil, err
	}
	if given.Invitation != "" {
		err = s.acceptsInvitation(ctx, r)
	}
	var caller Caller
	if err == nil {
		caller, err = s.proven(ctx, given)
	}
	if err == nil {
		err = s.notOnly(ctx, caller.Workspace)
	}
	if errors.Is(err, event.ErrNotFound) && given.Token != "" {
		out, granted := s.grantedBy(ctx, r, given.Token)
		if granted == nil {
			undo()
			return out, nil
		}
		err = granted
	}
	if errors.Is(err, event.ErrNotFound) {
		s.failsToSignIn(ctx, r, audit.Installation, "the "+given.how()+" is not valid or has expired")
		return nil, unauthorized("the key or link is not valid or has expired")
	}
	undo()
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, r, caller, given.how())
}

// proven is who has shown a key, a link or an invitation, as they may act now.
func (s *Server) proven(ctx context.Context, given SignIn) (caller Caller, err error) {
	switch {
	case given.Key != "":
		caller, err = s.keys.Caller(ctx, given.Key)
	case given.Token != "":
		caller, err = s.sessions.Redeem(ctx, given.Token)
	default:
		var workspace string
		if workspace, err = s.invited.WorkspaceOf(ctx, given.Invitation); err == nil {
			err = s.notOnly(ctx, workspace) // before there is a user
		}
		if err == nil {
			caller, err = s.invited.Accept(ctx, given.Invitation)
		}
	}
	if err != nil {
		return Caller{}, err
	}
	return s.directory.SignedIn(ctx, caller)
}

// begin makes a session for somebody who has proven who they are, in whichever way.
// It is on record before there is one.
func (s *Server) begin(ctx context.Context, r *http.Request, caller Caller, how string) (*sessionOutput, error) {
	if !caller.From(s.client(r)) {
		return nil, problem(http.StatusForbidden, "this key may not be used from this network")
	}
	if err := s.signsIn(ctx, r, caller, how); err != nil {
		return nil, err
	}
	out, _, err := s.session(ctx, r, caller)
	return out, err
}

// session makes a session, and returns its token beside what the browser is told.
func (s *Server) session(ctx context.Context, r *http.Request, caller Caller) (*sessionOutput, string, error) {
	token, err := s.sessions.Begin(ctx, caller, account.Browser{From: s.client(r).String(), Agent: r.UserAgent()})
	if err != nil {
		return nil, "", err
	}
	if err := s.replaced(ctx, r); err != nil {
		return nil, "", err
	}
	view, err := s.sessionView(ctx, caller, token)
	if err != nil {
		return nil, "", err
	}
	return &sessionOutput{s.cookie(r, token, int(account.SessionLife.Seconds())), view}, token, nil
}

// how names the proof.
func (g SignIn) how() string {
	switch {
	case g.Key != "":
		return "key"
	case g.Token != "":
		return "link"
	}
	return "invitation"
}

// replaced ends the session that the browser had before it signed in anew.
func (s *Server) replaced(ctx context.Context, r *http.Request) error {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return nil
	}
	before, err := s.sessions.Caller(ctx, cookie.Value)
	if errors.Is(err, event.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.endSessions(ctx, before.Workspace, []string{before.Credential})
}

func (g SignIn) check() error {
	proofs := 0
	for _, proof := range []string{g.Key, g.Token, g.Invitation} {
		if proof != "" {
			proofs++
		}
	}
	if proofs != 1 {
		return invalidBody("", "must hold either key, token or invitation")
	}
	return nil
}

func (s *Server) cookie(r *http.Request, token string, age int) string {
	cookie := http.Cookie{
		Name: s.cookieName(), Value: token, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.isHTTPS(r),
	}
	return cookie.String()
}

type requestInput struct{ content }

func (s *Server) getSession(ctx context.Context, caller Caller, in *requestInput) (*sessionOutput, error) {
	role, risen, err := s.directory.Risen(ctx, caller)
	if err != nil {
		return nil, err
	}
	if risen { // what was known of the old session does not get the new rights
		if caller.Session, err = s.sessions.Rotate(ctx, caller, role); err != nil {
			return nil, err
		}
		caller.Given = role
		if caller, err = s.directory.Now(ctx, caller); err != nil {
			return nil, err
		}
	}
	view, err := s.sessionView(ctx, caller, caller.Session)
	if err != nil {
		return nil, err
	}
	out := &sessionOutput{Body: view}
	if caller.Session != "" {
		// The browser's copy lives as long as ours.
		out.SetCookie = s.cookie(humagin.Unwrap(in.request).Request, caller.Session, int(account.SessionLife.Seconds()))
	}
	return out, nil
}

func (s *Server) sessionView(ctx context.Context, caller Caller, session string) (SessionView, error) {
	view := SessionView{Workspace: caller.Workspace, Role: caller.Role}
	if caller.Origins == nil {
		var err error
		if view.Emergencies, err = s.emergencies(ctx, caller.Workspace); err != nil {
			return SessionView{}, err
		}
		if view.Sample, err = s.hasSample(ctx, caller.Workspace); err != nil {
			return SessionView{}, err
		}
	}
	if session != "" {
		view.CSRF = account.CSRFToken(session)
	}
	if caller.User != "" {
		user, err := s.directory.User(ctx, caller.Workspace, caller.User)
		if err != nil {
			return SessionView{}, err
		}
		team, err := s.directory.Visible(ctx, caller.Workspace, caller.User)
		if err != nil {
			return SessionView{}, err
		}
		if len(team) <= 1 {
			team = []string{}
		}
		view.User = &SessionWho{user.ID, user.Name, team}
	}
	return view, nil
}

type signOutOutput struct {
	SetCookie string `header:"Set-Cookie"`
}

func (s *Server) signOut(ctx context.Context, caller Caller, in *requestInput) (*signOutOutput, error) {
	if caller.Session == "" {
		return nil, problem(http.StatusConflict, "there is no session to end: this is a key")
	}
	if err := s.forgetDevicesOf(ctx, caller.Workspace, caller.Credential); err != nil {
		return nil, err
	}
	if err := s.sessions.End(ctx, caller.Workspace, caller.Credential); err != nil {
		return nil, err
	}
	s.opened.end(caller.Credential)
	return &signOutOutput{s.cookie(humagin.Unwrap(in.request).Request, "", -1)}, nil
}

// NewSignInToken makes the token of a one-time link with which a browser signs
// in (POST /v1/session with {"token": …}). It works once, for life (0 means
// account.SignInLife).
func (s *Server) NewSignInToken(ctx context.Context, workspace, user string, role Role, life time.Duration) (string, error) {
	return s.sessions.Offer(ctx, workspace, user, role, life)
}

// AnyKey reports whether any workspace has a way in: a key, an invitation or a session.
func (s *Server) AnyKey(ctx context.Context) (bool, error) {
	any, err := s.keys.Any(ctx)
	if any || err != nil {
		return any, err
	}
	return s.invited.Any(ctx)
}
