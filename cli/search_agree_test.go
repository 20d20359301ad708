package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/apiclient"
)

var terminalQuestions = flag.Int("questions", 15, "how many questions the terminal and the API are compared with")

// terminalTerms are what questions to the terminal are made of.
var terminalTerms = []string{
	"opens", "replies", "from acme", "pricing", "is:unopened", "is:opened -is:replied", "to:jo is:unopened", "not opened by jo@acme.example",
	"opened but didn't reply", "opened twice but didn't reply", "type:open times:>1", "first open", "quiet for 2 days", "-kickoff", "type:send",
	"who at acme hasn't opened", "since 2026-11-12", "before 2026-11-14", "oldest first", "order:oldest", "domain:globex.example", "automated:show",
}

// terminalEvents are mails to a few people and what became of them, a line each.
func terminalEvents(r *rand.Rand) string {
	people := []string{"jo@acme.example", "li@acme.example", "cy@globex.example"}
	subjects := []string{"Pricing proposal", "Kickoff notes", "Pricing again"}
	var lines strings.Builder
	for m := range 40 {
		at := time.Date(2026, 11, 9+r.IntN(8), r.IntN(24), r.IntN(60), 0, 0, time.UTC)
		to := people[:1+r.IntN(3)]
		fmt.Fprintf(&lines, `{"type":"send","time":%q,"message":"m-%d","user":"u_ana","subject":%q,"recipients":[{"email":%q}]}`+"\n",
			at.Format(time.RFC3339), m, subjects[m%3], strings.Join(to, `"},{"email":"`))
		for range r.IntN(8) {
			at = at.Add(time.Duration(1+r.IntN(600)) * time.Minute)
			fmt.Fprintf(&lines, `{"type":%q,"time":%q,"message":"m-%d","recipient":{"email":%q}}`+"\n",
				[]string{"open", "open", "open", "reply", "click"}[r.IntN(5)], at.Format(time.RFC3339), m, to[r.IntN(len(to))])
		}
	}
	return lines.String()
}

// TestTheTerminalAgrees asks questions of a directory in the terminal and of the
// feed, the export and the statistics behind the API: all have the same events.
func TestTheTerminalAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	data := filepath.Join(t.TempDir(), "d")
	file := filepath.Join(t.TempDir(), "events.ndjson")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(terminalEvents(r), `\"`, `"`)), 0o600))
	var said bytes.Buffer
	require.Zero(t, Main([]string{"import", "--data", data, "--workspace", "acme", file}, Streams{In: strings.NewReader(""), Out: &said, Err: &said}), said.String())

	env := &environment{Streams: Streams{Err: io.Discard}, log: slog.New(slog.DiscardHandler)}
	where := workspaceTarget{target: target{Data: data}, Workspace: "acme"}
	found := 0
	require.NoError(t, where.reading(t.Context(), env, func(client *apiclient.Client) error {
		for range *terminalQuestions {
			text := terminalTerms[r.IntN(len(terminalTerms))] + " " + terminalTerms[r.IntN(len(terminalTerms))]
			terminal := terminalIDs(t, env, client, text)
			require.Equal(t, feedIDs(t, client, text), terminal, text)
			require.Equal(t, exportIDs(t, client, text), terminal, text)
			var stats struct{ Totals struct{ Events int } }
			require.NoError(t, client.Call(t.Context(), http.MethodGet, "/v1/stats?"+url.Values{"q": {text}, "tz": {"UTC"}}.Encode(), nil, &stats))
			require.Equal(t, len(terminal), stats.Totals.Events, text)
			found += len(terminal)
		}
		return nil
	}))
	require.Positive(t, found)
}

type withID struct{ ID string }

func terminalIDs(t *testing.T, env *environment, client *apiclient.Client, text string) []string {
	var out bytes.Buffer
	asked := *env
	asked.Out = &out
	c := &searchCmd{JSON: true, Text: []string{text}}
	_, more, err := c.pages(t.Context(), &asked, client, 1<<30, &feedPrinter{out: &out, zone: time.UTC, now: time.Now()})
	require.NoError(t, err, text)
	require.False(t, more)
	return idsOf(t, &out)
}

func feedIDs(t *testing.T, client *apiclient.Client, text string) []string {
	ids := []string{}
	for values := (url.Values{"q": {text}, "tz": {"UTC"}, "limit": {"7"}}); ; {
		var page struct {
			Items []withID
			Next  *string
		}
		require.NoError(t, client.Call(t.Context(), http.MethodGet, "/v1/feed?"+values.Encode(), nil, &page), text)
		for _, item := range page.Items {
			ids = append(ids, item.ID)
		}
		if page.Next == nil {
			return ids
		}
		values.Set("cursor", *page.Next)
	}
}

func exportIDs(t *testing.T, client *apiclient.Client, text string) []string {
	values := url.Values{"q": {text}, "tz": {"UTC"}, "format": {"ndjson"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, client.Base+"/v1/export?"+values.Encode(), nil)
	require.NoError(t, err)
	request.Header.Set("Tidings-Workspace", client.Workspace)
	answer, err := client.HTTP.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	return idsOf(t, answer.Body)
}

func idsOf(t *testing.T, lines io.Reader) []string {
	ids := []string{}
	for decoder := json.NewDecoder(lines); ; {
		var item withID
		err := decoder.Decode(&item)
		if errors.Is(err, io.EOF) {
			return ids
		}
		require.NoError(t, err)
		ids = append(ids, item.ID)
	}
}
