package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/event"
	"tidings/signin"
)

// ProviderRequest is a provider as an admin writes it.
type ProviderRequest struct {
	Title       string              `json:"title,omitempty" maxLength:"100" doc:"what the button says; the name when absent"`
	Issuer      string              `json:"issuer" maxLength:"500" doc:"the provider's address, exactly as its own .well-known/openid-configuration has it"`
	ClientID    string              `json:"client_id" maxLength:"500"`
	Secret      *string             `json:"secret,omitempty" maxLength:"2000" doc:"the client's secret, which is never read back; absent keeps what there is, and empty is a client without one. Needed anew with another issuer"`
	Scopes      []string            `json:"scopes,omitempty" maxItems:"20" doc:"beside openid, profile and email; offline_access goes along where the provider offers it"`
	Domains     []string            `json:"domains,omitempty" maxItems:"100" doc:"domains whose addresses this provider decides over: users with such an address are found by it. Name those alone that nobody else can have an address of there. A domain is of the workspace that names it first: 409 where that is another"`
	Button      bool                `json:"button,omitempty" doc:"shown to everybody who signs in, whatever their address; needed without domains"`
	GroupsClaim string              `json:"groups_claim,omitempty" maxLength:"200" doc:"the claim that holds somebody's groups, such as groups"`
	Map         []account.GroupRule `json:"map,omitempty" maxItems:"500" doc:"what groups give. Of several roles the last of viewer, member, lead, integrator, support, auditor, admin counts"`
	RoleDefault Role                `json:"role_default,omitempty" enum:"viewer,member,lead,support,auditor,integrator,admin" doc:"the role of those in none of the groups; without one they are refused, where there is a map"`
	Only        bool                `json:"only,omitempty" doc:"people come in by a provider and in no other way; 409 until an admin has signed in by it. tidings access grant works still"`
}

// ProviderView is a provider as it may be shown: never its secret.
type ProviderView struct {
	Name        string              `json:"name"`
	ID          string              `json:"id" doc:"its name in the installation"`
	Title       string              `json:"title"`
	Issuer      string              `json:"issuer"`
	ClientID    string              `json:"client_id"`
	HasSecret   bool                `json:"has_secret"`
	Locked      bool                `json:"locked,omitempty" doc:"the key that sealed its secret is not here: enter it again"`
	Scopes      []string            `json:"scopes,omitempty"`
	Domains     []string            `json:"domains,omitempty"`
	Button      bool                `json:"button"`
	GroupsClaim string              `json:"groups_claim,omitempty"`
	Map         []account.GroupRule `json:"map,omitempty"`
	RoleDefault Role                `json:"role_default,omitempty" enum:"viewer,member,lead,support,auditor,integrator,admin"`
	Only        bool                `json:"only"`
	Callback    string              `json:"callback" doc:"the redirect URI to register at the provider"`
	Logout      string              `json:"logout" doc:"the back-channel logout URI to register at the provider"`
	Changed     time.Time           `json:"changed"`
}

// ProviderTest is what came of trying a provider.
type ProviderTest struct {
	OK    bool          `json:"ok"`
	Steps []signin.Step `json:"steps"`
}

type (
	providersOutput struct {
		Body struct {
			Items []ProviderView `json:"items"`
			// Callback is known before there is a provider.
			Callback string `json:"callback" doc:"the redirect URI of a provider, with its name in the place of NAME; empty where the server does not know its own address (--public-url)"`
			Logout   string `json:"logout" doc:"the same for back-channel logout"`
		} `nameHint:"ProviderList"`
	}
	providerNameInput struct {
		Name pathText `path:"name" doc:"1 to 32 of a to z, digits and dash"`
	}
	providerInput struct {
		content
		Name pathText `path:"name" doc:"1 to 32 of a to z, digits and dash"`
	}
	providerOutput     struct{ Body ProviderView }
	providerTestOutput struct{ Body ProviderTest }
)

func (s *Server) providerRoutes(docs huma.API) {
	const group = "Providers"
	handle(s, docs, route{
		id: "list-providers", audit: auditNothing, method: http.MethodGet, path: "/v1/sign-in/providers", group: group, may: admins(),
		summary: "The providers at which the workspace's people sign in (OpenID Connect)",
	}, s.listProviders)
	handle(s, docs, route{
		id: "put-provider", stepUp: true, method: http.MethodPut, path: "/v1/sign-in/providers/{name}", group: group, may: admins(),
		request: ProviderRequest{}, failures: []int{http.StatusConflict, http.StatusTooManyRequests},
		summary: "Make or replace a provider; at most 20",
	}, s.putProvider)
	handle(s, docs, route{
		id: "delete-provider", stepUp: true, method: http.MethodDelete, path: "/v1/sign-in/providers/{name}", group: group, may: admins(),
		success: http.StatusNoContent, summary: "Take a provider off",
		description: "Sessions that were begun by it end within an hour of their use, where it gave something to ask it again with.",
	}, s.deleteProvider)
	handle(s, docs, route{
		id: "test-provider", method: http.MethodPost, path: "/v1/sign-in/providers/{name}/test", group: group, may: admins(),
		failures: []int{http.StatusTooManyRequests},
		summary:  "Try a provider without anybody signing in; at most 6 a minute",
	}, s.testProvider)
}

func (s *Server) siteAddress(workspace, name, end string) string {
	if s.PublicURL == "" {
		return ""
	}
	site := signin.Site{Workspace: workspace, Provider: signin.Provider{Name: name}}
	return s.callbackOf(site)[:len(s.callbackOf(site))-len("callback")] + end
}

