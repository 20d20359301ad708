package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"tidings/audit"
	"tidings/event"
)

// auditing is what a route leaves in the audit log. The document has it as x-audit.
type auditing string

const (
	// auditNothing is for what shows nobody's mail and changes nothing.
	auditNothing auditing = "nothing"
	// auditReads is for what shows mail: a row for each look at somebody else's, and a
	// count for one's own and one's team's.
	auditReads auditing = "reads"
	// auditCounts is for what is asked with every letter typed: counted for everybody.
	auditCounts auditing = "counts"
	// auditIntake is for events that come in, which are counted, and taken however far
	// the log is behind.
	auditIntake auditing = "intake"
	// auditTakes is for what hands mail out in bulk: the row is there before the first
	// byte.
	auditTakes auditing = "takes"
	// auditChanges is for what changes something: a row before it, without which it
	// does not happen, and one with what came of it.
	auditChanges auditing = "changes"
	// auditLog is for what shows the log itself.
	auditLog auditing = "log"
	// auditSignIns is for signing in, whose handler writes its rows itself.
	auditSignIns auditing = "sign-ins"
)

// expected is what the document says that a route leaves. One that reads has to say
// so, which a test sees to; any other changes something unless it says otherwise.
func (r route) expected() auditing {
	if r.audit == "" && r.method != http.MethodGet {
		return auditChanges
	}
	return r.audit
}

// audits is what a route leaves.
func (r route) audits() auditing { return cmp.Or(r.expected(), auditReads) }

// ownScope is what a summed row says instead of an object.
const ownScope = "own and teams"

type recordingKey struct{}

// recording is what is to be written of one request.
type recording struct {
	log  *audit.Log
	row  audit.Row
	is   auditing
	own  bool // the caller sees only their own and their teams' mail
	user string
	// users are whose mail the caller sees; everybody's when nil.
	users []string

	mu      sync.Mutex
	changes []audit.Change
}

func recordingFrom(ctx context.Context) *recording {
	r, _ := ctx.Value(recordingKey{}).(*recording)
	return r
}

type peerKey struct{}

// WithPeer notes which user of this machine is at the other end of the operator's
// socket.
func WithPeer(ctx context.Context, uid uint32) context.Context {
	return context.WithValue(ctx, peerKey{}, uid)
}

// Operator names the operator of this machine in the log.
func Operator(ctx context.Context) string {
	if uid, ok := ctx.Value(peerKey{}).(uint32); ok {
		return fmt.Sprintf("operator:%d", uid)
	}
	return "operator"
}

// actorOf names a caller in the log.
func actorOf(ctx context.Context, c Caller) string {
	switch {
	case ctx.Value(operatorMark{}) != nil:
		return Operator(ctx)
	case c.User != "":
		return "user:" + c.User
	case c.Credential == "":
		return "nobody"
	case c.Session != "":
		return "session:" + credentialOf(c)
	}
	return "key:" + credentialOf(c)
}

// credentialOf is enough of a hash to tell credentials apart, and too little to be one.
func credentialOf(c Caller) string { return c.Credential[:min(12, len(c.Credential))] }

// networkOf is an address without what tells one machine from its neighbours.
func networkOf(address netip.Addr) string {
	bits := 24
	if address = address.Unmap(); address.Is6() {
		bits = 48
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return ""
	}
	return prefix.String()
}

// record begins the recording of a request. r.path is the route, not what was asked.
func (s *Server) record(ctx context.Context, r route, caller Caller, request *http.Request, parameters gin.Params) *recording {
	rec := &recording{log: s.Audit, is: r.audits(), own: caller.Users != nil && !r.lookedAfter(caller), user: caller.User, users: caller.Users}
	rec.row = audit.Row{
		Workspace: caller.Workspace, Kind: audit.KindRead, Actor: actorOf(ctx, caller), Credential: credentialOf(caller),
		Route: r.method + " " + r.path, Trace: requestID(ctx), Address: networkOf(s.client(request)),
		Object: s.objectOf(parameters, request.URL.Query()), About: s.aboutPath(r, parameters),
	}
	if caller.Origins != nil {
		rec.row.Reason = "by a token for embedding"
	}
	if reason := request.Header.Get(reasonHeader); reason != "" {
		rec.row.Reason = s.Audit.Names().Text(reason)
	}
	return rec
}

