package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"tidings/apiclient"
)

// notificationsCmd says who was told of what, and why.
type notificationsCmd struct {
	Why notificationsWhyCmd `cmd:"" help:"Say why somebody was told of an event, or was not."`
}

// decisionView is a decision as the API shows it.
type decisionView struct {
	Outcome string `json:"outcome"`
	Found   string `json:"found"`
}

type notificationsWhyCmd struct {
	workspaceTarget
	Event string `arg:"" help:"The id of the event."`
	User  string `help:"Whom to ask about." required:"" placeholder:"ID"`
	JSON  bool   `help:"Print JSON." name:"json"`
}

// Run asks and prints the checks.
func (c *notificationsWhyCmd) Run(ctx context.Context, env *environment) error {
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		var raw json.RawMessage
		path := "/v1/notifications/why?" + url.Values{"event": {c.Event}, "user": {c.User}}.Encode()
		if err := client.Call(ctx, http.MethodGet, path, nil, &raw); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Out, raw)
		}
		var why struct {
			Decision *decisionView `json:"decision"`
			Now      decisionView  `json:"now"`
			Checks   []struct {
				Check, Found string
				Pass         bool
			} `json:"checks"`
			Fixes []struct {
				Words string `json:"words"`
			} `json:"fixes"`
		}
		if err := json.Unmarshal(raw, &why); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		if d := why.Decision; d != nil {
			fmt.Fprintf(env.Out, "%s: %s\n", strings.ToUpper(d.Outcome), d.Found)
		} else {
			fmt.Fprintf(env.Out, "No decision is kept. Today it would be %s: %s\n", strings.ToUpper(why.Now.Outcome), why.Now.Found)
		}
		for _, check := range why.Checks {
			mark := "yes"
			if !check.Pass {
				mark = "no"
			}
			fmt.Fprintf(env.Out, "  %-8s %-3s %s\n", check.Check, mark, check.Found)
		}
		for _, fix := range why.Fixes {
			fmt.Fprintf(env.Out, "To change that: %s\n", fix.Words)
		}
		return nil
	})
}
