package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// searchCmd asks the feed in the terminal.
type searchCmd struct {
	workspaceTarget
	Limit int      `help:"How many events to show, 1 to 200." default:"20"`
	TZ    string   `help:"The time zone that days begin in and times are shown in; this machine's by default." placeholder:"ZONE" name:"tz"`
	JSON  bool     `help:"Print the page as the API answers it." name:"json"`
	Text  []string `arg:"" optional:"" help:"What to look for, in plain English or operators."`
}

// Help shows what can be typed.
func (*searchCmd) Help() string {
	return `For example:
  tidings search --data DIR --workspace acme "who hasn't opened the pricing proposal since monday"
  tidings search --server URL --key KEY "replies from acme.com last week"

How the text was understood goes to stderr, the events to stdout.`
}

// foundPage is a page as the API answers it.
type foundPage struct {
	Items []foundItem `json:"items"`
	Next  *string     `json:"next"`
	Query struct {
		Meant      string   `json:"meant"`
		Notes      []string `json:"notes"`
		DidYouMean string   `json:"did_you_mean"`
		Showing    string   `json:"showing"`
	} `json:"query"`
}

// foundItem is one event of it.
type foundItem struct {
	Type       string        `json:"type"`
	Time       time.Time     `json:"time"`
	User       *foundUser    `json:"user"`
	Subject    string        `json:"subject"`
	Person     *foundPerson  `json:"person"`
	Recipients []foundPerson `json:"recipients"`
	Unopened   *int          `json:"unopened"`
	Title      string        `json:"title"`
	Link       string        `json:"link"`
	File       string        `json:"file"`
	Meeting    *struct {
		Title  string `json:"title"`
		Answer string `json:"answer"`
	} `json:"meeting"`
	Verdict *struct {
		Is string `json:"is"`
	} `json:"verdict"`
	Highlights map[string][][2]int `json:"highlights"`
}

type foundUser struct{ ID, Name string }

type foundPerson struct{ Email, Name string }

func (p foundPerson) String() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Email
}

// Run searches and prints.
func (c *searchCmd) Run(ctx context.Context, env *environment) error {
	if c.Limit < 1 || c.Limit > 200 {
		return &usageError{"--limit is from 1 to 200"}
	}
	zone, err := c.zone()
	if err != nil {
		return err
	}
	return c.with(ctx, env, func(client *client) error {
		values := url.Values{"q": {strings.Join(c.Text, " ")}, "limit": {strconv.Itoa(c.Limit)}, "tz": {zone.String()}}
		var raw json.RawMessage
		if err := client.call(ctx, http.MethodGet, "/v1/feed?"+values.Encode(), nil, &raw); err != nil {
			return err
		}
		var page foundPage
		if err := json.Unmarshal(raw, &page); err != nil {
			return fmt.Errorf("read the page: %w", err)
		}
		for _, line := range page.understanding() {
			fmt.Fprintln(env.Err, line)
		}
		if c.JSON {
			return printJSON(env.Out, raw)
		}
		printer := &feedPrinter{out: env.Out, zone: zone, now: time.Now().In(zone), colours: colours(env.Out)}
		return printer.print(page)
	})
}

// understanding says how the text was read.
func (p foundPage) understanding() []string {
	lines := []string{"Looking for " + p.Query.Meant + "."}
	lines = append(lines, p.Query.Notes...)
	if p.Query.Showing != "" {
		lines = append(lines, "Nothing was found so; showing results for: "+p.Query.Showing)
	}
	if p.Query.DidYouMean != "" {
		lines = append(lines, "Did you mean: "+p.Query.DidYouMean)
	}
	return lines
}

// zone is the time zone of the flag, or this machine's by its name.
func (c *searchCmd) zone() (*time.Location, error) {
	name := c.TZ
	if name == "" {
		name = machineZone()
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, &usageError{fmt.Sprintf("--tz %q is no time zone such as Europe/Berlin", name)}
	}
	return zone, nil
}

// machineZone is the name of this machine's time zone, which Go itself only
// knows as Local; UTC where it has none.
func machineZone() string {
	name := strings.TrimPrefix(os.Getenv("TZ"), ":")
	if name == "" {
		target, err := filepath.EvalSymlinks("/etc/localtime")
		_, after, found := strings.Cut(target, "/zoneinfo/")
		if err != nil || !found {
			return "UTC"
		}
		name = after
	}
	if _, err := time.LoadLocation(name); err != nil {
		return "UTC"
	}
	return name
}
