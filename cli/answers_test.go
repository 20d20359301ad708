package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/apiclient"
	"tidings/demo"
	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// demoQuestions are asked of four days of the demo. Their times are fixed, so that the
// answers do not depend on the day of the test.
var demoQuestions = strings.Split(`who opened
who hasn't opened
who clicked
who hasn't clicked
who replied
who hasn't replied
who opened but didn't reply
who clicked but didn't reply
who opened twice
who opened more than 3 times
who opened at least twice but didn't reply
who downloaded
who bounced
who opened on 2026-11-11
who opened since 2026-11-12 but hasn't clicked
who replied before 2026-11-12
how many opens
how many replies since 2026-11-11
how many clicks on 2026-11-10
how many emails were sent
how many bounces
how many people opened
how many emails did nobody open
how many meetings
which emails bounced
which companies opened
which companies replied
which emails have no reply
which emails were opened but not answered
did anyone reply
did anyone download
did anyone click since 2026-11-13
did nobody@nowhere.example open
has anyone replied since 2026-11-12
has anyone unsubscribed
has nobody@nowhere.example replied
when was the first open
when did anyone reply
when were the bounces
when did anyone download`, "\n")

// TestTheDemoIsAnswered asks questions and statistics of the demo through the API.
func TestTheDemoIsAnswered(t *testing.T) {
	t.Parallel()
	asked := askTheDemo(t)
	asked.answers(t)
	asked.rates(t)
	asked.mostActive(t)
	asked.weekBefore(t)
}

// answers holds that each number of an answer is as many as the feed lists for the query of
// that number.
func (d askedDemo) answers(t *testing.T) {
	require.Len(t, demoQuestions, 40)
	found := 0
	for _, text := range demoQuestions {
		require.NotEqual(t, query.NoQuestion, query.QuestionOf(text), text)
		var a feed.Answer
		d.get(t, "/v1/answer", url.Values{"q": {text}, "tz": {"UTC"}, "limit": {"500"}}, &a)
		require.False(t, a.Partial, text)
		d.sameCounts(t, text, a)
		first, _, _ := strings.Cut(text, " ")
		require.Regexp(t, sentences[first], a.Sentence, text)
		if len(a.Companies) > 0 {
			found++
		}
		if len(a.Companies) > 0 {
			company := a.Companies[0]
			require.Len(t, d.items(t, company.Query), company.Events, company.Query)
			person := company.People[0]
			require.Len(t, d.items(t, person.Query), person.Events, person.Query)
		}
	}
	require.Greater(t, found, 30)
}

// sentences are what the answers to a question look like, by its first word.
var sentences = map[string]string{
	"who": "^[0-9]+ (person|people) at |^Nobody ", "which": "^[0-9]+ (person|people) at |^Nobody ", "did": "^Yes: |^No: ", "has": "^Yes: |^No: ",
	"how": "^[0-9,]+ events?: |^Nobody ", "when": "^On |^First on |^Nobody ",
}

