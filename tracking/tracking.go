// Package tracking makes and reads the addresses of a tracking server of one's
// own: of the picture that says that a mail was opened, of links that lead on
// past a click, and of unsubscribing. What an address stands for is inside of it,
// signed, and hidden from those who see it on its way: nobody can make one that
// leads elsewhere, or read whom it was written to.
package tracking

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"tidings/event"
)

// Kind is what an address is for.
type Kind byte

// The kinds, as they stand in a path: /t/o/….
const (
	Open        Kind = 'o'
	Click       Kind = 'c'
	Unsubscribe Kind = 'u'
	// Notices ends the notification mails of a kind: Message is the kind, User whose they
	// are, and Recipient the same.
	Notices Kind = 'n'
)

// Bounds of what an address may hold, in bytes.
const (
	MaxLink    = 4096
	maxMessage = 2000
	maxAddress = 320
	maxUser    = 200
	// MaxToken bounds the text of a token: more than any that Seal makes.
	MaxToken = 10_000
)

// Token is what an address stands for. Its workspace is its key's.
type Token struct {
	Kind Kind
	// Message and User are as on events, Recipient is a mail address.
	Message, User, Recipient string
	// Link is where a click leads, on Click alone.
	Link string
}

// Sizes of a sealed token's parts.
const (
	idLen  = 8
	macLen = 16
)

// ErrToken is a text that is no token of the key: cut, changed, made up, or of
// another kind.
var ErrToken = errors.New("is not an address that was made here")

// Key seals and opens tokens of one workspace. It is safe for concurrent use.
type Key struct {
	id    [idLen]byte
	mac   []byte
	block cipher.Block
}

// KeyID is what a text names its key by.
type KeyID [idLen]byte

// NewKey makes a key from its name and 32 secret bytes.
func NewKey(id KeyID, secret []byte) (*Key, error) {
	if len(secret) < 32 {
		return nil, fmt.Errorf("a tracking key of %d bytes: %w", len(secret), event.ErrInvalid)
	}
	mac, err := hkdf.Key(sha256.New, secret, nil, "tidings tracking: sign", 32)
	if err != nil {
		return nil, fmt.Errorf("derive a tracking key: %w", err)
	}
	hide, err := hkdf.Key(sha256.New, secret, nil, "tidings tracking: hide", 32)
	if err != nil {
		return nil, fmt.Errorf("derive a tracking key: %w", err)
	}
	block, err := aes.NewCipher(hide)
	if err != nil {
		return nil, fmt.Errorf("derive a tracking key: %w", err)
	}
	return &Key{id, mac, block}, nil
}

// Seal writes a token. The same token gives the same text. The text is the key's
// name, an HMAC-SHA256 of everything, and the rest encrypted with AES-CTR whose
// start is the HMAC: the construction of SIV (Rogaway and Shrimpton, 2006).
func (k *Key) Seal(t Token) (string, error) {
	if err := t.check(); err != nil {
		return "", err
	}
	plain := []byte{byte(t.Kind)}
	for _, text := range []string{t.Message, t.User, t.Recipient, t.Link} {
		plain = binary.AppendUvarint(plain, uint64(len(text)))
		plain = append(plain, text...)
	}
	mac := k.sum(plain)
	sealed := make([]byte, idLen+macLen+len(plain))
	copy(sealed, k.id[:])
	copy(sealed[idLen:], mac)
	cipher.NewCTR(k.block, mac).XORKeyStream(sealed[idLen+macLen:], plain)
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open reads a token of a kind. The error is ErrToken.
func (k *Key) Open(text string, kind Kind) (Token, error) {
	sealed, err := decode(text)
	if err != nil || KeyID(sealed[:idLen]) != k.id {
		return Token{}, ErrToken
	}
	mac := sealed[idLen : idLen+macLen]
	plain := make([]byte, len(sealed)-idLen-macLen)
	cipher.NewCTR(k.block, mac).XORKeyStream(plain, sealed[idLen+macLen:])
	if !hmac.Equal(mac, k.sum(plain)) || len(plain) == 0 || Kind(plain[0]) != kind {
		return Token{}, ErrToken
	}
	t := Token{Kind: kind}
	rest := plain[1:]
	for _, into := range []*string{&t.Message, &t.User, &t.Recipient, &t.Link} {
		length, n := binary.Uvarint(rest)
		if n <= 0 || length > uint64(len(rest)-n) {
			return Token{}, ErrToken
		}
		*into, rest = string(rest[n:n+int(length)]), rest[n+int(length):]
	}
	if len(rest) > 0 || t.check() != nil {
		return Token{}, ErrToken
	}
	return t, nil
}

// IDOf is the name of the key that a text was sealed with. It says nothing of
// whether it was.
func IDOf(text string) (KeyID, error) {
	sealed, err := decode(text)
	if err != nil {
		return KeyID{}, err
	}
	return KeyID(sealed[:idLen]), nil
}

func decode(text string) ([]byte, error) {
	if len(text) > MaxToken {
		return nil, ErrToken
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(sealed) < idLen+macLen {
		return nil, ErrToken
	}
	return sealed, nil
}

func (k *Key) sum(plain []byte) []byte {
	mac := hmac.New(sha256.New, k.mac)
	mac.Write(k.id[:])
	mac.Write(plain)
	return mac.Sum(nil)[:macLen]
}

// check refuses what no address may stand for.
func (t Token) check() error {
	for _, text := range []struct {
		field, value string
		most         int
		needed       bool
	}{
		{"message", t.Message, maxMessage, true},
		{"user", t.User, maxUser, false},
		{"recipient", t.Recipient, maxAddress, true},
		{"link", t.Link, MaxLink, t.Kind == Click},
	} {
		switch {
		case text.needed && text.value == "":
			return event.Invalid(text.field, "is required")
		case len(text.value) > text.most:
			return event.Invalid(text.field, fmt.Sprintf("has %d bytes; at most %d are taken", len(text.value), text.most))
		case !utf8.ValidString(text.value) || strings.ContainsFunc(text.value, isControl):
			return event.Invalid(text.field, "holds a control character or is not valid UTF-8")
		}
	}
	switch {
	case t.Kind != Open && t.Kind != Click && t.Kind != Unsubscribe && t.Kind != Notices:
		return event.Invalid("kind", "is not one of the kinds")
	case t.Kind != Click && t.Link != "":
		return event.Invalid("link", "belongs on a click")
	case t.Kind == Click:
		return checkLink(t.Link)
	}
	return nil
}

// checkLink takes addresses of the web alone: nothing that a browser would run.
func checkLink(link string) error {
	parsed, err := url.Parse(link)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return event.Invalid("link", "is not an address that begins with http:// or https://")
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// GIF is a picture of one transparent pixel, in 43 bytes.
func GIF() []byte {
	return []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x21\xf9\x04\x01\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b")
}
