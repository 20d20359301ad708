package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tidings/apiclient"
)

// usersCmd looks after the people of a workspace.
type usersCmd struct {
	List    usersListCmd    `cmd:"" help:"List people with their roles."`
	Invite  usersInviteCmd  `cmd:"" help:"Make a link with which somebody comes in, once; it is shown this once."`
	Role    usersRoleCmd    `cmd:"" help:"Give somebody another role. It counts at once."`
	Suspend usersSuspendCmd `cmd:"" help:"Suspend somebody: they are signed out everywhere and their keys are revoked."`
	Resume  usersResumeCmd  `cmd:"" help:"Let somebody in again who was suspended."`
	Remove  usersRemoveCmd  `cmd:"" help:"Take somebody off. Their events stay."`
}

// userView is a user as the API shows them.
type userView struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Emails []string `json:"emails"`
	Role   string   `json:"role"`
	State  string   `json:"state"`
	Rev    int64    `json:"rev"`
}

type usersListCmd struct {
	workspaceTarget
	JSON bool `help:"Print JSON." name:"json"`
}

// Run lists the people.
func (c *usersListCmd) Run(ctx context.Context, env *environment) error {
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		var answer struct {
			Items []userView `json:"items"`
		}
		if err := client.Call(ctx, http.MethodGet, "/v1/users", nil, &answer); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Out, answer.Items)
		}
		table := newTable(env.Out, "ID", "NAME", "ROLE", "STATE", "ADDRESSES")
		for _, user := range answer.Items {
			role := user.Role
			if role == "" {
				role = "-"
			}
			table.row(user.ID, user.Name, role, user.State, strings.Join(user.Emails, " "))
		}
		return table.print()
	})
}

type usersInviteCmd struct {
	workspaceTarget
	Name  string   `arg:"" optional:"" help:"Their name; not needed for somebody who is in the directory already."`
	Email string   `help:"Their own address." placeholder:"ADDRESS"`
	User  string   `help:"The id of somebody who is in the directory already." placeholder:"ID"`
	Role  string   `help:"viewer, member, lead, support, auditor, integrator or admin." enum:"viewer,member,lead,support,auditor,integrator,admin" default:"member"`
	Team  []string `help:"A team that they join, by its id; may be given several times." placeholder:"ID"`
	Days  int      `help:"How long the link is good for." default:"7"`
	Mail  bool     `help:"Send them the link too, by the server's mail."`
	URL   string   `help:"Where people reach the server, for the whole link." placeholder:"URL"`
}

// Run makes the invitation and prints its link alone.
func (c *usersInviteCmd) Run(ctx context.Context, env *environment) error {
	return c.with(ctx, env, looks, func(client *apiclient.Client) error {
		request := map[string]any{"role": c.Role, "days": c.Days}
		for name, value := range map[string]string{"name": c.Name, "email": c.Email, "user": c.User} {
			if value != "" {
				request[name] = value
			}
		}
		if len(c.Team) > 0 {
			request["teams"] = c.Team
		}
		if c.Mail {
			request["mail"] = true
		}
		var made struct {
			Path   string    `json:"path"`
			Mailed string    `json:"mailed"`
			User   string    `json:"user"`
			Ends   time.Time `json:"ends"`
		}
		if err := client.Call(ctx, http.MethodPost, "/v1/invitations", request, &made); err != nil {
			return err
		}
		fmt.Fprintf(env.Err, "user %s, good until %s\n", made.User, made.Ends.Format(time.RFC3339))
		if made.Mailed != "" {
			fmt.Fprintf(env.Err, "mail: %s\n", made.Mailed)
		}
		_, err := fmt.Fprintln(env.Out, strings.TrimSuffix(c.URL, "/")+made.Path)
		return err
	})
}

type usersRoleCmd struct {
	workspaceTarget
	ID   string `arg:"" help:"The user's id, from users list."`
	Role string `arg:"" help:"viewer, member, lead, support, auditor, integrator or admin." enum:"viewer,member,lead,support,auditor,integrator,admin"`
}

// Run changes the role.
func (c *usersRoleCmd) Run(ctx context.Context, env *environment) error {
	return changeUser(ctx, env, &c.workspaceTarget, c.ID, map[string]string{"role": c.Role})
}

type usersSuspendCmd struct {
	workspaceTarget
	ID string `arg:"" help:"The user's id, from users list."`
}

// Run suspends the user.
func (c *usersSuspendCmd) Run(ctx context.Context, env *environment) error {
	return changeUser(ctx, env, &c.workspaceTarget, c.ID, map[string]string{"state": "suspended"})
}

type usersResumeCmd struct {
	workspaceTarget
	ID string `arg:"" help:"The user's id, from users list."`
}

// Run lets the user in again.
func (c *usersResumeCmd) Run(ctx context.Context, env *environment) error {
	return changeUser(ctx, env, &c.workspaceTarget, c.ID, map[string]string{"state": "active"})
}

func changeUser(ctx context.Context, env *environment, target *workspaceTarget, id string, change any) error {
	return target.reading(ctx, env, func(client *apiclient.Client) error {
		return client.Call(ctx, http.MethodPatch, "/v1/users/"+url.PathEscape(id), change, nil)
	})
}

type usersRemoveCmd struct {
	workspaceTarget
	ID string `arg:"" help:"The user's id, from users list."`
}

// Run takes the user off.
func (c *usersRemoveCmd) Run(ctx context.Context, env *environment) error {
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		return client.Call(ctx, http.MethodDelete, "/v1/users/"+url.PathEscape(c.ID), nil, nil)
	})
}
