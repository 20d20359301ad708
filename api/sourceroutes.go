package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"tidings/account"
	"tidings/api/hooks"
	"tidings/api/hooks/mapping"
	"tidings/event"
)

// SourceView is a source as it may be shown: never its secrets.
type SourceView struct {
	Name      string           `json:"name"`
	Provider  string           `json:"provider"`
	Keys      int              `json:"keys" doc:"how many there are; they are not shown"`
	Basic     int              `json:"basic" doc:"how many there are; they are not shown"`
	Locked    bool             `json:"locked,omitempty" doc:"the key that sealed its secrets is not here: its webhooks are answered 503 until the secrets are entered again"`
	Draft     bool             `json:"draft,omitempty" doc:"it has an address and no secret yet: its webhooks are answered 503 until there is one"`
	Addresses []string         `json:"addresses"`
	User      UserRule         `json:"user"`
	Message   string           `json:"message_field,omitempty"`
	Fields    *FieldRules      `json:"fields,omitempty"`
	MaxBytes  int64            `json:"max_bytes" doc:"how large a request may be"`
	Verify    *hooks.Scheme    `json:"verify,omitempty" doc:"the source's own; absent where it is the provider's"`
	Mapping   *mapping.Mapping `json:"mapping,omitempty" doc:"the source's own; absent where it is the provider's"`
	Created   time.Time        `json:"created"`
	Changed   time.Time        `json:"changed"`
	Traffic   Traffic          `json:"traffic"`
}

// NewSource is a source, with the address to give to the provider when it is new.
type NewSource struct {
	SourceView
	Token string `json:"token,omitempty" doc:"told this once, when the source gets it"`
	Path  string `json:"path,omitempty" doc:"where the provider sends its webhooks, behind this server's address"`
}

// SourceTest is what a payload would become.
type SourceTest struct {
	Events   []event.Input `json:"events" doc:"nothing of this was taken in"`
	Unknown  []string      `json:"unknown" doc:"events of the vendor that become nothing here"`
	Rejected []string      `json:"rejected" doc:"why a part cannot be understood"`
}

type (
	sourcesOutput struct {
		Body struct {
			Items     []SourceView `json:"items"`
			Providers []string     `json:"providers" doc:"whose webhooks are understood"`
		} `nameHint:"SourceList"`
	}
	sourceNameInput struct {
		Name pathText `path:"name" doc:"percent-encoded"`
	}
	sourceInput struct {
		content
		Name pathText `path:"name" doc:"percent-encoded; every event of the source carries it"`
	}
	sourceOutput     struct{ Body NewSource }
	sourceTestOutput struct{ Body SourceTest }
	payloadsOutput   struct {
		Body struct {
			Items []PayloadView `json:"items"`
		} `nameHint:"PayloadList"`
	}
)

func (s *Server) sourceRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-sources", audit: auditNothing, method: http.MethodGet, path: "/v1/sources", group: "Sources", may: integrators(),
		summary: "The workspace's sources, and what they bring",
	}, s.listSources)
	handle(s, docs, route{
		id: "put-source", stepUp: true, method: http.MethodPut, path: "/v1/sources/{name}", group: "Sources", may: integrators(),
		request: SourceRequest{},
		summary: "Make or replace a source",
		description: "Secrets are written and never read back; those that are absent stay as they are. The token is told once, " +
			"when the source is made or gets a new one. Where the provider shows its secret only for an address, make the source " +
			"with draft first.",
	}, s.putSource)
	handle(s, docs, route{
		id: "delete-source", method: http.MethodDelete, path: "/v1/sources/{name}", group: "Sources", may: integrators(),
		success:     http.StatusNoContent,
		summary:     "Take a source off",
		description: "Its address stops working and its rejected requests are dropped. Its events stay.",
	}, s.deleteSource)
	handle(s, docs, route{
		id: "test-source", method: http.MethodPost, path: "/v1/sources/{name}/test", group: "Sources", may: integrators(),
		failures: []int{http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
		summary:  "See what a payload would become",
		description: "Send a payload as the provider would, with its Content-Type and without a signature, or nothing for a sample. " +
			"Nothing is taken in.",
	}, s.testSource)
	handle(s, docs, route{
		id: "list-payloads", audit: auditReads, method: http.MethodGet, path: "/v1/sources/{name}/payloads", group: "Sources", may: admins(),
		summary: "The last requests of a source, masked, newest first; at most 10, of this process",
	}, s.listPayloads)
}

func (s *Server) sourceView(workspace string, r sourceRecord) SourceView {
	view := SourceView{
		Locked: r.Sealed != "", Draft: r.Draft, Name: r.Name, Provider: r.Provider, Keys: len(r.Keys), Basic: len(r.Basic), Addresses: make([]string, len(r.Addresses)),
		User: r.User, Message: r.Message, Fields: r.Fields, MaxBytes: r.mostBytes(), Verify: r.Custom.Verify, Mapping: r.Custom.Mapping, Created: r.Created, Changed: r.Changed,
		Traffic: s.traffic.show(workspace, r.Name, s.Clock()),
	}
	for i, prefix := range r.Addresses {
		view.Addresses[i] = prefix.String()
	}
	return view
}

