package hooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tidings/event"
)

// Bounds of how old a signature may be.
const (
	// skew is how far two clocks may be apart, and how old a signature may be
	// where the vendor signs each try anew.
	skew = 5 * time.Minute
	// maxSecret bounds a secret that a source is given.
	maxSecret = 4096
	// maxSignatures is how many signatures of one request are tried: as many as a sender
	// has keys while one is replaced. Each may cost a reading of the whole body.
	maxSignatures = 16
)

// fresh refuses what was signed longer ago than most, or in the future.
func fresh(signed, now time.Time, most time.Duration) error {
	if signed.Before(now.Add(-most)) || signed.After(now.Add(skew)) {
		return Stale
	}
	return nil
}

// freshSeconds is fresh for a header of Unix seconds.
func freshSeconds(text string, now time.Time, most time.Duration) error {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > maxInstant {
		return Stale
	}
	return fresh(time.Unix(seconds, 0), now, most)
}

// hmacSHA256 signs the parts, one behind the other.
func hmacSHA256(key []byte, parts ...[]byte) []byte {
	sum := hmac.New(sha256.New, key)
	for _, part := range parts {
		sum.Write(part)
	}
	return sum.Sum(nil)
}

// anyKey reports whether one of the keys makes the signature of the parts, in
// a time that does not tell which.
func anyKey(keys []string, signature []byte, parts ...[]byte) bool {
	found := 0
	for _, key := range keys {
		found |= subtle.ConstantTimeCompare(hmacSHA256([]byte(key), parts...), signature)
	}
	return found == 1
}

// same compares in constant time, whatever the lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// verifyBasic checks HTTP basic authentication against the allowed pairs.
func verifyBasic(r *Request, pairs []string) error {
	scheme, coded, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return Unsigned
	}
	given, err := base64.StdEncoding.DecodeString(strings.TrimSpace(coded))
	if err != nil {
		return Wrong
	}
	found := false
	for _, pair := range pairs {
		found = same(pair, string(given)) || found
	}
	if !found {
		return Wrong
	}
	return nil
}

// verifyAddress checks where a request comes from.
func verifyAddress(r *Request, allowed []netip.Prefix) error {
	for _, prefix := range allowed {
		if prefix.Contains(r.Remote) {
			return nil
		}
	}
	return Elsewhere
}

// needKeys is the Check of those who sign with a shared secret.
func needKeys(s Secrets, what string) *event.FieldError {
	if len(s.Keys) == 0 {
		return event.Invalid("keys", "is required: "+what)
	}
	if err := unused(s, true, false, false); err != nil {
		return err
	}
	return checkSizes(s)
}

// unused refuses secrets that the provider would never look at, so that nobody
// believes themselves protected by them.
func unused(s Secrets, keys, basic, addresses bool) *event.FieldError {
	switch {
	case !keys && len(s.Keys) > 0:
		return event.Invalid("keys", "is not used by this provider")
	case !basic && len(s.Basic) > 0:
		return event.Invalid("basic", "is not used by this provider")
	case !addresses && len(s.Addresses) > 0:
		return event.Invalid("addresses", "is not used by this provider")
	}
	return nil
}

func checkSizes(s Secrets) *event.FieldError {
	for _, key := range s.Keys {
		if key == "" || len(key) > maxSecret {
			return event.Invalid("keys", "must each have 1 to 4096 bytes")
		}
	}
	for _, pair := range s.Basic {
		user, password, ok := strings.Cut(pair, ":")
		if !ok || user == "" || password == "" || len(pair) > maxSecret {
			return event.Invalid("basic", "must each be user:password")
		}
	}
	return nil
}
