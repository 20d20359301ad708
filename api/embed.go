package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"tidings/event"
)

// Lives of tokens for embedding.
const (
	embedLife    = 15 * time.Minute
	maxEmbedLife = time.Hour
	// embedSkew is how far the clock of a customer's backend may be off.
	embedSkew = time.Minute
)

// embedProtocol is how a socket of a page brings its token: a page cannot set
// headers on a websocket.
const embedProtocol = "tidings.token."

// embedPath is the page that other sites may frame.
const embedPath = "/embed/feed"

// Bounds of a token.
const (
	maxEmbedOrigins = 20
	maxEmbedToken   = 4096
)

// embedHeader and embedClaims are a JSON web token (RFC 7519) signed with HS256.
// Its secret is the SHA-256 of a key in hex, so that a backend that holds the
// key signs by itself, and a revoked key takes its tokens with it.
type embedHeader struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ,omitempty"`
	// Key is the id of the key that signs.
	Key string `json:"kid"`
}

type embedClaims struct {
	Workspace string `json:"iss"`
	// User is whose events the page shows, with those of their teams; "" for
	// all that the key may see.
	User    string   `json:"sub,omitempty"`
	Origins []string `json:"origins"`
	Ends    int64    `json:"exp"`
}

// sign makes the token's text.
func (c embedClaims) sign(key, hash string) (string, error) {
	header, err := json.Marshal(embedHeader{"HS256", "JWT", key})
	if err != nil {
		return "", fmt.Errorf("encode token: %w", err)
	}
	claims, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode token: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode(header) + "." + encode(claims)
	return text + "." + encode(embedMAC(text, hash)), nil
}

func embedMAC(text, hash string) []byte {
	mac := hmac.New(sha256.New, []byte(hash))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// isEmbedToken tells a token from a key, by its two dots.
func isEmbedToken(text string) bool { return strings.Count(text, ".") == 2 }

// embedded is who a token stands for; ErrNotFound when it is not valid, or not
// any more. What is wrong with it is not told.
func (s *Server) embedded(ctx context.Context, text string) (Caller, error) {
	header, claims, signature, err := readEmbedToken(text)
	if err != nil {
		return Caller{}, err
	}
	now := s.Clock()
	ends := time.Unix(claims.Ends, 0)
	if !now.Before(ends) || ends.After(now.Add(maxEmbedLife+embedSkew)) {
		return Caller{}, fmt.Errorf("embed token is too old or lives too long: %w", event.ErrNotFound)
	}
	if checkWorkspace(claims.Workspace) != nil || checkOrigins(claims.Origins) != nil {
		return Caller{}, fmt.Errorf("embed token holds no proper claims: %w", event.ErrNotFound)
	}
	hash, record, err := s.keys.byID(ctx, claims.Workspace, header.Key)
	if err != nil {
		return Caller{}, err
	}
	signed := text[:strings.LastIndexByte(text, '.')]
	if !hmac.Equal(signature, embedMAC(signed, hash)) {
		return Caller{}, fmt.Errorf("embed token is not signed by its key: %w", event.ErrNotFound)
	}
	user, ok := record.embedUser(claims.User)
	if !ok {
		return Caller{}, fmt.Errorf("embed token asks for more than its key may see: %w", event.ErrNotFound)
	}
	return Caller{
		Workspace: claims.Workspace, Role: RoleRead, User: user,
		credential: hash, origins: claims.Origins,
	}, nil
}

// embedUser is whose events a token of this key may show: a key of somebody
// shows theirs and no others.
func (r keyRecord) embedUser(asked string) (user string, ok bool) {
	if r.Role != RoleRead && r.Role != RoleAdmin {
		return "", false
	}
	if r.Role == RoleAdmin || r.User == "" || asked == r.User {
		return asked, true
	}
	return r.User, asked == ""
}

func readEmbedToken(text string) (header embedHeader, claims embedClaims, signature []byte, err error) {
	unread := func(err error) (embedHeader, embedClaims, []byte, error) {
		return embedHeader{}, embedClaims{}, nil, errors.Join(event.ErrNotFound, err)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 || len(text) > maxEmbedToken {
		return unread(errors.New("embed token has no three parts"))
	}
	for i, into := range []any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return unread(fmt.Errorf("decode embed token: %w", err))
		}
		if err := json.NewDecoder(bytes.NewReader(raw)).Decode(into); err != nil {
			return unread(errors.New("embed token holds no JSON"))
		}
	}
	if header.Algorithm != "HS256" {
		return unread(errors.New("embed token is signed in another way"))
	}
	if signature, err = base64.RawURLEncoding.DecodeString(parts[2]); err != nil {
		return unread(fmt.Errorf("decode embed token: %w", err))
	}
	return header, claims, signature, nil
}

