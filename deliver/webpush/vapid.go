package webpush

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// tokenLife is how long a token is good for: push services take a day at most (RFC 8292, 2).
const tokenLife = 12 * time.Hour

// Key is by which a server is known to push services: subscriptions are made for it.
type Key struct {
	private *ecdsa.PrivateKey
	public  string
}

// NewKey makes one.
func NewKey() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key for push services: %w", err)
	}
	return keyOf(private)
}

// ParseKey reads what Bytes wrote.
func ParseKey(raw []byte) (*Key, error) {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		return nil, fmt.Errorf("read the key for push services: %w", err)
	}
	return keyOf(private)
}

func keyOf(private *ecdsa.PrivateKey) (*Key, error) {
	public, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("read the key for push services: %w", err)
	}
	return &Key{private, base64.RawURLEncoding.EncodeToString(public)}, nil
}

// Bytes are the private key, which is a secret.
func (k *Key) Bytes() ([]byte, error) { return k.private.Bytes() }

// Public is what browsers are told: applicationServerKey.
func (k *Key) Public() string { return k.public }

// Authorization is the header of a request to a push service. The subject is a mailto: or
// https: address of whoever runs this server, or "".
func (k *Key) Authorization(endpoint, subject string, now time.Time) (string, error) {
	at, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("read the address of a push service: %w", err)
	}
	claims, err := json.Marshal(struct {
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Subject  string `json:"sub,omitempty"`
	}{at.Scheme + "://" + at.Host, now.Add(tokenLife).Unix(), subject})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(token))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign for a push service: %w", err)
	}
	var signature [64]byte // both numbers, each of 32 bytes (RFC 7518, 3.4)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return "vapid t=" + token + "." + encode(signature[:]) + ", k=" + k.public, nil
}

// Subject is whom push services may turn to: the address of the page where it is a public
// one, else that which sends mail; "" where neither is. Apple refuses hosts that cannot be
// looked up.
func Subject(page, mail string) string {
	if at, err := url.Parse(page); err == nil && at.Scheme == "https" && strings.Contains(at.Hostname(), ".") {
		return "https://" + at.Host
	}
	if _, host, ok := strings.Cut(mail, "@"); ok && strings.Contains(host, ".") {
		return "mailto:" + mail
	}
	return ""
}
