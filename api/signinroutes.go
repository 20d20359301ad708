package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"tidings/account"
	"tidings/event"
	"tidings/signin"
)

const (
	// flowCookie holds, sealed, what a browser is at a provider for.
	flowCookie = "tidings_signin"
	// maxBack bounds what a browser brings back from a provider.
	maxBack      = 8 << 10
	maxLogout    = 64 << 10
	unknownThere = "unknown"
)

// SignInWays are the ways in which somebody may sign in.
type SignInWays struct {
	Mail bool `json:"mail" doc:"by a link that comes by mail: POST /v1/sign-in/mail"`
	Key  bool `json:"key" doc:"by a key: POST /v1/session"`
	// Providers say nothing of whether anybody has the address.
	Providers []SignInProvider `json:"providers" doc:"those of the address's domain, or those that everybody is shown"`
}

// SignInProvider is a provider as those see it who are not signed in.
type SignInProvider struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Path  string `json:"path" doc:"send the browser there; with email=, to= (a path of this site), invitation= or again=true"`
}

type (
	waysInput struct {
		Email string `query:"email" maxLength:"320" doc:"what somebody has typed as their address"`
		requestInput
	}
	waysOutput struct{ Body SignInWays }
	startInput struct {
		content
		Provider   pathText `path:"provider" doc:"id of GET /v1/sign-in"`
		Email      string   `query:"email" maxLength:"320" doc:"the address that was typed: the provider fills it in"`
		To         string   `query:"to" maxLength:"2000" doc:"the path of this site to go on with"`
		Invitation string   `query:"invitation" maxLength:"100" doc:"the token of an invitation that is accepted by signing in"`
		Again      bool     `query:"again" doc:"have the provider ask anew who they are, for what takes a sign-in of the last ten minutes"`
	}
	callbackInput struct {
		content
		Provider pathText `path:"provider"`
		State    string   `query:"state"`
		Code     string   `query:"code"`
		Issuer   string   `query:"iss"`
		Error    string   `query:"error"`
	}
	logoutInput struct {
		content
		Provider pathText `path:"provider"`
	}
	redirected struct {
		Location  string   `header:"Location"`
		SetCookie []string `header:"Set-Cookie"`
	}
)

func (s *Server) signInRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "sign-in-ways", audit: auditNothing, method: http.MethodGet, path: "/v1/sign-in", group: "Session",
		failures: []int{http.StatusTooManyRequests},
		summary:  "In which ways somebody may sign in",
		description: "By the domain of the address alone: the answer says nothing of whether anybody has it. A provider that " +
			"people must come in by is the only way for its domains.",
	}, s.signInWays)
	handle(s, docs, route{
		id: "sign-in-at-provider", audit: auditSignIns, method: http.MethodGet, path: "/auth/{provider}", group: "Session",
		success: http.StatusSeeOther, failures: []int{http.StatusTooManyRequests},
		summary: "Send a browser to a provider to sign in",
		description: "What goes wrong there or here leads to /#sign-in-failed=REASON: unknown (no such provider), expired (begun by " +
			"another browser, or too long ago), declined, provider (it cannot be reached, or what it says does not hold), not-anew (again was " +
			"asked for, and it does not say that they have just shown it who they are), not-invited, no-role, suspended.",
	}, s.startSignIn)
	handle(s, docs, route{
		id: "sign-in-from-provider", audit: auditSignIns, method: http.MethodGet, path: "/auth/{provider}/callback", group: "Session",
		success: http.StatusSeeOther, failures: []int{http.StatusTooManyRequests}, anyQuery: true,
		summary: "Where providers send browsers back to; register it there",
	}, s.finishSignIn)
	handle(s, docs, route{
		id: "sign-out-by-provider", audit: auditSignIns, method: http.MethodPost, path: "/auth/{provider}/logout", group: "Session",
		success: http.StatusOK, failures: []int{http.StatusBadRequest, http.StatusTooManyRequests},
		summary:     "Where providers say that somebody has signed out (OpenID Connect Back-Channel Logout)",
		description: "Takes logout_token as a form. The sessions that it names are over at once here, and within 5 s in other processes.",
	}, s.signOutByProvider)
}

func (s *Server) signInWays(ctx context.Context, _ Caller, in *waysInput) (*waysOutput, error) {
	if err := s.signInTurn(humagin.Unwrap(in.request).Request); err != nil {
		return nil, err
	}
	sites, err := s.vouching.For(ctx, in.Email)
	if err != nil {
		return nil, err
	}
	ways := SignInWays{Mail: s.Mail != nil && s.PublicURL != "", Key: true, Providers: make([]SignInProvider, 0, len(sites))}
	for _, site := range sites {
		if site.Only && !site.Button {
			ways.Mail, ways.Key = false, false
		}
		ways.Providers = append(ways.Providers, SignInProvider{site.ID(), site.Title, "/auth/" + url.PathEscape(site.ID())})
	}
	return &waysOutput{ways}, nil
}

