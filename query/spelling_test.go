package query

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCorrect(t *testing.T) {
	terms := []Term{
		{"pricing", 900},
		{"prince", 3},
		{"proposal", 400},
		{"proposals", 50},
		{"propose", 20},
		{"invoice", 100},
		{"deck", 80},
		{"desk", 500},
		{"meeting", 700},
		{"meting", 1},
		{"renewal", 60},
		{"étude", 5},
		{"2026", 10},
	}
	tests := []struct {
		typed, want string
		edits       int
		sure        bool
	}{
		{"pricng", "pricing", 1, true},
		{"pircing", "pricing", 1, true},
		{"pprricing", "pricing", 2, true},
		{"prcng", "pricing", 2, false},
		{"propsal", "proposal", 1, true},
		{"porposall", "proposal", 2, true},
		{"meting", "meeting", 1, true},
		{"étdue", "étude", 1, true},
		{"deck", "", 0, false},
		{"meeting", "", 0, false},
		{"ricing", "", 0, false},
		{"prc", "", 0, false},
		{"2027", "", 0, false},
		{"contract", "", 0, false},
		{"", "", 0, false},
	}
	for _, test := range tests {
		t.Run(test.typed, func(t *testing.T) {
			got, ok := Correct(test.typed, terms)
			require.Equal(t, test.want, got.Word)
			require.Equal(t, test.want != "", ok)
			require.Equal(t, test.edits, got.Edits)
			if ok {
				require.Equal(t, test.sure, got.Sure(test.typed))
			}
		})
	}
}

// misspellings reads the pairs of Norvig's test set out of the source text that
// they were published in.
func misspellings(t *testing.T) [][2]string {
	raw, err := os.ReadFile("../../shared/data/spelling/norvig_testset1.tsv")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("skipped: no shared data")
	}
	require.NoError(t, err)
	key := regexp.MustCompile(`^'([a-z]+)':'?([a-z]*)`)
	word := regexp.MustCompile(`[a-z]+`)
	right, section := "", ""
	var pairs [][2]string
	for row := range strings.Lines(string(raw)) {
		first, last, _ := strings.Cut(strings.TrimSpace(row), "\t")
		if quoted := word.FindAllString(last, -1); last != section && len(quoted) > 0 {
			right, section = quoted[len(quoted)-1], last
		}
		if m := key.FindStringSubmatch(first); m != nil {
			right, first = m[1], m[2]
		}
		if wrong := word.FindString(first); wrong != "" && right != "" && wrong != right {
			pairs = append(pairs, [2]string{wrong, right})
		}
	}
	return pairs
}

// subjectsOf reads the subjects of real mails.
func subjectsOf(t *testing.T) []string {
	files, err := filepath.Glob("../../shared/data/mail/*.jsonl.gz")
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("skipped: no shared data")
	}
	var subjects []string
	for _, path := range files {
		file, err := os.Open(path)
		require.NoError(t, err)
		unpacked, err := gzip.NewReader(file)
		require.NoError(t, err)
		scanner := bufio.NewScanner(unpacked)
		scanner.Buffer(nil, 16<<20)
		for scanner.Scan() {
			var mail struct{ Subject string }
			require.NoError(t, json.Unmarshal(scanner.Bytes(), &mail))
			subjects = append(subjects, mail.Subject)
		}
		require.NoError(t, scanner.Err())
		require.NoError(t, file.Close())
	}
	return subjects
}

func termsOf(subjects []string) map[string]int {
	counts := map[string]int{}
	for _, subject := range subjects {
		seen := map[string]bool{}
		for _, token := range Analyse(subject) {
			if !seen[token.Word] {
				seen[token.Word] = true
				counts[token.Word]++
			}
		}
	}
	return counts
}

// TestCorrectionsOfRealMisspellings counts how often the first proposal is the
// word that was meant, among words that real subjects have.
func TestCorrectionsOfRealMisspellings(t *testing.T) {
	pairs, subjects := misspellings(t), subjectsOf(t)
	counts := termsOf(subjects)
	terms := make([]Term, 0, len(counts))
	for word, count := range counts {
		terms = append(terms, Term{word, count})
	}
	right, cases := 0, 0
	check := func(typed, want string) {
		cases++
		if got, _ := Correct(typed, terms); got.Word == want {
			right++
		} else {
			t.Logf("%s: %q, not %q", typed, got.Word, want)
		}
	}
	for _, pair := range pairs {
		m := measure{typed: []rune(pair[0])}
		_, _, near := m.distance(pair[1])
		if near && counts[pair[1]] > 0 && counts[pair[0]] == 0 {
			check(pair[0], pair[1])
		}
	}
	t.Logf("published misspellings: %d of %d right first", right, cases)
	require.GreaterOrEqual(t, 100*right, 85*cases)
	require.Greater(t, cases, 40)

	right, cases = 0, 0
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		tokens := Analyse(subjects[random.IntN(len(subjects))])
		if len(tokens) == 0 {
			continue
		}
		word := tokens[random.IntN(len(tokens))].Word
		if len(word) < 5 || strings.ContainsAny(word, "0123456789@") {
			continue
		}
		typed := word
		for range 1 + len(word)/8 {
			typed = edited(typed, random)
		}
		if counts[typed] == 0 {
			check(typed, word)
		}
	}
	t.Logf("made misspellings: %d of %d", right, cases)
	require.GreaterOrEqual(t, 10*right, 8*cases)
}

// edited makes one edit behind the first letter.
func edited(word string, random *rand.Rand) string {
	letters := []rune(word)
	i := 1 + random.IntN(len(letters)-1)
	letter := rune('a' + random.IntN(26))
	switch random.IntN(4) {
	case 0:
		return string(letters[:i]) + string(letters[i+1:])
	case 1:
		return string(letters[:i]) + string(letter) + string(letters[i:])
	case 2:
		return string(letters[:i]) + string(letter) + string(letters[i+1:])
	}
	if i+1 < len(letters) {
		letters[i], letters[i+1] = letters[i+1], letters[i]
	}
	return string(letters)
}

func BenchmarkCorrect(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	terms := make([]Term, 20000)
	for i := range terms {
		letters := []byte("p")
		for range 3 + random.IntN(8) {
			letters = append(letters, byte('a'+random.IntN(26)))
		}
		terms[i] = Term{string(letters), i}
	}
	for b.Loop() {
		Correct("propsoal", terms)
	}
}

// TestRightNamesAndRareWordsAreNotReplaced asks for right words that real subjects
// do not have.
func TestRightNamesAndRareWordsAreNotReplaced(t *testing.T) {
	counts := termsOf(subjectsOf(t))
	terms := make([]Term, 0, len(counts))
	for word, count := range counts {
		terms = append(terms, Term{word, count})
	}
	raw, err := os.ReadFile("testdata/rightwords.txt")
	require.NoError(t, err)
	tried, asked, replaced := 0, 0, 0
	for word := range strings.Lines(string(raw)) {
		word = strings.TrimSpace(word)
		if word == "" || word[0] == '#' {
			continue
		}
		tried++
		correction, ok := Correct(word, terms)
		if !ok || counts[word] > 0 {
			continue
		}
		asked++
		if correction.Sure(word) {
			replaced++
			t.Logf("%s is replaced by %s", word, correction.Word)
		}
	}
	t.Logf("of %d right words %d are asked about and %d replaced", tried, asked, replaced)
	require.Zero(t, replaced)
}
