package query

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// names is a Directory of ids by name, and of one team.
type names map[string]string

func (n names) User(text string) (string, bool) {
	for name, id := range n {
		first, _, _ := strings.Cut(name, " ")
		if id == text || strings.EqualFold(name, text) || strings.EqualFold(first, text) {
			return id, true
		}
	}
	return "", false
}

func (n names) Team(text string) (string, []string, bool) {
	if text == "t_sales" || strings.EqualFold(text, "sales team") || strings.EqualFold(text, "sales") {
		return "t_sales", []string{"u_ana", "u_bo"}, true
	}
	return "", nil, false
}

func (n names) TeamsOf(user string) []string {
	if user == "u_ana" || user == "u_bo" {
		return []string{"t_sales"}
	}
	return nil
}

// options are those of Ana in Berlin on a Saturday.
func options(t testing.TB) Options {
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	return Options{
		Now:  time.Date(2026, time.November, 21, 10, 30, 0, 0, zone),
		Zone: zone, Me: "u_ana", Directory: names{"Bo Sales": "u_bo", "Ana Moreira": "u_ana"},
	}
}

func phraseOf(field TextField, terms ...string) Words {
	return Words{Field: field, Form: FormPhrase, Terms: terms}
}

func prefixOf(field TextField, term string) Words {
	return Words{Field: field, Form: FormPrefix, Terms: []string{term}}
}

func stemIn(field TextField, text string) Words {
	w := stemmed(text)
	w.Field = field
	return w
}

