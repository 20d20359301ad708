package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// fakeProvider is a provider that can be told to lie.
type fakeProvider struct {
	t      testing.TB
	http   *httptest.Server
	clock  func() time.Time
	mu     sync.Mutex
	key    *ecdsa.PrivateKey
	kid    string
	public []jose.JSONWebKey
	asked  map[string]url.Values // authorization requests by code
	used   map[string]bool
	// keysAsked counts the calls for keys.
	keysAsked int

	// claims are put over the usual ones; one that is nil is left out.
	claims, info map[string]any
	// sign makes a token; by the key when nil.
	sign func(payload []byte) string
	// lie changes what the token endpoint answers.
	lie func(answer map[string]any)
	// again is the error with which it answers refresh tokens, "" to answer well.
	again string
	// issuer is sent along with the code.
	issuer string
	// onceOnly has it refuse a code that was used, as providers do.
	onceOnly bool
	groups   []string // Graph's
}

func newFakeProvider(t testing.TB, clock func() time.Time) *fakeProvider {
	f := &fakeProvider{t: t, clock: clock, asked: map[string]url.Values{}, used: map[string]bool{}, onceOnly: true}
	f.rotate("one")
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", f.discovery)
	mux.HandleFunc("/authorize", f.authorize)
	mux.HandleFunc("/token", f.token)
	mux.HandleFunc("/keys", f.keys)
	mux.HandleFunc("/userinfo", func(w http.ResponseWriter, _ *http.Request) { f.json(w, f.info) })
	mux.HandleFunc("/v1.0/me/transitiveMemberOf/microsoft.graph.group", f.graph)
	f.http = httptest.NewServer(mux)
	t.Cleanup(f.http.Close)
	f.info = map[string]any{"sub": "ana-at-fake"}
	return f
}

// rotate makes another key, and forgets those of before.
func (f *fakeProvider) rotate(kid string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	f.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(f.t, err)
	f.kid = kid
	f.public = []jose.JSONWebKey{{Key: &f.key.PublicKey, KeyID: kid, Algorithm: "ES256", Use: "sig"}}
}

func (f *fakeProvider) json(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func (f *fakeProvider) discovery(w http.ResponseWriter, _ *http.Request) {
	at := f.http.URL
	f.json(w, map[string]any{
		"issuer": at, "authorization_endpoint": at + "/authorize", "token_endpoint": at + "/token", "jwks_uri": at + "/keys", "userinfo_endpoint": at + "/userinfo",
		"id_token_signing_alg_values_supported": []string{"ES256"}, "scopes_supported": []string{"openid", "offline_access"}, "backchannel_logout_supported": true,
	})
}

func (f *fakeProvider) keys(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keysAsked++
	f.json(w, jose.JSONWebKeySet{Keys: f.public})
}

func (f *fakeProvider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("state") == "" {
		http.Error(w, "no PKCE, nonce or state", http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	code := rand.Text()
	f.asked[code] = q
	back := url.Values{"code": {code}, "state": {q.Get("state")}, "session_state": {"of the provider"}}
	if f.issuer != "" {
		back.Set("iss", f.issuer)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (f *fakeProvider) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(why string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": why})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if id, secret, ok := r.BasicAuth(); !ok || id != "client" || secret != "a-secret" {
		refuse("invalid_client")
		return
	}
	answer := map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "refresh-" + rand.Text()}
	nonce := ""
	switch r.FormValue("grant_type") {
	case "authorization_code":
		code := r.FormValue("code")
		asked, known := f.asked[code]
		challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if !known || f.onceOnly && f.used[code] || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]) || asked.Get("redirect_uri") != r.FormValue("redirect_uri") {
			refuse("invalid_grant")
			return
		}
		f.used[code], nonce = true, asked.Get("nonce")
	default:
		if f.again != "" {
			refuse(f.again)
			return
		}
	}
	answer["id_token"] = f.signed(f.idToken(nonce))
	if f.lie != nil {
		f.lie(answer)
	}
	f.json(w, answer)
}

// idToken are the claims of a token, with those that lie.
func (f *fakeProvider) idToken(nonce string) map[string]any {
	now := f.clock().Unix()
	token := map[string]any{
		"iss": f.http.URL, "aud": "client", "sub": "ana-at-fake", "iat": now, "exp": now + 300, "nonce": nonce, "sid": "session-1",
		"email": "ana@acme.example", "email_verified": true, "name": "Ana",
	}
	maps.Copy(token, f.claims)
	maps.DeleteFunc(token, func(_ string, value any) bool { return value == nil })
	return token
}

func (f *fakeProvider) signed(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	require.NoError(f.t, err)
	if f.sign != nil {
		return f.sign(payload)
	}
	return signedWith(f.t, jose.ES256, f.key, f.kid, payload)
}

func signedWith(t testing.TB, algorithm jose.SignatureAlgorithm, key any, kid string, payload []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	require.NoError(t, err)
	object, err := signer.Sign(payload)
	require.NoError(t, err)
	text, err := object.CompactSerialize()
	require.NoError(t, err)
	return text
}

// unsigned is a token by the algorithm none.
func unsigned(payload []byte) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"none"}`)) + "." + part(payload) + "."
}

// byPublicKey signs with the public key as if it were a secret of both sides.
func (f *fakeProvider) byPublicKey(payload []byte) string {
	der, err := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
	require.NoError(f.t, err)
	return signedWith(f.t, jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), f.kid, payload)
}

func (f *fakeProvider) graph(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer access" || f.groups == nil {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	// Of directory objects of one kind, Graph lists only those that it has counted.
	at, counted := 0, r.URL.Query().Get("$count") == "true"
	if r.URL.Query().Get("page") == "2" {
		at, counted = 1, true
	}
	if !counted || r.Header.Get("ConsistencyLevel") != "eventual" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	page := map[string]any{"value": []any{map[string]any{"id": f.groups[at]}}}
	if at == 0 && len(f.groups) > 1 {
		page["@odata.nextLink"] = f.http.URL + r.URL.Path + "?page=2"
	}
	f.json(w, page)
}

// logoutToken says that somebody has signed out.
func (f *fakeProvider) logoutToken(change map[string]any) string {
	now := f.clock().Unix()
	token := map[string]any{
		"iss": f.http.URL, "aud": "client", "iat": now, "exp": now + 120, "jti": rand.Text(), "sid": "session-1",
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	maps.Copy(token, change)
	maps.DeleteFunc(token, func(_ string, value any) bool { return value == nil })
	return f.signed(token)
}

// port is where it listens.
func (f *fakeProvider) port() string { return f.http.URL[strings.LastIndexByte(f.http.URL, ':')+1:] }
