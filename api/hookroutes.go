package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tidings/api/hooks"
	"tidings/event"
)

// Bounds of webhooks.
const (
	// maxHook bounds a body: a mail that comes in with what is attached to it, in
	// base64. It holds before anybody has signed the body.
	maxHook = 10 << 20
	// minHookBound and maxHookBound are between which a source may have its own.
	minHookBound = 1 << 10
	maxHookBound = 40 << 20
)

type hookInput struct {
	content
	Token pathText `path:"token" doc:"as PUT /v1/sources/{name} gave it"`
}

func (s *Server) hookRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "post-hook", audit: auditNothing, method: http.MethodPost, path: "/v1/hooks/{token}", group: "Sources",
		success:  http.StatusNoContent,
		failures: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusTooManyRequests},
		summary:  "Take a provider's webhook in",
		description: "204 once its events are durable. 401 when the signature is not the source's: nothing is kept of such a request " +
			"but a count. What is signed but cannot be understood is answered 204 too, and kept among the source's rejected " +
			"requests. A request that comes again is the same events.",
	}, s.postHook)
	docs.OpenAPI().Paths["/v1/hooks/{token}"].Post.RequestBody = &huma.RequestBody{
		Required: true,
		Content:  map[string]*huma.MediaType{"*/*": {Schema: &huma.Schema{Description: "as the provider sends it"}}},
	}
}

// postHook verifies before it looks at anything of the body.
func (s *Server) postHook(ctx context.Context, _ Caller, in *hookInput) (*empty, error) {
	token, err := in.Token.decode("token")
	if err != nil {
		return nil, err
	}
	workspace, source, err := s.source(ctx, token)
	if isGone(err) {
		s.metrics.hooks.WithLabelValues("", "unknown_token").Inc()
	}
	if err != nil {
		return nil, err
	}
	if source.Draft {
		s.metrics.hooks.WithLabelValues(source.Provider, "draft").Inc()
		s.traffic.refused(workspace, source.Name, s.Clock())
		return nil, &event.Cause{Words: "this source has no secret yet by which its requests could be believed; send it again"}
	}
	provider, err := s.Hooks.For(source.Provider, source.Custom)
	if err != nil {
		return nil, fmt.Errorf("provider of a source: %w", err)
	}
	if err := hooks.VerifyHead(provider, s.hookRequest(in, nil), source.secrets(), s.Clock()); err != nil {
		return nil, s.refuse(workspace, source, err) // before anything of the body is read
	}
	unsigned, err := s.readable(workspace, source, in)
	if err != nil {
		return nil, err
	}
	in.workspace = workspace // nobody has signed it yet, but its path is that workspace's
	body, release, err := s.bodies.read(&in.content, source.mostBytes(), false)
	if err != nil {
		unsigned.refused(in.came)
		s.metrics.hooks.WithLabelValues(source.Provider, "unreadable").Inc()
		s.traffic.refused(workspace, source.Name, s.Clock())
		return nil, err
	}
	defer release()
	request := s.hookRequest(in, body)
	verifying, span := s.Tracer.Start(ctx, "verify webhook", trace.SpanKindInternal, attribute.String("tidings.provider", source.Provider))
	err = provider.Verify(verifying, request, source.secrets(), s.Clock())
	span.End()
	if errors.Is(err, event.ErrForbidden) {
		unsigned.refused(in.came)
	} else {
		unsigned.notRefused()
	}
	if err != nil {
		return nil, s.refuse(workspace, source, err)
	}
	return nil, s.receive(ctx, workspace, source, provider, request)
}

func (s *Server) hookRequest(in *hookInput, body []byte) *hooks.Request {
	r := humagin.Unwrap(in.request).Request
	scheme := "http"
	if s.isHTTPS(r) {
		scheme = "https"
	}
	return &hooks.Request{
		URL: scheme + "://" + r.Host + r.URL.RequestURI(), Header: r.Header, Body: body, Remote: s.client(r),
	}
}

// refuse counts a request that is not believed; nothing else is kept of it.
func (s *Server) refuse(workspace string, source sourceRecord, err error) error {
	var refusal hooks.Refusal
	if !errors.As(err, &refusal) {
		s.metrics.hooks.WithLabelValues(source.Provider, "unavailable").Inc()
		return fmt.Errorf("verify webhook: %w", err)
	}
	s.metrics.hooks.WithLabelValues(source.Provider, string(refusal)).Inc()
	s.traffic.refused(workspace, source.Name, s.Clock())
	return problem(http.StatusUnauthorized, "the request is not signed as this source's are")
}

// sender is who a source's events count for: the source itself, or nobody where the
// operator brings them.
func sender(ctx context.Context, workspace string, source sourceRecord) Caller {
	if ctx.Value(operatorMark{}) != nil {
		return Caller{Workspace: workspace}
	}
	return Caller{Workspace: workspace, Credential: "source " + workspace + "/" + source.Name}
}