func TestParse(t *testing.T) {
	is := func(state RecipientState) Expr { return Recipients{Is: state} }
	user := func(ids ...string) Expr { return Keyword{FieldUser, ids} }
	tests := []struct {
		text string
		want Expr
	}{
		{"", nil},
		{"  \t\n", nil},
		{"🎉 - -- & ()", nil},
		{"pricing", stemmed("pricing")},
		{"Pricing PROPOSALS", And{stemmed("pricing"), stemmed("proposals")}},
		{`"Pricing Proposals"`, phraseOf("", "pricing", "proposals")},
		{`“Pricing proposals”`, phraseOf("", "pricing", "proposals")},
		{`"pricing`, phraseOf("", "pricing")},
		{`""`, nil},
		{"pric*", prefixOf("", "pric")},
		{"*ing", stemmed("ing")},
		{"pr*ing", phraseOf("", "pr", "ing")},
		{"docs.ac*", And{phraseOf("", "docs"), prefixOf("", "ac")}},
		{"follow-up", phraseOf("", "follow", "up")},
		{"東京", phraseOf("", "東", "京")},
		{"jane@acme.com", stemmedAddress("", "jane@acme.com")},
		{"jane@acme", phraseOf("", "jane", "acme")},
		{"jane@ac*", prefixOf("", "jane@ac")},
		{"-pricing", Not{stemmed("pricing")}},
		{"--pricing", stemmed("pricing")},
		{`-"pricing proposal"`, Not{phraseOf("", "pricing", "proposal")}},
		{"-type:click", Not{Types(event.Click)}},
		{"-(k b)", Not{And{stemmed("k"), stemmed("b")}}},
		{"- k", stemmed("k")},
		{"k OR b", Or{stemmed("k"), stemmed("b")}},
		{"k or b", And{stemmed("k"), stemmed("b")}},
		{"-OR", Not{stemmed("or")}},
		{"OR k OR OR b OR", Or{stemmed("k"), stemmed("b")}},
		{"k OR b OR -c", Or{stemmed("k"), stemmed("b"), Not{stemmed("c")}}},
		{"x k OR b y", And{stemmed("x"), Or{stemmed("k"), stemmed("b")}, stemmed("y")}},
		{"(x k) OR b", Or{And{stemmed("x"), stemmed("k")}, stemmed("b")}},
		{"(k OR b) OR (c OR d)", Or{stemmed("k"), stemmed("b"), stemmed("c"), stemmed("d")}},
		{"k (b (c))", And{stemmed("k"), stemmed("b"), stemmed("c")}},
		{"k) b", And{stemmed("k"), stemmed("b")}},
		{"(k (b", And{stemmed("k"), stemmed("b")}},
		{"k OR 🎉", stemmed("k")},
		{`k"b c"d`, And{stemmed("k"), phraseOf("", "b", "c"), stemmed("d")}},

		{"from:me", user("u_ana")},
		{"FROM:Me", user("u_ana")},
		{"from:u_zed", user("u_zed")},
		{`from:"bo sales"`, user("u_bo")},
		{"from:me from:u_bo", user("u_ana", "u_bo")},
		{"to:Jo@Acme.com", Keyword{FieldRecipient, []string{"jo@acme.com"}}},
		{"to:<jo@acme.com>", Keyword{FieldRecipient, []string{"jo@acme.com"}}},
		{"to:jo", stemIn(FieldPeople, "jo")},
		{"to:jo@acme", phraseOf(FieldPeople, "jo", "acme")},
		{`to:"Jo Reyes"`, phraseOf(FieldPeople, "jo", "reyes")},
		{"to:re*", prefixOf(FieldPeople, "re")},
		{"to:jo@acme.com to:al@acme.com", And{Keyword{FieldRecipient, []string{"jo@acme.com"}}, Keyword{FieldRecipient, []string{"al@acme.com"}}}},
		{"domain:@Acme.COM", Keyword{FieldDomain, []string{"acme.com"}}},
		{"type:open", Types(event.Open)},
		{"event:Open", Types(event.Open)},
		{"is:open", Types(event.Open)},
		{"type:open type:click type:open", Types(event.Open, event.Click)},
		{"type:open (type:click)", And{Types(event.Open), Types(event.Click)}},
		{"type:open OR type:click", Or{Types(event.Open), Types(event.Click)}},
		{"type:open -type:click", And{Types(event.Open), Not{Types(event.Click)}}},
		{"type:open from:me pricing", And{Types(event.Open), user("u_ana"), stemmed("pricing")}},
		{"is:unopened", is(IsUnopened)},
		{"is:opened is:unreplied", And{is(IsOpened), is(IsUnreplied)}},
		{"unopened:>3d", Recipients{IsUnopened, 3 * 86400}},
		{"unopened:12h", Recipients{IsUnopened, 12 * 3600}},
		{"unopened:>=1w", Recipients{IsUnopened, 7 * 86400}},
		{"unopened:>0d", is(IsUnopened)},
		{"subject:proposals", stemIn(FieldSubject, "proposals")},
		{`subject:"pricing proposal"`, phraseOf(FieldSubject, "pricing", "proposal")},
		{"body:inv*", prefixOf(FieldBody, "inv")},
		{"link:docs.acme.com", phraseOf(FieldLink, "docs", "acme", "com")},
		{"file:deck", stemIn(FieldFile, "deck")},
		{"words:deck", stemmed("deck")},
		{"answer:Yes", Keyword{FieldAnswer, []string{"yes"}}},
		{"verdict:human", Keyword{FieldVerdict, []string{"human"}}},
		{"source:SendGrid", Keyword{FieldSource, []string{"SendGrid"}}},
		{`message:"<k (b)@c>"`, Keyword{FieldMessage, []string{"<k (b)@c>"}}},
		{"message:m-17 message:m:18", Keyword{FieldMessage, []string{"m-17", "m:18"}}},

		{"foo:bar", phraseOf("", "foo", "bar")},
		{`foo:"bar baz"`, And{stemmed("foo"), phraseOf("", "bar", "baz")}},
		{"https://docs.acme.com", phraseOf("", "https", "docs", "acme", "com")},
		{"type:colour", phraseOf("", "type", "colour")},
		{"is:late", phraseOf("", "is", "late")},
		{"unopened:soon", phraseOf("", "unopened", "soon")},
		{"since:whenever", phraseOf("", "since", "whenever")},
		{"on:3d", phraseOf("", "on", "3d")},
		{"from:", nil},
		{`subject:""`, nil},
		{"subject:🎉", nil},
		{"from: ana", stemmed("ana")},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			require.Equal(t, Query{Automated: AutomatedHide, Now: nowIfAged(t, test.want), Where: test.want}, Parse(test.text, options(t)).Query)
		})
	}
}

func stemmedAddress(field TextField, address string) Words {
	return Words{Field: field, Form: FormStem, Terms: []string{address}, Word: address}
}

