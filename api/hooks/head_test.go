package hooks

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
