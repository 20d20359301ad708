package address

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWaysOfWritingAnAddressMeet(t *testing.T) {
	for want, ways := range map[string][]string{
		"jo@example.com":          {"jo@example.com", " Jo@Example.COM ", "jo@example.com.", `"jo"@example.com`, `"j\o"@example.com`},
		"jo@bücher.example":       {"jo@bücher.example", "jo@xn--bcher-kva.example", "JO@BÜCHER.example", "jo@XN--BCHER-KVA.example.", "jo@bücher.example", "jo@bücher。example"},
		"jo@straße.example":       {"jo@straße.example", "jo@xn--strae-oqa.example"},
		"josé@nf.example":         {"josé@nf.example", "josé@nf.example", "JOSÉ@nf.example"},
		`"jo smith"@ql.example`:   {`"jo smith"@ql.example`, `"Jo Smith"@QL.example.`, `"jo\ smith"@ql.example`},
		"a..b@docomo.test":        {"a..b@docomo.test", `"a..b"@docomo.test`, ".a..b@docomo.test"[1:]},
		`"a\"b"@example.com`:      {`"a\"b"@example.com`, `a"b@example.com`},
		"o'neil+tag@example.com":  {"o'neil+tag@example.com", "O'Neil+Tag@example.com"},
		"jo@[192.0.2.1]":          {"jo@[192.0.2.1]"},
		"jo@my_host.example":      {"jo@my_host.example", "jo@My_Host.example"},
		"jo@localhost":            {"jo@localhost"},
		"jo@xn--zzzzzzzz.example": {"jo@xn--zzzzzzzz.example", "jo@XN--zzzzzzzz.example."},
	} {
		for _, way := range ways {
			got, problem := Canonical(way)
			require.Empty(t, problem, way)
			require.Equal(t, want, got, way)
			require.Equal(t, want, Fold(way), way)
		}
	}
}

func TestWhatIsNoAddressIsSaidToBeNone(t *testing.T) {
	for text, problem := range map[string]string{
		"": "is required", "  ": "is required", "jo": "is not a mail address", "@x.example": "is not a mail address", "jo@": "is not a mail address",
		"jo@.": "is not a mail address", "jo smith@x.example": "is not a mail address", "<jo@x.example>": "is not a mail address",
		"jo@x.example, kim@x.example": "is not a mail address", `""@x.example`: "is not a mail address", `"jo@x.example`: "is not a mail address",
		`"jo"smith"@x.example`: "is not a mail address", "jo\x00@x.example": "holds a control character", "jo@x\xff.example": "is not valid UTF-8",
		strings.Repeat("a", Max) + "@x.example": "is longer than a mail address can be",
	} {
		_, got := Canonical(text)
		require.Equal(t, problem, got, text)
	}
	require.Equal(t, "jo at acme", Fold(" Jo at Acme "), "what is not an address is folded as a text")
}

func TestASCII(t *testing.T) {
	require.Equal(t, "jo@xn--bcher-kva.example", ASCII("jo@bücher.example"))
	require.Equal(t, "jo@example.com", ASCII("jo@example.com"))
}

func TestTheCanonicalTextStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.OneOf(rapid.String(), rapid.StringMatching(`["a-zA-Zäé\\. @]{1,8}`))
		text := part.Draw(t, "local") + "@" + rapid.OneOf(part, rapid.SampledFrom([]string{"xn--bcher-kva.example.", "BÜCHER.example", "x.example"})).Draw(t, "host")
		requireStable(t, text)
	})
}

func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{"jo@bücher.example.", `"a\"b"@x.example`, "a@b@c", "é@xn--bcher-kva.example", "İ@İ.example", "@@...", "a@b.\u00a0.", "\"\u3000a\"@x.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { requireStable(t, text) })
}

func requireStable(t require.TestingT, text string) {
	canonical, problem := Canonical(text)
	if problem != "" {
		Fold(text)
		return
	}
	require.True(t, utf8.ValidString(canonical))
	require.LessOrEqual(t, len(canonical), Max)
	again, problem := Canonical(canonical)
	require.Empty(t, problem, canonical)
	require.Equal(t, canonical, again)
	if ascii, problem := Canonical(ASCII(canonical)); problem == "" {
		require.Equal(t, canonical, ascii, "both forms of a domain meet")
	}
}
