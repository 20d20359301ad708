package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

var update = flag.Bool("update", false, "write golden files")

// spy writes down what is asked and answers with what it was given, in turn; the
// last answer is given again and again.
type spy struct {
	answers []answer
	asked   bytes.Buffer
}

type answer struct {
	status int
	body   string
	err    error
}

func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	fmt.Fprintf(&s.asked, "%s %s\n", r.Method, r.URL.RequestURI())
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(body)) {
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, []byte(line), "", "  "); err != nil {
				return nil, err
			}
			s.asked.WriteString(strings.TrimSpace(pretty.String()) + "\n")
		}
	}
	s.asked.WriteByte('\n')
	given := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	if given.err != nil {
		return nil, given.err
	}
	return &http.Response{
		StatusCode: given.status, Request: r, Body: io.NopCloser(strings.NewReader(given.body)),
		Header: http.Header{"Content-Type": {"application/json"}},
	}, nil
}

// spied is an index whose cluster is a spy.
func spied(t *testing.T, answers ...answer) (*Index, *spy) {
	t.Helper()
	config, err := ParseURL("elasticsearch://localhost/acme")
	require.NoError(t, err)
	s := &spy{answers: answers}
	config.Transport = s
	index, err := Open(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, index.Close()) })
	return index, s
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "if this is right, run go test ./store/elastic -update")
}

const spiedWeek = event.Week(2970)

func spiedEvent(key string) event.Event {
	at := spiedWeek.Start() + 60
	return event.Event{
		ID: event.NewID(at, "w-acme", "api", true, []byte(key)), Workspace: "w-acme", Type: event.Send, Time: at,
		Message: "m-1", User: "u_ana", Source: "api", Subject: "Pricing proposals", Body: "The pricing, as agreed",
		Recipients: []event.Person{{Email: "jo@acme.example", Name: "Jo"}},
	}
}

func TestTemplate(t *testing.T) {
	index, s := spied(t, answer{200, `{}`, nil})
	require.NoError(t, index.Prepare(context.Background(), spiedWeek))
	golden(t, "prepare", s.asked.Bytes())
}

// What is merged before it is committed keeps its documents twice.
func TestMergingCommitsBefore(t *testing.T) {
	index, s := spied(t, answer{200, `{}`, nil})
	require.NoError(t, index.merge(context.Background(), "acme-events"))
	require.Regexp(t, `(?s)^POST /acme-events/_flush\S*\n.*POST /acme-events/_forcemerge`, s.asked.String())
}

func TestBulk(t *testing.T) {
	index, s := spied(t, answer{200, `{"items":[{"create":{"status":201}}]}`, nil})
	_, err := index.Create(context.Background(), []event.Event{spiedEvent("a")})
	require.NoError(t, err)
	golden(t, "create", s.asked.Bytes())
}

func TestSearchRequests(t *testing.T) {
	words := func(field query.TextField, form query.Form, terms ...string) query.Expr {
		return query.Words{Field: field, Form: form, Terms: terms}
	}
	for name, s := range map[string]feed.Search{
		"everything": {},
		"a bucket of users": {
			Before: feed.Key{Seconds: spiedWeek.Start() + 99, Tie: 1<<63 + 5},
			Query:  query.Query{From: spiedWeek.Start(), Until: spiedWeek.End(), Automated: query.AutomatedShow},
		},
		"words": {Query: query.Query{Automated: query.AutomatedOnly, Where: query.And{
			words("", query.FormStem, "price"), words(query.FieldBody, query.FormStem, "agre"),
			words(query.FieldSubject, query.FormPhrase, "pricing", "proposals"), words(query.FieldLink, query.FormPhrase, "docs"),
			words(query.FieldFile, query.FormPrefix, "dec"),
		}}},
		"any field": {Query: query.Query{Where: words("", query.FormPhrase, "pricing", "proposals")}},
		"conditions": {Query: query.Query{Where: query.Or{
			query.Keyword{Field: query.FieldType, Values: []string{"open", "click"}},
			query.Not{Expr: query.Keyword{Field: query.FieldRecipient, Values: []string{"jo@acme.example"}}},
			query.And{},
			query.Or{},
			query.Keyword{Field: query.FieldUser},
			query.Words{},
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			index, asked := spied(t, answer{200, `{"_shards":{"total":64},"hits":{"hits":[]}}`, nil})
			s.Workspace, s.Limit, s.Weeks = "w-acme", 51, []event.Week{spiedWeek, spiedWeek - 1}
			hits, err := index.Search(context.Background(), s)
			require.NoError(t, err)
			require.Empty(t, hits)
			golden(t, "search "+name, asked.asked.Bytes())
		})
	}
}

func TestConditionsAreBounded(t *testing.T) {
	deep, wide := query.Expr(query.Or{}), make(query.Or, maxClauses)
	for range maxDepth + 1 {
		deep = query.Not{Expr: deep}
	}
	for i := range wide {
		wide[i] = query.Words{Form: query.FormStem, Terms: []string{"a"}}
	}
	for name, where := range map[string]query.Expr{
		"deep": deep, "wide": wide, "stems": query.Words{Form: query.FormStem, Terms: []string{"a", "b"}},
		"a field": query.Keyword{Field: "colour", Values: []string{"red"}}, "a text": query.Words{Field: "colour", Terms: []string{"red"}},
		"a form": query.Words{Form: 9, Terms: []string{"red"}}, "recipients": query.Recipients{Is: query.IsOpened},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := compile(where)
			require.ErrorIs(t, err, event.ErrInvalid)
		})
	}
}

