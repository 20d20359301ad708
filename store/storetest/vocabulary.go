package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// RunVocabulary runs the suite of an index that is a feed.Vocabulary too.
func RunVocabulary(t *testing.T, h IndexHarness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, indexTest, feed.Vocabulary)
	}{
		{"words have the number of their events", testTermCounts},
		{"the commonest words come first, and no more than asked for", testTermLimit},
		{"a workspace knows its own words", testTermTenants},
		{"automated events, other weeks and addresses bring no words", testTermBounds},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := openIndex(t, h)
			vocabulary, ok := x.Index.(feed.Vocabulary)
			require.True(t, ok, "the index does not tell its words")
			test.run(t, x, vocabulary)
		})
	}
}

// spoken are events with these subjects.
func spoken(workspace string, subjects ...string) []event.Event {
	events := make([]event.Event, len(subjects))
	for i, subject := range subjects {
		e := opens(1, firstWeek.Start()+int64(i), 0)[0]
		e.Workspace, e.Subject = workspace, subject
		events[i] = named(e, fmt.Sprint(workspace, i))
	}
	return events
}

// termsOf are a week's words, in the order of the alphabet.
func termsOf(t *testing.T, v feed.Vocabulary, workspace string, week event.Week, prefix string) []query.Term {
	terms, err := v.Terms(context.Background(), workspace, week, prefix, 100)
	require.NoError(t, err)
	slices.SortFunc(terms, func(a, b query.Term) int { return cmp.Compare(a.Word, b.Word) })
	return terms
}

func testTermCounts(t *testing.T, x indexTest, v feed.Vocabulary) {
	x.create(t, spoken(workspace, "Prices, prices", "pricing PRICES", "the prior price", "Übung", "Русь", "c't qr")...)
	require.Equal(t, []query.Term{{Word: "price", Count: 1}, {Word: "prices", Count: 2}, {Word: "pricing", Count: 1}},
		termsOf(t, v, workspace, firstWeek, "pric"))
	require.Equal(t, []query.Term{{Word: "ubung", Count: 1}, {Word: "uebung", Count: 1}}, termsOf(t, v, workspace, firstWeek, "u"))
	require.Equal(t, []query.Term{{Word: "русь", Count: 1}}, termsOf(t, v, workspace, firstWeek, "р"))
	require.Empty(t, termsOf(t, v, workspace, firstWeek, "z"))
}

func testTermLimit(t *testing.T, x indexTest, v feed.Vocabulary) {
	x.create(t, spoken(workspace, "qa qb qc", "qb qc", "qc")...)
	terms, err := v.Terms(context.Background(), workspace, firstWeek, "q", 2)
	require.NoError(t, err)
	require.Equal(t, []query.Term{{Word: "qc", Count: 3}, {Word: "qb", Count: 2}}, terms)
}

func testTermTenants(t *testing.T, x indexTest, v feed.Vocabulary) {
	x.create(t, append(spoken(workspace, "qmine"), spoken("another", "qtheirs")...)...)
	require.Equal(t, []query.Term{{Word: "qmine", Count: 1}}, termsOf(t, v, workspace, firstWeek, "q"))
	require.Equal(t, []query.Term{{Word: "qtheirs", Count: 1}}, termsOf(t, v, "another", firstWeek, "q"))
	require.Empty(t, termsOf(t, v, "nobody's", firstWeek, "q"))
}

func testTermBounds(t *testing.T, x indexTest, v feed.Vocabulary) {
	events := spoken(workspace, "qseen q@acme.example", "qhidden")
	events[1].Verdict.Is = event.Machine
	x.create(t, events...)
	require.Equal(t, []query.Term{{Word: "q", Count: 1}, {Word: "qseen", Count: 1}}, termsOf(t, v, workspace, firstWeek, "q"))
	require.Empty(t, termsOf(t, v, workspace, firstWeek+1, "q"))
}
