package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"tidings/account"
	"tidings/event"
	"tidings/feed"
)

// route is one call of the contract.
type route struct {
	id, method, path string
	group, summary   string
	description      string
	// may lists the roles that may call; public when it is nil.
	may []Role
	// scope is what a key needs for it; by its roles when empty (keyScope).
	scope account.Scope
	// forOthers says that support calls it for others, with a reason.
	forOthers bool
	// stepUp says that a session must be of a sign-in of the last ten minutes.
	stepUp bool
	// success is the status of a good answer, 200 when 0.
	success int
	// request is a value of the type of the body, nil when there is none.
	request any
	// uses is what a call takes of its caller's limits, reads when empty; inTurn is for
	// those that read many events, which wait for their turn.
	uses   use
	inTurn bool
	// embedded says that a token for embedding may call it: the page that other sites
	// show asks for no more.
	embedded bool
	// audit is what a call leaves in the audit log; see audits.
	audit auditing
	// anyQuery takes parameters too that nobody knows: others send a browser here.
	anyQuery bool
	// failures are the statuses that this call adds to the usual ones.
	failures []int
}

// anyone are the roles of a route that only asks for some valid credential.
func anyone() []Role {
	return append([]Role{account.RoleIngest, account.RoleRead}, account.PersonRoles()...)
}

// readers are the roles that read events.
func readers() []Role {
	return []Role{account.RoleRead, account.RoleViewer, account.RoleMember, account.RoleLead, account.RoleIntegrator, account.RoleAdmin}
}

// members are the readers who say things that others see too.
func members() []Role {
	return []Role{account.RoleRead, account.RoleMember, account.RoleLead, account.RoleIntegrator, account.RoleAdmin}
}

// withSettings are the roles with settings of their own.
func withSettings() []Role { return append(readers(), account.RoleSupport) }

// integrators are the roles that set up where events come from.
func integrators() []Role { return []Role{account.RoleIntegrator, account.RoleAdmin} }

// leads are the roles that say who is in a team.
func leads() []Role { return []Role{account.RoleLead, account.RoleAdmin} }

// admins are the roles that may look after a workspace.
func admins() []Role { return []Role{account.RoleAdmin} }

// handle registers a route whose handler gets its caller. Who is asking is
// checked before what is asked.
func handle[I, O any](s *Server, docs huma.API, r route, handler func(context.Context, Caller, *I) (*O, error)) {
	operation := r.operation(reflect.TypeFor[I]())
	operation.Middlewares = huma.Middlewares{checkQuery}
	if r.may != nil {
		operation.Middlewares = huma.Middlewares{s.check(r), s.limited(cmp.Or(r.uses, useReads)), checkQuery}
	}
	operation.Middlewares = append(operation.Middlewares, s.recorded(r))
	huma.Register(docs, operation, func(ctx context.Context, in *I) (*O, error) {
		caller, _ := CallerFrom(ctx) // the zero Caller on public routes
		if r.inTurn {
			release, err := s.inTurn(ctx, caller)
			if err != nil {
				return nil, s.problemFor(ctx, err)
			}
			defer release()
		}
		rec := recordingFrom(ctx)
		if rec != nil {
			if err := rec.begin(ctx); err != nil {
				return nil, s.problemFor(ctx, err)
			}
		}
		out, err := handler(ctx, caller, in)
		if err != nil {
			p := s.problemFor(ctx, err)
			if rec != nil {
				rec.end(nil, p.Status)
			}
			return nil, p
		}
		if rec != nil {
			rec.end(out, cmp.Or(r.success, http.StatusOK))
		}
		return out, nil
	})
	if r.request != nil {
		documentBody(docs, documented(docs.OpenAPI().Paths[r.path], r.method), r.request)
	}
}

