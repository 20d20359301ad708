package account

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"tidings/event"
)

// Lives of tokens for embedding: unless told otherwise, and at most.
const (
	EmbedLife    = 15 * time.Minute
	MaxEmbedLife = time.Hour
	// embedSkew is how far the clock of a customer's backend may be off.
	embedSkew = time.Minute
)

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

// IsEmbedToken tells a token from a key, by its two dots.
func IsEmbedToken(text string) bool { return strings.Count(text, ".") == 2 }

// EmbedCaller is who a token stands for; ErrNotFound when it is not valid, or not
// any more. What is wrong with it is not told.
func (k *Keys) EmbedCaller(ctx context.Context, text string) (Caller, error) {
	header, claims, signature, err := readEmbedToken(text)
	if err != nil {
		return Caller{}, err
	}
	now := k.clock()
	ends := time.Unix(claims.Ends, 0)
	if !now.Before(ends) || ends.After(now.Add(MaxEmbedLife+embedSkew)) {
		return Caller{}, fmt.Errorf("embed token is too old or lives too long: %w", event.ErrNotFound)
	}
	if CheckWorkspace(claims.Workspace) != nil || CheckOrigins(claims.Origins) != nil {
		return Caller{}, fmt.Errorf("embed token has invalid claims: %w", event.ErrNotFound)
	}
	hash, record, err := k.byID(ctx, claims.Workspace, header.Key)
	if err != nil {
		return Caller{}, err
	}
	signed := text[:strings.LastIndexByte(text, '.')]
	if !hmac.Equal(signature, embedMAC(signed, hash)) {
		if hash, err = k.textBefore(ctx, claims.Workspace, header.Key); err != nil {
			return Caller{}, err
		}
	}
	if !hmac.Equal(signature, embedMAC(signed, hash)) {
		return Caller{}, fmt.Errorf("embed token is not signed by its key: %w", event.ErrNotFound)
	}
	role, err := k.roleNow(ctx, record)
	if err != nil {
		return Caller{}, err
	}
	user, ok := record.embedUser(role, claims.User)
	if !ok {
		return Caller{}, fmt.Errorf("embed token asks for more than its key may see: %w", event.ErrNotFound)
	}
	return Caller{
		Workspace: claims.Workspace, Role: RoleRead, Given: RoleRead, ByKey: true, User: user,
		Credential: hash, Origins: claims.Origins, Ends: ends,
	}, nil
}

// roleNow is what a key may do, as far as its user may.
func (k *Keys) roleNow(ctx context.Context, record keyRecord) (Role, error) {
	if k.directory == nil {
		return record.Role, nil
	}
	caller, err := k.directory.Now(ctx, Caller{Workspace: record.Workspace, Role: record.Role, ByKey: true, User: record.User})
	return caller.Role, err
}

// embedUser is whose events a token of this key may show: a key of somebody
// shows theirs and no others, and one that does not read the feed shows nobody's.
func (r keyRecord) embedUser(role Role, asked string) (user string, ok bool) {
	reads := slices.ContainsFunc(r.scopes(), func(s Scope) bool { return s == ScopeFeed || s == ScopeAdmin })
	if !reads || role == RoleSupport || role == RoleAuditor {
		return "", false
	}
	if role == RoleAdmin || r.User == "" || asked == r.User {
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
		return unread(errors.New("embed token does not have three parts"))
	}
	for i, into := range []any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return unread(fmt.Errorf("decode embed token: %w", err))
		}
		if err := json.NewDecoder(bytes.NewReader(raw)).Decode(into); err != nil {
			return unread(errors.New("embed token is not JSON"))
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

// SignEmbedToken makes a token that shows a user's events ("" for all that the key may see) in
// pages of these origins until a time. It is signed by the key whose hash is
// given; ErrForbidden when the key may not show that user's.
func (k *Keys) SignEmbedToken(ctx context.Context, hash, user string, origins []string, ends time.Time) (string, error) {
	record, err := k.byHash(ctx, hash)
	if err != nil {
		return "", err
	}
	role, err := k.roleNow(ctx, record)
	if err != nil {
		return "", err
	}
	user, ok := record.embedUser(role, user)
	if !ok {
		return "", fmt.Errorf("embed token for somebody else than the key's user: %w", event.ErrForbidden)
	}
	claims := embedClaims{Workspace: record.Workspace, User: user, Origins: origins, Ends: ends.Unix()}
	return claims.sign(record.ID, hash)
}

// CheckOrigins refuses what is no list of a few origins.
func CheckOrigins(origins []string) *event.FieldError {
	if len(origins) == 0 || len(origins) > maxEmbedOrigins {
		return event.Invalid("origins", fmt.Sprintf("names 1 to %d pages that may show the feed", maxEmbedOrigins))
	}
	for i, origin := range origins {
		at, err := url.Parse(origin)
		proper := err == nil && (at.Scheme == "https" || at.Scheme == "http") && at.Host != "" &&
			origin == at.Scheme+"://"+at.Host && !strings.ContainsAny(origin, " ;,'\"*")
		if !proper {
			return event.Invalid(fmt.Sprintf("origins[%d]", i), "is not an origin, such as https://app.example.com")
		}
	}
	return nil
}
