package feed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/query"
)

func TestNumbersHaveTheirNoun(t *testing.T) {
	for n, want := range map[int]string{
		0: "0 people", 1: "1 person", 2: "2 people", 999: "999 people", 1000: "1,000 people", 1204: "1,204 people", 65432: "65,432 people",
		999_999: "999,999 people", 1_000_000: "1,000,000 people",
	} {
		require.Equal(t, want, number(n, "person", "people"))
	}
}

func TestStatesOfAQuestionAreSaid(t *testing.T) {
	for text, want := range map[string]string{
		"unopened:>3d":            "haven’t opened",
		"is:opened -is:replied":   "have opened and haven’t replied to",
		"is:clicked OR is:opened": "have clicked in",
	} {
		read := query.Parse(text, query.Options{Now: time.Unix(1_790_000_000, 0)})
		require.Equal(t, want, statesOf(read.Chips).many, text)
	}
}

func TestATeamIsKnownByItsIDAndItsName(t *testing.T) {
	p := &people{teams: []Team{{ID: "t_1", Name: "Sales", Members: []string{"u_ana"}}}}
	for _, text := range []string{"t_1", "Sales", "sales", "sales team", "Sales Team"} {
		id, members, known := p.Team(text)
		require.True(t, known, text)
		require.Equal(t, "t_1", id)
		require.Equal(t, []string{"u_ana"}, members)
	}
	_, _, known := p.Team("t_2")
	require.False(t, known)
}

func TestNoKindOfSuggestionCrowdsOutTheOthers(t *testing.T) {
	s := &suggested{counts: make(map[query.Suggestion]int)}
	for i := range 9 {
		one := query.Suggestion{Kind: "word", Text: string(rune('a' + i))}
		s.order, s.counts[one] = append(s.order, one), 9-i
	}
	person := query.Suggestion{Kind: "person", Text: "Jo"}
	s.order, s.counts[person] = append(s.order, person), 0
	ranked := s.ranked()
	require.Len(t, ranked, eachKind+1)
	require.Equal(t, "Jo", ranked[eachKind].Text)
}
