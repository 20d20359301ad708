package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tidings/event"
)

// deadLettersCmd looks after what failed for good.
type deadLettersCmd struct {
	List   deadListCmd   `cmd:"" help:"List them, oldest first, with the last error."`
	Show   deadShowCmd   `cmd:"" help:"Show one whole: the event and each attempt."`
	Replay deadReplayCmd `cmd:"" help:"Put some back into the queue, after what was wrong is mended."`
	Drop   deadDropCmd   `cmd:"" help:"Forget some for good."`
}

// deadTarget is shared by all of them.
type deadTarget struct {
	target
	Workspace string `help:"The workspace, with --data." placeholder:"NAME"`
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

// each walks all dead letters of the workspace, page by page.
func (d deadTarget) each(ctx context.Context, client *client, visit func(deadLetter) error) error {
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
		if err := client.call(ctx, http.MethodGet, path, nil, &page); err != nil {
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
	deadTarget
	JSON bool `help:"Print one JSON object a line." name:"json"`
}

// Run lists them.
func (c *deadListCmd) Run(ctx context.Context, env *environment) error {
	return c.with(ctx, env, c.Workspace, func(client *client) error {
		table := newTable(env.Out, "ID", "SINCE", "TRIES", "ERROR")
		found := 0
		err := c.each(ctx, client, func(letter deadLetter) error {
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

type deadShowCmd struct {
	deadTarget
	ID string `arg:"" help:"The event's id."`
}

// Run shows one.
func (c *deadShowCmd) Run(ctx context.Context, env *environment) error {
	return c.with(ctx, env, c.Workspace, func(client *client) error {
		var letter deadLetter
		err := client.call(ctx, http.MethodGet, "/v1/dead-letters/"+url.PathEscape(c.ID), nil, &letter)
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
	All bool     `help:"All of the workspace."`
	IDs []string `arg:"" optional:"" name:"id" help:"The events' ids."`
}

type deadReplayCmd struct {
	deadTarget
	chosen
}

// Run puts them back.
func (c *deadReplayCmd) Run(ctx context.Context, env *environment) error {
	return c.with(ctx, env, c.Workspace, func(client *client) error {
		return c.do(ctx, env, client, "replayed", c.chosen, func(id string) error {
			return client.call(ctx, http.MethodPost, "/v1/dead-letters/"+url.PathEscape(id)+"/replay", nil, nil)
		})
	})
}

type deadDropCmd struct {
	deadTarget
	chosen
}

// Run forgets them.
func (c *deadDropCmd) Run(ctx context.Context, env *environment) error {
	return c.with(ctx, env, c.Workspace, func(client *client) error {
		return c.do(ctx, env, client, "dropped", c.chosen, func(id string) error {
			return client.call(ctx, http.MethodDelete, "/v1/dead-letters/"+url.PathEscape(id), nil, nil)
		})
	})
}

// do acts on each of the chosen and says how many it was.
func (d deadTarget) do(ctx context.Context, env *environment, client *client, done string, c chosen, act func(string) error) error {
	ids := c.IDs
	switch {
	case c.All && len(ids) > 0:
		return &usageError{"give either ids or --all"}
	case c.All:
		err := d.each(ctx, client, func(letter deadLetter) error {
			ids = append(ids, letter.ID)
			return nil
		})
		if err != nil {
			return err
		}
	case len(ids) == 0:
		return &usageError{"which ones? Give ids, or --all"}
	}
	var failed []error
	for _, id := range ids {
		if err := act(id); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", id, err))
		}
	}
	if _, err := fmt.Fprintf(env.Out, "%s %s.\n", count(len(ids)-len(failed), "event", "events"), done); err != nil {
		return err
	}
	return errors.Join(failed...)
}
