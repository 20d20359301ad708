// Package webpushtest is the other side of web push for tests: a browser that reads what
// was written for it alone, and a push service that takes requests, judges them as RFC 8030
// and RFC 8292 have it, answers as a test says, and tells what its browsers have read.
package webpushtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Browser has a subscription.
type Browser struct {
	private *ecdh.PrivateKey
	auth    []byte
}

// NewBrowser makes one with keys of its own.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	auth := make([]byte, 16)
	_, _ = rand.Read(auth) // It never fails.
	return &Browser{private, auth}
}

// BrowserOf makes one with these keys.
func BrowserOf(private, auth []byte) (*Browser, error) {
	key, err := ecdh.P256().NewPrivateKey(private)
	return &Browser{key, auth}, err
}

// P256dh and Auth are the keys that its subscription tells, in base64url.
func (b *Browser) P256dh() string {
	return base64.RawURLEncoding.EncodeToString(b.private.PublicKey().Bytes())
}

// Auth is described at P256dh.
func (b *Browser) Auth() string { return base64.RawURLEncoding.EncodeToString(b.auth) }

// Read decrypts a message. It is written from the RFCs' formulas by HMAC alone, so that it
// shares no mistake with what encrypts.
func (b *Browser) Read(body []byte) ([]byte, error) {
	if len(body) < 86 || body[20] != 65 {
		return nil, errors.New("it has no header with a point of P-256")
	}
	salt, public, rest := body[:16], body[21:86], body[86:]
	if size := binary.BigEndian.Uint32(body[16:20]); len(rest) > int(size) {
		return nil, errors.New("it has more than one record")
	}
	sender, err := ecdh.P256().NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	shared, err := b.private.ECDH(sender)
	if err != nil {
		return nil, err
	}
	mac := func(key []byte, texts ...string) []byte {
		h := hmac.New(sha256.New, key)
		for _, text := range texts {
			h.Write([]byte(text))
		}
		return h.Sum(nil)
	}
	secret := mac(mac(b.auth, string(shared)), "WebPush: info\x00", string(b.private.PublicKey().Bytes()), string(public), "\x01")
	prk := mac(salt, string(secret))
	block, err := aes.NewCipher(mac(prk, "Content-Encoding: aes128gcm\x00\x01")[:16])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	padded, err := aead.Open(nil, mac(prk, "Content-Encoding: nonce\x00\x01")[:12], rest, nil)
	if err != nil {
		return nil, err
	}
	text := strings.TrimRight(string(padded), "\x00")
	plain, ended := strings.CutSuffix(text, "\x02")
	if !ended {
		return nil, errors.New("its last record does not end as one")
	}
	return []byte(plain), nil
}

// Claims are what a server says of itself.
type Claims struct {
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"`
	Subject  string `json:"sub"`
}

// Verify judges a header by the key that a subscription was made for.
func Verify(header, key string, now time.Time) (Claims, error) {
	var claims Claims
	given, ok := strings.CutPrefix(header, "vapid ")
	token, public, both := strings.Cut(given, ", k=")
	token, named := strings.CutPrefix(token, "t=")
	if !ok || !both || !named || public != key {
		return claims, errors.New("it is not by the key of the subscription")
	}
	point, err := base64.RawURLEncoding.DecodeString(public)
	if err != nil {
		return claims, err
	}
	verifier, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return claims, err
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims, errors.New("it is no token")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return claims, errors.New("its signature has not 64 bytes")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(verifier, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return claims, errors.New("its signature is wrong")
	}
	said, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(said, &claims)
	}
	if err != nil {
		return claims, err
	}
	if ends := time.Unix(claims.Expires, 0); !ends.After(now) || ends.After(now.Add(24*time.Hour)) {
		return claims, errors.New("it is not good for a day at most from now")
	}
	return claims, nil
}

// Pushed is a message that the service took and its browser could read.
type Pushed struct {
	Text                []byte
	TTL, Urgency, Topic string
	Claims              Claims
}

// Service is a push service with one browser behind each path.
type Service struct {
	*httptest.Server
	// Key is that of the server whose messages it takes, and Clock by what it judges tokens.
	Key   func() string
	Clock func() time.Time

	mu       sync.Mutex
	browsers map[string]*Browser
	pushed   map[string][]Pushed
	refuse   map[string][]Refusal
	faults   []string
}

// Refusal is an answer instead of 201.
type Refusal struct {
	Status     int
	RetryAfter time.Duration
}

// NewService starts one.
func NewService(t testing.TB) *Service {
	t.Helper()
	s := &Service{Clock: time.Now, browsers: map[string]*Browser{}, pushed: map[string][]Pushed{}, refuse: map[string][]Refusal{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// Subscribe adds a browser, and returns where messages for it go.
func (s *Service) Subscribe(b *Browser) (endpoint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := fmt.Sprintf("/send/%d", len(s.browsers)+1)
	s.browsers[path] = b
	return s.URL + path
}

// Refuse answers the next messages for an endpoint so, one after another.
func (s *Service) Refuse(endpoint string, refusals ...Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(endpoint, s.URL)
	s.refuse[path] = append(s.refuse[path], refusals...)
}

// Pushed are the messages for an endpoint, as its browser has read them.
func (s *Service) Pushed(endpoint string) []Pushed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Pushed(nil), s.pushed[strings.TrimPrefix(endpoint, s.URL)]...)
}

// Faults are what was not as the RFCs have it.
func (s *Service) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.faults...)
}

// ServeHTTP takes a message.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	s.mu.Lock()
	defer s.mu.Unlock()
	browser := s.browsers[r.URL.Path]
	if err != nil || browser == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if refusals := s.refuse[r.URL.Path]; len(refusals) > 0 {
		s.refuse[r.URL.Path] = refusals[1:]
		if after := refusals[0].RetryAfter; after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)))
		}
		w.WriteHeader(refusals[0].Status)
		return
	}
	status, pushed, fault := s.judge(r, browser, body)
	if fault != nil {
		s.faults = append(s.faults, fault.Error())
		w.WriteHeader(status)
		return
	}
	s.pushed[r.URL.Path] = append(s.pushed[r.URL.Path], pushed)
	w.Header().Set("Location", s.URL+"/message/1")
	w.WriteHeader(http.StatusCreated)
}

func (s *Service) judge(r *http.Request, browser *Browser, body []byte) (int, Pushed, error) {
	pushed := Pushed{TTL: r.Header.Get("TTL"), Urgency: r.Header.Get("Urgency"), Topic: r.Header.Get("Topic")}
	if len(body) > 4096 {
		return http.StatusRequestEntityTooLarge, pushed, errors.New("it has more than 4,096 bytes")
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Encoding") != "aes128gcm" {
		return http.StatusBadRequest, pushed, errors.New("it is not encoded as aes128gcm")
	}
	if seconds, err := strconv.Atoi(pushed.TTL); err != nil || seconds < 0 {
		return http.StatusBadRequest, pushed, errors.New("it has no TTL")
	}
	if _, err := base64.RawURLEncoding.DecodeString(pushed.Topic); err != nil && pushed.Topic != "" || len(pushed.Topic) > 32 {
		return http.StatusBadRequest, pushed, errors.New("its topic is not one")
	}
	claims, err := Verify(r.Header.Get("Authorization"), s.Key(), s.Clock())
	if err == nil && claims.Audience != "http://"+r.Host {
		err = errors.New("its token is for another service")
	}
	if pushed.Claims = claims; err != nil {
		return http.StatusForbidden, pushed, err
	}
	pushed.Text, err = browser.Read(body)
	return http.StatusBadRequest, pushed, err
}