// reasonHeader says why somebody looks or changes, for the log.
const reasonHeader = "Tidings-Reason"

// objectOf is what was asked for, without anybody's address.
func (s *Server) objectOf(parameters gin.Params, query url.Values) string {
	var parts []string
	for _, p := range parameters {
		value, err := url.PathUnescape(p.Value)
		if err != nil {
			continue
		}
		if p.Key == "token" {
			value = "…"
		}
		if p.Key != "id" { // a message's own id looks like an address and is none
			value = s.Audit.Names().Text(value)
		}
		parts = append(parts, p.Key+"="+value)
	}
	for _, name := range []string{"q", "user", "recipient", "message", "type", "since", "until", "format", "actor", "route", "object"} {
		for _, value := range query[name] {
			if name != "message" {
				value = s.Audit.Names().Text(value)
			}
			parts = append(parts, name+"="+value)
		}
	}
	return strings.Join(parts, " ")
}

// aboutPath is what the path names.
func (s *Server) aboutPath(r route, parameters gin.Params) []string {
	var about []string
	for _, p := range parameters {
		value, err := url.PathUnescape(p.Value)
		switch {
		case err != nil:
		case p.Key == "email":
			about = append(about, s.Audit.Names().Person(value))
		case p.Key == "id" && strings.HasPrefix(r.path, "/v1/messages/"):
			about = append(about, "message:"+event.MessageName(value))
		case p.Key == "id" && strings.HasPrefix(r.path, "/v1/events/"):
			about = append(about, "event:"+value)
		case p.Key == "id" && strings.HasPrefix(r.path, "/v1/users/"):
			about = append(about, "user:"+value)
		}
	}
	return about
}

// begin refuses what could not be on record, and writes down what must be before it
// happens.
func (r *recording) begin(ctx context.Context) error {
	switch r.is {
	case auditChanges:
		row := r.row
		row.Kind = audit.KindBegun
		id, err := r.log.Must(ctx, row)
		r.row.Of, r.row.Kind = id, audit.KindChange
		return err
	case auditTakes:
		r.seesAll()
		_, err := r.log.Must(ctx, r.row)
		return err
	case auditReads, auditLog, auditCounts:
		return r.log.Accepting()
	case auditNothing, auditSignIns, auditIntake:
	}
	return nil
}

// seesAll says that whoever asks may see anything of what they may see.
func (r *recording) seesAll() {
	if !r.own {
		r.row.About = append(r.row.About, audit.EveryUser, audit.EveryPerson)
	}
}

// end writes down what came of a request.
func (r *recording) end(out any, status int) {
	r.row.Result = status
	switch r.is {
	case auditNothing, auditTakes, auditSignIns:
	case auditCounts, auditIntake:
		r.log.Sum(r.row, scopeOf(r.own))
	case auditChanges:
		r.mu.Lock()
		r.row.Changes = r.changes
		r.mu.Unlock()
		r.log.Note(r.row)
	case auditLog:
		r.log.Note(r.row)
	case auditReads:
		if status < http.StatusMultipleChoices {
			aboutOf(out).in(&r.row, r.users)
		}
		if r.own && !r.others() {
			r.row.About, r.row.Persons = nil, nil // a sum is of many
			r.log.Sum(r.row, ownScope)
			return
		}
		r.log.Note(r.row)
	}
}

// others reports whether one message, event, person or company that was looked at is
// somebody else's. Lists of a team's mail are its feed.
func (r *recording) others() bool {
	if !strings.Contains(r.row.Route, "{") {
		return false
	}
	return slices.ContainsFunc(r.row.About, func(subject string) bool {
		return strings.HasPrefix(subject, "user:") && subject != "user:"+r.user
	})
}

func scopeOf(own bool) string {
	if own {
		return ownScope
	}
	return "all"
}

// recorded is the middleware that begins a recording; handle goes on with it.
func (s *Server) recorded(r route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if s.Audit == nil || r.audits() == auditNothing {
			next(ctx)
			return
		}
		c := humagin.Unwrap(ctx)
		caller, _ := CallerFrom(ctx.Context())
		rec := s.record(ctx.Context(), r, caller, c.Request, c.Params)
		next(huma.WithValue(ctx, recordingKey{}, rec))
	}
}