// signInTurn bounds how often somebody begins to sign in.
func (s *Server) signInTurn(r *http.Request) error {
	from, err := s.signInFrom(r)
	if err != nil {
		return err
	}
	if state := s.limits.signIns.Take(from, 1); state.After > 0 {
		return &event.TooMuch{What: "too many sign-ins from this address", After: state.After}
	}
	return nil
}

// siteOf finds a provider by its id; ErrNotFound where there is none, or none can be used.
func (s *Server) siteOf(ctx context.Context, id pathText) (signin.Site, error) {
	text, err := id.decode("provider")
	if err != nil {
		return signin.Site{}, err
	}
	workspace, name := signin.SplitID(text)
	if s.PublicURL == "" || account.CheckWorkspace(workspace) != nil {
		return signin.Site{}, event.ErrNotFound
	}
	provider, err := s.vouching.Get(ctx, workspace, name)
	return signin.Site{Workspace: workspace, Provider: provider}, err
}

// callbackOf is where a provider sends browsers back to.
func (s *Server) callbackOf(site signin.Site) string {
	return strings.TrimRight(s.PublicURL, "/") + "/auth/" + url.PathEscape(site.ID()) + "/callback"
}

func failedSignIn(reason string, cookies ...string) *redirected {
	return &redirected{"/#sign-in-failed=" + reason, cookies}
}

func (s *Server) startSignIn(ctx context.Context, _ Caller, in *startInput) (*redirected, error) {
	r := humagin.Unwrap(in.request).Request
	if err := s.signInTurn(r); err != nil {
		return nil, err
	}
	site, err := s.siteOf(ctx, in.Provider)
	if errors.Is(err, event.ErrNotFound) {
		return failedSignIn(unknownThere), nil
	}
	if err != nil {
		return nil, err
	}
	ask := signin.Ask{To: ownPath(in.To), Hint: in.Email, Invitation: in.Invitation, Again: in.Again}
	address, sealed, err := s.vouching.Start(ctx, site, s.callbackOf(site), ask)
	if err != nil {
		return s.refusedBy(ctx, r, site, err)
	}
	return &redirected{address, []string{s.flowCookie(r, sealed, int(signin.FlowLife.Seconds()))}}, nil
}

// flowCookie is sent along when the provider sends the browser back. Where browsers speak
// HTTPS no other host can set it.
func (s *Server) flowCookie(r *http.Request, sealed string, age int) string {
	return (&http.Cookie{
		Name: s.flowCookieName(r), Value: sealed, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.isHTTPS(r),
	}).String()
}

func (s *Server) flowCookieName(r *http.Request) string {
	if s.isHTTPS(r) {
		return "__Host-" + flowCookie
	}
	return flowCookie
}

// ownPath is a path of this site to go on with, "/" for anything else.
func ownPath(to string) string {
	parsed, err := url.Parse(to)
	if err != nil || parsed.Scheme != "" || parsed.Host != "" || parsed.User != nil || !strings.HasPrefix(to, "/") ||
		strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") || isAPI(parsed.Path) || strings.HasPrefix(parsed.Path, "/auth/") {
		return "/"
	}
	return to
}

func (s *Server) finishSignIn(ctx context.Context, _ Caller, in *callbackInput) (*redirected, error) {
	r := humagin.Unwrap(in.request).Request
	if err := s.signInTurn(r); err != nil {
		return nil, err
	}
	site, err := s.siteOf(ctx, in.Provider)
	if errors.Is(err, event.ErrNotFound) {
		return failedSignIn(unknownThere), nil
	}
	if err != nil {
		return nil, err
	}
	back := signin.Back{State: in.State, Code: in.Code, Issuer: in.Issuer, Error: in.Error}
	if cookie, err := r.Cookie(s.flowCookieName(r)); err == nil {
		back.Sealed = cookie.Value
	}
	if len(back.Code)+len(back.State) > maxBack {
		return failedSignIn(signin.Expired), nil
	}
	over := s.flowCookie(r, "", -1)
	if site.Sealed != "" {
		s.usesSecret(ctx, site.Workspace, "provider "+site.Name)
	}
	answer, flow, err := s.vouching.Finish(ctx, site, s.callbackOf(site), back)
	if err == nil {
		var session string
		if session, err = s.beginVouched(ctx, r, site, answer, flow); err == nil {
			return &redirected{ownPath(flow.To), []string{over, session}}, nil
		}
	}
	return s.refusedBy(ctx, r, site, err, over)
}

