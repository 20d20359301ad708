package webpush

import (
	"crypto/ecdh"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/deliver/webpush/webpushtest"
)

func bytesOf(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := decode(text)
	require.NoError(t, err)
	return raw
}

// The example of RFC 8291, section 5 and appendix A.
func TestTheExampleOfTheRFCIsWrittenAsThere(t *testing.T) {
	keys, err := ParseKeys("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "BTBZMqHH6r4Tts7J_aSIgg")
	require.NoError(t, err)
	sender, err := ecdh.P256().NewPrivateKey(bytesOf(t, "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
	require.NoError(t, err)
	text := "When I grow up, I want to be a watermelon"
	body, err := encrypt(keys, []byte(text), sender, bytesOf(t, "DGv6ra1nlYgDCS1FRnbzlw"))
	require.NoError(t, err)
	require.Equal(t, "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"+
		"yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN", base64.RawURLEncoding.EncodeToString(body))

	browser, err := webpushtest.BrowserOf(bytesOf(t, "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), keys.Auth)
	require.NoError(t, err)
	read, err := browser.Read(body)
	require.NoError(t, err)
	require.Equal(t, text, string(read))
}

func TestWhatIsWrittenTheBrowserAloneReads(t *testing.T) {
	browser, other := webpushtest.NewBrowser(t), webpushtest.NewBrowser(t)
	keys, err := ParseKeys(browser.P256dh(), browser.Auth())
	require.NoError(t, err)
	for _, text := range []string{"", "Jo opened “Pricing”", strings.Repeat("ü", MaxText/2)} {
		body, err := Encrypt(keys, []byte(text))
		require.NoError(t, err)
		require.LessOrEqual(t, len(body), 4096)
		read, err := browser.Read(body)
		require.NoError(t, err)
		require.Equal(t, text, string(read))
		_, err = other.Read(body)
		require.Error(t, err)
		body[len(body)-1] ^= 1
		_, err = browser.Read(body)
		require.Error(t, err)
	}
	_, err = Encrypt(keys, make([]byte, MaxText+1))
	require.Error(t, err)
}

func TestKeysThatAreNone(t *testing.T) {
	browser := webpushtest.NewBrowser(t)
	for name, keys := range map[string][2]string{
		"no key": {"", browser.Auth()}, "no secret": {browser.P256dh(), ""}, "a short secret": {browser.P256dh(), "AAAA"},
		"no point": {base64.RawURLEncoding.EncodeToString(append([]byte{4}, make([]byte, 64)...)), browser.Auth()}, "no base64": {"§", browser.Auth()},
	} {
		_, err := ParseKeys(keys[0], keys[1])
		require.ErrorIs(t, err, ErrKeys, name)
	}
	// Some browsers pad.
	_, err := ParseKeys(browser.P256dh()+"=", browser.Auth()+"==")
	require.NoError(t, err)
}

func TestTheHeaderSaysWhoSendsAndToWhom(t *testing.T) {
	key, err := NewKey()
	require.NoError(t, err)
	raw, err := key.Bytes()
	require.NoError(t, err)
	again, err := ParseKey(raw)
	require.NoError(t, err)
	require.Equal(t, key.Public(), again.Public())
	now := time.Unix(1_800_000_000, 0)
	header, err := again.Authorization("https://push.example:8443/send/abc", "mailto:ops@example.com", now)
	require.NoError(t, err)
	claims, err := webpushtest.Verify(header, key.Public(), now)
	require.NoError(t, err)
	require.Equal(t, webpushtest.Claims{Audience: "https://push.example:8443", Expires: now.Add(12 * time.Hour).Unix(), Subject: "mailto:ops@example.com"}, claims)
	another, err := NewKey()
	require.NoError(t, err)
	_, err = webpushtest.Verify(header, another.Public(), now)
	require.Error(t, err)
}

func TestWhomPushServicesTurnTo(t *testing.T) {
	for _, c := range []struct{ page, mail, want string }{
		{"https://tidings.example.com/", "ops@example.com", "https://tidings.example.com"},
		{"http://127.0.0.1:8080", "ops@example.com", "mailto:ops@example.com"},
		{"https://localhost", "tidings@localhost", ""},
		{"", "", ""},
	} {
		require.Equal(t, c.want, Subject(c.page, c.mail), "%+v", c)
	}
}
