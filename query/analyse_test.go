package query

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// words are the words of tokens, separated by spaces.
func words(tokens []Token) string {
	all := make([]string, len(tokens))
	for i, token := range tokens {
		all[i] = token.Word
	}
	return strings.Join(all, " ")
}

func TestAnalyseWords(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"signs alone", " -- !? 🎉 ", ""},
		{"case and signs", "Pricing-Proposal, v2.1 (DRAFT)", "pricing proposal v2 1 draft"},
		{"possessive", "Acme's offer", "acme offer"},
		{"possessive in capitals", "ACME'S OFFER", "acme offer"},
		{"possessive with a typographic apostrophe", "Acme’s offer", "acme offer"},
		{"possessive with a letter apostrophe", "Acmeʼs offer", "acme offer"},
		{"possessive at the end", "the team's", "the team"},
		{"an apostrophe and more than an s", "o'sullivan don't", "o sullivan don t"},
		{"an s behind a closing quote", "'quoted' s", "quoted s"},
		{"precomposed accents", "Crème brûlée à Zürich", "creme brulee a zurich"},
		{"combining accents", "Cre\u0300me bru\u0302le\u0301e", "creme brulee"},
		{"letters that do not come apart", "Straße ŁÓDŹ Øre Æther Þór", "strasse lodz ore aether thor"},
		{"Turkish", "İstanbul DIŞ ışık", "istanbul dis isik"},
		{"capital sharp s", "GROẞ", "gross"},
		{"final sigma", "ΟΔΟΣ οδός", "οδοσ οδοσ"},
		{"Cyrillic", "Ёлка Йод", "елка иод"},
		{"ligatures and wide letters", "ﬁnal ＡＢＣ１２", "final abc12"},
		{"Han and kana are words by character", "東京タワーのpdf", "東 京 タ ワ ー の pdf"},
		{"a voiced kana, composed or not", "が か\u3099", "か か"},
		{"half-width kana", "ﾌﾟﾚｰ", "フ レ ー"},
		{"one character for two", "ヿ", "コ ト"},
		{"Hangul, composed or not", "한국 \u1112\u1161\u11ab\u1100\u116e\u11a8", "한국 한국"},
		{"vowel signs stay", "हिन्दी", "हिनदी"},
		{"emoji split", "go🚀fast", "go fast"},
		{"a digit with a frame", "1\ufe0f\u20e3 first", "1 first"},
		{"a mark with no letter", "\u0301 a", "a"},
		{"invalid UTF-8 splits", "one\xfftwo\xe6\x9d", "one two"},
		{"the replacement character splits", "one\ufffdtwo", "one two"},
		{"superscripts are no digits", "m² ½", "m"},
		{"underscores split", "q3_report_final.pdf", "q3 report final pdf"},
		{"address", "to Jo.Reyes@Acme.com!", "to jo reyes acme com jo.reyes@acme.com"},
		{"address in brackets", "Jo <jo+news@acme.co.uk>, Al", "jo jo news acme co uk jo+news@acme.co.uk al"},
		{"address in quotes", "'jo@acme.com'", "jo acme com jo@acme.com"},
		{"address at the end of a sentence", "ask jo@acme.com.", "ask jo acme com jo@acme.com"},
		{"address with an apostrophe", "m.o'neil@acme.com", "m o neil acme com m.o'neil@acme.com"},
		{"address without a dot", "root@localhost", "root localhost root@localhost"},
		{"possessive of an address", "jo@acme.com's mail", "jo acme com jo@acme.com mail"},
		{"address with accents", "Jörg@Müller.de", "jorg muller de jorg@muller.de"},
		{"addresses side by side", "a@b.c,d@e.f", "a b c a@b.c d e f d@e.f"},
		{"two at signs", "a@b@c", "a b a@b c"},
		{"no local part", "@acme.com and /@jo", "acme com and jo"},
		{"no domain", "jo@ acme", "jo acme"},
		{"a link with an address", "https://x.com/?to=jo@acme.com&n=1", "https x com to jo acme com jo@acme.com n 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, words(Analyse(test.text)))
		})
	}
}

func TestAnalyseStems(t *testing.T) {
	tests := []struct{ word, stem string }{
		{"pricing", "price"},
		{"prices", "price"},
		{"proposals", "propos"},
		{"relational", "relat"},
		{"happy", "happi"},
		{"as", "as"},
		{"été", "et"},
		{"q3s", "q3s"},
		{"preis", "prei"},
		{"договоры", "договоры"},
		{"jo@acme.com", "jo"},
	}
	for _, test := range tests {
		t.Run(test.word, func(t *testing.T) {
			require.Equal(t, test.stem, Analyse(test.word)[0].Stem)
		})
	}
}

func TestAnalyseOffsets(t *testing.T) {
	text := "Où est Ana’s\xffdeck? Write jo@acme.com."
	var from []string
	for _, token := range Analyse(text) {
		from = append(from, text[token.Start:token.End])
	}
	require.Equal(t, []string{
		"Où", "est", "Ana", "deck", "Write", "jo", "acme", "com", "jo@acme.com",
	}, from)
}

