package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/account"
	"tidings/audit"
	"tidings/event"
	"tidings/signin"
)

// Bounds of asking providers again.
const (
	asksAtOnce = 32
	askTime    = 30 * time.Second
	// askKept bounds the sessions of which it is remembered when to ask about them.
	askKept = 100_000
)

// vouching asks providers, while people use their sessions, whether they still vouch for
// them.
type vouching struct {
	*signin.SignIns
	identities *account.Identities
	behind     *behind
	next       *lru.Cache[string, time.Time]
}

func newVouching(config Config, directory *account.Directory, invited *account.Invitations) *vouching {
	next, err := lru.New[string, time.Time](askKept)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return &vouching{
		SignIns: signin.New(signin.Config{
			Records: config.Records, Box: config.Secrets, Client: config.Outbound.HTTP(), Clock: config.Clock, Rand: config.Rand, Graph: config.Graph,
		}),
		identities: account.NewIdentities(config.Records, directory, invited, config.Clock),
		behind:     newBehind(asksAtOnce, config.Logger), next: next,
	}
}

// stillVouched has the provider of a session asked, behind the answer, whether it still
// vouches for its user: once an hour.
func (s *Server) stillVouched(ctx context.Context, c Caller) {
	if c.Vouched == nil || c.Vouched.Grant == "" {
		return
	}
	now := s.Clock()
	if next, known := s.vouching.next.Get(c.Credential); known && now.Before(next) {
		return
	}
	s.vouching.next.Add(c.Credential, now.Add(signin.AskEvery))
	begun := s.vouching.behind.do(ctx, askTime, func(ctx context.Context) {
		next, err := s.askProvider(ctx, c)
		if err != nil {
			s.Logger.WarnContext(ctx, "a provider could not be asked about a session", "workspace", c.Workspace, "provider", c.Vouched.Provider, "error", err)
		}
		s.vouching.next.Add(c.Credential, next)
	})
	if !begun {
		s.vouching.next.Remove(c.Credential)
	}
}

// askProvider asks whether a provider vouches for a session's user, and ends the session
// where it does not. next is when to ask again.
func (s *Server) askProvider(ctx context.Context, c Caller) (next time.Time, err error) {
	provider, err := s.vouching.Get(ctx, c.Workspace, c.Vouched.Provider)
	if errors.Is(err, event.ErrNotFound) { // it was taken off
		return s.Clock().Add(signin.AskEvery), s.unvouched(ctx, c, "the provider was taken off")
	}
	if err != nil {
		return s.Clock().Add(signin.AskLater), err
	}
	site := signin.Site{Workspace: c.Workspace, Provider: provider}
	answer, next, err := s.vouching.AskAgain(ctx, site, c.Vouched.Grant)
	if errors.Is(err, signin.ErrEnded) {
		return next, s.unvouched(ctx, c, "the provider does not vouch for them any more")
	}
	if err != nil || answer == nil {
		return next, err
	}
	changing, begin, end := s.changeBy(ctx, c.Workspace, site.Name, "asked again", nil)
	_, notes, err := s.vouching.identities.Admit(changing, c.Workspace, answer.Vouched, provider.Rules(), "", begin)
	end(err)
	s.notes(ctx, site, notes)
	if errors.Is(err, event.ErrForbidden) {
		return next, s.unvouched(ctx, c, err.Error())
	}
	return next, err
}

// unvouched ends a session that nobody vouches for any more. It is on record before.
func (s *Server) unvouched(ctx context.Context, c Caller, why string) error {
	changing, begin, end := s.changeBy(ctx, c.Workspace, c.Vouched.Provider, why, []string{"user:" + c.User})
	err := begin()
	if err == nil {
		err = s.endSessions(changing, c.Workspace, []string{c.Credential})
	}
	end(err)
	return err
}

// notes logs what a provider's groups wanted and could not have.
func (s *Server) notes(ctx context.Context, site signin.Site, notes []string) {
	for _, note := range notes {
		s.Logger.WarnContext(ctx, "a rule for groups was not followed", "workspace", site.Workspace, "provider", site.Name, "why", note)
	}
}

// changeBy is a change that a provider brings about. What is written with its context is
// in its row of the audit log. begin, which may be called often, is to be called before
// anything is changed, and end after all.
func (s *Server) changeBy(ctx context.Context, workspace, provider, object string, about []string) (_ context.Context, begin func() error, end func(error)) {
	row := audit.Row{
		Workspace: workspace, Actor: "provider:" + provider, Route: "provider", Object: object, Trace: requestID(ctx), About: about,
	}
	if asked := recordingFrom(ctx); asked != nil {
		row.Route, row.Address = asked.row.Route, asked.row.Address
	}
	return s.changeAs(ctx, row)
}

// changeAs is a change with a row of its own in the audit log, as changeBy has it.
func (s *Server) changeAs(ctx context.Context, row audit.Row) (_ context.Context, begin func() error, end func(error)) {
	if s.Audit == nil {
		return ctx, func() error { return nil }, func(error) {}
	}
	rec := &recording{log: s.Audit, is: auditChanges, row: row}
	begun := false
	begin = sync.OnceValue(func() error {
		err := rec.begin(ctx)
		begun = err == nil
		return err
	})
	return context.WithValue(ctx, recordingKey{}, rec), begin, func(err error) {
		switch {
		case !begun:
		case err != nil:
			p, _ := problemOf(err)
			rec.end(nil, p.Status)
		default:
			rec.end(nil, http.StatusOK)
		}
	}
}
