package sqlite

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/query"
)

var update = flag.Bool("update", false, "write golden files")

// TestCompile holds what conditions become to testdata/compile.golden.
func TestCompile(t *testing.T) {
	keyword := func(field query.KeywordField, values ...string) query.Expr {
		return query.Keyword{Field: field, Values: values}
	}
	words := func(field query.TextField, form query.Form, terms ...string) query.Expr {
		return query.Words{Field: field, Form: form, Terms: terms}
	}
	price, meet := words("", query.FormStem, "price"), words("", query.FormStem, "meet")
	not := func(e query.Expr) query.Expr { return query.Not{Expr: e} }
	tests := []struct {
		name  string
		where query.Expr
	}{
		{"everything", nil},
		{"nothing", query.Or{}},
		{"a type", query.Types(event.Open)},
		{"types", query.Types(event.Open, event.Click)},
		{"a user in capitals", keyword(query.FieldUser, "u_Ana")},
		{"no user", keyword(query.FieldUser, "")},
		{"a long address", keyword(query.FieldRecipient, "jo.reyes@mail.acme.example")},
		{"a message with quotes", keyword(query.FieldMessage, `"a" OR b`)},
		{"no values", keyword(query.FieldUser)},
		{"a stem that is a word", price},
		{"a stem that is no word", words("", query.FormStem, "univers")},
		{"a stem in a field", words(query.FieldSubject, query.FormStem, "meet")},
		{"a phrase", words("", query.FormPhrase, "pricing", "proposal")},
		{"a phrase in a field", words(query.FieldBody, query.FormPhrase, "pricing", "proposal")},
		{"a prefix", words("", query.FormPrefix, "pric")},
		{"a prefix in a field", words(query.FieldLink, query.FormPrefix, "doc")},
		{"an address", words(query.FieldPeople, query.FormPhrase, "o'brien+x@acme.example")},
		{"letters beyond ASCII", words("", query.FormPhrase, "会", "議")},
		{"operators are words", words("", query.FormPhrase, `"*`, "and", "(not)")},
		{"and", query.And{price, query.Types(event.Open)}},
		{"and not", query.And{price, not(meet), not(query.Types(event.Open))}},
		{"only not", not(price)},
		{"only nots", query.And{not(price), not(meet)}},
		{"or", query.Or{price, meet}},
		{"or not", query.Or{price, not(meet)}},
		{"a group", query.And{query.Or{price, meet}, not(query.And{price, meet})}},
		{"always and never inside", query.And{price, query.And{}, not(query.Or{})}},
		{"never in an and", query.And{price, query.Or{}}},
		{"always in an or", query.Or{price, query.And{}}},
		{"not not", not(not(price))},
	}
	var got strings.Builder
	for _, test := range tests {
		shown, err := compileParts(test.where, []string{part(5, false)})
		require.NoError(t, err, test.name)
		both, err := compileParts(test.where, partsOf(5, query.AutomatedShow))
		require.NoError(t, err, test.name)
		fmt.Fprintf(&got, "%s\n\tshown %s\n\tboth  %s\n", test.name, shown, both)
	}
	golden := filepath.Join("testdata", "compile.golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
}

func TestCompileRefuses(t *testing.T) {
	deep := query.Expr(query.Types(event.Open))
	for range 2 * maxDepth {
		deep = query.Not{Expr: query.And{deep}}
	}
	for name, where := range map[string]query.Expr{
		"conditions on recipients": query.Recipients{Is: query.IsUnopened},
		"a time":                   query.Time{From: 1},
		"an unknown field":         query.Keyword{Field: "colour", Values: []string{"red"}},
		"an unknown text field":    query.Words{Field: "colour", Terms: []string{"red"}},
		"an unknown form":          query.Words{Form: 9, Terms: []string{"red"}},
		"a stem of two words":      query.Words{Terms: []string{"red", "blue"}},
		"too deep":                 deep,
		"inside":                   query.And{query.Or{query.Not{Expr: query.Recipients{}}}},
	} {
		_, err := compile(where, part(5, false))
		require.ErrorIs(t, err, event.ErrInvalid, name)
	}
}
