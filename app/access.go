package app

import (
	"context"
	"time"

	"tidings/account"
)

// AccessRequest is access that the operator gives in an emergency.
type AccessRequest struct {
	Workspace string        `json:"workspace"`
	Role      account.Role  `json:"role"`
	For       time.Duration `json:"for"`
	Reason    string        `json:"reason"`
}

// Access is what came of it.
type Access struct {
	// Token is that of the one link.
	Token string    `json:"token"`
	Until time.Time `json:"until"`
}

// GrantAccess gives access past the usual ways in. It needs the state store alone.
func (a *App) GrantAccess(ctx context.Context, request AccessRequest) (Access, error) {
	token, grant, err := a.Server.GrantAccess(ctx, request.Workspace, request.Role, request.For, request.Reason)
	return Access{token, grant.Until}, err
}
