package webpush

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Encoding is the content coding of what Encrypt writes.
const Encoding = "aes128gcm"

const (
	// recordSize is of the one record that there is: push services take no more (RFC 8291, 4).
	recordSize = 4096
	saltSize   = 16
	// AuthSize is how many bytes the secret of a browser has.
	AuthSize  = 16
	pointSize = 65 // a point of P-256 that is not compressed
	headSize  = saltSize + 4 + 1 + pointSize
	// MaxText is how long a text may be.
	MaxText = recordSize - headSize - aes.BlockSize - 1
)

// Keys are those of a browser's subscription.
type Keys struct {
	// P256dh is its public key, a point of P-256, and Auth a secret that it shares.
	P256dh, Auth []byte
}

// ErrKeys says that keys are not those of a subscription.
var ErrKeys = errors.New("the keys are not those of a push subscription")

// ParseKeys reads keys as a browser writes them, in base64url.
func ParseKeys(p256dh, auth string) (Keys, error) {
	var keys Keys
	var err error
	if keys.P256dh, err = decode(p256dh); err != nil {
		return Keys{}, ErrKeys
	}
	if keys.Auth, err = decode(auth); err != nil || len(keys.Auth) != AuthSize {
		return Keys{}, ErrKeys
	}
	if _, err := ecdh.P256().NewPublicKey(keys.P256dh); err != nil {
		return Keys{}, ErrKeys
	}
	return keys, nil
}

func decode(text string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
}

// Encrypt writes a text so that the browser with these keys alone can read it.
func Encrypt(to Keys, text []byte) ([]byte, error) {
	sender, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key for a push message: %w", err)
	}
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // It never fails.
	return encrypt(to, text, sender, salt)
}

func encrypt(to Keys, text []byte, sender *ecdh.PrivateKey, salt []byte) ([]byte, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("a push message has %d bytes; at most %d are taken", len(text), MaxText)
	}
	receiver, err := ecdh.P256().NewPublicKey(to.P256dh)
	if err != nil {
		return nil, ErrKeys
	}
	shared, err := sender.ECDH(receiver)
	if err != nil {
		return nil, ErrKeys
	}
	public := sender.PublicKey().Bytes()
	aead, nonce, err := derive(shared, to, public, salt)
	if err != nil {
		return nil, err
	}
	body := make([]byte, 0, headSize+len(text)+1+aead.Overhead())
	body = append(body, salt...)
	body = binary.BigEndian.AppendUint32(body, recordSize)
	body = append(body, pointSize)
	body = append(body, public...)
	padded := append(append(make([]byte, 0, len(text)+1), text...), 2) // 2 ends the last record
	return aead.Seal(body, nonce, padded, nil), nil
}

// derive makes the key and the nonce of the one record (RFC 8291, 3.3 and 3.4).
func derive(shared []byte, to Keys, public, salt []byte) (cipher.AEAD, []byte, error) {
	info := "WebPush: info\x00" + string(to.P256dh) + string(public)
	secret, err := hkdf.Key(sha256.New, shared, to.Auth, info, sha256.Size)
	if err != nil {
		return nil, nil, fmt.Errorf("derive the keys of a push message: %w", err)
	}
	key, err := hkdf.Key(sha256.New, secret, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, nil, fmt.Errorf("derive the keys of a push message: %w", err)
	}
	nonce, err := hkdf.Key(sha256.New, secret, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, nil, fmt.Errorf("derive the keys of a push message: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, fmt.Errorf("derive the keys of a push message: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	return aead, nonce, err
}
