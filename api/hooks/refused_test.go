package hooks

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"hash"
	"math/big"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// signer makes requests of a vendor as the vendor would.
type signer struct {
	provider Provider
	secrets  Secrets
	// sign returns a good request.
	sign func(t *testing.T, body []byte, at time.Time) *Request
	// other is the same with another key, weak with another algorithm.
	other, weak func(t *testing.T, body []byte, at time.Time) *Request
	// covers says that a changed body breaks the signature at once, and timed
	// that an old signature is refused.
	covers, timed bool
}

func header(pairs ...string) http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func mac(hash func() hash.Hash, key string, parts ...string) []byte {
	sum := hmac.New(hash, []byte(key))
	for _, part := range parts {
		sum.Write([]byte(part))
	}
	return sum.Sum(nil)
}

type hashed = func() hash.Hash

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

func signSendGrid(key *ecdsa.PrivateKey, hash crypto.Hash) func(*testing.T, []byte, time.Time) *Request {
	return func(t *testing.T, body []byte, at time.Time) *Request {
		sum := hash.New()
		sum.Write([]byte(seconds(at)))
		sum.Write(body)
		signature, err := ecdsa.SignASN1(rand.Reader, key, sum.Sum(nil))
		require.NoError(t, err)
		return &Request{Header: header(sendgridSignature, base64.StdEncoding.EncodeToString(signature), sendgridTimestamp, seconds(at)), Body: body}
	}
}

func publicText(t *testing.T, public any) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(der)
}

func signMailgun(key string, hash hashed) func(*testing.T, []byte, time.Time) *Request {
	return func(t *testing.T, body []byte, at time.Time) *Request {
		token := "token-" + seconds(at)
		var whole map[string]any
		require.NoError(t, json.Unmarshal(body, &whole))
		whole["signature"] = map[string]string{
			"timestamp": seconds(at), "token": token, "signature": hex.EncodeToString(mac(hash, key, seconds(at), token)),
		}
		raw, err := json.Marshal(whole)
		require.NoError(t, err)
		return &Request{Header: header(), Body: raw}
	}
}

func signStandard(key string, hash hashed, version string) func(*testing.T, []byte, time.Time) *Request {
	return func(t *testing.T, body []byte, at time.Time) *Request {
		signature := mac(hash, key, "msg_1.", seconds(at), ".", string(body))
		return &Request{Header: header("Webhook-Id", "msg_1", "Webhook-Timestamp", seconds(at),
			"Webhook-Signature", version+","+base64.StdEncoding.EncodeToString(signature)), Body: body}
	}
}

func signHubSpot(key string, hash hashed) func(*testing.T, []byte, time.Time) *Request {
	return func(_ *testing.T, body []byte, at time.Time) *Request {
		const url = "https://tidings.example/v1/hooks/hook_x"
		stamp := strconv.FormatInt(at.UnixMilli(), 10)
		signature := mac(hash, key, http.MethodPost, url, string(body), stamp)
		return &Request{URL: "http://tidings.example/v1/hooks/hook_x", Body: body, Header: header(
			"X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(signature), "X-HubSpot-Request-Timestamp", stamp)}
	}
}

func signGreenhouse(key string, hash hashed, scheme string) func(*testing.T, []byte, time.Time) *Request {
	return func(_ *testing.T, body []byte, _ time.Time) *Request {
		return &Request{Header: header("Signature", scheme+" "+hex.EncodeToString(mac(hash, key, string(body)))), Body: body}
	}
}

func signCalendly(key string, hash hashed) func(*testing.T, []byte, time.Time) *Request {
	return func(_ *testing.T, body []byte, at time.Time) *Request {
		signature := hex.EncodeToString(mac(hash, key, seconds(at), ".", string(body)))
		return &Request{Header: header("Calendly-Webhook-Signature", "t="+seconds(at)+",v1="+signature), Body: body}
	}
}

func withBasic(pair string) func(*testing.T, []byte, time.Time) *Request {
	return func(_ *testing.T, body []byte, _ time.Time) *Request {
		return &Request{
			Header: header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair))), Body: body,
			Remote: netip.MustParseAddr("3.134.147.250"),
		}
	}
}