func nowIfAged(t testing.TB, where Expr) int64 {
	if hasAge(where) {
		return options(t).Now.Unix()
	}
	return 0
}

func TestParseTimes(t *testing.T) {
	at := func(text string) int64 {
		if text == "" {
			return 0
		}
		parsed, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return parsed.Unix()
	}
	tests := []struct{ text, from, until, chip string }{
		{"since:2026-03-05", "2026-03-05T00:00:00+01:00", "", "2026-03-05/.."},
		{"after:2026-03-05", "2026-03-06T00:00:00+01:00", "", "2026-03-06/.."},
		{"before:2026-03-05", "", "2026-03-05T00:00:00+01:00", "../2026-03-05"},
		{"on:2026-03-05", "2026-03-05T00:00:00+01:00", "2026-03-06T00:00:00+01:00", "2026-03-05/2026-03-06"},
		{"during:2026-03-05", "2026-03-05T00:00:00+01:00", "2026-03-06T00:00:00+01:00", "2026-03-05/2026-03-06"},
		{"on:2026-03-29", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", "2026-03-29/2026-03-30"},
		{"since:2026-03-05T23:30:00Z", "2026-03-05T23:30:00Z", "", "2026-03-06T00:30/.."},
		{"on:2026-03-05T23:30:00Z", "2026-03-06T00:00:00+01:00", "2026-03-07T00:00:00+01:00", "2026-03-06/2026-03-07"},
		{"before:2026-03-05t09:00:07+01:00", "", "2026-03-05T08:00:07Z", "../2026-03-05T09:00:07"},
		{`since:"2026-03-05"`, "2026-03-05T00:00:00+01:00", "", "2026-03-05/.."},
		{"newer_than:2d", "2026-11-19T10:30:00+01:00", "", "2026-11-19T10:30/.."},
		{"since:3h", "2026-11-21T07:30:00+01:00", "", "2026-11-21T07:30/.."},
		{"older_than:1w", "", "2026-11-14T10:30:00+01:00", "../2026-11-14T10:30"},
		{"before:1w", "", "2026-11-14T10:30:00+01:00", "../2026-11-14T10:30"},
		{"time:2026-11-09/2026-11-16", "2026-11-09T00:00:00+01:00", "2026-11-16T00:00:00+01:00", "2026-11-09/2026-11-16"},
		{"time:2026-11-18T09:00/2026-11-18T12:00", "2026-11-18T08:00:00Z", "2026-11-18T11:00:00Z", "2026-11-18T09:00/2026-11-18T12:00"},
		{"time:2026-11-16/..", "2026-11-16T00:00:00+01:00", "", "2026-11-16/.."},
		{"-since:2026-03-05", "", "2026-03-05T00:00:00+01:00", "2026-03-05/.."},
		{"-before:2026-03-05", "2026-03-05T00:00:00+01:00", "", "../2026-03-05"},
		{"newer_than:99999999999999999999w", "1970-01-01T00:00:00Z", "", "1970-01-01T01:00/.."},
		{"before:0001-01-01", "", "1970-01-01T00:00:01Z", "../1970-01-01T01:00"},
		{"since:9999-12-31", "9999-12-30T23:00:00Z", "", "9999-12-31/.."},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			r := Parse(test.text, options(t))
			require.Empty(t, r.Notes)
			require.Equal(t, Query{From: at(test.from), Until: at(test.until), Automated: AutomatedHide}, r.Query)
			require.Len(t, r.Chips, 1)
			require.Equal(t, "time", r.Chips[0].Field)
			require.Equal(t, test.chip, r.Chips[0].Value)
		})
	}
	t.Run("several narrow the time", func(t *testing.T) {
		q := Parse("since:2026-03-05 (before:2026-04-01 since:2026-03-07) before:2026-05-01", options(t)).Query
		require.Equal(t, Query{
			From: at("2026-03-07T00:00:00+01:00"), Until: at("2026-04-01T00:00:00+02:00"), Automated: AutomatedHide,
		}, q)
	})
	t.Run("UTC without a zone", func(t *testing.T) {
		require.Equal(t, at("2026-03-05T00:00:00Z"), Parse("since:2026-03-05", Options{}).Query.From)
	})
	day := Time{at("2026-03-05T00:00:00+01:00"), at("2026-03-06T00:00:00+01:00")}
	for text, want := range map[string]Expr{
		"-on:2026-03-05 x":                   And{Not{day}, stemmed("x")},
		"x OR on:2026-03-05":                 Or{stemmed("x"), day},
		"x OR -on:2026-03-05":                Or{stemmed("x"), Not{day}},
		"x OR -since:2026-03-05":             Or{stemmed("x"), Time{Until: day.From}},
		"x OR (y on:2026-03-05)":             Or{stemmed("x"), And{stemmed("y"), day}},
		"-(x OR on:2026-03-05)":              Not{Or{stemmed("x"), day}},
		"(on:2026-03-05 OR x) -(-y OR -(z))": And{Or{day, stemmed("x")}, Not{Or{Not{stemmed("y")}, Not{stemmed("z")}}}},
	} {
		t.Run("an alternative or an exception: "+text, func(t *testing.T) {
			r := Parse(text, options(t))
			require.Empty(t, r.Notes)
			require.Equal(t, Query{Automated: AutomatedHide, Where: want}, r.Query)
		})
	}
	t.Run("a choice is not where it would not apply to all", func(t *testing.T) {
		r := Parse("x -(-(y OR automated:show))", options(t))
		require.Len(t, r.Notes, 1)
		require.Equal(t, Query{Automated: AutomatedHide, Where: And{stemmed("x"), stemmed("y")}}, r.Query)
	})
}

