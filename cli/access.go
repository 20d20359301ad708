package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"tidings/account"
	"tidings/app"
)

// accessCmd is for when nobody comes in any more.
type accessCmd struct {
	Grant accessGrantCmd `cmd:"" help:"Make a link that lets somebody in for an hour, past every provider. Everybody in the workspace sees that it is there."`
}

type accessGrantCmd struct {
	auditStores
	Workspace string        `help:"The workspace." required:"" placeholder:"NAME"`
	Role      string        `help:"What whoever opens the link may do: viewer, member, lead, support, auditor, integrator or admin." required:"" placeholder:"ROLE"`
	For       time.Duration `help:"How long, from 1m to 8h. It cannot be made longer." default:"1h" placeholder:"DURATION"`
	Reason    string        `help:"Why, for the audit log and for everybody in the workspace." required:"" placeholder:"TEXT"`
	URL       string        `name:"url" help:"Where people reach the page, for the link." default:"http://127.0.0.1:8080" placeholder:"URL"`
}

// Help says what it leaves behind.
func (accessGrantCmd) Help() string {
	return `For when a provider is away and nobody can sign in. The link works once, and what is
begun with it ends when the time is over, whatever is done with it. It is on record
before it is given; without an audit log there is none.`
}

// Run makes the link and prints it alone.
func (c *accessGrantCmd) Run(ctx context.Context, env *environment) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	if err := account.CheckGrant(c.Workspace, account.Role(c.Role), c.For, c.Reason); err != nil {
		return &usageError{err.Error()}
	}
	request := app.AccessRequest{Workspace: c.Workspace, Role: account.Role(c.Role), For: c.For, Reason: c.Reason}
	given, err := operate(ctx, env, s, "access-grant", request, (*app.App).GrantAccess)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Err, "good once, until %s:\n", given.Until.Format(time.RFC3339))
	_, err = fmt.Fprintf(env.Out, "%s/#token=%s\n", strings.TrimSuffix(c.URL, "/"), url.QueryEscape(given.Token))
	return err
}
