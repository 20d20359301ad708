package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

func TestStatisticsAreAskedForAsTheFeedIs(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/settings", key: admin, body: `{"workspace":{"time_zone":"Europe/Lisbon","week_start":"sunday"}}`}).is(200)
	s.do(call{method: "PUT", path: "/v1/teams/t", key: admin, body: `{"name":"T","members":["u_ana","u_bo"]}`}).is(200)
	path := "?q=pricing&since=1000&until=2000&type=open&type=click&user=u_ana&recipient=Jo@acme.example&message=m-1&automated=show"
	member := s.key("acme", account.RoleRead, "u_ana")
	s.get(member, "/v1/stats"+path+"&interval=day&fields=totals&fields=unique").is(200)
	s.get(member, "/v1/feed"+path).is(200)
	s.get(member, "/v1/export"+path).is(200)

	page, stats, export := s.feed.asked[0], s.reports.stats[0], s.reports.export[0]
	require.Equal(t, []string{"u_ana", "u_bo"}, page.Users)
	require.Equal(t, page.Scope, stats.Scope)
	require.Equal(t, page.Scope, export.Scope)
	require.Equal(t, "Europe/Lisbon", stats.Zone.String())
	require.Equal(t, query.Filter{
		Types: []event.Type{event.Open, event.Click}, Users: []string{"u_ana"}, Recipients: []string{"Jo@acme.example"},
		Messages: []string{"m-1"}, Since: 1000, Until: 2000, Automated: query.AutomatedShow,
	}, stats.Filter)
	require.Equal(t, page.Filter, stats.Filter)
	require.Equal(t, page.Filter, export.Filter)
	require.Equal(t, []string{"pricing", "pricing", "pricing"}, []string{page.Text, stats.Text, export.Text})
	require.Equal(t, feed.Daily, stats.Interval)
	require.Equal(t, time.Sunday, stats.WeekStart)
	require.Equal(t, []feed.StatsField{feed.FieldTotals, feed.FieldUnique}, stats.Fields)

	s.get(member, "/v1/stats?since=1000&unless_timed=true").is(200)
	s.get(member, "/v1/export?since=1000&unless_timed=true").is(200)
	require.Equal(t, query.Filter{Since: 1000, UnlessTimed: true}, s.reports.stats[1].Filter)
	require.Equal(t, s.reports.stats[1].Filter, s.reports.export[1].Filter)
}

func TestReportsTakeARoleThatReads(t *testing.T) {
	s := newSite(t)
	ingest := s.key("acme", account.RoleIngest, "")
	for _, path := range []string{"/v1/stats", "/v1/export", "/v1/searches"} {
		s.get("", path).problem(401)
		s.get(ingest, path).problem(403)
	}
}

// exported are items with what a spreadsheet must not run.
func exported() []feed.Item {
	unopened := 1
	at := time.Date(2026, 11, 16, 9, 30, 0, 0, time.UTC)
	return []feed.Item{
		{
			ID: event.NewID(at.Unix(), "acme", "api", true, []byte("a")), Type: event.Send, Time: at, Message: "m-1",
			User: &feed.User{ID: "u_ana", Name: "Ana"}, Subject: `=HYPERLINK("https://evil.example","click")`,
			Recipients: []feed.Recipient{{Email: "jo@acme.example"}, {Email: "li@acme.example"}}, Unopened: &unopened, Source: "api",
		},
		{
			ID: event.NewID(at.Unix(), "acme", "api", true, []byte("b")), Type: event.Reply, Time: at, Message: "-1+1",
			Person: &event.Person{Email: "+1@acme.example", Name: "@SUM(A1)"}, Snippet: "＝1+1, she said \"no\"\r\n", Source: "\tapi",
			Verdict: &feed.Verdict{Is: event.Human, Rule: "none"},
		},
	}
}

