package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tidings/apiclient"
	"tidings/event"
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
	Other   string     `json:"other"`
	Event   *struct {
		ID      string    `json:"id"`
		Type    string    `json:"type"`
		Time    time.Time `json:"time"`
		Subject string    `json:"subject"`
		Person  *struct {
			Name  string `json:"name"`
			Email string `json:"email"`
		} `json:"person"`
	} `json:"event"`
}

// about says of whom and of which message a decision is; "-" where it is of no event.
func (d decisionView) about() string {
	e := d.Event
	if e == nil {
		return "-"
	}
	text := "no subject"
	if e.Subject != "" {
		text = "“" + e.Subject + "”"
	}
	if e.Person != nil {
		text = cmp.Or(e.Person.Name, e.Person.Email) + ", " + text
	}
	return text
}

// outcomeWords are the outcomes as a sentence has them.
var outcomeWords = map[string]string{"notified": "told", "held": "held", "not": "not told", "withdrawn": "taken back"}

func (d decisionView) outcome() string { return cmp.Or(outcomeWords[d.Outcome], d.Outcome) }

type notificationsWhyCmd struct {
	workspaceTarget
	Event string `arg:"" help:"The id of the event."`
	User  string `help:"Whom to ask about." required:"" placeholder:"ID"`
	JSON  bool   `help:"Print JSON." name:"json"`
}

// Run asks and prints the checks.
func (c *notificationsWhyCmd) Run(ctx context.Context, env *environment) error {
	if _, err := event.ParseID(c.Event); err != nil {
		return &usageError{fmt.Sprintf("%q is not the id of an event; tidings notifications list shows those that were decided about", c.Event)}
	}
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		var raw json.RawMessage
		path := "/v1/notifications/why?" + url.Values{"event": {c.Event}, "user": {c.User}}.Encode()
		if err := client.Call(ctx, http.MethodGet, path, nil, &raw); err != nil {
			var problem *apiclient.Error
			if errors.As(err, &problem) && problem.Status == http.StatusNotFound {
				return fmt.Errorf("there is no event %s that %s may see, or no such person: tidings users list shows who there is: %w", c.Event, c.User, err)
			}
			return err
		}
		if c.JSON {
			return printJSON(env.Out, raw)
		}
		return printWhy(env.Out, raw)
	})
}

// printWhy says what it is about, what was decided, by which checks, and what today's
// settings would do where that is something else.
func printWhy(out io.Writer, raw json.RawMessage) error {
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
	if e := why.Now.Event; e != nil {
		fmt.Fprintf(out, "%s of %s: %s\n", e.Type, e.Time.Local().Format(time.DateTime), why.Now.about())
	}
	if d := why.Decision; d != nil {
		fmt.Fprintf(out, "%s: %s\n", strings.ToUpper(d.outcome()), d.Found)
		if d.Other != "" {
			fmt.Fprintf(out, "The other is %s.\n", d.Other)
		}
	} else {
		fmt.Fprintf(out, "No decision is kept. Today it would be %s: %s\n", strings.ToUpper(why.Now.outcome()), why.Now.Found)
	}
	for _, check := range why.Checks {
		mark := "yes"
		if !check.Pass {
			mark = "no"
		}
		fmt.Fprintf(out, "  %-8s %-3s %s\n", check.Check, mark, check.Found)
	}
	if d := why.Decision; d != nil && (d.Outcome != why.Now.Outcome || d.Check != why.Now.Check) && d.Outcome != "withdrawn" {
		fmt.Fprintf(out, "By today's settings it would be %s: %s\n", strings.ToUpper(why.Now.outcome()), why.Now.Found)
	}
	for _, fix := range why.Fixes {
		fmt.Fprintf(out, "To change that: %s\n", fix.Words)
	}
	return nil
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
		table := newTable(env.Out, "TIME", "OUTCOME", "KIND", "CHECK", "EVENT", "ABOUT", "FOUND")
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
			table.row(d.Time.Local().Format(time.DateTime), d.Outcome, d.Kind, check, id, d.about(), d.Found)
		}
		return table.print()
	})
}
