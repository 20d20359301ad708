package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"tidings/account"
	"tidings/address"
	"tidings/audit"
	"tidings/event"
	"tidings/limit"
)

// Bounds of links by mail.
const (
	mailsAtOnce = 8
	mailTime    = 30 * time.Second
	// askedCookie binds a link to the browser that asked for it.
	askedCookie = "tidings_asked"
)

var (
	mailsOfAddress = limit.Rate{PerSecond: 3.0 / 3600, Burst: 3}
	mailsOfNetwork = limit.Rate{PerSecond: 20.0 / 3600, Burst: 20}
)

// mailing sends links to people who ask for them.
type mailing struct {
	links     *account.MailLinks
	addresses *limit.Buckets[string]
	networks  *limit.Buckets[string]
	behind    *behind
}

func newMailing(config Config) *mailing {
	return &mailing{
		links:     account.NewMailLinks(config.Records, config.Clock, config.Rand),
		addresses: limit.NewBuckets[string](mailsOfAddress, limitsKept, config.Clock),
		networks:  limit.NewBuckets[string](mailsOfNetwork, limitsKept, config.Clock),
		behind:    newBehind(mailsAtOnce, config.Logger),
	}
}

// MailSignIn asks for a link by mail.
type MailSignIn struct {
	Email string `json:"email" doc:"the address to send it to" maxLength:"320"`
}

// MailProof is what came by mail.
type MailProof struct {
	Token string `json:"token" doc:"what the link holds behind #mail=" maxLength:"100"`
	Code  string `json:"code,omitempty" doc:"the six digits of the mail, where another browser asked for the link" maxLength:"10"`
}

type mailAsked struct {
	SetCookie string `header:"Set-Cookie"`
	Body      struct {
		Detail string `json:"detail"`
	} `nameHint:"MailAsked"`
}

func (s *Server) mailRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "ask-for-link", audit: auditSignIns, method: http.MethodPost, path: "/v1/sign-in/mail", group: "Session",
		request: MailSignIn{}, success: http.StatusAccepted, failures: []int{http.StatusConflict, http.StatusTooManyRequests},
		summary: "Ask for a link by mail",
		description: "The answer is the same whether anybody has the address. The link is good for 15 minutes and once, in the browser that " +
			"asked for it; another one has to show the six digits of the mail too. 409 where no mail is sent from here.",
	}, s.askForLink)
	handle(s, docs, route{
		id: "sign-in-by-mail", audit: auditSignIns, method: http.MethodPost, path: "/v1/sign-in/mail/link", group: "Session",
		request: MailProof{}, failures: []int{http.StatusUnauthorized, http.StatusConflict, http.StatusTooManyRequests},
		summary:     "Sign a browser in by a link that came by mail",
		description: "409 while the six digits are missing or wrong; after five wrong ones the link is over.",
	}, s.signInByMail)
}