func TestAnalyseBoundsWords(t *testing.T) {
	t.Run("a long run is one word that lost its end", func(t *testing.T) {
		text := strings.Repeat("x", 5000) + " next"
		tokens := Analyse(text)
		require.Len(t, tokens, 2)
		require.Len(t, tokens[0].Word, maxWord)
		require.Equal(t, 5000, tokens[0].End)
	})
	t.Run("cut at a character", func(t *testing.T) {
		word := Analyse(strings.Repeat("я", 100))[0].Word
		require.Equal(t, strings.Repeat("я", maxWord/2), word)
		require.True(t, utf8.ValidString("x"+Analyse("x" + strings.Repeat("я", 100))[0].Word))
	})
	t.Run("an address over the bound is its parts alone", func(t *testing.T) {
		text := strings.Repeat("part.", 80) + "x@acme.com"
		require.NotContains(t, words(Analyse(text)), "@")
	})
}

// checkAnalysis holds what is true of the analysis of any bytes.
func checkAnalysis(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string,
) {
	t.Helper()
	start := 0
	for _, token := range Analyse(text) {
		if token.Start < 0 || token.Start >= token.End || token.End > len(text) {
			t.Fatalf("%q: token %+v has no position", text, token)
		}
		whole := strings.Contains(token.Word, "@")
		if !whole && token.Start < start {
			t.Fatalf("%q: token %+v goes back", text, token)
		}
		start = max(start, token.Start)
		if token.Word == "" || token.Stem == "" || !utf8.ValidString(token.Word) || !utf8.ValidString(token.Stem) {
			t.Fatalf("%q: token %+v is no word", text, token)
		}
		word := token.Word
		if whole { // An address keeps the commas of its numbers: see groupedDigits.
			word = groupsOfDigits.ReplaceAllString(word, "$1")
		}
		if strings.ContainsFunc(word, func(r rune) bool { return classOf(r) == separator && !strings.ContainsRune(addressSigns, r) }) {
			t.Fatalf("%q: token %+v holds a separator", text, token)
		}
		again := Analyse(token.Word)
		if len(again) == 0 || again[len(again)-1].Word != token.Word || !whole && len(again) != 1 {
			t.Fatalf("%q: %q is analysed as %q", text, token.Word, words(again))
		}
	}
}

var groupsOfDigits = regexp.MustCompile(`,([0-9]{3})`)

func FuzzAnalyse(f *testing.F) {
	for _, seed := range []string{
		"Acme's Pricing-Proposal", "Jo <jo.reyes+x@acme.co.uk>", "Crème brûlée", "ＡＢＣ ﬁ ﷺ ŉ",
		"東京タワー ヿ ﾌﾟ", "\xff\xfe a\xc3", "İ ı ẞ ß", "a\u0301\u0300@b.c's", "한국 \u1112\u1161", "1️⃣ हिन्दी", "0,000@00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { checkAnalysis(t, text) })
}

func TestNumbersHyphensAndCodes(t *testing.T) {
	code := "u001AbC2dEf3GhI4jKl5MnO6"
	for text, words := range map[string]string{
		"10,000 users":                        "10000 users",
		"$1,200 and 1,234,567":                "1200 and 1234567",
		"1,23 12,3456 1,2345":                 "1 23 12 3456 1 2345",
		"2,000a":                              "2 000a",
		"Du\u00ADden co\u200Bop":              "duden coop",
		"https://t.example/" + code + "/deck": "https t example deck",
		"pricingProposalFinalVersion2026":     "pricingproposalfinalversion2026",
		"donaudampfschifffahrtsgesellschaft":  "donaudampfschifffahrtsgesellschaft",
		"123456789012345678901234 x":          "x",
		"e3b0c44298fc1c149afbf4c8996fb924":    "",
		"bounce+" + code + "@acme.example":    "bounce acme example bounce+u001abc2def3ghi4jkl5mno6@acme.example",
	} {
		require.Equal(t, words, strings.Join(wordsIn(Analyse(text)), " "), text)
	}
	for text, variants := range map[string]string{
		"The kick-off e-mail":                       "kickoff email",
		"Müller & Söhne":                            "mueller soehne",
		"Mueller":                                   "muller",
		"state-of-the-art 2026-11-05 docs/x-y":      "",
		"Does a request, a guest or a blue shoe go": "",
		"jo-ann@acme.example":                       "",
	} {
		require.Equal(t, variants, strings.Join(wordsIn(Variants(text)), " "), text)
	}
}

func wordsIn(tokens []Token) []string {
	var words []string
	for _, token := range tokens {
		words = append(words, token.Word)
	}
	return words
}

// TestWordsAreFoundHoweverTheyAreWritten asks each way of writing of each other.
func TestWordsAreFoundHoweverTheyAreWritten(t *testing.T) {
	for _, ways := range [][]string{
		{"10,000", "10000"},
		{"$1,200", "1200", "1,200"},
		{"e-mail", "email", "E-Mail"},
		{"kick-off", "kickoff", "Kick-Off"},
		{"Müller", "Mueller", "muller", "MÜLLER"},
		{"Ver\u00ADtrag", "Vertrag"},
		{"zero\u200Bwidth", "zerowidth"},
	} {
		for _, written := range ways {
			for _, typed := range ways {
				d := NewDocument(event.Event{Subject: "about " + written + " today", Type: event.Open})
				r := Parse("words:"+typed, options(t))
				require.True(t, r.Query.Match(d, nil), "%q finds %q", typed, written)
				require.NotEmpty(t, Highlights(d.Event, r.Query)["subject"], "%q in %q", typed, written)
			}
		}
	}
}
