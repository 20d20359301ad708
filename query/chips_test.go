package query

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseChips(t *testing.T) {
	tests := []struct {
		text  string
		chips []Chip
		words string
		want  string
	}{
		{"", nil, "", "everything"},
		{
			`type:open über "exact phrase" pric*`,
			[]Chip{
				{"type", "open", false, "type:open", [2]int{0, 9}, 0},
				{"words", "über", false, "über", [2]int{10, 14}, 0},
				{"words", `"exact phrase"`, false, `"exact phrase"`, [2]int{15, 29}, 0},
				{"words", "pric*", false, "pric*", [2]int{30, 35}, 0},
			},
			`über "exact phrase" pric*`, `opens with über, with "exact phrase", with pric*`,
		},
		{
			"from:Me to:Jo@acme.com domain:acme.com",
			[]Chip{
				{"from", "u_ana", false, "from:Me", [2]int{0, 7}, 0},
				{"to", "jo@acme.com", false, "to:Jo@acme.com", [2]int{8, 22}, 0},
				{"domain", "acme.com", false, "domain:acme.com", [2]int{23, 38}, 0},
			},
			"", "everything from me, to jo@acme.com, at acme.com",
		},
		{
			"  -type:click a OR b",
			[]Chip{
				{"type", "click", true, "-type:click", [2]int{2, 13}, 0},
				{"words", "a", false, "a", [2]int{14, 15}, 1},
				{"words", "b", false, "b", [2]int{19, 20}, 1},
			},
			"a b", "everything not clicks, with a or with b",
		},
		{
			"type:open pricing type:reply",
			[]Chip{
				{"type", "open", false, "type:open", [2]int{0, 9}, 1},
				{"words", "pricing", false, "pricing", [2]int{10, 17}, 0},
				{"type", "reply", false, "type:reply", [2]int{18, 28}, 1},
			},
			"pricing", "opens or replies with pricing",
		},
		{
			"-(a OR b) -(c d)",
			[]Chip{
				{"words", "a", true, "a", [2]int{2, 3}, 0},
				{"words", "b", true, "b", [2]int{7, 8}, 0},
				{"words", "c", true, "c", [2]int{12, 13}, 1},
				{"words", "d", true, "d", [2]int{14, 15}, 1},
			},
			"", "everything not with a, not with b, not with c or not with d",
		},
		{
			"unopened:>3d on:2026-11-18 is:replied",
			[]Chip{
				{"unopened", ">3d", false, "unopened:>3d", [2]int{0, 12}, 0},
				{"time", "2026-11-18/2026-11-19", false, "on:2026-11-18", [2]int{13, 26}, 0},
				{"is", "replied", false, "is:replied", [2]int{27, 37}, 0},
			},
			"", "sends unopened for more than 3d, on 2026-11-18, replied to by someone",
		},
		{
			"foo:bar",
			[]Chip{{"words", "foo:bar", false, "foo:bar", [2]int{0, 7}, 0}},
			"foo:bar", "everything with foo:bar",
		},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			r := Parse(test.text, options(t))
			require.Equal(t, test.chips, r.Chips)
			require.Equal(t, test.words, r.Words)
			require.Equal(t, test.want, r.Interpretation)
			require.Empty(t, r.Notes)
		})
	}
}

// What must not hold of anybody is said as what nobody did.
func TestDeniedStatesAreSaid(t *testing.T) {
	for text, want := range map[string]string{
		"no opens":                             "sends opened by nobody",
		"not clicked":                          "sends clicked by nobody",
		"-is:replied":                          "sends replied to by nobody",
		"-is:unreplied":                        "sends replied to by someone",
		"-is:bounced":                          "sends bounced for nobody",
		"opened by everyone":                   "sends opened by everyone",
		"type:open -is:clicked":                "opens clicked by nobody",
		"bounced or not opened":                "sends bounced for someone or not opened by everyone",
		"opened:2026-11-09 replied:2026-11-10": "sends opened by someone on 2026-11-09, replied to by someone on 2026-11-10",
		"opened twice but didn't reply":        "opens done 2 times by one person with one mail, by people who have not replied",
	} {
		require.Equal(t, want, Parse(text, options(t)).Interpretation, text)
	}
}

func TestTimesAreSaidWithTheirEnds(t *testing.T) {
	for text, want := range map[string]string{
		"since:2026-11-09":                   "everything since 2026-11-09",
		"before:2026-11-12":                  "everything before 2026-11-12",
		"on:2026-11-09":                      "everything on 2026-11-09",
		"since:2026-11-09 before:2026-11-12": "everything since 2026-11-09, before 2026-11-12",
	} {
		require.Equal(t, want, Parse(text, options(t)).Interpretation, text)
	}
}

func TestCanonical(t *testing.T) {
	tests := []struct{ text, want string }{
		{"  k   OR b c", "k OR b c"},
		{"is:open event:click -is:bounced", "type:open type:click -is:bounced"},
		{"from:Me TO:Jo@acme.com", "from:u_ana to:jo@acme.com"},
		{"docs.acme.com", `"docs acme com"`},
		{`message:"k b"`, `message:"k b"`},
		{`message:"k*"`, `message:"k*"`},
		{"unopened:>72h", "unopened:>3d"},
		{"since:2026-03-05", "time:2026-03-04T23:00:00Z/.."},
		{"automated:only x", "x automated:only"},
		{"verdict:machine automated:hide", "verdict:machine automated:hide"},
		{"type:open (type:click) x OR (y z)", "type:open (type:click) x OR (y z)"},
		{`"mail jo@acme.com now"`, `"mail jo@acme.com now"`},
		{"to:jo", "to:jo"},
		{"", ""},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			require.Equal(t, test.want, Canonical(Parse(test.text, options(t)).Query))
		})
	}
	t.Run("queries that were not parsed can be read", func(t *testing.T) {
		q := Filter{Recipients: []string{"a@b.c", "d@e.f"}, Users: []string{"u_1", "u_2"}}.Apply(Query{})
		require.Equal(t, "from:u_1 from:u_2 (to:a@b.c OR to:d@e.f)", Canonical(q))
	})
}
