package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tidings/api"
	"tidings/apiclient"
	"tidings/event"
)

// deadLettersCmd looks after what failed for good.
type deadLettersCmd struct {
	List   deadListCmd   `cmd:"" help:"List them, oldest first, with the last error; or their reasons."`
	Show   deadShowCmd   `cmd:"" help:"Show one whole: the event and each attempt."`
	Replay deadReplayCmd `cmd:"" help:"Put some back into the queue, after the cause is fixed."`
	Drop   deadDropCmd   `cmd:"" help:"Forget some for good."`
}

// deadLetter is one as the API shows it.
type deadLetter struct {
	ID       string          `json:"id"`
	At       time.Time       `json:"at"`
	Event    json.RawMessage `json:"event"`
	Attempts []struct {
		At    time.Time `json:"at"`
		Error string    `json:"error"`
	} `json:"attempts"`
}

func (d deadLetter) lastError() string {
	if len(d.Attempts) == 0 {
		return ""
	}
	return d.Attempts[len(d.Attempts)-1].Error
}

// eachDeadLetter walks all dead letters of the workspace, page by page.
func eachDeadLetter(ctx context.Context, client *apiclient.Client, visit func(deadLetter) error) error {
	next := ""
	for {
		var page struct {
			Items []deadLetter `json:"items"`
			Next  *string      `json:"next"`
		}
		path := "/v1/dead-letters?limit=200"
		if next != "" {
			path += "&cursor=" + url.QueryEscape(next)
		}
		if err := client.Call(ctx, http.MethodGet, path, nil, &page); err != nil {
			return err
		}
		for _, letter := range page.Items {
			if err := visit(letter); err != nil {
				return err
			}
		}
		if page.Next == nil {
			return nil
		}
		next = *page.Next
	}
}

type deadListCmd struct {
	workspaceTarget
	Reasons bool `help:"Group them by why they failed, the most frequent reason first."`
	JSON    bool `help:"Print one JSON object a line." name:"json"`
}

// Run lists them.
func (c *deadListCmd) Run(ctx context.Context, env *environment) error {
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		if c.Reasons {
			return c.reasons(ctx, env, client)
		}
		table := newTable(env.Out, "ID", "SINCE", "TRIES", "ERROR")
		found := 0
		err := eachDeadLetter(ctx, client, func(letter deadLetter) error {
			found++
			if c.JSON {
				return json.NewEncoder(env.Out).Encode(letter)
			}
			table.row(letter.ID, letter.At.Format(time.RFC3339), fmt.Sprint(len(letter.Attempts)), letter.lastError())
			return nil
		})
		if err != nil || c.JSON {
			return err
		}
		if found == 0 {
			_, err := fmt.Fprintln(env.Out, "No dead letters.")
			return err
		}
		return table.print()
	})
}

// reasons lists why they failed.
func (c *deadListCmd) reasons(ctx context.Context, env *environment, client *apiclient.Client) error {
	var found struct {
		Items    []api.ReasonView `json:"items"`
		Complete bool             `json:"complete"`
	}
	if err := client.Call(ctx, http.MethodGet, "/v1/dead-letters/reasons", nil, &found); err != nil {
		return err
	}
	table := newTable(env.Out, "COUNT", "SINCE", "EXAMPLE", "REASON")
	for _, group := range found.Items {
		if c.JSON {
			if err := json.NewEncoder(env.Out).Encode(group); err != nil {
				return err
			}
			continue
		}
		table.row(fmt.Sprint(group.Count), group.First.Format(time.RFC3339), group.Example, group.Reason)
	}
	if !found.Complete {
		fmt.Fprintln(env.Err, "There are more than these: only the oldest 10,000 were looked at.")
	}
	if c.JSON {
		return nil
	}
	if len(found.Items) == 0 {
		_, err := fmt.Fprintln(env.Out, "No dead letters.")
		return err
	}
	return table.print()
}

type deadShowCmd struct {
	workspaceTarget
	ID string `arg:"" help:"The event's id."`
}

// Run shows one.
func (c *deadShowCmd) Run(ctx context.Context, env *environment) error {
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		var letter deadLetter
		err := client.Call(ctx, http.MethodGet, "/v1/dead-letters/"+url.PathEscape(c.ID), nil, &letter)
		if errors.Is(err, event.ErrNotFound) {
			return fmt.Errorf("there is no dead letter %s", c.ID)
		}
		if err != nil {
			return err
		}
		return printJSON(env.Out, letter)
	})
}

// chosen is which dead letters a command is about.
type chosen struct {
	All    bool     `help:"All of the workspace."`
	Reason string   `help:"Those that failed for this reason, as list --reasons has it." placeholder:"REASON"`
	IDs    []string `arg:"" optional:"" name:"id" help:"The events' ids."`
}

type deadReplayCmd struct {
	workspaceTarget
	chosen
}

// Run puts them back.
func (c *deadReplayCmd) Run(ctx context.Context, env *environment) error {
	return c.existing(ctx, env, feeds, func(client *apiclient.Client) error {
		return c.do(ctx, env, client, "replay", "replayed")
	})
}

type deadDropCmd struct {
	workspaceTarget
	chosen
}

// Run forgets them.
func (c *deadDropCmd) Run(ctx context.Context, env *environment) error {
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		return c.do(ctx, env, client, "drop", "dropped")
	})
}

// Validate refuses what does not say which ones.
func (c chosen) Validate() error {
	ways := 0
	for _, given := range []bool{c.All, c.Reason != "", len(c.IDs) > 0} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return &usageError{"which ones? Give ids, --reason REASON, or --all"}
	}
	return nil
}

// do acts on the chosen, a thousand at a time, and says how many it was.
func (c chosen) do(ctx context.Context, env *environment, client *apiclient.Client, act, done string) error {
	var total api.DeadLetterReceipt
	for rest := c.IDs; ; {
		choice := api.DeadLetterChoice{All: c.All, Reason: c.Reason, IDs: rest[:min(len(rest), 1000)]}
		rest = rest[len(choice.IDs):]
		var receipt api.DeadLetterReceipt
		if err := client.Call(ctx, http.MethodPost, "/v1/dead-letters/"+act, choice, &receipt); err != nil {
			return err
		}
		total.Done, total.Gone = total.Done+receipt.Done, total.Gone+receipt.Gone
		if !receipt.More && len(rest) == 0 {
			break
		}
	}
	if _, err := fmt.Fprintf(env.Out, "%s %s.\n", count(total.Done, "event", "events"), done); err != nil {
		return err
	}
	if total.Gone > 0 {
		return fmt.Errorf("%s not there", count(total.Gone, "of them was", "of them were"))
	}
	return nil
}
