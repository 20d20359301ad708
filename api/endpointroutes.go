package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/deliver"
	"tidings/event"
)

type (
	endpointsOutput struct {
		Body struct {
			Items []EndpointView `json:"items"`
			Kinds []deliver.Kind `json:"kinds" doc:"what can be made here; mail takes a mail server"`
		} `nameHint:"EndpointList"`
	}
	endpointNameInput struct {
		Name pathText `path:"name" doc:"percent-encoded"`
	}
	endpointInput struct {
		content
		Name pathText `path:"name" doc:"percent-encoded"`
	}
	endpointOutput  struct{ Body NewEndpoint }
	endpointEnabled struct{ Body EndpointView }
	deliveriesInput struct {
		Name   pathText `path:"name" doc:"percent-encoded"`
		State  string   `query:"state" enum:"waiting,sent,failed,cancelled" doc:"all when absent"`
		Cursor string   `query:"cursor" maxLength:"100" doc:"next of the page before"`
	}
	deliveriesOutput struct {
		Body struct {
			Items []DeliveryView `json:"items" doc:"newest first"`
			Next  string         `json:"next,omitempty"`
		} `nameHint:"DeliveryList"`
	}
	tryOutput       struct{ Body EndpointTest }
	sentAgainOutput struct {
		Body struct {
			Deliveries int `json:"deliveries" doc:"how many are sent again, under the same ids"`
		} `nameHint:"Replayed"`
	}
)

// EndpointTest is what came of a test.
type EndpointTest struct {
	OK bool `json:"ok"`
	TryView
}

func (s *Server) endpointRoutes(docs huma.API) {
	const group = "Endpoints"
	handle(s, docs, route{
		id: "list-endpoints", audit: auditNothing, method: http.MethodGet, path: "/v1/endpoints", group: group, may: integrators(),
		summary: "The workspace's endpoints, and how they do",
	}, s.listEndpoints)
	handle(s, docs, route{
		id: "put-endpoint", method: http.MethodPut, path: "/v1/endpoints/{name}", group: group, may: integrators(),
		request: EndpointRequest{}, failures: []int{http.StatusConflict},
		summary: "Make or replace an endpoint",
		description: "Events that its search finds are sent there, from now on and at least once, under an id that stays the same " +
			"(webhook-id). Secrets are written and never read back; a webhook's is told once, when it is made. In a CRM, steps make sure of " +
			"a person, of memberships and of an event: each as often as it is tried, and once.",
	}, s.putEndpoint)
	handle(s, docs, route{
		id: "delete-endpoint", method: http.MethodDelete, path: "/v1/endpoints/{name}", group: group, may: integrators(),
		success: http.StatusNoContent, summary: "Take an endpoint off",
		description: "What waits for it is cancelled.",
	}, s.deleteEndpoint)
	handle(s, docs, route{
		id: "test-endpoint", method: http.MethodPost, path: "/v1/endpoints/{name}/test", group: group, may: integrators(),
		failures: []int{http.StatusTooManyRequests},
		summary:  "Send a test now, and say what came of it; at most 6 a minute",
	}, s.testEndpoint)
	handle(s, docs, route{
		id: "enable-endpoint", method: http.MethodPost, path: "/v1/endpoints/{name}/enable", group: group, may: integrators(),
		failures:    []int{http.StatusConflict},
		summary:     "Send to an endpoint again that was disabled or paused",
		description: "What was missed meanwhile is not sent: replay it. 409 within 5 minutes after it was disabled.",
	}, s.enableEndpoint)
	handle(s, docs, route{
		id: "list-deliveries", audit: auditReads, method: http.MethodGet, path: "/v1/endpoints/{name}/deliveries", group: group, may: helpers(integrators()), forOthers: true,
		summary: "An endpoint's deliveries of the last 30 days with their tries, newest first, 100 a page",
	}, s.listDeliveries)
	handle(s, docs, route{
		id: "replay-deliveries", method: http.MethodPost, path: "/v1/endpoints/{name}/replay", group: group, may: helpers(integrators()), forOthers: true,
		request: ReplayRequest{},
		summary: "Send deliveries again: some by id, or all that failed in a span of time",
	}, s.replayDeliveries)
}

