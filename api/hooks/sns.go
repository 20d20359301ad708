package hooks

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" // version 1 of the signatures is made with it
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/api/hooks/mapping"
	"tidings/event"
)

// snsWindow is how long Amazon SNS tries a message (an hour), and more.
const snsWindow = 2 * time.Hour

// snsMessage is the envelope of Amazon SNS.
// https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html
type snsMessage struct {
	Type         string  `json:"Type"`
	MessageID    string  `json:"MessageId"`
	Topic        string  `json:"TopicArn"`
	Subject      *string `json:"Subject"`
	Message      string  `json:"Message"`
	Timestamp    string  `json:"Timestamp"`
	Token        string  `json:"Token"`
	SubscribeURL string  `json:"SubscribeURL"`
	Version      string  `json:"SignatureVersion"`
	Signature    string  `json:"Signature"`
	CertURL      string  `json:"SigningCertURL"`
}

// readSNS reads the envelope. Each of its fields is signed or decides how, so a
// name given twice is refused.
func readSNS(body []byte) (snsMessage, error) {
	var m snsMessage
	if err := mapping.CheckTokens(body); err != nil {
		return m, err
	}
	if err := jsonv2.Unmarshal(body, &m, unique()); err != nil {
		return m, invalid(err)
	}
	return m, nil
}

// signed is the text that the signature covers: names and values in the order
// of the names, the subject only where there is one.
func (m snsMessage) signed() []byte {
	pairs := []string{"Message", m.Message, "MessageId", m.MessageID}
	if m.Type == "Notification" {
		if m.Subject != nil {
			pairs = append(pairs, "Subject", *m.Subject)
		}
	} else {
		pairs = append(pairs, "SubscribeURL", m.SubscribeURL)
	}
	pairs = append(pairs, "Timestamp", m.Timestamp)
	if m.Type != "Notification" {
		pairs = append(pairs, "Token", m.Token)
	}
	pairs = append(pairs, "TopicArn", m.Topic, "Type", m.Type)
	return []byte(strings.Join(pairs, "\n") + "\n")
}

// snsVerifier verifies messages by Amazon's certificates, which it fetches and
// keeps.
type snsVerifier struct {
	client *http.Client

	// mu lets one certificate be fetched at a time.
	mu    sync.Mutex
	certs *lru.Cache[string, snsCert]
}

// snsCert is a certificate, or that there was none at an address a while ago.
type snsCert struct {
	cert    *x509.Certificate
	fetched time.Time
}

// Bounds of the certificates that are kept.
const (
	certsKept = 64
	// missingKept is how long an address without a certificate is not asked
	// again.
	missingKept = time.Minute
)

// maxCertificate is what is read of a certificate.
const maxCertificate = 64 << 10

func newSNSVerifier(client *http.Client) *snsVerifier {
	certs, _ := lru.New[string, snsCert](certsKept) // fails on a size below one alone
	return &snsVerifier{client: client, certs: certs}
}

// verify checks that Amazon signed the message, for one of the topics.
func (v *snsVerifier) verify(ctx context.Context, m snsMessage, topics []string, now time.Time) error {
	if m.Signature == "" || m.CertURL == "" {
		return Unsigned
	}
	if !slices.Contains(topics, m.Topic) {
		return Wrong
	}
	if err := v.checkSignature(ctx, m, now); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, m.Timestamp)
	if err != nil {
		return Stale
	}
	return fresh(at, now, snsWindow)
}

func (v *snsVerifier) checkSignature(ctx context.Context, m snsMessage, now time.Time) error {
	signature, err := base64.StdEncoding.DecodeString(m.Signature)
	if err != nil {
		return Wrong
	}
	var hash crypto.Hash
	var sum []byte
	switch m.Version {
	case "1":
		digest := sha1.Sum(m.signed())
		hash, sum = crypto.SHA1, digest[:]
	case "2":
		digest := sha256.Sum256(m.signed())
		hash, sum = crypto.SHA256, digest[:]
	default:
		return Wrong
	}
	cert, err := v.certificate(ctx, m.CertURL, now)
	if err != nil {
		return err
	}
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || now.Before(cert.NotBefore) || now.After(cert.NotAfter) || rsa.VerifyPKCS1v15(public, hash, sum, signature) != nil {
		return Wrong
	}
	return nil
}

// amazonHost are the hosts of Amazon SNS, one a region.
var amazonHost = regexp.MustCompile(`^sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?$`)

// amazonURL reports whether an address is one of Amazon SNS.
func amazonURL(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Opaque != "" || u.Fragment != "" || !amazonHost.MatchString(u.Host) {
		return nil, false
	}
	return u, true
}

// certificate returns the certificate at an address of Amazon SNS.
func (v *snsVerifier) certificate(ctx context.Context, address string, now time.Time) (*x509.Certificate, error) {
	u, ok := amazonURL(address)
	if !ok || !strings.HasSuffix(u.Path, ".pem") || u.RawQuery != "" {
		return nil, Wrong
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if known, ok := v.certs.Get(u.String()); ok {
		switch {
		case known.cert != nil:
			return known.cert, nil
		case now.Sub(known.fetched) < missingKept:
			return nil, Wrong
		}
	}
	body, err := v.get(ctx, u)
	if errors.Is(err, event.ErrNotFound) {
		v.certs.Add(u.String(), snsCert{fetched: now})
		return nil, Wrong
	}
	if err != nil {
		return nil, fmt.Errorf("fetch Amazon's certificate: %w", err)
	}
	block, _ := pem.Decode(body)
	if block == nil {
		return nil, Wrong
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, Wrong
	}
	v.certs.Add(u.String(), snsCert{cert: cert, fetched: now})
	return cert, nil
}

// get asks Amazon. ErrNotFound is a refusal, ErrUnavailable may pass.
func (v *snsVerifier) get(ctx context.Context, u *url.URL) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask Amazon: %w", err)
	}
	response, err := v.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask Amazon: %w: %w", event.ErrUnavailable, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxCertificate))
	switch {
	case err != nil || response.StatusCode >= http.StatusInternalServerError:
		return nil, fmt.Errorf("ask Amazon: answered %d: %w", response.StatusCode, event.ErrUnavailable)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("ask Amazon: answered %d: %w", response.StatusCode, event.ErrNotFound)
	}
	return body, nil
}

// confirm makes the subscription that a message asks for.
func (v *snsVerifier) confirm(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		u, ok := amazonURL(address)
		if !ok {
			return event.Invalid("SubscribeURL", "is not an address of Amazon SNS")
		}
		if _, err := v.get(ctx, u); err != nil {
			return fmt.Errorf("confirm subscription: %w", err)
		}
		return nil
	}
}
