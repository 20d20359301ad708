package signin

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"tidings/account"
	"tidings/address"
	"tidings/event"
)

// Bounds of a provider.
const (
	MaxProviders = 20
	maxTitle     = 100
	maxIssuer    = 500
	maxClientID  = 500
	maxSecret    = 2000
	maxScopes    = 20
	maxDomains   = 100
	maxRules     = 500
)

// Provider is one at which the people of a workspace sign in.
type Provider struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Issuer   string `json:"issuer"`
	ClientID string `json:"client_id"`
	// Sealed is the client's secret; "" for a client without one.
	Sealed string `json:"sealed,omitempty"`
	// Scopes are asked for beside openid, profile and email.
	Scopes []string `json:"scopes,omitempty"`
	// Domains are those whose addresses the provider decides over.
	Domains []string `json:"domains,omitempty"`
	// Button shows it to everybody who signs in.
	Button bool `json:"button,omitempty"`
	// GroupsClaim is the claim that holds groups, "" where none does.
	GroupsClaim string              `json:"groups_claim,omitempty"`
	Map         []account.GroupRule `json:"map,omitempty"`
	RoleDefault account.Role        `json:"role_default,omitempty"`
	// Only says that people come in by a provider and in no other way.
	Only    bool      `json:"only,omitempty"`
	Changed time.Time `json:"changed"`
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Check says what is wrong with a provider as it is written, and writes its domains as
// they are compared. Whether its issuer may be called is for outbound to say.
func (p *Provider) Check() error {
	issuer, err := url.Parse(p.Issuer)
	switch {
	case !nameForm.MatchString(p.Name):
		return event.Invalid("name", "has 1 to 32 of a to z, digits and dash")
	case p.Title == "" || len(p.Title) > maxTitle:
		return event.Invalid("title", "has 1 to 100 bytes")
	case err != nil || len(p.Issuer) > maxIssuer || issuer.Host == "" || issuer.RawQuery != "" || issuer.Fragment != "" || issuer.User != nil:
		return event.Invalid("issuer", "is not an address such as https://login.example.com")
	case p.ClientID == "" || len(p.ClientID) > maxClientID:
		return event.Invalid("client_id", "has 1 to 500 bytes")
	case len(p.Scopes) > maxScopes:
		return event.Invalid("scopes", "has more than 20")
	case len(p.Domains) > maxDomains:
		return event.Invalid("domains", "has more than 100")
	case len(p.Map) > maxRules:
		return event.Invalid("map", "has more than 500 rules")
	case len(p.Map) > 0 && p.GroupsClaim == "":
		return event.Invalid("groups_claim", "is needed beside map: which claim holds the groups")
	case len(p.Domains) == 0 && !p.Button:
		return event.Invalid("button", "is needed without domains: nobody would find the provider")
	case p.RoleDefault != "" && !p.RoleDefault.OfPerson():
		return event.Invalid("role_default", "is not a role that people have")
	}
	for i, scope := range p.Scopes {
		if scope == "" || strings.ContainsAny(scope, " \t\r\n\"\\") {
			return event.Invalid(fmt.Sprintf("scopes[%d]", i), "is not one scope")
		}
	}
	for i, domain := range p.Domains {
		whole, wrong := address.Canonical("x@" + domain)
		if wrong != "" {
			return event.Invalid(fmt.Sprintf("domains[%d]", i), "is not a domain such as example.com")
		}
		p.Domains[i] = domainOf(whole)
	}
	for i, rule := range p.Map {
		switch {
		case rule.Group == "" || len(rule.Group) > maxClientID:
			return event.Invalid(fmt.Sprintf("map[%d].group", i), "has 1 to 500 bytes")
		case rule.Team == "" && rule.Role == "":
			return event.Invalid(fmt.Sprintf("map[%d]", i), "gives neither a role nor a team")
		case rule.Role != "" && !rule.Role.OfPerson():
			return event.Invalid(fmt.Sprintf("map[%d].role", i), "is not a role that people have")
		}
	}
	return nil
}

// Rules are what its groups give.
func (p Provider) Rules() account.GroupRules {
	return account.GroupRules{Map: p.Map, Default: p.RoleDefault}
}

// decides reports whether the provider decides over an address.
func (p Provider) decides(email string) bool { return slices.Contains(p.Domains, domainOf(email)) }

// domainOf is the domain of a canonical address.
func domainOf(email string) string { return email[strings.LastIndexByte(email, '@')+1:] }

// Site is a provider of a workspace.
type Site struct {
	Workspace string
	Provider
}

// ID names a provider in the installation. Names of providers have no dot.
func (s Site) ID() string { return ID(s.Workspace, s.Name) }

// ID names a workspace's provider in the installation.
func ID(workspace, name string) string { return workspace + "." + name }

// SplitID takes an ID apart.
func SplitID(id string) (workspace, name string) {
	at := strings.LastIndexByte(id, '.')
	if at < 0 {
		return "", id
	}
	return id[:at], id[at+1:]
}
