package query

import (
	"math/rand/v2"
	"strings"
	"testing"

	porter "github.com/blevesearch/go-porterstemmer"
)

// TestStemsStayTheSame: what is in an index was stemmed by the library, and is found by
// these stems.
func TestStemsStayTheSame(t *testing.T) {
	check := func(word string) {
		t.Helper()
		if got, want := porterStem(word), string(porter.StemWithoutLowerCasing([]rune(word))); got != want {
			t.Fatalf("the stem of %q is %q, want %q", word, got, want)
		}
	}
	for _, token := range Analyse(prose) {
		if word := token.Word; len(word) > 2 && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" {
			check(word)
		}
	}
	// All words of three and four letters that have some of those that rules ask for.
	const asked = "aeiyslztbxdngr"
	for n := range len(asked) * len(asked) * len(asked) * len(asked) {
		var word [4]byte
		for i := range word {
			word[i] = asked[n%len(asked)]
			n /= len(asked)
		}
		check(string(word[:3]))
		check(string(word[:]))
	}
	// Beginnings with endings behind them.
	r := rand.New(rand.NewPCG(1, 0x706f72746572))
	var ends []string
	for _, list := range []endings{doubleEndings, shortEndings, lastEndings} {
		for _, of := range list.by {
			for _, e := range of {
				ends = append(ends, e.from, e.to)
			}
		}
	}
	ends = append(ends, "s", "es", "ies", "sses", "ss", "ed", "eed", "ing", "y", "e", "ll", "at", "bl", "iz")
	for range 60_000 {
		var word []byte
		for range 1 + r.IntN(6) {
			word = append(word, "aeiouyaeiobcdfghjklmnpqrstvwxyz"[r.IntN(31)])
		}
		for range 1 + r.IntN(3) {
			word = append(word, ends[r.IntN(len(ends))]...)
		}
		if len(word) > 2 && len(word) <= maxWord {
			check(string(word))
		}
	}
}