// TestOutcomes has each answer that an item of a bulk request can get.
func TestOutcomes(t *testing.T) {
	for _, test := range []struct {
		name    string
		item    string
		created bool
		kind    error
		says    string
	}{
		{"created", `{"status":201}`, true, nil, ""},
		{"it exists", `{"status":409,"error":{"type":"version_conflict_engine_exception"}}`, false, nil, ""},
		{"too busy", `{"status":429,"error":{"type":"es_rejected_execution_exception"}}`, false, event.ErrUnavailable, "429"},
		{"no shard", `{"status":503,"error":{"type":"unavailable_shards_exception"}}`, false, event.ErrUnavailable, "503"},
		{
			"it does not fit", `{"status":400,"error":{"type":"document_parsing_exception","caused_by":{"type":"illegal_argument_exception"}}}`,
			false, event.ErrInvalid, "document_parsing_exception (illegal_argument_exception)",
		},
		{"a week of another version", `{"status":400,"error":{"type":"strict_dynamic_mapping_exception"}}`, false, event.ErrUnavailable, "strict"},
		{"not allowed", `{"status":403,"error":{"type":"security_exception"}}`, false, event.ErrUnavailable, "security"},
		{"sealed", `{"status":403,"error":{"type":"cluster_block_exception"}}`, false, &event.WeekBlocked{Week: spiedWeek}, "takes no writes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			index, _ := spied(t, answer{200, `{"items":[{"create":` + test.item + `}]}`, nil})
			outcomes, err := index.Create(context.Background(), []event.Event{spiedEvent("a")})
			require.NoError(t, err)
			require.Equal(t, test.created, outcomes[0].Created)
			switch blocked := (&event.WeekBlocked{}); {
			case test.kind == nil:
				require.NoError(t, outcomes[0].Err)
			case errors.As(test.kind, &blocked):
				require.Equal(t, blocked, outcomes[0].Err)
			default:
				require.ErrorIs(t, outcomes[0].Err, test.kind)
				require.ErrorContains(t, outcomes[0].Err, test.says)
			}
		})
	}
}

// TestRefusals has what can become of a whole request.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name  string
		given answer
		kind  error
	}{
		{"nobody is there", answer{err: errors.New("connection refused")}, event.ErrUnavailable},
		{"a gateway's page", answer{502, "<html>", nil}, event.ErrUnavailable},
		{"half an answer", answer{200, `{"hits":{"hi`, nil}, event.ErrUnavailable},
		{"no room", answer{429, `{"error":{"type":"circuit_breaking_exception"}}`, nil}, event.ErrUnavailable},
		{"wrong password", answer{401, `{"error":{"type":"security_exception","reason":"for user [x]"}}`, nil}, event.ErrUnavailable},
		{"a bad request", answer{400, `{"error":{"type":"parsing_exception","reason":"jo@acme.example"}}`, nil}, event.ErrInvalid},
		{"not in time", answer{200, `{"timed_out":true}`, nil}, event.ErrUnavailable},
		{"a shard failed", answer{200, `{"_shards":{"failed":1}}`, nil}, event.ErrUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			index, _ := spied(t, test.given)
			_, err := index.Search(context.Background(), feed.Search{Workspace: "w", Weeks: []event.Week{spiedWeek}, Limit: 1})
			require.ErrorIs(t, err, test.kind)
			require.NotContains(t, err.Error(), "acme.example", "what Elasticsearch says may quote the document")
		})
	}
	index, _ := spied(t, answer{200, `{"items":[]}`, nil})
	_, err := index.Create(context.Background(), []event.Event{spiedEvent("a")})
	require.ErrorIs(t, err, event.ErrUnavailable, "an answer for fewer events than were sent")
}

func TestLostAnswersOfWritesAreNotRetried(t *testing.T) {
	index, s := spied(t, answer{err: errors.New("reset")}, answer{200, `{"items":[{"create":{"status":409}}]}`, nil})
	_, err := index.Create(context.Background(), []event.Event{spiedEvent("a")})
	require.ErrorIs(t, err, event.ErrUnavailable, "whose event it was cannot be told from the second answer")
	require.Equal(t, 1, strings.Count(s.asked.String(), "POST /_bulk"))
}

func TestLargeBatchesGoInSeveralRequests(t *testing.T) {
	index, s := spied(t, answer{200, `{"items":[{"create":{"status":201}},{"create":{"status":201}}]}`, nil})
	events := make([]event.Event, 4)
	for i := range events {
		events[i] = spiedEvent(fmt.Sprint(i))
		events[i].Body = strings.Repeat("word ", maxBulk/25)
	}
	outcomes, err := index.Create(context.Background(), events)
	require.NoError(t, err)
	require.Len(t, outcomes, 4)
	require.Equal(t, 2, strings.Count(s.asked.String(), "POST /_bulk"))
}