func (s *Server) providerView(ctx context.Context, workspace string, p signin.Provider) (ProviderView, error) {
	locked, err := s.vouching.Locked(ctx, workspace, p)
	return ProviderView{
		Name: p.Name, ID: signin.ID(workspace, p.Name), Title: p.Title, Issuer: p.Issuer, ClientID: p.ClientID,
		HasSecret: p.Sealed != "", Locked: locked, Scopes: p.Scopes, Domains: p.Domains, Button: p.Button,
		GroupsClaim: p.GroupsClaim, Map: p.Map, RoleDefault: p.RoleDefault, Only: p.Only,
		Callback: s.siteAddress(workspace, p.Name, "callback"), Logout: s.siteAddress(workspace, p.Name, "logout"), Changed: p.Changed,
	}, err
}

func (s *Server) listProviders(ctx context.Context, caller Caller, _ *empty) (*providersOutput, error) {
	all, err := s.vouching.List(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := new(providersOutput)
	out.Body.Items = make([]ProviderView, len(all))
	for i, provider := range all {
		if out.Body.Items[i], err = s.providerView(ctx, caller.Workspace, provider); err != nil {
			return nil, err
		}
	}
	out.Body.Callback, out.Body.Logout = s.siteAddress(caller.Workspace, "NAME", "callback"), s.siteAddress(caller.Workspace, "NAME", "logout")
	return out, nil
}

func (s *Server) putProvider(ctx context.Context, caller Caller, in *providerInput) (*providerOutput, error) {
	name, err := in.Name.decode("name")
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[ProviderRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	provider := signin.Provider{
		Name: name, Title: cmp.Or(request.Title, name), Issuer: request.Issuer, ClientID: request.ClientID, Scopes: request.Scopes,
		Domains: request.Domains, Button: request.Button, GroupsClaim: request.GroupsClaim, Map: request.Map, RoleDefault: request.RoleDefault, Only: request.Only,
	}
	if err := s.checkProvider(ctx, caller, &provider, request.Secret != nil); err != nil {
		return nil, err
	}
	kept, err := s.vouching.Put(ctx, caller.Workspace, provider, request.Secret)
	var claimed *signin.ErrClaimed
	if errors.As(err, &claimed) {
		return nil, problem(http.StatusConflict, claimed.Error()+": whoever runs the server can tell whose it is")
	}
	if err != nil {
		return nil, inBody(err)
	}
	view, err := s.providerView(ctx, caller.Workspace, kept)
	return &providerOutput{view}, err
}

func (s *Server) checkProvider(ctx context.Context, caller Caller, provider *signin.Provider, newSecret bool) error {
	if s.PublicURL == "" {
		return problem(http.StatusConflict, "the server does not know its own address, which providers send browsers to: start it with --public-url")
	}
	if err := provider.Check(); err != nil {
		var field *event.FieldError
		if errors.As(err, &field) && field.Field == "name" {
			return badPath("name", field.Problem)
		}
		return inBody(err)
	}
	if err := s.Outbound.Check(provider.Issuer); err != nil {
		return invalidBody("issuer", err.Error())
	}
	if err := s.checkTeams(ctx, caller.Workspace, provider.Map); err != nil {
		return err
	}
	before, err := s.vouching.Get(ctx, caller.Workspace, provider.Name)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return err
	}
	if before.Sealed != "" && before.Issuer != provider.Issuer && !newSecret {
		return invalidBody("secret", "is needed anew: the issuer is another one")
	}
	byIt := caller.Vouched != nil && caller.Vouched.Provider == provider.Name || caller.Credential == ""
	if provider.Only && !before.Only && !byIt {
		return problem(http.StatusConflict, "sign in by this provider first: who sets this must be able to come in by it")
	}
	return nil
}

func (s *Server) checkTeams(ctx context.Context, workspace string, rules []account.GroupRule) error {
	for i, rule := range rules {
		if rule.Team == "" {
			continue
		}
		_, err := s.directory.Team(ctx, workspace, rule.Team)
		if errors.Is(err, event.ErrNotFound) {
			return invalidBody(fmt.Sprintf("map[%d].team", i), "is no team of this workspace")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) deleteProvider(ctx context.Context, caller Caller, in *providerNameInput) (*empty, error) {
	name, err := in.Name.decode("name")
	if err != nil {
		return nil, err
	}
	return nil, s.vouching.Delete(ctx, caller.Workspace, name)
}

func (s *Server) testProvider(ctx context.Context, caller Caller, in *providerNameInput) (*providerTestOutput, error) {
	name, err := in.Name.decode("name")
	if err != nil {
		return nil, err
	}
	provider, err := s.vouching.Get(ctx, caller.Workspace, name)
	if err != nil {
		return nil, err
	}
	if state := s.endpointTests.Take(caller.Workspace, 1); state.After > 0 {
		return nil, &event.TooMuch{What: "at most 6 tests a minute", After: state.After}
	}
	site := signin.Site{Workspace: caller.Workspace, Provider: provider}
	if site.Sealed != "" {
		s.usesSecret(ctx, caller.Workspace, "provider "+site.Name)
	}
	out := &providerTestOutput{ProviderTest{OK: true, Steps: s.vouching.Try(ctx, site, s.callbackOf(site))}}
	for _, step := range out.Body.Steps {
		out.Body.OK = out.Body.OK && step.OK
	}
	return out, nil
}

// notOnly refuses other ways in where people come in by a provider alone.
func (s *Server) notOnly(ctx context.Context, workspace string) error {
	only, err := s.vouching.Only(ctx, workspace)
	if err == nil && only {
		err = problem(http.StatusForbidden, "people of this workspace sign in by their provider")
	}
	return err
}