func (r route) operation(input reflect.Type) huma.Operation {
	o := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary,
		Description: r.description, Tags: []string{r.group}, DefaultStatus: r.success,
		Extensions: map[string]any{"x-audit": string(r.expected())}, SkipValidateParams: r.anyQuery,
	}
	o.Errors = append(o.Errors, http.StatusInternalServerError, http.StatusServiceUnavailable)
	if hasParameters(input) || r.may == nil {
		o.Errors = append(o.Errors, http.StatusUnprocessableEntity)
	}
	if r.may != nil {
		o.Security = []map[string][]string{{"key": {}}, {"session": {}}}
		o.Errors = append(o.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests)
	}
	if strings.Contains(r.path, "{") {
		o.Errors = append(o.Errors, http.StatusNotFound)
	}
	if r.request != nil {
		o.Errors = append(o.Errors, http.StatusBadRequest, http.StatusRequestTimeout,
			http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	o.Errors = append(o.Errors, r.failures...)
	return o
}

func hasParameters(input reflect.Type) bool { return input.NumField() > 0 }

func documented(path *huma.PathItem, method string) *huma.Operation {
	switch method {
	case http.MethodPost:
		return path.Post
	case http.MethodPut:
		return path.Put
	case http.MethodPatch:
		return path.Patch
	}
	return path.Get
}

// documentBody writes the body's type into the document. huma does not know of
// it, and so leaves the body to the handler.
func documentBody(docs huma.API, operation *huma.Operation, body any) {
	schema := docs.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(body), true, "")
	operation.RequestBody = &huma.RequestBody{
		Required: true,
		Content:  map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
}

// check finds out who is asking, before anything of the request is looked at.
func (s *Server) check(r route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		request := humagin.Unwrap(ctx).Request
		caller, err := s.authorize(request, r)
		if err == nil && caller.Origins != nil && !r.embedded {
			err = problem(http.StatusForbidden, "a token for embedding opens the feed of a page alone")
		}
		if err == nil && r.lookedAfter(caller) {
			err = hasReason(request)
		}
		if err != nil {
			p := s.problemFor(ctx.Context(), err)
			s.refused(ctx.Context(), request, r.method+" "+r.path, caller, p.Status)
			writeProblem(ctx, p)
			return
		}
		next(huma.WithContext(ctx, withCaller(ctx.Context(), caller)))
	}
}

// checkQuery refuses a query string that huma would read in part: one that is
// badly encoded, and a parameter given twice that has one value.
func checkQuery(ctx huma.Context, next func(huma.Context)) {
	address := ctx.URL()
	values, err := url.ParseQuery(address.RawQuery)
	if err != nil {
		writeProblem(ctx, located("query", event.Invalid("", "is badly encoded")))
		return
	}
	for _, parameter := range ctx.Operation().Parameters {
		many := parameter.Schema != nil && parameter.Schema.Type == huma.TypeArray
		if parameter.In == "query" && !many && len(values[parameter.Name]) > 1 {
			writeProblem(ctx, located("query", event.Invalid(parameter.Name, "is given more than once")))
			return
		}
	}
	next(ctx)
}

func writeProblem(ctx huma.Context, p *Problem) { p.write(humagin.Unwrap(ctx).Writer) }

// problemFor is what the caller is told of an error. What nobody has foreseen
// is logged under the reference that the caller gets.
func (s *Server) problemFor(ctx context.Context, err error) *Problem {
	p, known := problemOf(err)
	if known || errors.Is(err, context.Canceled) {
		return p
	}
	p.Reference = requestID(ctx)
	s.Logger.ErrorContext(ctx, "request failed", "reference", p.Reference, "error", err)
	return p
}

// writeJSON writes an answer: lists are never null, maps have an order.
func writeJSON(w io.Writer, value any) error {
	var err error
	if page, ok := value.(feed.Page); ok {
		err = writePage(w, page)
	} else {
		err = writeByTags(w, value)
	}
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

func writeByTags(w io.Writer, value any) error {
	return jsonv2.MarshalWrite(w, value,
		jsonv2.Deterministic(true), jsonv1.OmitEmptyWithLegacySemantics(true),
		jsontext.AllowInvalidUTF8(true))
}

// noItems is how a page without items begins.
const noItems = `{"items":[]`

// writePage is writeByTags for a page, whose items write themselves.
func writePage(w io.Writer, page feed.Page) error {
	items := page.Items
	page.Items = nil
	var rest bytes.Buffer
	if err := writeByTags(&rest, page); err != nil {
		return err
	}
	behind, ok := bytes.CutPrefix(rest.Bytes(), []byte(noItems))
	if !ok {
		return errors.New("a page does not begin with its items")
	}
	room := pageRooms.Get().(*[]byte)
	out := append((*room)[:0], noItems[:len(noItems)-1]...)
	for i := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = items[i].AppendJSON(out)
	}
	out = append(append(out, ']'), behind...)
	_, err := w.Write(out)
	if cap(out) <= keptBuffer {
		*room = out
		pageRooms.Put(room)
	}
	return err
}

// pageRooms are what pages are written into before they are sent.
var pageRooms = sync.Pool{New: func() any { return new([]byte) }}

// refuseBody stands where huma would decode a body; no route lets it.
func refuseBody([]byte, any) error { return errors.ErrUnsupported }

// pathText is a part of a path, percent-encoded as it came.
type pathText string

// decode is the part as it was meant.
func (t pathText) decode(name string) (string, error) {
	text, err := url.PathUnescape(string(t))
	if err != nil || text == "" {
		return "", badPath(name, "is badly encoded")
	}
	return text, nil
}

func badPath(name, message string) *Problem { return located("path", event.Invalid(name, message)) }

// empty is an answer without a body.
type empty struct{}
