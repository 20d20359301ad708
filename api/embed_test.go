package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
)

const shop = "https://shop.example"

func embedToken(s *site, key string, body map[string]any) api.EmbedToken {
	s.t.Helper()
	var token api.EmbedToken
	s.do(call{method: http.MethodPost, path: "/v1/embed-tokens", key: key, body: body}).is(http.StatusCreated).json(&token)
	return token
}

func TestATokenForEmbeddingReadsAsItsUser(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	token := embedToken(s, key, map[string]any{"user": "u_ana", "origins": []string{shop}})
	require.Equal(t, noon.Add(15*time.Minute), token.Ends)

	var session api.SessionView
	s.get(token.Token, "/v1/session").is(http.StatusOK).json(&session)
	require.Equal(t, "acme", session.Workspace)
	require.Equal(t, account.RoleRead, session.Role)
	require.Equal(t, "u_ana", session.User.ID)
	s.get(token.Token, "/v1/feed").is(http.StatusOK)
	require.Equal(t, []string{"u_ana"}, s.feed.asked[len(s.feed.asked)-1].Users, "the events of others are shown")
}

func TestATokenForEmbeddingOnlyReads(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "u_ana")
	token := embedToken(s, key, map[string]any{"origins": []string{shop}}).Token
	s.do(call{method: http.MethodPut, path: "/v1/settings", key: token, body: map[string]any{"reader": map[string]any{}}}).
		problem(http.StatusForbidden)
	s.do(call{method: http.MethodPost, path: "/v1/embed-tokens", key: token, body: map[string]any{"origins": []string{shop}}}).
		problem(http.StatusForbidden)
	s.get(token, "/v1/keys").problem(http.StatusForbidden)
}

func TestATokenForEmbeddingEndsWithItsTimeAndWithItsKey(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	token := embedToken(s, admin, map[string]any{"origins": []string{shop}, "seconds": 60}).Token
	s.get(token, "/v1/feed").is(http.StatusOK)
	s.pass(61 * time.Second)
	s.get(token, "/v1/feed").problem(http.StatusUnauthorized)

	var made api.NewKey
	s.do(call{method: http.MethodPost, path: "/v1/keys", key: admin, body: map[string]any{"role": "read"}}).
		is(http.StatusCreated).json(&made)
	token = embedToken(s, made.Text, map[string]any{"origins": []string{shop}}).Token
	s.get(token, "/v1/feed").is(http.StatusOK)
	s.do(call{method: http.MethodDelete, path: "/v1/keys/" + made.ID, key: admin}).is(http.StatusNoContent)
	s.get(token, "/v1/feed").problem(http.StatusUnauthorized)
}

// A backend that holds the key needs no call for its tokens.
func TestATokenForEmbeddingMayBeSignedByTheBackend(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	var made api.NewKey
	s.do(call{method: http.MethodPost, path: "/v1/keys", key: admin, body: map[string]any{"role": "read"}}).
		is(http.StatusCreated).json(&made)
	secret := sha256.Sum256([]byte(made.Text))
	good := map[string]any{
		"iss": "acme", "sub": "u_ana", "origins": []string{shop}, "exp": noon.Add(time.Minute).Unix(),
	}
	claims := func(change map[string]any) map[string]any {
		changed := map[string]any{}
		for name, value := range good {
			changed[name] = value
		}
		for name, value := range change {
			changed[name] = value
		}
		return changed
	}
	head := map[string]any{"alg": "HS256", "typ": "JWT", "kid": made.ID}
	hexed := hex.EncodeToString(secret[:])
	s.get(signed(t, head, good, hexed), "/v1/feed").is(http.StatusOK)

	for name, token := range map[string]string{
		"another secret":       signed(t, head, good, "not "+hexed),
		"another key":          signed(t, map[string]any{"alg": "HS256", "kid": "unknown"}, good, hexed),
		"no algorithm":         signed(t, map[string]any{"alg": "none", "kid": made.ID}, good, hexed),
		"another workspace":    signed(t, head, claims(map[string]any{"iss": "other"}), hexed),
		"no end":               signed(t, head, claims(map[string]any{"exp": nil}), hexed),
		"an end too far":       signed(t, head, claims(map[string]any{"exp": noon.Add(2 * time.Hour).Unix()}), hexed),
		"no origin":            signed(t, head, claims(map[string]any{"origins": []string{}}), hexed),
		"an origin with more":  signed(t, head, claims(map[string]any{"origins": []string{"https://a.example; script-src *"}}), hexed),
		"claims of no JSON":    "e30.e.e30",
		"nothing":              "..",
		"a signature cut off":  strings.TrimSuffix(signed(t, head, good, hexed), "A")[:60] + "..",
		"a payload of another": swapped(signed(t, head, claims(map[string]any{"sub": "u_bob"}), hexed), signed(t, head, good, hexed)),
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t)
			s.get(token, "/v1/feed").problem(http.StatusUnauthorized)
		})
	}
}

