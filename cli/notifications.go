package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tidings/apiclient"
)

// notificationsCmd says who was told of what, and why.
type notificationsCmd struct {
	Why  notificationsWhyCmd  `cmd:"" help:"Say why somebody was told of an event, or was not."`
	List notificationsListCmd `cmd:"" help:"List what was decided about telling somebody, newest first."`
}

// decisionView is a decision as the API shows it.
type decisionView struct {
	Time    time.Time  `json:"time"`
	Outcome string     `json:"outcome"`
	Kind    string     `json:"kind"`
	Check   string     `json:"check"`
	Found   string     `json:"found"`
	Until   *time.Time `json:"until"`
	Read    bool       `json:"read"`
	Event   *struct {
		ID      string `json:"id"`
		Subject string `json:"subject"`
	} `json:"event"`
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

type notificationsListCmd struct {
	workspaceTarget
	User    string `help:"Whose to list." required:"" placeholder:"ID"`
	Outcome string `help:"Those alone that came to this: notified, held, not or withdrawn." enum:"notified,held,not,withdrawn," default:""`
	Limit   int    `help:"How many." default:"30"`
	JSON    bool   `help:"Print JSON." name:"json"`
}

// Run lists decisions.
func (c *notificationsListCmd) Run(ctx context.Context, env *environment) error {
	if c.Limit < 1 || c.Limit > 100 {
		return &usageError{"--limit is 1 to 100"}
	}
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		values := url.Values{"user": {c.User}, "limit": {strconv.Itoa(c.Limit)}}
		if c.Outcome != "" {
			values.Set("outcome", c.Outcome)
		}
		var page struct {
			Items []json.RawMessage `json:"items"`
		}
		if err := client.Call(ctx, http.MethodGet, "/v1/decisions?"+values.Encode(), nil, &page); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Out, page.Items)
		}
		table := newTable(env.Out, "TIME", "OUTCOME", "KIND", "CHECK", "EVENT", "FOUND")
		for _, raw := range page.Items {
			var d decisionView
			if err := json.Unmarshal(raw, &d); err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
			id, check := "-", "-"
			if d.Event != nil {
				id = d.Event.ID
			}
			if d.Check != "" {
				check = d.Check
			}
			table.row(d.Time.Local().Format(time.DateTime), d.Outcome, d.Kind, check, id, d.Found)
		}
		return table.print()
	})
}
