package query

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompleteAt(t *testing.T) {
	tests := []struct {
		text          string // with | where the caret is
		field, prefix string
		person        bool
		span          [2]int
	}{
		{"|", "", "", false, [2]int{0, 0}},
		{"ope|", "", "ope", false, [2]int{0, 3}},
		{"OPE|", "", "ope", false, [2]int{0, 3}},
		{"opens fr|", "", "fr", false, [2]int{6, 8}},
		{"opens fr|om acme", "", "fr", false, [2]int{6, 10}},
		{"opens from |", "", "", true, [2]int{11, 11}},
		{"opens from ac|", "", "ac", true, [2]int{11, 13}},
		{"from:|", "from", "", false, [2]int{5, 5}},
		{"from:an|", "from", "an", false, [2]int{5, 7}},
		{"-type:cl|", "type", "cl", false, [2]int{6, 8}},
		{"-pri|", "", "pri", false, [2]int{1, 4}},
		{`from:"sales te|`, "from", "sales te", false, [2]int{5, 14}},
		{`from:"sales te|" opens`, "from", "sales te", false, [2]int{5, 15}},
		{`"pricing pro|`, "", "pricing pro", false, [2]int{0, 12}},
		{`"pricing proposal" op|`, "", "op", false, [2]int{19, 21}},
		{"(opens OR cl|)", "", "cl", false, [2]int{10, 12}},
		{"über prü|fung", "", "prü", false, [2]int{5, 12}},
		{"foo:ba|", "", "foo:ba", false, [2]int{0, 6}},
		{"since:last |", "", "", false, [2]int{11, 11}},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			var text []rune
			caret := 0
			for i, r := range []rune(test.text) {
				if r == '|' {
					caret = i
					continue
				}
				text = append(text, r)
			}
			want := Completion{Field: test.field, Prefix: test.prefix, Person: test.person, Span: test.span}
			require.Equal(t, want, CompleteAt(string(text), caret))
		})
	}
}

func TestKnownCompletions(t *testing.T) {
	tests := []struct {
		text  string
		first []string
	}{
		{"cl", []string{"clicks"}},
		{"un", []string{"unsubscribes", "unopened", "unopened:"}},
		{"fr", []string{"from:", "friday"}},
		{"is:un", []string{"unopened", "unreplied"}},
		{"type:cl", []string{"click"}},
		{"type:click", nil},
		{"answer:", []string{"yes", "no", "maybe"}},
		{"since:last", []string{`"last week"`, `"last month"`}},
		{"last w", []string{"wednesday"}},
		{"yest", []string{"yesterday"}},
		{"from:m", []string{"me", `"my team"`}},
		{"subject:", nil},
		{"", nil},
		{"opens from ma", nil},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			var texts []string
			for _, s := range CompleteAt(test.text, len(test.text)).Known() {
				texts = append(texts, s.Text)
			}
			if test.first == nil {
				require.Empty(t, texts)
				return
			}
			require.GreaterOrEqual(t, len(texts), len(test.first))
			require.Equal(t, test.first, texts[:len(test.first)])
		})
	}
}

// TestSuggestionsAreUnderstood holds every suggestion to giving a condition that
// is no plain text.
func TestSuggestionsAreUnderstood(t *testing.T) {
	for _, text := range []string{"is:", "type:", "answer:", "verdict:", "since:", "during:", "newer_than:", "unopened:", "automated:", "from:", "o", "c", "u", "n", "h", "t"} {
		for _, s := range CompleteAt(text, len(text)).Known() {
			span := CompleteAt(text, len(text)).Span
			if s.Kind == "operator" || s.Kind == "time" && text == "t" {
				continue
			}
			r := Parse(text[:span[0]]+s.Text, options(t))
			require.NotEmpty(t, r.Chips, s.Text)
			require.NotEqual(t, "words", r.Chips[0].Field, s.Text)
			require.Empty(t, r.Notes)
		}
	}
}

func FuzzCompleteAt(f *testing.F) {
	f.Add(`opens from:"sa`, 10)
	f.Add("\xff\"-x:", 3)
	f.Fuzz(func(t *testing.T, text string, caret int) {
		runes := []rune(text)
		if caret < 0 || caret > len(runes) {
			return
		}
		c := CompleteAt(text, caret)
		c.Known()
		if c.Span[0] < 0 || c.Span[0] > c.Span[1] || c.Span[1] > len(runes) {
			t.Fatalf("%q at %d replaces %v", text, caret, c.Span)
		}
	})
}
