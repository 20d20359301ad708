//go:build !race

package hooks

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/api/hooks/mapping"
	"tidings/event"
)

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
