package account

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tidings/event"
)

// Scope is a thing that a key may do.
type Scope string

// The scopes. ScopeAdmin holds all others.
const (
	ScopeEvents        Scope = "events:write"
	ScopeFeed          Scope = "feed:read"
	ScopeStats         Scope = "stats:read"
	ScopeExport        Scope = "export"
	ScopeRules         Scope = "rules:write"
	ScopeNotifications Scope = "notifications:read"
	ScopeSCIM          Scope = "scim"
	ScopeAudit         Scope = "audit:read"
	ScopeAdmin         Scope = "admin"
)

// Scopes are all of them.
func Scopes() []Scope {
	return []Scope{ScopeEvents, ScopeFeed, ScopeStats, ScopeExport, ScopeRules, ScopeNotifications, ScopeSCIM, ScopeAudit, ScopeAdmin}
}

// reading are the scopes of the role read.
func reading() []Scope {
	return []Scope{ScopeFeed, ScopeStats, ScopeExport, ScopeRules, ScopeNotifications}
}

const (
	keyLife = 365 * 24 * time.Hour
	// never, said as the end of a key, is none.
	never = "never"
	// KeyOverlap is how long the text of a key goes on after a rotation unless told
	// otherwise.
	KeyOverlap    = 24 * time.Hour
	maxKeyOverlap = 7 * 24 * time.Hour
	maxKeyLists   = 50
	// checksumLength is how many letters of a key tell whether the others are right.
	checksumLength = 6
	newKeyLength   = len(keyPrefix) + 43 + checksumLength
)

// scopes are what a key may do; its role says it where nothing else does.
func (r keyRecord) scopes() []Scope {
	switch {
	case len(r.Scopes) > 0:
		return r.Scopes
	case r.Role == RoleAdmin:
		return []Scope{ScopeAdmin}
	case r.Role == RoleRead:
		return reading()
	}
	return []Scope{ScopeEvents}
}

func (r keyRecord) over(now time.Time) bool { return !r.Ends.IsZero() && !now.Before(r.Ends) }

// role is the role that the scopes of a request come near to.
func (r KeyRequest) role() Role {
	switch {
	case r.Role != "":
		return r.Role
	case slices.Contains(r.Scopes, ScopeAdmin):
		return RoleAdmin
	case slices.ContainsFunc(r.Scopes, func(s Scope) bool { return slices.Contains(reading(), s) }):
		return RoleRead
	}
	return RoleIngest
}

func (r KeyRequest) checkScopes() *event.FieldError {
	if (r.Role == "") == (len(r.Scopes) == 0) {
		if r.Role != "" {
			return event.Invalid("scopes", "cannot be given beside role")
		}
		return event.Invalid("role", "is not one of ingest, read, admin")
	}
	if r.Role != "" && !r.Role.Valid() {
		return event.Invalid("role", "is not one of ingest, read, admin")
	}
	for i, scope := range r.Scopes {
		if !slices.Contains(Scopes(), scope) {
			return event.Invalid(fmt.Sprintf("scopes[%d]", i), "is no scope")
		}
	}
	if len(r.Sources) > maxKeyLists || len(r.Networks) > maxKeyLists {
		return event.Invalid("sources", "and networks have 50 each at most")
	}
	for i, source := range r.Sources {
		if err := CheckName(fmt.Sprintf("sources[%d]", i), source); err != nil {
			return err
		}
	}
	for i, network := range r.Networks {
		if _, err := netip.ParsePrefix(network); err != nil {
			return event.Invalid(fmt.Sprintf("networks[%d]", i), "is no network such as 192.0.2.0/24")
		}
	}
	return nil
}

// ends is when the key is to end; zero is never.
func (r KeyRequest) ends(now time.Time) (time.Time, error) {
	switch r.Ends {
	case never:
		return time.Time{}, nil
	case "":
		return now.Add(keyLife).UTC().Truncate(time.Second), nil
	}
	ends, err := time.Parse(time.RFC3339, r.Ends)
	if err != nil || !ends.After(now) {
		return time.Time{}, event.Invalid("ends", "is a future time (RFC 3339) or never")
	}
	return ends.UTC().Truncate(time.Second), nil
}

// newText is the text of a new key: a secret, and letters that tell a typing error.
func (k *Keys) newText() (string, error) {
	secret, err := RandomText(k.rand, SecretLength)
	if err != nil {
		return "", err
	}
	return keyPrefix + secret + checksum(secret), nil
}

// checksum is the CRC-32 of a secret in 6 letters.
func checksum(secret string) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(secret)))
	return base64.RawURLEncoding.EncodeToString(sum)
}

// mistyped reports whether a text looks like a key and cannot be one. Keys of before
// have no checksum.
func mistyped(text string) bool {
	if len(text) != newKeyLength {
		return false
	}
	secret := strings.TrimPrefix(text, keyPrefix)
	at := len(secret) - checksumLength
	return checksum(secret[:at]) != secret[at:]
}

// From reports whether a caller may come from an address.
func (c Caller) From(address netip.Addr) bool {
	return len(c.Networks) == 0 || slices.ContainsFunc(c.Networks, func(network string) bool {
		prefix, err := netip.ParsePrefix(network)
		return err == nil && prefix.Contains(address.Unmap())
	})
}
