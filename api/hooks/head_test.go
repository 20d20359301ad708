package hooks

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/api/hooks/mapping"
	"tidings/event"
)

// inBody are the providers whose signatures stand in the body.
var inBody = []string{"ses", "mailgun", "lever"}

// Whoever sends no signature, or credentials that are not the source's, is refused before
// the body comes; whoever sends good ones is not.
func TestTheHeadAloneRefusesWhoIsNotSigned(t *testing.T) {
	for name, s := range signers(t) {
		t.Run(name, func(t *testing.T) {
			good := s.sign(t, s.provider.Sample().Body, today)
			good.Body = nil
			require.NoError(t, VerifyHead(s.provider, good, s.secrets, today))
			bare := &Request{URL: good.URL, Header: header(), Remote: good.Remote}
			err := VerifyHead(s.provider, bare, s.secrets, today)
			if slices.ContainsFunc(inBody, func(of string) bool { return strings.HasPrefix(name, of) }) {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, event.ErrForbidden)
		})
	}
	for _, vendor := range []string{"ashby", "brevo", "calcom", "mailersend", "mailjet", "mandrill", "pipedrive", "postal", "sparkpost", "typeform"} {
		p, known := New(nil, nil).Provider(vendor)
		require.True(t, known)
		err := VerifyHead(p, posted("application/json", ""), Secrets{Keys: []string{"k"}, Basic: []string{"u:p"}}, today)
		require.ErrorIs(t, err, event.ErrForbidden, vendor)
	}
}

// Each signature that is tried may cost a reading of the whole body.
func TestFewSignaturesOfARequestAreTried(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	at := seconds(today)
	plain := "msg_1." + at + ".{}"
	coded := base64.StdEncoding.EncodeToString
	for name, c := range map[string]struct {
		key, good, wrong string
	}{
		"a shared secret": {"whsec_" + coded([]byte("secret")), "v1," + coded(sumOf(sha256.New, "secret", plain)), "v1," + coded(make([]byte, sha256.Size))},
		"a public key":    {"whpk_" + coded(public), "v1a," + coded(ed25519.Sign(private, []byte(plain))), "v1a," + coded(make([]byte, ed25519.SignatureSize))},
	} {
		verify := func(wrong int) error {
			given := strings.Repeat(c.wrong+" ", wrong) + c.good
			r := &Request{Body: []byte("{}"), Header: header("Webhook-Id", "msg_1", "Webhook-Timestamp", at, "Webhook-Signature", given)}
			return standard{}.Verify(t.Context(), r, Secrets{Keys: []string{c.key}}, today)
		}
		require.NoError(t, verify(3), name)
		require.ErrorIs(t, verify(500), Wrong, name)
	}
	verify := func(wrong int) error {
		given := "t=" + at + strings.Repeat(",v1="+strings.Repeat("0", 64), wrong) + ",v1=" + hex.EncodeToString(sumOf(sha256.New, "key", at+".{}"))
		r := &Request{Body: []byte("{}"), Header: header("Calendly-Webhook-Signature", given)}
		return calendly{}.Verify(t.Context(), r, Secrets{Keys: []string{"key"}}, today)
	}
	require.NoError(t, verify(3))
	require.ErrorIs(t, verify(500), Wrong)
	require.NotNil(t, Scheme{By: "hmac", Header: "X", Encoding: "hex", Signed: strings.Repeat("{body}", 11)}.check())
}

// What nobody has signed costs no more than the three times its size that are kept for it:
// its own bytes, and twice them to find out.
func TestVerifyingTakesLittleBesideTheBody(t *testing.T) {
	const size = 3 << 20
	repeat := func(before, part, after string) []byte {
		return []byte(before + strings.Repeat(part, size/len(part)) + after)
	}
	bodies := map[string]struct {
		kind string
		body []byte
	}{
		"one text":            {"application/json", repeat(`{"a":"`, "x", `"}`)},
		"members":             {"application/json", repeat(`{`, `"abc":0,"bcd":1,`, `"signature":"00"}`)},
		"members of the kind": {"application/json", repeat(`{`, `"token":0,"triggeredAt":1,`, `"signature":"00"}`)},
		"a list":              {"application/json", repeat(`[`, `{},`, `{}]`)},
		"deep":                {"application/json", repeat(``, `[`, ``)},
		"escapes":             {"application/json", repeat(`{"signature":"`, `\u0000`, `"}`)},
		"fields":              {"application/x-www-form-urlencoded", repeat(``, `a&b=&`, `c`)},
		"a field":             {"application/x-www-form-urlencoded", repeat(`signature=`, `%00`, ``)},
		"parts":               {"multipart/form-data; boundary=b", repeat("", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\x01\r\n", "--b--")},
		"a part":              {"multipart/form-data; boundary=b", repeat("--b\r\nContent-Disposition: form-data; name=\"signature\"\r\n\r\n", "\x01", "\r\n--b--")},
	}
	in := func(of string) *mapped {
		return mappedOf(Scheme{By: "hmac", Member: "signature", Hash: "sha256", Encoding: "hex", Signed: of}, mapping.Mapping{}, jsonSample())
	}
	providers := map[string]Provider{
		"a member of the body": in("{body.token}{body.triggeredAt}{body}"),
		"a signed address":     mappedOf(Scheme{By: "hmac", Header: "X-Signature", Hash: "sha256", Encoding: "hex", Signed: "{url}{body}"}, mapping.Mapping{}, jsonSample()),
		"a signed form":        mappedOf(Scheme{By: "hmac", Header: "X-Signature", Hash: "sha256", Encoding: "hex", Signed: "{url}{form}"}, mapping.Mapping{}, jsonSample()),
	}
	all := New(nil, nil)
	for _, name := range []string{"standard", "mailgun", "ses", "lever", "mandrill", "hubspot", "calendly"} {
		providers[name], _ = all.Provider(name)
	}
	head := http.Header{
		"X-Signature": {hex.EncodeToString(make([]byte, sha256.Size))}, "Webhook-Id": {"1"}, "Webhook-Timestamp": {seconds(today)},
		"Webhook-Signature":      {strings.Repeat("v1,"+base64.StdEncoding.EncodeToString(make([]byte, sha256.Size))+" ", 100)},
		"X-Mandrill-Signature":   {base64.StdEncoding.EncodeToString(make([]byte, 20))},
		"X-Hubspot-Signature-V3": {base64.StdEncoding.EncodeToString(make([]byte, sha256.Size))}, "X-Hubspot-Request-Timestamp": {seconds(today) + "000"},
		"Calendly-Webhook-Signature": {"t=" + seconds(today) + ",v1=" + strings.Repeat("0", 64)},
	}
	for name, p := range providers {
		for kind, c := range bodies {
			r := &Request{URL: "https://x.example/v1/hooks/t", Header: head.Clone(), Body: bytes.Clone(c.body)}
			r.Header.Set("Content-Type", c.kind)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := p.Verify(t.Context(), r, Secrets{Keys: []string{"one", "another"}}, today)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, event.ErrForbidden, "%s: %s", name, kind)
			require.Less(t, float64(after.TotalAlloc-before.TotalAlloc)/float64(len(c.body)), 2.5*allocated, "%s: %s", name, kind)
		}
	}
}