// endpointKey is what a path names.
func (s *Server) endpointKey(caller Caller, part pathText) (deliver.EndpointKey, error) {
	name, err := part.decode("name")
	if err != nil {
		return deliver.EndpointKey{}, err
	}
	if err := deliver.CheckName(name); err != nil {
		return deliver.EndpointKey{}, badPath("name", "is empty, has more than 100 bytes, or holds | or /")
	}
	if s.Endpoints == nil {
		return deliver.EndpointKey{}, fmt.Errorf("nothing is sent from here: %w", event.ErrNotFound)
	}
	return deliver.EndpointKey{Workspace: caller.Workspace, Endpoint: name}, nil
}

func (s *Server) listEndpoints(ctx context.Context, caller Caller, _ *empty) (*endpointsOutput, error) {
	out := new(endpointsOutput)
	out.Body.Items, out.Body.Kinds = []EndpointView{}, []deliver.Kind{}
	if s.Endpoints == nil {
		return out, nil
	}
	out.Body.Kinds = slices.DeleteFunc(slices.Clone(deliver.Kinds), func(kind deliver.Kind) bool {
		return kind == deliver.Mail && !s.Endpoints.Directory.CanMail()
	})
	all, err := s.Endpoints.Directory.List(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	waiting, err := s.Endpoints.Outbox.Waiting(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	for _, kept := range all {
		view, err := s.endpointView(ctx, deliver.EndpointKey{Workspace: caller.Workspace, Endpoint: kept.Name}, kept, waiting)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, view)
	}
	return out, nil
}

func (s *Server) putEndpoint(ctx context.Context, caller Caller, in *endpointInput) (*endpointOutput, error) {
	key, err := s.endpointKey(caller, in.Name)
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[EndpointRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	kept, secret, err := s.putEndpointRecord(ctx, key, request)
	if err != nil {
		return nil, inBody(err)
	}
	view, err := s.endpointView(ctx, key, kept, nil)
	if err != nil {
		return nil, err
	}
	return &endpointOutput{NewEndpoint{view, secret}}, nil
}

func (s *Server) deleteEndpoint(ctx context.Context, caller Caller, in *endpointNameInput) (*empty, error) {
	key, err := s.endpointKey(caller, in.Name)
	if err != nil {
		return nil, err
	}
	if _, err := s.keptEndpoint(ctx, key); err != nil {
		return nil, err
	}
	// The endpoint goes first: nothing is sent from then on, whatever still waits.
	if err := s.Endpoints.Directory.Delete(ctx, key); err != nil {
		return nil, err
	}
	now := s.Clock().UnixMilli()
	_, err = s.Endpoints.Outbox.Change(ctx, key.Workspace, deliver.Filter{Endpoint: key.Endpoint, State: deliver.Waiting}, func(d *deliver.Delivery) bool {
		d.State, d.Why, d.Ended, d.Lease = deliver.Cancelled, "the endpoint was deleted", now, 0
		return true
	})
	return nil, err
}

// keptEndpoint is one, whether its secrets can be opened or not.
func (s *Server) keptEndpoint(ctx context.Context, key deliver.EndpointKey) (deliver.Kept, error) {
	kept, _, err := s.Endpoints.Directory.Get(ctx, key)
	if err != nil && kept.Name == "" {
		return kept, err
	}
	return kept, nil
}

func (s *Server) testEndpoint(ctx context.Context, caller Caller, in *endpointNameInput) (*tryOutput, error) {
	key, err := s.endpointKey(caller, in.Name)
	if err != nil {
		return nil, err
	}
	out, _, err := s.sendTest(ctx, key, key.Workspace)
	return out, err
}

// sendTest sends a test to an endpoint; who is whose tests are counted together.
func (s *Server) sendTest(ctx context.Context, key deliver.EndpointKey, who string) (out *tryOutput, gone bool, err error) {
	endpoint, err := s.Endpoints.Directory.Endpoint(ctx, key)
	if err != nil {
		return nil, false, err
	}
	if state := s.endpointTests.Take(who, 1); state.After > 0 {
		p := problem(http.StatusTooManyRequests, "at most 6 tests a minute are sent: wait a moment")
		p.header = http.Header{"Retry-After": {fmt.Sprint(int(state.After/time.Second) + 1)}}
		return nil, false, p
	}
	now := s.Clock()
	d := deliver.Delivery{
		ID: deliver.ID(key.Workspace, deliver.TestType, now.String(), key.Endpoint), Workspace: key.Workspace, Endpoint: key.Endpoint,
		Type: deliver.TestType, Reason: "endpoint", At: now.UnixMilli(),
	}
	content, _, err := s.Endpoints.Source.Content(ctx, d)
	if err != nil {
		return nil, false, err
	}
	result := s.Endpoints.Sender.Send(ctx, endpoint, d, content)
	return &tryOutput{EndpointTest{result.OK, TryView{
		At: now.UTC(), Milliseconds: result.Took, Status: result.Status, Error: result.Error, Answer: result.Answer,
	}}}, result.Gone, nil
}

func (s *Server) enableEndpoint(ctx context.Context, caller Caller, in *endpointNameInput) (*endpointEnabled, error) {
	key, err := s.endpointKey(caller, in.Name)
	if err != nil {
		return nil, err
	}
	kept, err := s.keptEndpoint(ctx, key)
	if err != nil {
		return nil, err
	}
	now := s.Clock()
	var from time.Time
	enabled := false
	if _, err := s.Endpoints.Directory.Health(ctx, key, func(h *deliver.Health) { from, enabled = h.Enable(now) }); err != nil {
		return nil, err
	}
	if !enabled {
		return nil, problem(http.StatusConflict, "it was disabled a moment ago: it can be enabled from "+from.UTC().Format(time.RFC3339))
	}
	s.Endpoints.wake()
	view, err := s.endpointView(ctx, key, kept, nil)
	return &endpointEnabled{view}, err
}

func (e *Endpoints) wake() {
	if e.Wake != nil {
		e.Wake()
	}
}

func (s *Server) listDeliveries(ctx context.Context, caller Caller, in *deliveriesInput) (*deliveriesOutput, error) {
	key, err := s.endpointKey(caller, in.Name)
	if err != nil {
		return nil, err
	}
	filter := deliver.Filter{Endpoint: key.Endpoint, State: deliver.State(in.State)}
	list, next, err := s.Endpoints.Outbox.List(ctx, key.Workspace, filter, in.Cursor, deliveriesPage)
	if err != nil {
		return nil, err
	}
	out := new(deliveriesOutput)
	out.Body.Items, out.Body.Next = make([]DeliveryView, len(list)), next
	for i, d := range list {
		out.Body.Items[i] = viewOfDelivery(d)
		if caller.Role == account.RoleSupport {
			out.Body.Items[i] = s.redactedDelivery(out.Body.Items[i])
		}
	}
	return out, nil
}

// replayDeliveries makes ended deliveries wait again, under the same ids.
func (s *Server) replayDeliveries(ctx context.Context, caller Caller, in *endpointInput) (*sentAgainOutput, error) {
	key, err := s.endpointKey(caller, in.Name)
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[ReplayRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if len(request.IDs) > maxReplayIDs {
		return nil, inBody(event.Invalid("ids", "are more than 1,000"))
	}
	if _, err := s.keptEndpoint(ctx, key); err != nil {
		return nil, err
	}
	filter := deliver.Filter{Endpoint: key.Endpoint, IDs: request.IDs}
	if len(request.IDs) == 0 {
		filter.State = deliver.Failed
	}
	if request.Since != nil {
		filter.Since = request.Since.UnixMilli()
	}
	if request.Until != nil {
		filter.Until = request.Until.UnixMilli()
	}
	now := s.Clock().UnixMilli()
	out := new(sentAgainOutput)
	out.Body.Deliveries, err = s.Endpoints.Outbox.Change(ctx, key.Workspace, filter, func(d *deliver.Delivery) bool { return d.Again(now) })
	s.Endpoints.wake()
	return out, err
}
