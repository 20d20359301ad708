package quotes_test

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/quotes"
)

// reply is a labelled reply.
type reply struct {
	name  string
	kinds []quotes.Kind
	lines []string
}

func replies(t testing.TB) []reply {
	t.Helper()
	raw, err := os.ReadFile("testdata/replies.txt")
	require.NoError(t, err)
	var all []reply
	for _, each := range strings.Split(string(raw), "#### ")[1:] {
		lines := strings.Split(strings.TrimRight(each, "\n"), "\n")
		r := reply{name: lines[0]}
		for _, line := range lines[1:] {
			kind, text, found := strings.Cut(line, "|")
			require.True(t, found && len(kind) == 1, line)
			r.kinds, r.lines = append(r.kinds, quotes.Kind(kind[0])), append(r.lines, text)
		}
		all = append(all, r)
	}
	return all
}

// At least 95 % of the lines of the labelled set are told right: own words or not,
// and what exactly.
func TestLinesOfReplies(t *testing.T) {
	lines, own, exact := 0, 0, 0
	all := replies(t)
	require.GreaterOrEqual(t, len(all), 60)
	for _, r := range all {
		kinds := quotes.Lines(r.lines)
		for i, want := range r.kinds {
			if want == ' ' {
				continue
			}
			lines++
			if (kinds[i] == quotes.OwnWords) == (want == quotes.OwnWords) {
				own++
			} else {
				t.Logf("%s: %q is %c, not %c", r.name, r.lines[i], want, kinds[i])
			}
			if kinds[i] == want {
				exact++
			}
		}
	}
	t.Logf("%d replies, %d lines: %.1f %% right, %.1f %% with their kind", len(all), lines, 100*float64(own)/float64(lines), 100*float64(exact)/float64(lines))
	require.GreaterOrEqual(t, float64(own)/float64(lines), 0.95)
	require.GreaterOrEqual(t, float64(exact)/float64(lines), 0.95)
}

func TestOwn(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a quote", "Yes.\n\nOn Tue, Nov 10, Ana <ana@acme.example> wrote:\n> Shall we?", "Yes."},
		{"between quotes", "> a?\nYes.\n> b?\nNo.", "Yes.\n\nNo."},
		{"nothing is left", "> a\n> b", "> a\n> b"},
		{"windows line ends", "Yes.\r\n\r\n-----Original Message-----\r\nFrom: x", "Yes."},
		{"nothing to cut", "Hello\n\nJo", "Hello\n\nJo"},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, quotes.Own(c.text)) })
	}
}

func TestOwnHoldsNothingNew(t *testing.T) {
	line := rapid.OneOf(rapid.SampledFrom([]string{
		"", "> quoted", "On Tue, Nov 10, 2026, Ana <a@x.example> wrote:", "-- ", "Thanks,", "From: a@x", "Sent: x", "Subject: s", "____", "Sent from my iPhone",
		"-----Original Message-----", "Hello", "what do you think?",
	}), rapid.StringN(0, 30, -1))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(line, 0, 30).Draw(t, "lines"), "\n")
		own := quotes.Own(text)
		if own == text {
			return
		}
		require.NotEmpty(t, own)
		rest := text
		for _, each := range strings.Fields(own) {
			_, after, found := strings.Cut(rest, each)
			require.True(t, found, each)
			rest = after
		}
	})
}

func FuzzOwn(f *testing.F) {
	for _, r := range replies(f) {
		f.Add(strings.Join(r.lines, "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		own := quotes.Own(text)
		require.Equal(t, utf8.ValidString(text), utf8.ValidString(own) || !utf8.ValidString(text) && utf8.ValidString(own))
		require.LessOrEqual(t, len(own), 2*len(text)+1)
	})
}

func BenchmarkOwn(b *testing.B) {
	text := "Yes, that is fine.\n\n" + strings.Repeat("> a line that somebody else has written before, and that is not read again\n", 200)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		quotes.Own(text)
	}
}
