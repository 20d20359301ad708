package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tidings/event"
)

// Bounds of access that the operator grants in an emergency.
const (
	MinGrant = time.Minute
	MaxGrant = 8 * time.Hour
	// grantKept is how long a grant is remembered after its end: longer than the
	// session that it began could live.
	grantKept = 60 * 24 * time.Hour
	maxReason = 300
)

const (
	kindGrant      = "access-grant"
	kindGrantToken = "access-token"
)

// Grant is access to a workspace that the operator gave in an emergency. It ends when
// it says, and nothing makes it longer.
type Grant struct {
	ID     string    `json:"id"`
	Role   Role      `json:"role"`
	Began  time.Time `json:"began"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
	// By is the operator, as the audit log names them.
	By string `json:"by"`
	// Session is the hash of the session that was begun with it, "" before.
	Session string `json:"session,omitempty"`
}

// grantToken finds the grant that a link is for.
type grantToken struct {
	Workspace string `json:"w"`
	ID        string `json:"id"`
}

// Grants are kept in records. What another process grants is seen after a second.
type Grants struct {
	records Records
	clock   func() time.Time
	rand    io.Reader
	lately  *Lately[[]Grant]
}

// NewGrants keeps grants in records.
func NewGrants(records Records, clock func() time.Time, rand io.Reader) *Grants {
	return &Grants{records: records, clock: clock, rand: rand, lately: NewLately[[]Grant](clock, FreshFor)}
}

// CheckGrant refuses what cannot be granted.
func CheckGrant(workspace string, role Role, life time.Duration, reason string) error {
	if err := CheckWorkspace(workspace); err != nil {
		return err
	}
	switch {
	case !role.OfPerson():
		return event.Invalid("role", "is not one that people have")
	case life < MinGrant || life > MaxGrant:
		return event.Invalid("for", fmt.Sprintf("is between %v and %v", MinGrant, MaxGrant))
	case strings.TrimSpace(reason) == "" || len(reason) > maxReason:
		return event.Invalid("reason", "is needed, in 300 bytes at most")
	}
	return nil
}

// Give makes a grant and the token of the link that begins its one session. It is to be
// on record before.
func (g *Grants) Give(ctx context.Context, workspace string, role Role, life time.Duration, reason, by string) (string, Grant, error) {
	if err := CheckGrant(workspace, role, life, reason); err != nil {
		return "", Grant{}, err
	}
	token, err := RandomText(g.rand, SecretLength)
	if err != nil {
		return "", Grant{}, err
	}
	id, err := RandomText(g.rand, 9)
	if err != nil {
		return "", Grant{}, err
	}
	now := g.clock().UTC().Truncate(time.Second)
	grant := Grant{ID: id, Role: role, Began: now, Until: now.Add(life), Reason: reason, By: by}
	if err := Put(ctx, g.records, workspace, kindGrant, id, grant); err != nil {
		return "", Grant{}, err
	}
	g.lately.Forget(workspace)
	if err := Put(ctx, g.records, NoWorkspace, kindGrantToken, HashOf(token), grantToken{workspace, id}); err != nil {
		return "", Grant{}, err
	}
	return token, grant, nil
}

// Redeem takes a link's token for good; ErrNotFound when it is none, or its grant is
// over.
func (g *Grants) Redeem(ctx context.Context, token string) (workspace string, grant Grant, err error) {
	doc, err := g.records.Take(ctx, NoWorkspace, kindGrantToken, HashOf(token))
	if err != nil {
		return "", Grant{}, fmt.Errorf("take the token of a grant: %w", err)
	}
	var named grantToken
	if err := json.Unmarshal(doc, &named); err != nil {
		return "", Grant{}, fmt.Errorf("decode the token of a grant: %w", err)
	}
	grant, err = Get[Grant](ctx, g.records, named.Workspace, kindGrant, named.ID)
	if err == nil && !g.clock().Before(grant.Until) {
		err = fmt.Errorf("the grant is over: %w", event.ErrNotFound)
	}
	return named.Workspace, grant, err
}

// Begun notes the session that a grant's link has begun, before the browser has it.
func (g *Grants) Begun(ctx context.Context, workspace string, grant Grant, session string) error {
	grant.Session = session
	err := Put(ctx, g.records, workspace, kindGrant, grant.ID, grant)
	g.lately.Forget(workspace)
	return err
}

// Of lists a workspace's grants, those that are over among them.
func (g *Grants) Of(ctx context.Context, workspace string) ([]Grant, error) {
	grants, begun, ok := g.lately.Get(workspace)
	if ok {
		return grants, nil
	}
	all, err := List[Grant](ctx, g.records, workspace, kindGrant)
	if err != nil {
		return nil, err
	}
	for _, grant := range all {
		if g.clock().Sub(grant.Until) > grantKept {
			if err := g.records.Delete(ctx, workspace, kindGrant, grant.ID); err != nil && !errors.Is(err, event.ErrUnavailable) {
				return nil, err
			}
			continue
		}
		grants = append(grants, grant)
	}
	g.lately.Keep(workspace, grants, begun)
	return grants, nil
}

// Now lists a workspace's grants that are not over.
func (g *Grants) Now(ctx context.Context, workspace string) ([]Grant, error) {
	all, err := g.Of(ctx, workspace)
	var now []Grant
	for _, grant := range all {
		if g.clock().Before(grant.Until) {
			now = append(now, grant)
		}
	}
	return now, err
}

// Over reports whether a session was begun with a grant that is over.
func (g *Grants) Over(ctx context.Context, workspace, session string) (bool, error) {
	all, err := g.Of(ctx, workspace)
	for _, grant := range all {
		if grant.Session == session {
			return !g.clock().Before(grant.Until), nil
		}
	}
	return false, err
}
