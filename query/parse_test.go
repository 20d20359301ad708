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
	folded := FoldName(text)
	for name, id := range n {
		name = FoldName(name)
		first, _, _ := strings.Cut(name, " ")
		if id == text || name == folded || first == folded {
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

func stemmedIn(field TextField, text string) Words {
	w := stemmed(text)
	w.Field = field
	return w
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
		{"follow-up", Or{stemmed("followup"), phraseOf("", "follow", "up")}},
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
		{"to:jo", stemmedIn(FieldPeople, "jo")},
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
		{"is:opened is:unreplied", Recipients{Is: IsOpened, Who: is(IsUnreplied)}},
		{"unopened:>3d", Recipients{Is: IsUnopened, OlderThan: 3 * 86400}},
		{"unopened:12h", Recipients{Is: IsUnopened, OlderThan: 12 * 3600}},
		{"unopened:>=1w", Recipients{Is: IsUnopened, OlderThan: 7 * 86400}},
		{"unopened:>0d", is(IsUnopened)},
		{"subject:proposals", stemmedIn(FieldSubject, "proposals")},
		{`subject:"pricing proposal"`, phraseOf(FieldSubject, "pricing", "proposal")},
		{"body:inv*", prefixOf(FieldBody, "inv")},
		{"link:docs.acme.com", phraseOf(FieldLink, "docs", "acme", "com")},
		{"file:deck", stemmedIn(FieldFile, "deck")},
		{"words:deck", stemmed("deck")},
		{"answer:Yes", Keyword{FieldAnswer, []string{"yes"}}},
		{"verdict:human", Keyword{FieldVerdict, []string{"human"}}},
		{"source:SendGrid", Keyword{FieldSource, []string{"SendGrid"}}},
		{`message:"<k (b)@c>"`, Keyword{FieldMessage, []string{"k (b)@c"}}},
		{`to:Jo@xn--bcher-kva.example.`, Keyword{FieldRecipient, []string{"jo@bücher.example"}}},
		{`domain:xn--bcher-kva.example`, Keyword{FieldDomain, []string{"bücher.example"}}},
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
		{"from: ", nil},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			require.Equal(t, Query{Automated: AutomatedHide, Now: nowIfAged(t, test.want), Where: test.want}, Parse(test.text, options(t)).Query)
		})
	}
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

// Words that lead in are read once each: a text of them took twice as long with every word.
func TestManyWordsLeadIn(t *testing.T) {
	require.Equal(t, "opens", Parse(strings.Repeat("want tell me if ", 200)+"opens", Options{Now: time.Now()}).Interpretation)
}
