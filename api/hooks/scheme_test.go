package hooks

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func sumOf(hash func() hash.Hash, key, text string) []byte {
	sum := hmac.New(hash, []byte(key))
	sum.Write([]byte(text))
	return sum.Sum(nil)
}

func posted(contentType, body string, headers ...string) *Request {
	r := &Request{URL: "http://tidings.example/v1/hooks/x", Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body), Remote: netip.MustParseAddr("192.0.2.7")}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// TestVendorsAreBelievedByTheirSignatures signs a request as each vendor's
// documentation has it, and changes it.
func TestVendorsAreBelievedByTheirSignatures(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	require.NoError(t, err)
	sum := sha256.Sum256([]byte(`{"a":1}`))
	signed, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, sum[:])
	require.NoError(t, err)
	base64Of, hexOf := base64.StdEncoding.EncodeToString, hex.EncodeToString
	const body = `{"a":1}`
	for provider, c := range map[string]struct {
		request *Request
		secrets Secrets
	}{
		"mailersend": {posted("application/json", body, "Signature", hexOf(sumOf(sha256.New, "k", body))), Secrets{Keys: []string{"old", "k"}}},
		"calcom":     {posted("application/json", body, "X-Cal-Signature-256", hexOf(sumOf(sha256.New, "k", body))), Secrets{Keys: []string{"k"}}},
		"ashby":      {posted("application/json", body, "Ashby-Signature", "sha256="+hexOf(sumOf(sha256.New, "k", body))), Secrets{Keys: []string{"k"}}},
		"typeform":   {posted("application/json", body, "Typeform-Signature", "sha256="+base64Of(sumOf(sha256.New, "k", body))), Secrets{Keys: []string{"k"}}},
		"mandrill": {
			posted("application/x-www-form-urlencoded", "mandrill_events=%5B%5D&a=b", "X-Mandrill-Signature", base64Of(sumOf(sha1.New, "k", "https://tidings.example/v1/hooks/xabmandrill_events[]"))),
			Secrets{Keys: []string{"k"}},
		},
		"lever": {
			posted("application/json", `{"token":"t","triggeredAt":1763285400250,"signature":"`+hexOf(sumOf(sha256.New, "k", "t1763285400250"))+`"}`),
			Secrets{Keys: []string{"k"}},
		},
		"postal":    {posted("application/json", body, "X-Postal-Signature-256", base64Of(signed)), Secrets{Keys: []string{base64Of(public)}}},
		"pipedrive": {posted("application/json", body, "Authorization", "Basic "+base64Of([]byte("u:p"))), Secrets{Basic: []string{"u:p"}}},
		"brevo":     {posted("application/json", body, "Authorization", "Bearer k"), Secrets{Keys: []string{"k"}, Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}},
		"mailjet":   {posted("application/json", body, "Authorization", "Basic "+base64Of([]byte("u:p"))), Secrets{Basic: []string{"u:p"}}},
		"sparkpost": {posted("application/json", body), Secrets{Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")}}},
	} {
		p, ok := New(nil, nil).Provider(provider)
		require.True(t, ok)
		require.Nil(t, p.Check(c.secrets), provider)
		require.NoError(t, p.Verify(t.Context(), c.request, c.secrets, today), provider)
		require.NotNil(t, p.Check(Secrets{}), provider)
		others := Secrets{Keys: []string{"other"}, Basic: []string{"u:other"}, Addresses: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}
		require.Error(t, p.Verify(t.Context(), c.request, others, today), provider)
		bare := *c.request
		bare.Header, bare.Remote = http.Header{"Content-Type": c.request.Header["Content-Type"]}, netip.MustParseAddr("198.51.100.1")
		if provider != "lever" {
			require.Error(t, p.Verify(t.Context(), &bare, c.secrets, today), provider)
		}
		forged := *c.request
		forged.Body = append([]byte(" "), c.request.Body...)
		if _, bodySigned := c.request.Header["Authorization"]; !bodySigned && provider != "sparkpost" && provider != "lever" {
			require.ErrorIs(t, p.Verify(t.Context(), &forged, c.secrets, today), Wrong, provider)
		}
	}
}

func TestASchemeWithATime(t *testing.T) {
	s := Scheme{
		By: "hmac", Header: "X-Sig", Part: "v1", Timestamp: "t", Hash: "sha256", Encoding: "hex", Signed: "{timestamp}.{body}", Tolerance: 300,
	}
	require.Nil(t, s.check())
	at := seconds(today)
	r := posted("application/json", "{}", "X-Sig", "t="+at+",v1="+hex.EncodeToString(sumOf(sha256.New, "k", at+".{}")))
	secrets := Secrets{Keys: []string{"k"}}
	require.NoError(t, s.verify(r, secrets, today))
	require.ErrorIs(t, s.verify(r, secrets, today.Add(6*time.Minute)), Stale)
	require.ErrorIs(t, s.verify(r, secrets, today.Add(-6*time.Minute)), Stale)
	require.NoError(t, Scheme{By: "path"}.verify(posted("application/json", "{}"), Secrets{}, today))
	for name, wrong := range map[string]Scheme{
		"none": {}, "no header": {By: "hmac", Encoding: "hex"}, "hash": {By: "hmac", Header: "X", Hash: "md5", Encoding: "hex"},
		"encoding": {By: "hmac", Header: "X"}, "nothing signed": {By: "hmac", Header: "X", Encoding: "hex", Signed: "abc"},
		"what is signed": {By: "hmac", Header: "X", Encoding: "hex", Signed: "{secret}"}, "no time": {By: "hmac", Header: "X", Encoding: "hex", Tolerance: 9},
		"too long": {By: "path", Tolerance: 1 << 20},
	} {
		require.NotNil(t, wrong.check(), name)
	}
}
