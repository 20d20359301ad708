package signin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/oauth2"
)

const (
	// remotesKept bounds the issuers that are remembered, and remoteLife is how long what
	// one says of itself counts.
	remotesKept = 200
	remoteLife  = time.Hour
	// keysEvery is how often the keys of an issuer are asked for at most.
	keysEvery = time.Minute
)

// algorithms are those that a token may be signed by: neither none nor one whose key
// both sides hold.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512,
}

// metadata is what a provider says of itself.
type metadata struct {
	Keys       string   `json:"jwks_uri"`
	Algorithms []string `json:"id_token_signing_alg_values_supported"`
	Scopes     []string `json:"scopes_supported"`
	Challenges []string `json:"code_challenge_methods_supported"`
	TokenAuth  []string `json:"token_endpoint_auth_methods_supported"`
	// Iss says that every answer names the issuer (RFC 9207).
	Iss    bool `json:"authorization_response_iss_parameter_supported"`
	Logout bool `json:"backchannel_logout_supported"`
}

// remote is a provider that was asked for what it says of itself.
type remote struct {
	*oidc.Provider
	metadata
	client *http.Client
	asked  time.Time
}

// remotes are the providers that were asked lately, by issuer.
type remotes struct {
	client *http.Client
	clock  func() time.Time
	mu     sync.Mutex
	by     *lru.Cache[string, *remote]
}

func newRemotes(client *http.Client, clock func() time.Time) *remotes {
	by, err := lru.New[string, *remote](remotesKept)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return &remotes{client: client, clock: clock, by: by}
}

// at asks an issuer for what it says of itself, once an hour.
func (r *remotes) at(ctx context.Context, issuer string) (*remote, error) {
	r.mu.Lock()
	known, ok := r.by.Get(issuer)
	r.mu.Unlock()
	if ok && r.clock().Sub(known.asked) < remoteLife {
		return known, nil
	}
	fresh, err := r.ask(ctx, issuer)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.by.Add(issuer, fresh)
	return fresh, nil
}

// ask asks an issuer now.
func (r *remotes) ask(ctx context.Context, issuer string) (*remote, error) {
	slow := &seldom{next: r.client.Transport, clock: r.clock}
	client := *r.client
	client.Transport = slow
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, &client), issuer)
	if err != nil {
		return nil, fmt.Errorf("ask the provider what it is: %w", err)
	}
	fresh := &remote{Provider: provider, client: &client, asked: r.clock()}
	if err := provider.Claims(&fresh.metadata); err != nil {
		return nil, fmt.Errorf("read what the provider says of itself: %w", err)
	}
	slow.of = fresh.Keys
	return fresh, nil
}

// maxAnswer is how many bytes of an answer of a provider are read.
const maxAnswer = 1 << 20

// seldom calls one address not more often than once a minute, and reads a bounded part
// of each answer.
type seldom struct {
	next  http.RoundTripper
	clock func() time.Time
	of    string

	mu   sync.Mutex
	last time.Time
}

func (s *seldom) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.of != "" && r.URL.String() == s.of {
		s.mu.Lock()
		now := s.clock()
		early := !s.last.IsZero() && now.Sub(s.last) < keysEvery
		if !early {
			s.last = now
		}
		s.mu.Unlock()
		if early {
			return nil, fmt.Errorf("its keys were asked for less than %v ago", keysEvery)
		}
	}
	response, err := s.next.RoundTrip(r)
	if err == nil {
		response.Body = cutBody{io.LimitReader(response.Body, maxAnswer), response.Body}
	}
	return response, err
}

// cutBody is a body up to a bound.
type cutBody struct {
	io.Reader
	io.Closer
}

// config is how a provider is talked to.
func (m *remote) config(p Provider, secret, redirect string) *oauth2.Config {
	endpoint := m.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	basic := len(m.TokenAuth) == 0 || slices.Contains(m.TokenAuth, "client_secret_basic")
	if secret == "" || !basic {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	scopes := []string{oidc.ScopeOpenID, "profile", "email"}
	if slices.Contains(m.Scopes, oidc.ScopeOfflineAccess) {
		scopes = append(scopes, oidc.ScopeOfflineAccess)
	}
	for _, scope := range p.Scopes {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: secret, Endpoint: endpoint, RedirectURL: redirect, Scopes: scopes}
}

// verifier checks tokens for a client.
func (m *remote) verifier(clientID string, clock func() time.Time) *oidc.IDTokenVerifier {
	return m.Verifier(&oidc.Config{ClientID: clientID, SupportedSigningAlgs: algorithms, Now: clock})
}