func (s *Server) listSources(ctx context.Context, caller Caller, _ *empty) (*sourcesOutput, error) {
	records, err := account.List[sourceRecord](ctx, s.Records, caller.Workspace, kindSource)
	if err != nil {
		return nil, err
	}
	out := new(sourcesOutput)
	out.Body.Items = make([]SourceView, len(records))
	for i, record := range records {
		if err := s.openSource(ctx, caller.Workspace, &record); err != nil && !errors.Is(err, event.ErrUnavailable) {
			return nil, err
		}
		out.Body.Items[i] = s.sourceView(caller.Workspace, record)
	}
	out.Body.Providers = s.Hooks.Names()
	return out, nil
}

func (s *Server) putSource(ctx context.Context, caller Caller, in *sourceInput) (*sourceOutput, error) {
	name, err := sourceName(in.Name)
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[SourceRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	record, token, err := s.putSourceRecord(ctx, caller.Workspace, name, request)
	if err != nil {
		return nil, inBody(err)
	}
	out := &sourceOutput{NewSource{SourceView: s.sourceView(caller.Workspace, record), Token: token}}
	if token != "" {
		out.Body.Path = "/v1/hooks/" + token
	}
	return out, nil
}

func (s *Server) deleteSource(ctx context.Context, caller Caller, in *sourceNameInput) (*empty, error) {
	name, err := sourceName(in.Name)
	if err != nil {
		return nil, err
	}
	return nil, s.removeSource(ctx, caller.Workspace, name)
}

// sourceName reads the name of a source out of a path.
func sourceName(part pathText) (string, error) {
	name, err := part.decode("name")
	if err != nil {
		return "", err
	}
	if err := account.CheckName("name", name); err != nil {
		return "", badPath("name", err.Problem)
	}
	return name, nil
}

// namedSource is the caller's source by name.
func (s *Server) namedSource(ctx context.Context, caller Caller, part pathText) (sourceRecord, error) {
	name, err := sourceName(part)
	if err != nil {
		return sourceRecord{}, err
	}
	record, err := account.Get[sourceRecord](ctx, s.Records, caller.Workspace, kindSource, name)
	if err != nil {
		return record, fmt.Errorf("find source: %w", err)
	}
	return record, nil
}

func (s *Server) testSource(ctx context.Context, caller Caller, in *sourceInput) (*sourceTestOutput, error) {
	source, err := s.namedSource(ctx, caller, in.Name)
	if err != nil {
		return nil, err
	}
	provider, err := s.Hooks.For(source.Provider, source.Custom)
	if err != nil {
		return nil, fmt.Errorf("provider of a source: %w", err)
	}
	body, release, err := s.bodies.read(&in.content, source.mostBytes(), false)
	if err != nil {
		return nil, err
	}
	defer release()
	request := &hooks.Request{Header: humagin.Unwrap(in.request).Request.Header, Body: body}
	if len(body) == 0 {
		request = provider.Sample()
	}
	decoded, err := provider.Decode(request)
	if err != nil {
		decoded.Rejected = []hooks.Fault{{Reason: err.Error()}}
	}
	return s.tried(ctx, caller.Workspace, source, decoded)
}

// tried shows what a decoded payload would become.
func (s *Server) tried(ctx context.Context, workspace string, source sourceRecord, decoded hooks.Decoded) (*sourceTestOutput, error) {
	users, err := s.directory.UsersByAddress(ctx, workspace)
	if err != nil {
		return nil, err
	}
	out := &sourceTestOutput{SourceTest{Events: []event.Input{}, Unknown: []string{}, Rejected: []string{}}}
	for _, u := range decoded.Unknown {
		out.Body.Unknown = append(out.Body.Unknown, u.Name)
	}
	rules, err := source.Fields.program()
	if err != nil {
		return nil, err
	}
	limits := event.Limits{Now: s.Clock(), Retention: s.Retention, Lenient: true}
	for _, found := range decoded.Events {
		if found.Untimed {
			found.Time = new(event.Moment(s.Clock().Unix()))
		}
		in := source.complete(found, users, rules)
		if _, err := in.Event(workspace, source.Name, limits); err != nil {
			out.Body.Rejected = append(out.Body.Rejected, err.Error())
			continue
		}
		out.Body.Events = append(out.Body.Events, in)
	}
	for _, fault := range decoded.Rejected {
		out.Body.Rejected = append(out.Body.Rejected, fault.Reason)
	}
	return out, nil
}

func (s *Server) listPayloads(ctx context.Context, caller Caller, in *sourceNameInput) (*payloadsOutput, error) {
	source, err := s.namedSource(ctx, caller, in.Name)
	if err != nil {
		return nil, err
	}
	out := new(payloadsOutput)
	out.Body.Items = s.traffic.payloads(caller.Workspace, source.Name)
	return out, nil
}
