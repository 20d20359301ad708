package signin

import (
	"context"
	"errors"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"tidings/account"
	"tidings/event"
)

// logoutKept is how long a logout token is remembered whose end is further away.
const logoutKept = 24 * time.Hour

// Logout is what a provider wants ended: one of its own sessions, or all of a person.
type Logout struct {
	// Identity is the person's (account.IdentityID), "" where it names none, and Sid the
	// provider's session, "" for all of theirs.
	Identity, Sid string

	used string
	ends time.Time
}

// CheckLogout reads a provider's logout token (OpenID Connect Back-Channel Logout). A
// *Refusal says that it is none, or was used already.
func (s *SignIns) CheckLogout(ctx context.Context, site Site, token string) (Logout, error) {
	remote, err := s.remotes.at(ctx, site.Issuer)
	if err != nil {
		return Logout{}, err
	}
	ctx = oidc.ClientContext(ctx, remote.client)
	checked, err := remote.verifier(site.ClientID, s.clock).VerifyLogout(ctx, token)
	if err != nil {
		return Logout{}, refuse(Broken, err)
	}
	ends := checked.Expiry
	if latest := s.clock().Add(logoutKept); ends.After(latest) {
		return Logout{}, refuse(Broken, errors.New("it is good for more than a day"))
	}
	logout := Logout{used: "logout " + site.Issuer + " " + checked.TokenID, ends: ends}
	if _, err := s.records.Get(ctx, noWorkspace, KindUsed, account.HashOf(logout.used)); err == nil {
		return Logout{}, refuse(Expired, errors.New("it was used already"))
	} else if !errors.Is(err, event.ErrNotFound) {
		return Logout{}, err
	}
	if checked.Subject != "" {
		logout.Identity = account.IdentityID(site.Issuer, checked.Subject)
	}
	if checked.SessionID != "" {
		logout.Sid = SidID(site.Issuer, checked.SessionID)
	}
	return logout, nil
}

// LoggedOut notes that what a logout token wanted ended has: it is good no more. Of two
// that come at once both end the same.
func (s *SignIns) LoggedOut(ctx context.Context, logout Logout) error {
	err := s.once(ctx, logout.used, logout.ends)
	if errors.Is(err, event.ErrConflict) {
		return nil
	}
	return err
}

// SidID names a provider's session.
func SidID(issuer, sid string) string { return account.HashOf(issuer + "\x00sid\x00" + sid) }