// beginVouched begins the session of somebody whom a provider vouches for.
func (s *Server) beginVouched(ctx context.Context, r *http.Request, site signin.Site, answer signin.Answer, flow signin.Flow) (cookie string, err error) {
	changing, begin, end := s.changeBy(ctx, site.Workspace, site.Name, "sign-in", nil)
	caller, notes, err := s.vouching.identities.Admit(changing, site.Workspace, answer.Vouched, site.Rules(), flow.Invitation, begin)
	end(err)
	s.notes(ctx, site, notes)
	if !answer.GroupsKnown {
		s.notes(ctx, site, []string{"the provider did not tell all groups: roles and teams stay as they were"})
	}
	if err != nil {
		return "", err
	}
	if caller, err = s.directory.SignedIn(ctx, caller); err != nil {
		return "", err
	}
	caller.Vouched = &account.Voucher{Provider: site.Name, Identity: account.IdentityID(answer.Issuer, answer.Subject), At: answer.At}
	if answer.Sid != "" {
		caller.Vouched.Sid = signin.SidID(answer.Issuer, answer.Sid)
	}
	if caller.Vouched.Grant, err = s.vouching.Remember(ctx, site, answer); err != nil {
		return "", err
	}
	out, err := s.begin(ctx, r, caller, "provider "+site.Name)
	if err != nil {
		return "", errors.Join(err, s.vouching.Drop(ctx, site, caller.Vouched.Grant))
	}
	return out.SetCookie, nil
}

// reasons are what the page is told of why somebody does not come in.
var reasons = map[string]error{"not-invited": account.ErrNotInvited, "no-role": account.ErrNoRole, "suspended": account.ErrSuspended}

// refusedBy sends a browser to the page that says why it is not signed in. What nobody has
// foreseen is a problem.
func (s *Server) refusedBy(ctx context.Context, r *http.Request, site signin.Site, err error, cookies ...string) (*redirected, error) {
	reason := ""
	var refusal *signin.Refusal
	if errors.As(err, &refusal) {
		reason = refusal.Reason
	}
	for name, is := range reasons {
		if errors.Is(err, is) {
			reason = name
		}
	}
	if reason == "" && errors.Is(err, event.ErrNotFound) { // suspended or taken off this moment
		reason = "suspended"
	}
	if reason == "" {
		return nil, err
	}
	s.Logger.InfoContext(ctx, "a sign-in at a provider came to nothing", "workspace", site.Workspace, "provider", site.Name, "reason", reason, "error", err)
	s.failsToSignIn(ctx, r, site.Workspace, "provider "+site.Name+": "+reason)
	return failedSignIn(reason, cookies...), nil
}

func (s *Server) signOutByProvider(ctx context.Context, _ Caller, in *logoutInput) (*empty, error) {
	r := humagin.Unwrap(in.request).Request
	if err := s.signInTurn(r); err != nil {
		return nil, err
	}
	site, err := s.siteOf(ctx, in.Provider)
	if err != nil {
		return nil, err
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxLogout)
	if err := r.ParseForm(); err != nil {
		return nil, invalidBody("", "is not a form")
	}
	logout, err := s.vouching.CheckLogout(ctx, site, r.PostForm.Get("logout_token"))
	var refusal *signin.Refusal
	if errors.As(err, &refusal) {
		s.failsToSignIn(ctx, r, site.Workspace, "provider "+site.Name+": a logout that does not hold")
		return nil, invalidBody("logout_token", "does not hold")
	}
	if err != nil {
		return nil, err
	}
	if err := s.endVouched(ctx, site, logout); err != nil {
		return nil, err // It is good for another try.
	}
	return nil, s.vouching.LoggedOut(ctx, logout)
}

// endVouched ends the sessions that a provider wants ended, on record before.
func (s *Server) endVouched(ctx context.Context, site signin.Site, logout signin.Logout) error {
	var hashes []string
	var err error
	if logout.Sid != "" {
		hashes, err = s.sessions.OfSid(ctx, site.Workspace, logout.Sid)
	} else {
		hashes, err = s.sessions.OfIdentity(ctx, site.Workspace, logout.Identity)
	}
	if err != nil || len(hashes) == 0 {
		return err
	}
	changing, begin, end := s.changeBy(ctx, site.Workspace, site.Name, "signed out at the provider", nil)
	if err = begin(); err == nil {
		err = s.endSessions(changing, site.Workspace, hashes)
	}
	end(err)
	return err
}
