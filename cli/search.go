package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tidings/apiclient"
)

// searchCmd asks the feed in the terminal.
type searchCmd struct {
	workspaceTarget
	Limit *int     `help:"How many events to show, 20 without this and --all." xor:"many"`
	All   bool     `help:"Show all that match, as far back as the text says, else a year." xor:"many"`
	TZ    string   `help:"The time zone that days begin in and times are shown in; this machine's by default." placeholder:"ZONE" name:"tz"`
	JSON  bool     `help:"Print each event as the API has it, one JSON object a line." name:"json"`
	Text  []string `arg:"" optional:"" help:"What to look for, in plain English or operators."`
}

// Help shows what can be typed.
func (*searchCmd) Help() string {
	return `The newest events come first ("oldest first" turns them around), 20 of them where
neither --limit nor --all says otherwise. For example:
  tidings search --data DIR --workspace acme "who hasn't opened the pricing proposal since monday"
  tidings search --server URL --key KEY --limit 500 "replies from acme.com last week"
  tidings search --server URL --key KEY --all --json "clicks this month" | jq -r .link

How the text was understood goes to stderr, the events to stdout as they are found,
so that --all may be ended with Ctrl-C, or by head.`
}

const (
	// mostOfPage is how many events the API gives at a time.
	mostOfPage = 200
	// usualLimit is how many are shown to who asks for no number.
	usualLimit = 20
)

// foundPage is a page as the API answers it.
type foundPage struct {
	Items []json.RawMessage `json:"items"`
	Next  *string           `json:"next"`
	// Warnings say what could not be read.
	Warnings []string `json:"warnings"`
	// Answer is there where the text is a question.
	Answer *struct {
		Sentence string      `json:"sentence"`
		Table    *foundTable `json:"table"`
	} `json:"answer"`
	Query struct {
		Interpretation string   `json:"interpretation"`
		Notes          []string `json:"notes"`
		DidYouMean     string   `json:"did_you_mean"`
		Showing        string   `json:"showing"`
	} `json:"query"`
}

// foundItem is one event of it.
type foundItem struct {
	Type       string        `json:"type"`
	Time       time.Time     `json:"time"`
	User       *foundUser    `json:"user"`
	Subject    string        `json:"subject"`
	Source     string        `json:"source"`
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
	limit := usualLimit
	switch {
	case c.Limit != nil && *c.Limit < 1:
		return &usageError{"--limit is 1 or more"}
	case c.Limit != nil:
		limit = *c.Limit
	case c.All:
		limit = math.MaxInt
	}
	zone, err := c.zone()
	if err != nil {
		return err
	}
	return c.reading(ctx, env, func(client *apiclient.Client) error {
		printer := &feedPrinter{out: env.Out, zone: zone, now: time.Now().In(zone), colours: colours(env.Out)}
		found, more, err := c.pages(ctx, env, client, limit, printer)
		if err != nil || c.JSON {
			return err
		}
		return printer.end(found, more)
	})
}

// pages prints page after page until there is enough, and says how many events
// that were and whether there are more.
func (c *searchCmd) pages(ctx context.Context, env *environment, client *apiclient.Client, limit int, printer *feedPrinter) (found int, more bool, err error) {
	values := url.Values{"q": {strings.Join(c.Text, " ")}, "tz": {printer.zone.String()}}
	for first := true; ; first = false {
		values.Set("limit", strconv.Itoa(min(mostOfPage, limit-found)))
		var page foundPage
		if err := client.Call(ctx, http.MethodGet, "/v1/feed?"+values.Encode(), nil, &page); err != nil {
			return found, false, err
		}
		if first {
			for _, line := range page.understanding() {
				fmt.Fprintln(env.Err, line)
			}
			if page.Answer != nil {
				fmt.Fprintln(env.Err, page.Answer.Sentence)
				page.Answer.Table.print(env.Err)
			}
		}
		for _, warning := range page.Warnings {
			fmt.Fprintln(env.Err, warning)
		}
		if err := c.print(env, printer, page.Items); err != nil {
			return found, false, err
		}
		found += len(page.Items)
		if page.Next == nil || found >= limit {
			return found, page.Next != nil, nil
		}
		values.Set("cursor", *page.Next)
	}
}

// print prints the events of a page.
func (c *searchCmd) print(env *environment, printer *feedPrinter, raw []json.RawMessage) error {
	if c.JSON {
		return printLines(env.Out, raw)
	}
	items := make([]foundItem, len(raw))
	for i := range raw {
		if err := json.Unmarshal(raw[i], &items[i]); err != nil {
			return fmt.Errorf("read the page: %w", err)
		}
	}
	return printer.print(items)
}

// printLines prints each value on a line of its own.
func printLines(w io.Writer, values []json.RawMessage) error {
	var lines bytes.Buffer
	for _, value := range values {
		if err := json.Compact(&lines, value); err != nil {
			return fmt.Errorf("read the page: %w", err)
		}
		lines.WriteByte('\n')
	}
	_, err := lines.WriteTo(w)
	return err
}

// understanding says how the text was read.
func (p foundPage) understanding() []string {
	lines := []string{"Looking for " + p.Query.Interpretation + "."}
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
		return nil, &usageError{fmt.Sprintf("--tz %q is not a time zone such as Europe/Berlin", name)}
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