func TestACSVIsForSpreadsheets(t *testing.T) {
	s := newSite(t)
	s.reports.items = exported()
	got := s.get(s.key("acme", account.RoleRead, ""), "/v1/export").is(200)
	require.Equal(t, "text/csv; charset=utf-8; header=present", got.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="events.csv"`, got.header.Get("Content-Disposition"))
	rows, err := csv.NewReader(bytes.NewReader(got.body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	column := func(row int, name string) string {
		for i, header := range rows[0] {
			if header == name {
				return rows[row][i]
			}
		}
		t.Fatalf("no column %s", name)
		return ""
	}
	require.Equal(t, "2026-11-16T09:30:00Z", column(1, "time"))
	require.Equal(t, "jo@acme.example li@acme.example", column(1, "recipients"))
	require.Equal(t, "1", column(1, "unopened"))
	require.Equal(t, `'=HYPERLINK("https://evil.example","click")`, column(1, "subject"))
	require.Equal(t, "'-1+1", column(2, "message"))
	require.Equal(t, "'+1@acme.example", column(2, "email"))
	require.Equal(t, "'@SUM(A1)", column(2, "name"))
	require.Equal(t, "'\tapi", column(2, "source"))
	require.True(t, strings.HasPrefix(column(2, "text"), "'＝1+1"))
	require.Equal(t, "human", column(2, "verdict"))
}

func TestNDJSONHasTheItemsOfAPage(t *testing.T) {
	s := newSite(t)
	s.reports.items = exported()
	got := s.get(s.key("acme", account.RoleRead, ""), "/v1/export?format=ndjson").is(200)
	require.Equal(t, "application/x-ndjson", got.header.Get("Content-Type"))
	lines := bufio.NewScanner(bytes.NewReader(got.body))
	var items []feed.Item
	for lines.Scan() {
		var item feed.Item
		require.NoError(t, json.Unmarshal(lines.Bytes(), &item))
		items = append(items, item)
	}
	require.Len(t, items, 2)
	require.Equal(t, s.reports.items[0].Subject, items[0].Subject)
	require.Equal(t, s.reports.items[1].ID, items[1].ID)
}

func TestAnExportOfNothingHasItsHeader(t *testing.T) {
	s := newSite(t)
	got := s.get(s.key("acme", account.RoleRead, ""), "/v1/export").is(200)
	require.True(t, strings.HasPrefix(string(got.body), "time,type,id,message,"), "%s", got.body)
	require.Equal(t, 1, strings.Count(string(got.body), "\n"))
	require.Empty(t, s.get(s.key("acme", account.RoleRead, ""), "/v1/export?format=ndjson").is(200).body)
}

func TestAnExportThatFailsIsAProblemOrIsBrokenOff(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleRead, "")
	s.reports.err = event.ErrUnavailable
	s.get(key, "/v1/export").problem(503)

	s.reports.items = exported()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/v1/export", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := s.http.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	_, err = io.ReadAll(response.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "half an export looks whole")
	require.NotContains(t, s.log.String(), "panicked")

	s.reports.err = nil
	s.get(key, "/v1/export").is(200) // and the slot is free again
}

func TestTooManyExportsAtOnceWait(t *testing.T) {
	release, arrived := make(chan struct{}), make(chan struct{}, 8)
	s := newSite(t, func(c *api.Config) {
		c.Reports = &blocking{c.Reports, arrived, release}
	})
	key := s.key("acme", account.RoleRead, "")
	done := make(chan int, 4)
	for range 4 {
		go func() {
			request, _ := http.NewRequest(http.MethodGet, s.http.URL+"/v1/export", nil)
			request.Header.Set("Authorization", "Bearer "+key)
			response, err := s.http.Client().Do(request)
			if err != nil {
				done <- 0
				return
			}
			_ = response.Body.Close()
			done <- response.StatusCode
		}()
		<-arrived
	}
	got := s.get(key, "/v1/export")
	got.problem(429)
	require.Equal(t, "5", got.header.Get("Retry-After"))
	close(release)
	for range 4 {
		require.Equal(t, 200, <-done)
	}
	s.get(key, "/v1/export").is(200)
}

// blocking are reports that wait.
type blocking struct {
	api.Reports
	arrived chan<- struct{}
	release <-chan struct{}
}

func (b *blocking) Export(ctx context.Context, request feed.ExportRequest, visit func([]feed.Item) error) error {
	b.arrived <- struct{}{}
	select {
	case <-b.release:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