// rates compares rates with the state of each recipient that the feed lists; what has no
// sends has no rate.
func (d askedDemo) rates(t *testing.T) {
	for _, text := range []string{"type:send", "is:unopened", "is:unreplied", "type:send since:2026-11-12", "is:clicked"} {
		stats := d.stats(t, url.Values{"q": {text}})
		sends, people := d.items(t, text), map[string]feed.Recipient{}
		for _, send := range sends {
			require.Equal(t, event.Send, send.Type)
			for _, r := range send.Recipients {
				people[send.Message+" "+r.Email] = r
			}
		}
		var of, opened, clicked, replied, bounced int
		for _, r := range people {
			if r.Bounced != nil {
				bounced++
				continue
			}
			of++
			opened += one(r.Opened != feed.Never)
			clicked += one(r.Clicked != nil)
			replied += one(r.Replied != nil)
		}
		rates := [][2]int{{stats.Rates.Open.Count, stats.Rates.Open.Of}, {stats.Rates.Click.Count, stats.Rates.Click.Of}, {stats.Rates.Reply.Count, stats.Rates.Reply.Of}, {stats.Rates.Bounce.Count, stats.Rates.Bounce.Of}}
		require.Equal(t, [][2]int{{opened, of}, {clicked, of}, {replied, of}, {bounced, of + bounced}}, rates, text)
		require.InDelta(t, float64(opened)/float64(of), *stats.Rates.Open.Rate, 1e-9, text)
	}
	for _, text := range []string{"type:open", "type:open verdict:human", "type:reply"} {
		stats := d.stats(t, url.Values{"q": {text}})
		require.Nil(t, stats.Rates.Open.Rate, text)
		require.Nil(t, stats.Rates.Reply.Rate, text)
	}
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// askedDemo is four days of the demo behind the API.
type askedDemo struct{ client *apiclient.Client }

func askTheDemo(t *testing.T) askedDemo {
	end := time.Date(2026, 11, 14, 0, 0, 0, 0, time.UTC)
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for in := range demo.New(7, end).History(end.AddDate(0, 0, -4), end) {
		require.NoError(t, encoder.Encode(in))
	}
	data, file := filepath.Join(t.TempDir(), "d"), filepath.Join(t.TempDir(), "events.ndjson")
	require.NoError(t, os.WriteFile(file, lines.Bytes(), 0o600))
	run(t, "import", "--data", data, "--workspace", "demo", file)
	key := createKey(t, data, "demo", "admin")
	client := apiclient.New("http://"+startServer(t, data, "127.0.0.1:0").address, key)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return askedDemo{client}
}

func (d askedDemo) get(t *testing.T, path string, values url.Values, into any) {
	require.NoError(t, d.client.Call(t.Context(), http.MethodGet, path+"?"+values.Encode(), nil, into), values)
}

func (d askedDemo) stats(t *testing.T, values url.Values) (stats feed.Stats) {
	values.Set("tz", "UTC")
	d.get(t, "/v1/stats", values, &stats)
	require.False(t, stats.Partial)
	return stats
}

// items are all that the feed lists.
func (d askedDemo) items(t *testing.T, text string) (items []feed.Item) {
	for values := (url.Values{"q": {text}, "tz": {"UTC"}, "limit": {"200"}}); ; {
		var page struct {
			Items []feed.Item `json:"items"`
			Next  *string     `json:"next"`
		}
		d.get(t, "/v1/feed", values, &page)
		items = append(items, page.Items...)
		if page.Next == nil {
			return items
		}
		values.Set("cursor", *page.Next)
	}
}

// sameCounts compares the numbers of an answer with what their queries list.
func (d askedDemo) sameCounts(t *testing.T, text string, a feed.Answer) {
	people, listed := 0, 0
	for _, company := range a.Companies {
		people += company.Count
		listed += len(company.People)
	}
	require.Equal(t, people, listed, text)
	for _, count := range a.Counts {
		switch items := d.items(t, count.Query); count.Of {
		case "events":
			require.Len(t, items, count.Count, "%s: %s", text, count.Query)
		case "messages":
			messages := map[string]bool{}
			for _, item := range items {
				messages[item.Message] = true
			}
			require.Len(t, messages, count.Count, "%s: %s", text, count.Query)
		case "people":
			require.Equal(t, people, count.Count, text)
			who := map[string]bool{}
			for _, item := range items {
				if item.Person != nil {
					who[item.Person.Email] = true
				}
			}
			if len(who) > 0 {
				require.Len(t, who, count.Count, text)
			}
		case "companies":
			require.Len(t, a.Companies, count.Count, text)
		}
		if count.Of == "messages" && count.Count > 0 {
			require.Contains(t, a.Sentence, fmt.Sprint(count.Count), text)
		}
	}
}

// mostActive compares those who are called most active with what people did themselves.
func (d askedDemo) mostActive(t *testing.T) {
	acts := map[string]int{}
	for _, item := range d.items(t, "") {
		for _, act := range query.ActTypes {
			if item.Type == act && item.Person != nil {
				acts[item.Person.Email]++
			}
		}
	}
	ranked := d.stats(t, url.Values{}).Recipients
	require.Len(t, ranked, 10)
	for i, r := range ranked {
		require.Equal(t, acts[r.Name], r.Events, r.Name)
		if i > 0 {
			require.LessOrEqual(t, r.Events, ranked[i-1].Events)
		}
	}
}

// weekBefore compares two days with the same days of the week before.
func (d askedDemo) weekBefore(t *testing.T) {
	stats := d.stats(t, url.Values{"since": {"2026-11-18T00:00:00Z"}, "until": {"2026-11-20T00:00:00Z"}})
	before := stats.Previous
	require.Equal(t, stats.Since.AddDate(0, 0, -7), before.Since)
	require.Equal(t, stats.Until.AddDate(0, 0, -7), before.Until)
	require.Equal(t, stats.Since.Weekday(), before.Since.Weekday())
	require.Positive(t, before.Totals.Events)
	require.Len(t, d.items(t, "since:2026-11-11 before:2026-11-13"), before.Totals.Events)
}
