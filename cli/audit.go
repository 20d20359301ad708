package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"tidings/apiclient"
	"tidings/app"
)

// auditCmd reads the audit log.
type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"Print a workspace's rows, newest first."`
	Export auditExportCmd `cmd:"" help:"Print all of a workspace's rows as NDJSON, newest first."`
	Heads  auditHeadsCmd  `cmd:"" help:"Print the heads of all chains, to be kept elsewhere for verify."`
	Verify auditVerifyCmd `cmd:"" help:"Look for rows that were edited, taken out, put in another order or cut off."`
}

// auditFilter says which rows.
type auditFilter struct {
	Kind   string `help:"Rows of one kind: sign-in, read, begun, change, secret, refused or log." placeholder:"KIND"`
	Actor  string `help:"Who, such as user:u_ana." placeholder:"ACTOR"`
	Object string `help:"Whose or what: user:ID, message:ID, event:ID, or a person's address." placeholder:"OBJECT"`
	Route  string `help:"Method and path, such as \"GET /v1/feed\"." placeholder:"ROUTE"`
	Since  string `help:"RFC 3339 or Unix seconds." placeholder:"TIME"`
}

func (f auditFilter) query(limit int, cursor string) string {
	values := url.Values{"limit": {strconv.Itoa(limit)}}
	for name, value := range map[string]string{
		"kind": f.Kind, "actor": f.Actor, "object": f.Object, "route": f.Route, "since": f.Since, "cursor": cursor,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return "/v1/audit?" + values.Encode()
}

// auditRow is a row as the API shows it.
type auditRow struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Actor  string    `json:"actor"`
	Route  string    `json:"route"`
	Object string    `json:"object"`
	Result int       `json:"result"`
	Count  int       `json:"count"`
	Reason string    `json:"reason"`
}

type auditPage struct {
	Items []json.RawMessage `json:"items"`
	Next  *string           `json:"next"`
}

type auditListCmd struct {
	workspaceTarget
	auditFilter
	Limit int  `help:"How many rows, up to 500." default:"50"`
	JSON  bool `help:"Print NDJSON." name:"json"`
}

// Run prints a page of the log.
func (c *auditListCmd) Run(ctx context.Context, env *environment) error {
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		var page auditPage
		if err := client.Call(ctx, http.MethodGet, c.query(c.Limit, ""), nil, &page); err != nil {
			return err
		}
		if c.JSON {
			return printRows(env, page.Items)
		}
		table := newTable(env.Out, "AT", "KIND", "ACTOR", "ROUTE", "RESULT", "COUNT", "OBJECT", "REASON")
		for _, raw := range page.Items {
			var row auditRow
			if err := json.Unmarshal(raw, &row); err != nil {
				return err
			}
			table.row(row.At.Format(time.RFC3339), row.Kind, row.Actor, row.Route, strconv.Itoa(row.Result), strconv.Itoa(max(1, row.Count)), row.Object, row.Reason)
		}
		return table.print()
	})
}

func printRows(env *environment, items []json.RawMessage) error {
	for _, item := range items {
		if _, err := fmt.Fprintf(env.Out, "%s\n", item); err != nil {
			return err
		}
	}
	return nil
}

type auditExportCmd struct {
	workspaceTarget
	auditFilter
}

// Run prints the whole log.
func (c *auditExportCmd) Run(ctx context.Context, env *environment) error {
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		for cursor := ""; ; {
			var page auditPage
			if err := client.Call(ctx, http.MethodGet, c.query(500, cursor), nil, &page); err != nil {
				return err
			}
			if err := printRows(env, page.Items); err != nil || page.Next == nil {
				return err
			}
			cursor = *page.Next
		}
	})
}

// auditStores are where the log of an installation is.
type auditStores struct {
	Data string `help:"The data directory, also while serve runs on it." placeholder:"DIR" type:"path" group:"Where"`
	storeFlags
}

func (s auditStores) settings() (app.Settings, error) {
	if s.Data == "" && !s.external() {
		return app.Settings{}, &usageError{"give --data DIR, or --index, --state and --stream"}
	}
	settings := app.Settings{Data: s.Data, Stores: app.Stores(s.storeFlags), Small: true}
	if s.Data == "" {
		settings.Role = app.RoleAPI
	}
	return settings, nil
}

type auditHeadsCmd struct{ auditStores }

// Run prints the heads.
func (c *auditHeadsCmd) Run(ctx context.Context, env *environment) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	heads, err := operate(ctx, env, s, "audit-heads", struct{}{}, (*app.App).AuditHeads)
	if err != nil {
		return err
	}
	return printJSON(env.Out, heads)
}

type auditVerifyCmd struct {
	auditStores
	Heads string `help:"Heads that were kept elsewhere, from audit heads." type:"existingfile" placeholder:"FILE"`
}

// Help says what is found and what is not.
func (auditVerifyCmd) Help() string {
	return `Each row holds the hash of the row before it, and the state store the last one of each
day. Who can write both can write the log anew: keep the output of tidings audit heads
where they cannot, and give it with --heads. The exit code is 1 when anything is wrong.`
}

// Run looks through the log.
func (c *auditVerifyCmd) Run(ctx context.Context, env *environment) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	var check app.AuditCheck
	if c.Heads != "" {
		raw, err := os.ReadFile(c.Heads)
		if err == nil {
			err = json.Unmarshal(raw, &check)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", c.Heads, err)
		}
	}
	found, err := operate(ctx, env, s, "audit-verify", check, (*app.App).CheckAudit)
	if err != nil {
		return err
	}
	for _, fault := range found.Faults {
		workspace := fault.Workspace
		if workspace == "" {
			workspace = "(installation)"
		}
		fmt.Fprintf(env.Out, "%s %s, row %d: %s\n", workspace, fault.Day, fault.Seq, fault.Problem)
	}
	if n := len(found.Faults); n > 0 {
		return fmt.Errorf("the audit log is not what was written: %s", count(n, "fault", "faults"))
	}
	_, err = fmt.Fprintf(env.Out, "%s in %s of %s, all as they were written\n",
		count(int(found.Rows), "row", "rows"), count(found.Chains, "chain", "chains"), count(found.Days, "day", "days"))
	return err
}