func TestAKeyOfSomebodyShowsNobodyElse(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleRead, "u_ana")
	s.do(call{method: http.MethodPost, path: "/v1/embed-tokens", key: key, body: map[string]any{
		"user": "u_bob", "origins": []string{shop},
	}}).problem(http.StatusBadRequest)
	ingest := s.key("acme", account.RoleIngest, "")
	s.do(call{method: http.MethodPost, path: "/v1/embed-tokens", key: ingest, body: map[string]any{"origins": []string{shop}}}).
		problem(http.StatusForbidden)
}

func TestOriginsOfATokenAreChecked(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	for _, origin := range []string{"", "*", "shop.example", "https://shop.example/", "https://*.example", "ftp://shop.example", "https://a b"} {
		s.do(call{method: http.MethodPost, path: "/v1/embed-tokens", key: key, body: map[string]any{"origins": []string{origin}}}).
			problem(http.StatusBadRequest)
	}
}

func TestOnlyThePagesOfATokenMayFrameTheFeed(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
		w.WriteHeader(http.StatusOK)
	})
	s := newSite(t, func(c *api.Config) { c.Web = page })
	key := s.key("acme", account.RoleAdmin, "")
	token := embedToken(s, key, map[string]any{"origins": []string{shop, "http://localhost:3000"}})

	policy := func(path string) (string, string) {
		response, err := http.Get(s.http.URL + path)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.Header.Get("Content-Security-Policy"), response.Header.Get("X-Frame-Options")
	}
	allowed, frame := policy(token.Path)
	require.Equal(t, "default-src 'self'; frame-ancestors https://shop.example http://localhost:3000", allowed)
	require.Empty(t, frame)
	require.NotContains(t, strings.Split(token.Path, "#")[0], token.Token, "the token is in no log and no Referer")
	require.True(t, strings.HasSuffix(token.Path, "#token="+token.Token))
	for _, path := range []string{"/embed/feed", "/embed/feed?token=" + token.Token, "/embed/feed?origin=*", "/embed/feed?origin=https://a.example%20*"} {
		refused, _ := policy(path)
		require.Equal(t, "default-src 'self'; frame-ancestors 'none'", refused, path)
	}
	other, frame := policy("/stats")
	require.Contains(t, other, "frame-ancestors 'none'")
	require.Equal(t, "DENY", frame)
}

func signed(t *testing.T, header, claims map[string]any, secret string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	var parts []string
	for _, part := range []map[string]any{header, claims} {
		raw, err := json.Marshal(part)
		require.NoError(t, err)
		parts = append(parts, encode(raw))
	}
	text := strings.Join(parts, ".")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// swapped is one token's claims with the signature of another.
func swapped(claims, signature string) string {
	return claims[:strings.LastIndexByte(claims, '.')] + signature[strings.LastIndexByte(signature, '.'):]
}