func (s *Server) askForLink(ctx context.Context, _ Caller, in *sessionInput) (*mailAsked, error) {
	r := humagin.Unwrap(in.request).Request
	given, err := decodeDocument[MailSignIn](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	// The link leads where the operator says, never where a request's Host does.
	if s.Mail == nil || s.PublicURL == "" {
		return nil, noMail()
	}
	email, wrong := address.Canonical(given.Email)
	if wrong != "" {
		return nil, invalidBody("email", wrong)
	}
	from, err := s.signInFrom(r)
	if err != nil {
		return nil, err
	}
	if state := s.mailing.networks.Take(from, 1); state.After > 0 {
		return nil, &event.TooMuch{What: "too many links by mail were asked for from this network", After: state.After}
	}
	browser, err := account.RandomText(s.Rand, account.SecretLength)
	if err != nil {
		return nil, err
	}
	s.mailLinks(ctx, r, email, browser)
	out := &mailAsked{SetCookie: (&http.Cookie{
		Name: askedCookie, Value: browser, Path: "/v1/sign-in", MaxAge: int(account.MailLinkLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.isHTTPS(r),
	}).String()}
	out.Body.Detail = "if somebody here has this address, a mail is on its way"
	return out, nil
}

func noMail() *Problem {
	return problem(http.StatusConflict, "no mail is sent from here: that takes --smtp, --mail-from and --public-url")
}

// stillThere is a user of the directory who has shown who they are, with all that they
// may do now; ErrNotFound where they were taken off or suspended meanwhile.
func (s *Server) stillThere(ctx context.Context, caller Caller) (Caller, error) {
	if err := s.directory.HasUser(ctx, caller.Workspace, caller.User); err != nil {
		return Caller{}, err
	}
	return s.directory.SignedIn(ctx, caller)
}

// mailLinks looks for who has an address and writes to them, behind the answer: its
// time tells nothing. Where too much is being sent, or was sent to the address,
// nothing is.
func (s *Server) mailLinks(ctx context.Context, r *http.Request, email, browser string) {
	from := networkOf(s.client(r))
	begun := s.mailing.behind.do(ctx, mailTime, func(ctx context.Context) {
		if s.mailing.addresses.Take(email, 1).After > 0 {
			return
		}
		if err := s.mailLinksTo(ctx, from, email, browser); err != nil {
			s.Logger.WarnContext(ctx, "a link by mail was not sent", "error", err)
		}
	})
	if !begun {
		s.Logger.WarnContext(ctx, "too many links by mail at once: one is not sent")
	}
}

func (s *Server) mailLinksTo(ctx context.Context, from, email, browser string) error {
	workspaces, err := s.workspaces(ctx)
	if err != nil {
		return err
	}
	for _, workspace := range workspaces {
		only, err := s.vouching.Only(ctx, workspace)
		if err != nil {
			return err
		}
		users, err := s.directory.UsersByAddress(ctx, workspace)
		if err != nil {
			return err
		}
		user, ok := users[email]
		if !ok || only {
			continue
		}
		_, err = s.directory.Now(ctx, Caller{Workspace: workspace, User: user, Role: account.RoleViewer})
		if errors.Is(err, event.ErrNotFound) {
			continue // suspended
		}
		if err != nil {
			return err
		}
		if s.Audit != nil {
			row := audit.Row{Workspace: workspace, Kind: audit.KindBegun, Actor: "nobody", Route: "POST /v1/sign-in/mail", Address: from, About: []string{"user:" + user}}
			if _, err := s.Audit.Must(ctx, row); err != nil {
				return err
			}
		}
		link, err := s.mailing.links.Make(ctx, workspace, user, browser)
		if err != nil {
			return err
		}
		if err := s.Mail(ctx, email, "Sign in to Tidings", mailText(s.PublicURL, workspace, link)); err != nil {
			return err
		}
	}
	return nil
}

// mailText is what a link's mail says. The token stands behind a #, which no request
// that opens the link sends anywhere.
func mailText(base, workspace string, link account.MailLink) string {
	return fmt.Sprintf(`Somebody, most likely you, wants to sign in to the workspace %s.

Open this in the browser that asked for it, and press the button there:

%s/#mail=%s

In another browser, type these digits too: %s

Both are good for 15 minutes and once. If it was not you, do nothing.
`, workspace, strings.TrimRight(base, "/"), link.Token, link.Code)
}

// workspaces are all that have a row in the audit log, as each has that has users.
func (s *Server) workspaces(ctx context.Context) ([]string, error) {
	if s.Audit == nil {
		return nil, nil
	}
	return s.Audit.Chained(ctx)
}

func (s *Server) signInByMail(ctx context.Context, _ Caller, in *sessionInput) (*sessionOutput, error) {
	r := humagin.Unwrap(in.request).Request
	given, err := decodeDocument[MailProof](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if given.Token == "" {
		return nil, invalidBody("token", "is required")
	}
	undo, err := s.attempt(r)
	if err != nil {
		return nil, err
	}
	browser := ""
	if cookie, err := r.Cookie(askedCookie); err == nil {
		browser = cookie.Value
	}
	caller, err := s.mailing.links.Redeem(ctx, given.Token, browser, given.Code)
	if err == nil {
		caller, err = s.stillThere(ctx, caller)
	}
	if err == nil {
		err = s.notOnly(ctx, caller.Workspace) // since the link was sent
	}
	switch {
	case errors.Is(err, account.ErrNeedsCode):
		if given.Code == "" {
			undo()
		}
		return nil, problem(http.StatusConflict, "this browser did not ask for the link: type the six digits of the mail")
	case errors.Is(err, event.ErrNotFound):
		s.failsToSignIn(ctx, r, audit.Installation, "the link of a mail is not valid or has expired")
		return nil, unauthorized("the link is not valid or has expired")
	}
	undo()
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, r, caller, "mail")
}