// receive makes durable what a verified request reports.
func (s *Server) receive(ctx context.Context, workspace string, source sourceRecord, provider hooks.Provider, request *hooks.Request) error {
	decoded, err := provider.Decode(request)
	if err != nil {
		decoded = hooks.Decoded{Rejected: []hooks.Fault{{Reason: err.Error(), Payload: request.Body}}}
	}
	taken, err := s.takeIn(ctx, workspace, source, decoded)
	if err != nil {
		return err
	}
	if _, err := s.limits.take(useEvents, sender(ctx, workspace, source), "", len(taken.good)); err != nil {
		return err
	}
	if err := s.Intake.Publish(ctx, event.LaneLive, taken.good); err != nil {
		s.metrics.hooks.WithLabelValues(source.Provider, "unavailable").Inc()
		return fmt.Errorf("publish: %w", err)
	}
	if err := hooks.Acknowledge(ctx, provider, request); errors.Is(err, event.ErrUnavailable) {
		return fmt.Errorf("acknowledge webhook: %w", err)
	} else if err != nil {
		taken.faults = append(taken.faults, hooks.Fault{Reason: err.Error(), Payload: request.Body})
	}
	if decoded.Finish != nil {
		if err := decoded.Finish(ctx); errors.Is(err, event.ErrUnavailable) {
			return err
		} else if err != nil {
			taken.faults = append(taken.faults, hooks.Fault{Reason: err.Error(), Payload: request.Body})
		}
	}
	if err := s.keep(ctx, workspace, source, request, taken, decoded.Unknown); err != nil {
		return err
	}
	s.count(workspace, source, request, taken, decoded.Unknown)
	return nil
}

// keep notes what of a request became nothing, so that it can be tried again.
func (s *Server) keep(ctx context.Context, workspace string, source sourceRecord, request *hooks.Request, t taken, unknown []hooks.Unknown) error {
	whole := len(t.good)+len(t.faults)+len(unknown) == 1
	add := func(reason string, payload []byte, isUnknown bool) error {
		if whole || payload == nil {
			payload = request.Body
		}
		return s.rejected.add(ctx, workspace, rejectedRecord{
			At: s.Clock().UTC(), Source: source.Name, Reason: reason, Unknown: isUnknown,
			Header: headersToKeep(request.Header), Body: payload,
		})
	}
	for _, fault := range t.faults {
		if err := add(fault.Reason, fault.Payload, false); err != nil {
			return err
		}
	}
	for _, u := range unknown {
		if err := add("unknown event: "+u.Name, u.Payload, true); err != nil {
			return err
		}
	}
	return nil
}

// taken is what of a request can be published, and what cannot.
type taken struct {
	good   []event.Event
	faults []hooks.Fault
}

// takeIn validates what a provider decoded.
func (s *Server) takeIn(ctx context.Context, workspace string, source sourceRecord, decoded hooks.Decoded) (taken, error) {
	out := taken{faults: decoded.Rejected}
	if len(decoded.Events) == 0 {
		return out, nil
	}
	var users map[string]string
	if source.User.By != userFixed {
		var err error
		if users, err = s.directory.UsersByAddress(ctx, workspace); err != nil {
			return out, err
		}
	}
	rules, err := source.Fields.program()
	if err != nil {
		return out, err
	}
	limits := event.Limits{Now: s.Clock(), Retention: s.Retention, Lenient: true}
	for _, found := range decoded.Events {
		if found.Untimed && found.ID != "" {
			first, err := s.Hooks.FirstArrival(ctx, workspace+"/"+source.Name, found.ID, s.Clock())
			if err != nil {
				return out, err
			}
			found.Time = new(event.Moment(first.Unix()))
		}
		e, err := source.complete(found, users, rules).Event(workspace, source.Name, limits)
		if early, ok := errors.AsType[*event.FieldError](err); ok && early.Later {
			if err := s.roomForEarly(ctx, workspace, source, early); err != nil {
				return out, err
			}
		}
		if err != nil {
			out.faults = append(out.faults, hooks.Fault{Reason: err.Error(), Payload: found.Decodable()})
			continue
		}
		out.good = append(out.good, e)
	}
	// A vendor would send again what is answered with a refusal, and a rejected request
	// would keep what may not be kept.
	if erased := s.erasedIn(ctx, workspace, out.good); len(erased) > 0 {
		all := len(out.good)
		out.good = slices.DeleteFunc(out.good, func(e event.Event) bool { return erasedField(&e, erased) != "" })
		s.metrics.rejected.WithLabelValues(string(reasonErased)).Add(float64(all - len(out.good)))
	}
	return out, nil
}

// mostEarly is how many requests with events whose time is to come are kept of a
// source. More of them than that say that our clock is behind, and vendors try again
// what is answered 503, by when it is right.
const mostEarly = 20

func (s *Server) roomForEarly(ctx context.Context, workspace string, source sourceRecord, early *event.FieldError) error {
	kept, err := s.rejected.count(ctx, workspace, source.Name)
	if err == nil && kept >= mostEarly {
		err = &event.Cause{Words: "an event's time " + early.Problem + "; send it again"}
	}
	return err
}

func (s *Server) count(workspace string, source sourceRecord, request *hooks.Request, t taken, unknown []hooks.Unknown) {
	g := sample{
		at: s.Clock(), header: headersToKeep(request.Header), body: request.Body,
		counts: trafficCounts{Requests: 1, Events: int64(len(t.good)), Rejected: int64(len(t.faults)), Unknown: int64(len(unknown))},
	}
	result := "accepted"
	if len(t.faults) > 0 {
		g.reason, result = t.faults[0].Reason, "malformed"
	}
	s.traffic.took(workspace, source.Name, g, unknown)
	s.metrics.hooks.WithLabelValues(source.Provider, result).Inc()
	s.metrics.hookEvents.WithLabelValues(source.Provider, "accepted").Add(float64(len(t.good)))
	s.metrics.hookEvents.WithLabelValues(source.Provider, "rejected").Add(float64(len(t.faults)))
	s.metrics.hookEvents.WithLabelValues(source.Provider, "unknown").Add(float64(len(unknown)))
	s.metrics.accepted.Add(float64(len(t.good)))
}
