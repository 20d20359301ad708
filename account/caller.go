package account

import (
	"time"

	"tidings/event"
	"tidings/feed"
)

// Role is what a key or a session may do.
type Role string

// The roles of keys. Ingest only takes events in, read only reads what its user may
// see, admin does both and looks after the workspace.
const (
	RoleIngest Role = "ingest"
	RoleRead   Role = "read"
	RoleAdmin  Role = "admin"
)

// Valid reports whether r is one of the roles of keys.
func (r Role) Valid() bool { return r == RoleIngest || r == RoleRead || r == RoleAdmin }

// Caller is who is asking: the workspace that everything they touch belongs to,
// and what of it they may see.
type Caller struct {
	Workspace string
	Role      Role
	// Given is the role of the credential, and ByKey says that the user's own role is
	// not to go beyond it (Directory.Now).
	Given Role
	ByKey bool
	// User is the reader's own id, "" when the credential belongs to nobody.
	User string
	// Users are those whose events the caller may see, nil for everybody's.
	Users []string
	// Gone is closed once the key is revoked or the session ends. It is set on
	// the live routes alone, and nil (never closed) for the operator.
	Gone <-chan struct{}

	// Credential is the hash that names the key or the session.
	Credential string
	// SignedIn is when the session's user has shown who they are.
	SignedIn time.Time
	// Vouched is the provider that vouches for a session's user; nil where none does.
	Vouched *Voucher
	// Session is the session's token, "" for a key.
	Session string
	// Scopes are what a key may do, Sources whose events it may send, and Networks where
	// it may come from. A session that a key began has its key's; nil for any other
	// credential.
	Scopes            []Scope
	Sources, Networks []string
	// Origins are the pages that a token for embedding is for; nil for any
	// other credential.
	Origins []string
	// Ends is when a token for embedding ends; zero for any other credential.
	Ends time.Time
}

// Voucher is what a provider has said of a session.
type Voucher struct {
	Provider string `json:"provider"`
	// Identity names the user at the provider (IdentityID), and Sid the provider's own
	// session, by its hash; "" where it has none.
	Identity string `json:"identity"`
	Sid      string `json:"sid,omitempty"`
	// Grant names what the provider is asked with whether it still vouches; "" where it
	// cannot be asked.
	Grant string `json:"grant,omitempty"`
	// At is when the user has shown the provider who they are; zero is at the sign-in.
	At time.Time `json:"at,omitzero"`
}

// Scope is what the caller may read of the feed.
func (c Caller) Scope() feed.Scope {
	return feed.Scope{Workspace: c.Workspace, Users: c.Users, Me: c.User}
}

// CheckWorkspace refuses what is no name of a workspace.
func CheckWorkspace(name string) *event.FieldError {
	if name == "" || len(name) > 64 {
		return event.Invalid("workspace", "has 1 to 64 characters")
	}
	for _, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && r != '-' && r != '_' && r != '.' {
			return event.Invalid("workspace", "holds letters of a to z, digits, dot, dash and underscore alone")
		}
	}
	return nil
}
