package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"tidings/account"
	"tidings/deliver"
	"tidings/deliver/webpush"
	"tidings/event"
	"tidings/secret"
)

// maxAgent is how many bytes are kept of what a browser says it is.
const maxAgent = 200

// PushDeviceRequest is a browser's push subscription, as PushSubscription.toJSON has it.
type PushDeviceRequest struct {
	Endpoint string   `json:"endpoint" maxLength:"2000" doc:"where the browser's push service takes messages for it"`
	Keys     PushKeys `json:"keys"`
}

// PushKeys are those of a subscription.
type PushKeys struct {
	P256dh string `json:"p256dh" maxLength:"200" doc:"its public key, in base64url"`
	Auth   string `json:"auth" maxLength:"100" doc:"its shared secret, in base64url"`
}

// PushDevice is a browser that the reader is pushed to. Where that is, is not told.
type PushDevice struct {
	ID      string         `json:"id"`
	Agent   string         `json:"agent,omitempty" doc:"what the browser says it is"`
	Host    string         `json:"host" doc:"whose push service it uses"`
	Created time.Time      `json:"created"`
	Seen    time.Time      `json:"seen" doc:"when it last came by, to the day"`
	Current bool           `json:"current" doc:"whether the session that asks registered it"`
	Health  EndpointHealth `json:"health"`
}

// PushDeviceList is where the reader is pushed to.
type PushDeviceList struct {
	Items []PushDevice `json:"items" nullable:"false"`
	// Key and Why: one of them is absent.
	Key  string `json:"key,omitempty" doc:"applicationServerKey of a subscription, in base64url; absent where nothing can be pushed"`
	Why  string `json:"why,omitempty" doc:"why nothing can be pushed, in words"`
	Most int    `json:"most" doc:"how many one may have"`
}

type (
	pushDevicesOutput struct{ Body PushDeviceList }
	pushDeviceOutput  struct{ Body PushDevice }
	pushDeviceInput   struct{ content }
	pushIDInput       struct {
		ID pathText `path:"id" doc:"of the list"`
	}
)

func (s *Server) pushRoutes(docs huma.API) {
	if s.Notify == nil {
		return
	}
	const group, path = "Notifications", "/v1/push-devices"
	handle(s, docs, route{
		id: "list-push-devices", scope: account.ScopeNotifications, audit: auditNothing, method: http.MethodGet, path: path, group: group, may: readers(),
		summary: "The reader's devices that notifications are pushed to",
	}, s.listPushDevices)
	handle(s, docs, route{
		id: "put-push-device", method: http.MethodPost, path: path, group: group, may: readers(),
		request: PushDeviceRequest{}, failures: []int{http.StatusConflict},
		summary: "Push notifications to the browser that asks",
		description: "The same subscription again is the same device, and nobody else's any more. It ends with its session: by signing out, " +
			"or out everywhere. 409 beyond 10 devices.",
	}, s.putPushDevice)
	handle(s, docs, route{
		id: "delete-push-device", method: http.MethodDelete, path: path + "/{id}", group: group, may: readers(),
		success: http.StatusNoContent, summary: "Push nothing to a device any more",
	}, s.deletePushDevice)
	handle(s, docs, route{
		id: "test-push-device", method: http.MethodPost, path: path + "/{id}/test", group: group, may: readers(),
		failures: []int{http.StatusTooManyRequests},
		summary:  "Push a test to a device now, and say what came of it; at most 6 a minute",
	}, s.testPushDevice)
}

