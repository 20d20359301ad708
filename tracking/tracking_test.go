package tracking_test

import (
	"bytes"
	"encoding/base64"
	"image/gif"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/tracking"
)

func key(t testing.TB, id byte, secret string) *tracking.Key {
	t.Helper()
	k, err := tracking.NewKey(tracking.KeyID{id}, []byte(strings.Repeat(secret, 32)))
	require.NoError(t, err)
	return k
}

var click = tracking.Token{
	Kind: tracking.Click, Message: "m-1", User: "u_ana", Recipient: "jo@acme.example", Link: "https://example.com/pricing?a=1&b=2#top",
}

func TestATokenIsReadAsItWasWritten(t *testing.T) {
	k := key(t, 1, "s")
	text := rapid.StringMatching(`[ -~äé会]{1,60}`)
	rapid.Check(t, func(t *rapid.T) {
		token := tracking.Token{
			Kind:    rapid.SampledFrom([]tracking.Kind{tracking.Open, tracking.Click, tracking.Unsubscribe}).Draw(t, "kind"),
			Message: text.Draw(t, "message"), User: text.Draw(t, "user"), Recipient: text.Draw(t, "recipient"),
		}
		if token.Kind == tracking.Click {
			token.Link = "https://example.com/" + rapid.StringMatching(`[a-z0-9/?=&]{0,500}`).Draw(t, "link")
		}
		sealed, err := k.Seal(token)
		require.NoError(t, err)
		require.NotContains(t, sealed, "/")
		opened, err := k.Open(sealed, token.Kind)
		require.NoError(t, err)
		require.Equal(t, token, opened)
		again, err := k.Seal(token)
		require.NoError(t, err)
		require.Equal(t, sealed, again, "the same token gives the same address")
	})
}

func TestATokenThatWasNotMadeHereIsRefused(t *testing.T) {
	k := key(t, 1, "s")
	sealed, err := k.Seal(click)
	require.NoError(t, err)
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	require.NoError(t, err)
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1
		_, err := k.Open(base64.RawURLEncoding.EncodeToString(changed), tracking.Click)
		require.ErrorIs(t, err, tracking.ErrToken, "byte %d changed", i)
		_, err = k.Open(base64.RawURLEncoding.EncodeToString(raw[:i]), tracking.Click)
		require.ErrorIs(t, err, tracking.ErrToken, "cut at %d", i)
	}
	for name, open := range map[string]func() (tracking.Token, error){
		"another kind":       func() (tracking.Token, error) { return k.Open(sealed, tracking.Open) },
		"another secret":     func() (tracking.Token, error) { return key(t, 1, "x").Open(sealed, tracking.Click) },
		"another key's name": func() (tracking.Token, error) { return key(t, 2, "s").Open(sealed, tracking.Click) },
		"more behind":        func() (tracking.Token, error) { return k.Open(sealed+"AAAA", tracking.Click) },
		"padding":            func() (tracking.Token, error) { return k.Open(sealed+"=", tracking.Click) },
		"far too long": func() (tracking.Token, error) {
			return k.Open(strings.Repeat("A", tracking.MaxToken+4), tracking.Click)
		},
	} {
		_, err := open()
		require.ErrorIs(t, err, tracking.ErrToken, name)
	}
	id, err := tracking.IDOf(sealed)
	require.NoError(t, err)
	require.Equal(t, tracking.KeyID{1}, id)
}

func TestATokenTellsNothing(t *testing.T) {
	sealed, err := key(t, 1, "s").Seal(click)
	require.NoError(t, err)
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	require.NoError(t, err)
	for _, secret := range []string{"jo@", "acme", "example.com", "u_ana"} {
		require.NotContains(t, string(raw), secret)
	}
}

func TestWhatNoAddressMayStandFor(t *testing.T) {
	k := key(t, 1, "s")
	for name, c := range map[string]struct {
		change func(*tracking.Token)
		field  string
	}{
		"no message":        {func(t *tracking.Token) { t.Message = "" }, "message"},
		"no recipient":      {func(t *tracking.Token) { t.Recipient = "" }, "recipient"},
		"no link":           {func(t *tracking.Token) { t.Link = "" }, "link"},
		"a script":          {func(t *tracking.Token) { t.Link = "javascript:alert(1)" }, "link"},
		"data":              {func(t *tracking.Token) { t.Link = "data:text/html,x" }, "link"},
		"no scheme":         {func(t *tracking.Token) { t.Link = "//example.com/" }, "link"},
		"no host":           {func(t *tracking.Token) { t.Link = "https:///x" }, "link"},
		"a header in it":    {func(t *tracking.Token) { t.Link = "https://example.com/\r\nSet-Cookie: a=b" }, "link"},
		"a long link":       {func(t *tracking.Token) { t.Link = "https://example.com/" + strings.Repeat("x", tracking.MaxLink) }, "link"},
		"a link on an open": {func(t *tracking.Token) { t.Kind = tracking.Open }, "link"},
		"another kind":      {func(t *tracking.Token) { t.Kind, t.Link = 'x', "" }, "kind"},
	} {
		token := click
		c.change(&token)
		_, err := k.Seal(token)
		var field *event.FieldError
		require.ErrorAs(t, err, &field, name)
		require.Equal(t, c.field, field.Field, name)
	}
	_, err := tracking.NewKey(tracking.KeyID{}, []byte("short"))
	require.ErrorIs(t, err, event.ErrInvalid)
}

func TestTheLongestTokenFits(t *testing.T) {
	token := click
	token.Link = "https://example.com/" + strings.Repeat("x", tracking.MaxLink-20)
	token.Message, token.User = strings.Repeat("m", 2000), strings.Repeat("u", 200)
	token.Recipient = strings.Repeat("r", 320)
	k := key(t, 1, "s")
	sealed, err := k.Seal(token)
	require.NoError(t, err)
	opened, err := k.Open(sealed, tracking.Click)
	require.NoError(t, err)
	require.Equal(t, token, opened)
}

func TestThePictureIsOneTransparentPixel(t *testing.T) {
	require.Len(t, tracking.GIF(), 43)
	picture, err := gif.Decode(bytes.NewReader(tracking.GIF()))
	require.NoError(t, err)
	require.Equal(t, 1, picture.Bounds().Dx()*picture.Bounds().Dy())
	_, _, _, alpha := picture.At(0, 0).RGBA()
	require.Zero(t, alpha)
}

func FuzzOpen(f *testing.F) {
	k := key(f, 1, "s")
	sealed, err := k.Seal(click)
	require.NoError(f, err)
	f.Add(sealed, byte('c'))
	f.Add("", byte('o'))
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", byte('u'))
	f.Fuzz(func(t *testing.T, text string, kind byte) {
		token, err := k.Open(text, tracking.Kind(kind))
		if err != nil {
			require.ErrorIs(t, err, tracking.ErrToken)
			return
		}
		again, err := k.Seal(token)
		require.NoError(t, err)
		require.Equal(t, text, again, "one token has one text")
	})
}