const testTopic = "arn:aws:sns:eu-west-1:123456789012:mail"

func signSNS(key *rsa.PrivateKey, version string, hash crypto.Hash) func(*testing.T, []byte, time.Time) *Request {
	return func(t *testing.T, body []byte, at time.Time) *Request {
		m := map[string]string{
			"Type": "Notification", "MessageId": "m1", "TopicArn": testTopic, "Message": string(body),
			"Timestamp": at.UTC().Format(time.RFC3339), "SignatureVersion": version,
			"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/cert.pem",
		}
		raw, err := json.Marshal(m)
		require.NoError(t, err)
		envelope, err := readSNS(raw)
		require.NoError(t, err)
		sum := hash.New()
		sum.Write(envelope.signed())
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, hash, sum.Sum(nil))
		require.NoError(t, err)
		m["Signature"] = base64.StdEncoding.EncodeToString(signature)
		raw, err = json.Marshal(m)
		require.NoError(t, err)
		return &Request{Header: http.Header{"Content-Type": {"text/plain; charset=UTF-8"}}, Body: raw}
	}
}

// amazonWith answers with a certificate for a key.
func amazonWith(t *testing.T, key *rsa.PrivateKey) *http.Client {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"},
		NotBefore: today.AddDate(0, -1, 0), NotAfter: today.AddDate(0, 6, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return &http.Client{Transport: &amazon{cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}}
}

func signers(t *testing.T) map[string]signer {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	otherCurve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	amazons, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	others, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	standardKey := "whsec_" + base64.StdEncoding.EncodeToString([]byte("the secret of the sender"))
	all := New(amazonWith(t, amazons), nil).providers
	keys := func(keys ...string) Secrets { return Secrets{Keys: keys} }
	return map[string]signer{
		"sendgrid": {
			all["sendgrid"], keys(publicText(t, curve.Public())), signSendGrid(curve, crypto.SHA256),
			signSendGrid(otherCurve, crypto.SHA256), signSendGrid(curve, crypto.SHA512), true, true,
		},
		"mailgun": {all["mailgun"], keys("key"), signMailgun("key", sha256.New), signMailgun("other", sha256.New), signMailgun("key", sha1.New), false, true},
		"postmark": {
			all["postmark"],
			Secrets{Basic: []string{"tidings:secret"}, Addresses: []netip.Prefix{netip.MustParsePrefix("3.134.147.0/24")}},
			withBasic("tidings:secret"), withBasic("tidings:other"), func(t *testing.T, body []byte, at time.Time) *Request {
				r := withBasic("tidings:secret")(t, body, at)
				r.Header.Set("Authorization", "Bearer tidings:secret")
				return r
			}, false, false,
		},
		"ses 1": {all["ses"], keys(testTopic), signSNS(amazons, "1", crypto.SHA1), signSNS(others, "1", crypto.SHA1), signSNS(amazons, "1", crypto.SHA256), true, true},
		"ses 2": {all["ses"], keys(testTopic), signSNS(amazons, "2", crypto.SHA256), signSNS(others, "2", crypto.SHA256), signSNS(amazons, "2", crypto.SHA1), true, true},
		"resend": {
			all["resend"], keys("whsec_b2xk", standardKey), signStandard("the secret of the sender", sha256.New, "v1"),
			signStandard("another", sha256.New, "v1"), signStandard("the secret of the sender", sha512.New, "v1"), true, true,
		},
		"standard": {
			all["standard"], keys(standardKey), signStandard("the secret of the sender", sha256.New, "v1"),
			signStandard("another", sha256.New, "v1"), signStandard("the secret of the sender", sha256.New, "v2"), true, true,
		},
		"cloudevents": {
			all["cloudevents"], keys(standardKey), signStandard("the secret of the sender", sha256.New, "v1"),
			signStandard("another", sha256.New, "v1"), signStandard("the secret of the sender", sha1.New, "v1"), true, true,
		},
		"hubspot":    {all["hubspot"], keys("key"), signHubSpot("key", sha256.New), signHubSpot("other", sha256.New), signHubSpot("key", sha1.New), true, true},
		"greenhouse": {all["greenhouse"], keys("key"), signGreenhouse("key", sha256.New, "sha256"), signGreenhouse("other", sha256.New, "sha256"), signGreenhouse("key", sha1.New, "sha1"), true, false},
		"calendly":   {all["calendly"], keys("old", "key"), signCalendly("key", sha256.New), signCalendly("other", sha256.New), signCalendly("key", sha512.New), true, true},
	}
}

func TestOnlyWhatIsSignedRightIsBelieved(t *testing.T) {
	for name, s := range signers(t) {
		t.Run(name, func(t *testing.T) {
			body := s.provider.Sample().Body
			verify := func(r *Request, now time.Time) error { return s.provider.Verify(t.Context(), r, s.secrets, now) }
			require.Nil(t, s.provider.Check(s.secrets))
			good := s.sign(t, body, today)
			require.NoError(t, verify(good, today))
			require.NoError(t, verify(good, today), "the same request again is a retry")

			bare := &Request{URL: good.URL, Header: header(), Body: body, Remote: good.Remote}
			require.ErrorIs(t, verify(bare, today), Unsigned)
			require.ErrorIs(t, verify(s.other(t, body, today), today), Wrong, "another key")
			require.ErrorIs(t, verify(s.weak(t, body, today), today), event.ErrForbidden, "another algorithm")
			none := s.provider.Verify(t.Context(), good, Secrets{}, today)
			require.ErrorIs(t, none, event.ErrForbidden, "a source without secrets believes nobody")

			if s.covers {
				require.ErrorIs(t, verify(changed(good, good.Body[:len(good.Body)-2]), today), event.ErrForbidden, "truncated")
				longer := bytes.Replace(good.Body, []byte("jo@example.com"), []byte("ana@example.com"), 1)
				if bytes.Equal(longer, good.Body) {
					longer = append(bytes.Clone(good.Body), ' ', '1')
				}
				require.ErrorIs(t, verify(changed(good, longer), today), event.ErrForbidden, "changed")
				if !strings.HasPrefix(name, "ses") { // which signs the fields, however they are written
					again := bytes.Replace(good.Body, []byte(`":`), []byte(`": `), 1)
					require.ErrorIs(t, verify(changed(good, again), today), event.ErrForbidden, "re-encoded")
				}
			}
			if s.timed {
				require.ErrorIs(t, verify(good, today.Add(26*time.Hour)), event.ErrForbidden, "replayed later")
				require.ErrorIs(t, verify(s.sign(t, body, today.Add(time.Hour)), today), event.ErrForbidden, "signed in the future")
			}
		})
	}
}

func changed(r *Request, body []byte) *Request {
	return &Request{URL: r.URL, Header: r.Header, Body: body, Remote: r.Remote}
}

func TestPostmarkNeedsAllThatItsSourceAsksFor(t *testing.T) {
	s := signers(t)["postmark"]
	r := s.sign(t, []byte("{}"), today)
	r.Remote = netip.MustParseAddr("203.0.113.9")
	require.ErrorIs(t, s.provider.Verify(t.Context(), r, s.secrets, today), Elsewhere)
	require.NoError(t, s.provider.Verify(t.Context(), r, Secrets{Basic: s.secrets.Basic}, today))
	r = &Request{Header: header(), Remote: netip.MustParseAddr("3.134.147.1")}
	require.ErrorIs(t, s.provider.Verify(t.Context(), r, s.secrets, today), Unsigned)
	require.NoError(t, s.provider.Verify(t.Context(), r, Secrets{Addresses: s.secrets.Addresses}, today))
}

func TestAMailOfSendGridMayCarryBasicAuthenticationInstead(t *testing.T) {
	secrets := Secrets{Basic: []string{"parse:secret"}}
	mail := withBasic("parse:secret")(t, []byte("x"), today)
	mail.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	require.NoError(t, sendgrid{}.Verify(t.Context(), mail, secrets, today))
	events := withBasic("parse:secret")(t, []byte("[]"), today)
	require.ErrorIs(t, sendgrid{}.Verify(t.Context(), events, secrets, today), Unsigned, "events are signed always")
	mail.Header.Set(sendgridSignature, "AAAA")
	require.ErrorIs(t, sendgrid{}.Verify(t.Context(), mail, secrets, today), Wrong, "a wrong signature is not saved by a password")
}

func TestStandardWebhooksWithAPublicKey(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	secrets := Secrets{Keys: []string{"whpk_" + base64.StdEncoding.EncodeToString(public)}}
	require.Nil(t, standard{}.Check(secrets))
	signed := ed25519.Sign(private, []byte("msg_1."+seconds(today)+".{}"))
	r := &Request{Body: []byte("{}"), Header: header("Webhook-Id", "msg_1", "Webhook-Timestamp", seconds(today),
		"Webhook-Signature", "v1a,"+base64.StdEncoding.EncodeToString(signed))}
	require.NoError(t, standard{}.Verify(t.Context(), r, secrets, today))
	require.ErrorIs(t, standard{}.Verify(t.Context(), changed(r, []byte("[]")), secrets, today), Wrong)
	r.Header.Set("Webhook-Signature", strings.Replace(r.Header.Get("Webhook-Signature"), "v1a", "v1", 1))
	require.ErrorIs(t, standard{}.Verify(t.Context(), r, secrets, today), Wrong, "a public key is no shared secret")
}

func TestCloudEventsWithABearerToken(t *testing.T) {
	secrets := Secrets{Keys: []string{"a-token-that-is-long-enough", "whsec_dGhlIHNlY3JldA=="}}
	bearer := func(token string) *Request { return &Request{Header: header("Authorization", "Bearer "+token)} }
	require.NoError(t, cloudEvents{}.Verify(t.Context(), bearer("a-token-that-is-long-enough"), secrets, today))
	require.ErrorIs(t, cloudEvents{}.Verify(t.Context(), bearer("another"), secrets, today), Wrong)
	require.ErrorIs(t, cloudEvents{}.Verify(t.Context(), bearer("whsec_dGhlIHNlY3JldA=="), secrets, today), Wrong, "a signing secret is no token")
}

func TestSecretsThatCannotWorkAreRefusedByName(t *testing.T) {
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	all := New(nil, nil).providers
	for _, c := range []struct {
		name, provider string
		secrets        Secrets
		field          string
	}{
		{"none", "sendgrid", Secrets{}, "keys"},
		{"no key", "sendgrid", Secrets{Keys: []string{"nonsense"}}, "keys"},
		{"a key of RSA", "sendgrid", Secrets{Keys: []string{publicText(t, big.Public())}}, "keys"},
		{"another curve", "sendgrid", Secrets{Keys: []string{publicText(t, small.Public())}}, "keys"},
		{"addresses that are not looked at", "sendgrid", Secrets{Basic: []string{"a:b"}, Addresses: []netip.Prefix{{}}}, "addresses"},
		{"an empty key", "mailgun", Secrets{Keys: []string{""}}, "keys"},
		{"basic that is not looked at", "mailgun", Secrets{Keys: []string{"k"}, Basic: []string{"a:b"}}, "basic"},
		{"nothing at all", "postmark", Secrets{}, "basic"},
		{"no password", "postmark", Secrets{Basic: []string{"a:"}}, "basic"},
		{"keys that are not looked at", "postmark", Secrets{Basic: []string{"a:b"}, Keys: []string{"k"}}, "keys"},
		{"no topic", "ses", Secrets{Keys: []string{"topic"}}, "keys"},
		{"no base64", "resend", Secrets{Keys: []string{"whsec_!"}}, "keys"},
		{"a short public key", "standard", Secrets{Keys: []string{"whpk_AAAA"}}, "keys"},
		{"a short token", "cloudevents", Secrets{Keys: []string{"short"}}, "keys"},
		{"none", "hubspot", Secrets{}, "keys"},
		{"none", "greenhouse", Secrets{}, "keys"},
		{"none", "calendly", Secrets{}, "keys"},
	} {
		t.Run(c.provider+" "+c.name, func(t *testing.T) {
			err := all[c.provider].Check(c.secrets)
			require.NotNil(t, err)
			require.Equal(t, c.field, err.Field)
		})
	}
}