// recordLive writes down that somebody is shown what happens from now on.
func (s *Server) recordLive(ctx context.Context, caller Caller, c *gin.Context) (context.Context, error) {
	if s.Audit == nil {
		return ctx, nil
	}
	rec := s.record(ctx, route{method: http.MethodGet, path: c.FullPath(), audit: auditReads}, caller, c.Request, c.Params)
	if err := rec.begin(ctx); err != nil {
		return ctx, err
	}
	rec.subscribes("")
	return context.WithValue(ctx, recordingKey{}, rec), nil
}

// subscribes writes down what somebody is shown from now on; q is what they ask for, ""
// while they have only come.
func (r *recording) subscribes(q string) {
	row := r.row
	row.Result = http.StatusOK
	if q != "" {
		row.Object = r.log.Names().Text("q=" + q)
	}
	if r.own {
		r.log.Sum(row, ownScope)
		return
	}
	row.About = []string{audit.EveryUser, audit.EveryPerson}
	r.log.Note(row)
}

// refused counts those who were turned away. Who nobody knows is counted for the
// installation, by network.
func (s *Server) refused(ctx context.Context, r *http.Request, route string, caller Caller, status int) {
	if s.Audit == nil || status != http.StatusUnauthorized && status != http.StatusForbidden {
		return
	}
	row := audit.Row{
		Workspace: caller.Workspace, Kind: audit.KindRefused, Actor: actorOf(ctx, caller), Credential: credentialOf(caller),
		Route: route, Address: networkOf(s.client(r)), Result: status,
	}
	s.Audit.Sum(row, row.Address)
}

// signsIn writes down that somebody signs in, before they have what they need for it.
func (s *Server) signsIn(ctx context.Context, r *http.Request, caller Caller, how string) error {
	if s.Audit == nil {
		return nil
	}
	_, err := s.Audit.Must(ctx, audit.Row{
		Workspace: caller.Workspace, Kind: audit.KindSignIn, Actor: actorOf(ctx, caller), Credential: credentialOf(caller),
		Route: signInRoute(ctx), Object: how, Address: networkOf(s.client(r)), Result: http.StatusOK, Trace: requestID(ctx),
	})
	return err
}

// signInRoute is the route by which somebody signs in.
func signInRoute(ctx context.Context) string {
	if rec := recordingFrom(ctx); rec != nil {
		return rec.row.Route
	}
	return "POST /v1/session"
}

// acceptsInvitation writes down that an invitation is to be accepted, which makes a
// user: whose it is, is known only then.
func (s *Server) acceptsInvitation(ctx context.Context, r *http.Request) error {
	if s.Audit == nil {
		return nil
	}
	_, err := s.Audit.Must(ctx, audit.Row{
		Workspace: audit.Installation, Kind: audit.KindBegun, Actor: "nobody", Route: "POST /v1/session", Object: "invitation",
		Address: networkOf(s.client(r)), Trace: requestID(ctx),
	})
	return err
}

// failsToSignIn counts a sign-in that failed, of a workspace where it is known.
func (s *Server) failsToSignIn(ctx context.Context, r *http.Request, workspace, how string) {
	if s.Audit == nil {
		return
	}
	row := audit.Row{
		Workspace: workspace, Kind: audit.KindSignIn, Actor: "nobody", Route: signInRoute(ctx),
		Address: networkOf(s.client(r)), Result: http.StatusUnauthorized, Reason: how,
	}
	s.Audit.Sum(row, row.Address)
}

// usesSecret writes down that a secret is used; what for, in object, names no address.
func (s *Server) usesSecret(ctx context.Context, workspace, object string) {
	if s.Audit == nil {
		return
	}
	row := audit.Row{Workspace: workspace, Kind: audit.KindSecret, Actor: "server", Route: "secret", Result: http.StatusOK}
	if rec := recordingFrom(ctx); rec != nil {
		row.Actor, row.Credential = rec.row.Actor, rec.row.Credential
	}
	s.Audit.Sum(row, object)
}