// checkOrigins refuses what is no list of a few origins.
func checkOrigins(origins []string) *event.FieldError {
	if len(origins) == 0 || len(origins) > maxEmbedOrigins {
		return event.Invalid("origins", fmt.Sprintf("names 1 to %d pages that may show the feed", maxEmbedOrigins))
	}
	for i, origin := range origins {
		at, err := url.Parse(origin)
		proper := err == nil && (at.Scheme == "https" || at.Scheme == "http") && at.Host != "" &&
			origin == at.Scheme+"://"+at.Host && !strings.ContainsAny(origin, " ;,'\"*")
		if !proper {
			return event.Invalid(fmt.Sprintf("origins[%d]", i), "is no origin, such as https://app.example.com")
		}
	}
	return nil
}

// embedTokenIn finds a token among a handshake's subprotocols.
func embedTokenIn(r *http.Request) (string, bool) {
	if !websocket.IsWebSocketUpgrade(r) {
		return "", false
	}
	for _, protocol := range websocket.Subprotocols(r) {
		if token, ok := strings.CutPrefix(protocol, embedProtocol); ok {
			return token, true
		}
	}
	return "", false
}

// mayEmbed reports whether a request with a token for embedding may be
// answered: it only reads, and comes from this host or a page that the token
// names.
func (c Caller) mayEmbed(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	origin := r.Header.Get("Origin")
	at, err := url.Parse(origin)
	return origin == "" || slices.Contains(c.origins, origin) || err == nil && strings.EqualFold(at.Host, r.Host)
}

// embeddedIn is who a token stands for, if it may ask what it asks.
func (s *Server) embeddedIn(r *http.Request, token string) (Caller, error) {
	caller, err := s.embedded(r.Context(), token)
	if err != nil {
		return Caller{}, err
	}
	if !caller.mayEmbed(r) {
		return Caller{}, problem(http.StatusForbidden, "a token for embedding only reads, for the pages that it names")
	}
	return caller, nil
}

// frame serves the page for other sites. Only those that its token names may
// frame it, and without a good token nobody.
func (s *Server) frame(w http.ResponseWriter, r *http.Request) {
	ancestors := "'none'"
	caller, err := s.embedded(r.Context(), r.URL.Query().Get("token"))
	if err == nil {
		ancestors = strings.Join(caller.origins, " ")
	}
	s.Web.ServeHTTP(&framedWriter{w, ancestors}, r)
}

// framedWriter sets who may frame an answer, last.
type framedWriter struct {
	http.ResponseWriter
	ancestors string
}

// WriteHeader replaces the policy of a page that nobody may frame.
func (w *framedWriter) WriteHeader(status int) {
	h := w.Header()
	policy := h.Get("Content-Security-Policy")
	h.Set("Content-Security-Policy", strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors "+w.ancestors, 1))
	h.Set("Cache-Control", "no-store") // the policy goes with the token
	h.Del("ETag")
	h.Del("X-Frame-Options")
	w.ResponseWriter.WriteHeader(status)
}
