package feed_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

const (
	iPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
	outlook = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)"
)

// manyOpens are events whose ids are named by the numbers of the test.
func manyOpens(f *fixture) map[string]event.Event {
	sent := now.Add(-40 * 24 * time.Hour)
	with := func(e event.Event, agent string) event.Event {
		e.Client = &event.Client{UserAgent: &agent}
		return e
	}
	all := map[string]event.Event{
		"send":     send("m-1", sent, jo, li),
		"jo 1":     with(did(event.Open, "m-1", sent.Add(30*time.Minute), jo), outlook),
		"jo 2":     with(did(event.Open, "m-1", sent.Add(3*24*time.Hour), jo), iPhone),
		"jo 3":     did(event.Open, "m-1", sent.Add(20*24*time.Hour), jo),
		"li 1":     with(did(event.Open, "m-1", now.Add(-time.Hour), li), iPhone),
		"reply li": did(event.Reply, "m-1", now.Add(-time.Minute), li),
		"send 2":   send("m-2", sent.Add(time.Hour), jo),
		"other":    did(event.Open, "m-2", sent.Add(2*time.Hour), jo),
	}
	for _, e := range all {
		f.put(e)
	}
	return all
}

func TestCountsOrderAndDevices(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	all := manyOpens(f)
	for text, want := range map[string][]string{
		"opened more than twice":                    {"jo 1", "jo 2", "jo 3"},
		"opened 3 times":                            {"jo 1", "jo 2", "jo 3"},
		"opened once":                               {"li 1", "other"},
		"opened at least 4 times":                   {},
		"opened more than once in the last 38 days": {"jo 2", "jo 3"},
		"opened twice in the last 38 days":          {"jo 2", "jo 3"},
		"first open":                                {"jo 1", "li 1", "other"},
		"first open in the last 7 days":             {"li 1"},
		"opened again":                              {"jo 2", "jo 3"},
		"opened again after 2 weeks":                {"jo 3"},
		"second open":                               {"jo 2"},
		"opened within an hour":                     {"jo 1"},
		"opened after more than a week":             {"jo 3", "li 1"},
		"replied within an hour":                    {},
		"quiet for 10 days":                         {"jo 3"},
		"no activity for 30 days":                   {},
		"opened on phone":                           {"jo 2", "li 1"},
		"opened in outlook":                         {"jo 1"},
		"opens not on phone":                        {"jo 1", "jo 3", "other"},
		"opened on phone more than once":            {},
		"-times:>2 type:open":                       {"li 1", "other"},
		"to:jo nth:1":                               {"jo 1", "other"},
	} {
		var ids []event.ID
		for _, name := range want {
			ids = append(ids, all[name].ID)
		}
		page := f.page(feed.PageRequest{Text: text})
		require.ElementsMatch(t, ids, idsOf(page.Items), "%s: %s", text, page.Query.Interpretation)
		stats, err := f.Stats(context.Background(), feed.StatsRequest{Scope: feed.Scope{Workspace: "w"}, Text: text, Fields: []feed.StatsField{feed.FieldTotals}})
		require.NoError(t, err)
		require.Equal(t, len(want), stats.Totals.Events, text)
		exported := 0
		require.NoError(t, f.Export(context.Background(), feed.ExportRequest{Scope: feed.Scope{Workspace: "w"}, Text: text}, func(items []feed.Item) error {
			exported += len(items)
			return nil
		}))
		require.Equal(t, len(want), exported, text)
	}
}

func idsOf(items []feed.Item) []event.ID {
	all := ids(items)
	slices.SortFunc(all, func(a, b event.ID) int { return slices.Compare(a[:], b[:]) })
	return all
}

func TestTablesOverTheSameConditions(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	manyOpens(f)
	for _, test := range []struct {
		text, by string
		rows     map[string]int
	}{
		{"opens by company", "company", map[string]int{"acme.example": 4, "globex.example": 1}},
		{"most engaged", "person", map[string]int{jo.Email: 4, li.Email: 2}},
		{"top 1 companies by replies", "company", map[string]int{"globex.example": 1}},
		{"who opened the most", "person", map[string]int{jo.Email: 4, li.Email: 1}},
		{"opens by device", "device", map[string]int{"": 2, "phone": 2, "computer": 1}},
		{"activity by type", "type", map[string]int{"send": 2, "open": 5, "reply": 1}},
		{"opens from acme.example by month", "month", map[string]int{"2026-10-01": 4}},
		{"emails with the most opens", "message", map[string]int{"m-1": 4, "m-2": 1}},
		{"replies per weekday", "weekday", map[string]int{"Wednesday": 1}},
	} {
		answer := f.page(feed.PageRequest{Text: test.text}).Answer
		require.NotNil(t, answer, test.text)
		require.NotNil(t, answer.Table, test.text)
		require.Equal(t, test.by, answer.Table.By, test.text)
		got := map[string]int{}
		for _, row := range answer.Table.Rows {
			got[row.Name] = row.Events
			if row.Query != "" {
				require.Len(t, f.page(feed.PageRequest{Text: row.Query}).Items, row.Events, row.Query)
			}
		}
		require.Equal(t, test.rows, got, test.text)
	}
	require.Nil(t, f.page(feed.PageRequest{Text: "opens"}).Answer)
}