func (s *Server) listPushDevices(ctx context.Context, caller Caller, _ *empty) (*pushDevicesOutput, error) {
	out := &pushDevicesOutput{PushDeviceList{Items: []PushDevice{}, Most: deliver.MaxDevices}}
	switch {
	case s.Endpoints == nil:
		out.Body.Why = "Nothing is sent from here."
		return out, nil
	case caller.User == "":
		out.Body.Why = "This key belongs to nobody."
		return out, nil
	}
	devices := s.Endpoints.Directory.Devices
	key, err := devices.Key(ctx)
	switch {
	case errors.Is(err, secret.ErrNoKey):
		out.Body.Why = "This server keeps no secrets: whoever runs it starts it with --secrets-key."
		return out, nil
	case err != nil:
		return nil, err
	}
	out.Body.Key = key.Public()
	all, err := devices.Of(ctx, caller.Workspace, caller.User)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if d.Session == caller.Credential && d.Due(s.Clock()) {
			if err := devices.CameBy(ctx, caller.Workspace, &d); err != nil {
				return nil, err
			}
		}
		view, err := s.pushDevice(ctx, caller, d)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, view)
	}
	slices.SortFunc(out.Body.Items, func(a, b PushDevice) int { return cmp.Or(b.Seen.Compare(a.Seen), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

func (s *Server) pushDevice(ctx context.Context, caller Caller, d deliver.Device) (PushDevice, error) {
	key := deliver.EndpointKey{Workspace: caller.Workspace, Endpoint: deliver.PushTo(caller.User, d.ID)}
	health, err := s.Endpoints.Directory.Health(ctx, key, nil)
	return PushDevice{
		ID: d.ID, Agent: d.Name, Host: d.Host, Created: d.Created, Seen: d.Seen.Truncate(24 * time.Hour),
		Current: d.Session == caller.Credential, Health: viewOfHealth(health),
	}, err
}

func (s *Server) putPushDevice(ctx context.Context, caller Caller, in *pushDeviceInput) (*pushDeviceOutput, error) {
	request, err := decodeDocument[PushDeviceRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Endpoints == nil:
		return nil, fmt.Errorf("nothing is sent from here: %w", event.ErrNotFound)
	case caller.User == "" || caller.Session == "":
		return nil, problem(http.StatusUnprocessableEntity, "a device is registered in the browser that is pushed to, by who is signed in there")
	case len(request.Endpoint) > maxEndpointURL:
		return nil, invalidBody("endpoint", "has more than 2,000 bytes")
	}
	if err := s.Outbound.Check(request.Endpoint); err != nil {
		return nil, invalidBody("endpoint", "cannot be used: "+err.Error())
	}
	keys, err := webpush.ParseKeys(request.Keys.P256dh, request.Keys.Auth)
	if err != nil {
		return nil, invalidBody("keys", "are not those of a push subscription: p256dh is a point of P-256 and auth has 16 bytes, both in base64url")
	}
	agent := humagin.Unwrap(in.request).Request.UserAgent()
	d := deliver.Device{User: caller.User, Name: clippedAgent(agent), Session: caller.Credential}
	d, err = s.Endpoints.Directory.Devices.Put(ctx, caller.Workspace, d, request.Endpoint, keys)
	if errors.Is(err, event.ErrConflict) {
		return nil, problem(http.StatusConflict, fmt.Sprintf("you have %d devices, which is as many as one may have: remove one in Settings first", deliver.MaxDevices))
	}
	if err != nil {
		return nil, err
	}
	view, err := s.pushDevice(ctx, caller, d)
	return &pushDeviceOutput{view}, err
}

// clippedAgent is what a browser says it is, without what cannot be shown.
func clippedAgent(agent string) string {
	clean := []rune{}
	for _, r := range agent {
		if r >= ' ' && r < 0x7f && len(clean) < maxAgent {
			clean = append(clean, r)
		}
	}
	return string(clean)
}

func (s *Server) deletePushDevice(ctx context.Context, caller Caller, in *pushIDInput) (*empty, error) {
	d, err := s.ownDevice(ctx, caller, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.Endpoints.Directory.Devices.Drop(ctx, caller.Workspace, caller.User, d.ID)
}

// ownDevice is one of the caller's.
func (s *Server) ownDevice(ctx context.Context, caller Caller, part pathText) (deliver.Device, error) {
	id, err := part.decode("id")
	if err != nil {
		return deliver.Device{}, err
	}
	if s.Endpoints == nil || caller.User == "" {
		return deliver.Device{}, event.ErrNotFound
	}
	all, err := s.Endpoints.Directory.Devices.Of(ctx, caller.Workspace, caller.User)
	if err != nil {
		return deliver.Device{}, err
	}
	at := slices.IndexFunc(all, func(d deliver.Device) bool { return d.ID == id })
	if at < 0 {
		return deliver.Device{}, event.ErrNotFound
	}
	return all[at], nil
}

func (s *Server) testPushDevice(ctx context.Context, caller Caller, in *pushIDInput) (*tryOutput, error) {
	d, err := s.ownDevice(ctx, caller, in.ID)
	if err != nil {
		return nil, err
	}
	key := deliver.EndpointKey{Workspace: caller.Workspace, Endpoint: deliver.PushTo(caller.User, d.ID)}
	out, gone, err := s.sendTest(ctx, key, caller.Workspace+"|"+caller.User)
	if err == nil && gone {
		err = s.Endpoints.Directory.Gone(ctx, key)
	}
	return out, err
}

// forgetDevices lets devices of a user go.
func (s *Server) forgetDevices(ctx context.Context, workspace, user string, which func(deliver.Device) bool) error {
	if s.Endpoints == nil || user == "" {
		return nil
	}
	return s.Endpoints.Directory.Devices.DropOf(ctx, workspace, user, which)
}

// forgetDevicesOf lets those go that a session has registered, before it ends.
func (s *Server) forgetDevicesOf(ctx context.Context, workspace, session string) error {
	user, err := s.sessions.UserOf(ctx, workspace, session)
	if err != nil {
		return err
	}
	return s.forgetDevices(ctx, workspace, user, func(d deliver.Device) bool { return d.Session == session })
}

func allDevices(deliver.Device) bool { return true }
