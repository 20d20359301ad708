package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"tidings/apiclient"
)

// keysCmd looks after a workspace's keys.
type keysCmd struct {
	Create keysCreateCmd `cmd:"" help:"Make a key and print it; it is shown this once. The first key makes the workspace."`
	List   keysListCmd   `cmd:"" help:"List keys by their beginning."`
	Rotate keysRotateCmd `cmd:"" help:"Give a key a new text and print it; the old one works for a while."`
	Revoke keysRevokeCmd `cmd:"" help:"Revoke a key at once; sockets that were opened with it close."`
}

type keysCreateCmd struct {
	workspaceTarget
	Role    string   `help:"What the key may do: ingest events, read, or admin for everything." enum:"ingest,read,admin," default:""`
	Scope   []string `help:"What the key may do, instead of --role: events:write, feed:read, stats:read, export, rules:write, notifications:read, scim, audit:read, admin." placeholder:"SCOPE"`
	Source  []string `help:"The only source that it may send events of; may be given several times." placeholder:"NAME"`
	Network []string `help:"The only network that it may be used from; may be given several times." placeholder:"NETWORK"`
	Ends    string   `help:"When it ends, such as 2027-01-31T00:00:00Z, or never; a year from now unless given." placeholder:"TIME"`
	User    string   `help:"Whose key it is: a read key sees that user's and their teams' events." placeholder:"USER"`
	Name    string   `help:"What it is for, for the list." placeholder:"TEXT"`
}

// keyView is a key as the API shows it.
type keyView struct {
	ID       string     `json:"id"`
	Key      string     `json:"key"`
	Prefix   string     `json:"prefix"`
	Role     string     `json:"role"`
	User     string     `json:"user"`
	Name     string     `json:"name"`
	Created  time.Time  `json:"created"`
	Ends     *time.Time `json:"ends"`
	LastUsed *time.Time `json:"last_used"`
}

// Run makes the key and prints it alone.
func (c *keysCreateCmd) Run(ctx context.Context, env *environment) error {
	return c.with(ctx, env, looks, func(client *apiclient.Client) error {
		request := make(map[string]any)
		for name, value := range map[string]string{"role": c.Role, "user": c.User, "name": c.Name, "ends": c.Ends} {
			if value != "" {
				request[name] = value
			}
		}
		for name, values := range map[string][]string{"scopes": c.Scope, "sources": c.Source, "networks": c.Network} {
			if len(values) > 0 {
				request[name] = values
			}
		}
		var made keyView
		if err := client.Call(ctx, http.MethodPost, "/v1/keys", request, &made); err != nil {
			return err
		}
		_, err := fmt.Fprintln(env.Out, made.Key)
		return err
	})
}

type keysListCmd struct {
	workspaceTarget
	JSON bool `help:"Print JSON." name:"json"`
}

// Run lists the keys.
func (c *keysListCmd) Run(ctx context.Context, env *environment) error {
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		var answer struct {
			Items []keyView `json:"items"`
		}
		if err := client.Call(ctx, http.MethodGet, "/v1/keys", nil, &answer); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Out, answer.Items)
		}
		table := newTable(env.Out, "ID", "KEY", "ROLE", "USER", "CREATED", "ENDS", "LAST USED", "NAME")
		for _, key := range answer.Items {
			ends := "never"
			if key.Ends != nil {
				ends = key.Ends.Format(time.RFC3339)
			}
			used := "never"
			if key.LastUsed != nil {
				used = key.LastUsed.Format(time.RFC3339)
			}
			table.row(key.ID, key.Prefix+"…", key.Role, key.User, key.Created.Format(time.RFC3339), ends, used, key.Name)
		}
		return table.print()
	})
}

type keysRotateCmd struct {
	workspaceTarget
	ID    string `arg:"" help:"The key's id, from keys list."`
	Hours int    `help:"For how long the text before works, 0 to 168." default:"24"`
}

// Run rotates the key and prints its new text alone.
func (c *keysRotateCmd) Run(ctx context.Context, env *environment) error {
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		var made keyView
		path := "/v1/keys/" + url.PathEscape(c.ID) + "/rotate"
		if err := client.Call(ctx, http.MethodPost, path, map[string]int{"overlap_hours": c.Hours}, &made); err != nil {
			return err
		}
		_, err := fmt.Fprintln(env.Out, made.Key)
		return err
	})
}

type keysRevokeCmd struct {
	workspaceTarget
	ID string `arg:"" help:"The key's id, from keys list."`
}

// Run revokes the key.
func (c *keysRevokeCmd) Run(ctx context.Context, env *environment) error {
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		return client.Call(ctx, http.MethodDelete, "/v1/keys/"+url.PathEscape(c.ID), nil, nil)
	})
}

// table prints aligned columns.
type table struct{ writer *tabwriter.Writer }

func newTable(w io.Writer, heads ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)}
	t.row(heads...)
	return t
}

func (t *table) row(cells ...string) {
	for i, cell := range cells {
		if i > 0 {
			fmt.Fprint(t.writer, "\t")
		}
		fmt.Fprint(t.writer, cell)
	}
	fmt.Fprintln(t.writer)
}

func (t *table) print() error { return t.writer.Flush() }

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