func TestParseAutomated(t *testing.T) {
	tests := []struct {
		text string
		want Automated
	}{
		{"pricing", AutomatedHide},
		{"automated:show", AutomatedShow},
		{"Automated:ONLY pricing", AutomatedOnly},
		{"-automated:show", AutomatedHide},
		{"-automated:hide", AutomatedShow},
		{"verdict:machine", AutomatedShow},
		{"-verdict:machine", AutomatedHide},
		{"k OR -(-verdict:machine)", AutomatedShow},
		{"verdict:machine automated:hide", AutomatedHide},
		{"verdict:human", AutomatedHide},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			require.Equal(t, test.want, Parse(test.text, options(t)).Query.Automated)
		})
	}
}

func TestParseChips(t *testing.T) {
	tests := []struct {
		text  string
		chips []Chip
		words string
		meant string
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
			require.Equal(t, test.meant, r.Meant)
			require.Empty(t, r.Notes)
		})
	}
}

func TestParseBounds(t *testing.T) {
	t.Run("clauses", func(t *testing.T) {
		r := Parse(strings.Repeat("k ", 40)+"type:open", options(t))
		require.Len(t, r.Query.Where, MaxClauses)
		require.Len(t, r.Chips, MaxClauses)
		require.Len(t, r.Notes, 1)
	})
	t.Run("depth", func(t *testing.T) {
		r := Parse("k OR (b c OR (d e OR (f g OR (h i OR (j k OR (l (m) n) o)))))", options(t))
		require.NotContains(t, Canonical(r.Query), "l")
		require.Contains(t, Canonical(r.Query), "o")
		require.Len(t, r.Notes, 1)
	})
	t.Run("brackets without end", func(t *testing.T) {
		r := Parse(strings.Repeat("(", 2000)+"a", options(t))
		require.Nil(t, r.Query.Where)
		require.Len(t, r.Notes, 1)
	})
	t.Run("words of a phrase", func(t *testing.T) {
		r := Parse(`"`+strings.Repeat("k ", 100)+`"`, options(t))
		require.Len(t, r.Query.Where.(Words).Terms, MaxPhrase)
		require.Len(t, r.Notes, 1)
	})
	t.Run("bytes", func(t *testing.T) {
		r := Parse(strings.Repeat("é", MaxText), options(t))
		require.Equal(t, [2]int{0, MaxText / 2}, r.Chips[0].Span)
		require.Len(t, r.Notes, 1)
	})
	t.Run("nobody is me", func(t *testing.T) {
		r := Parse("from:me", Options{})
		require.Equal(t, phraseOf("", "from", "me"), r.Query.Where)
		require.Len(t, r.Notes, 1)
	})
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
