package query

import (
	"math"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// Term is a word of an index, as Analyse gives it, and how many events have it.
type Term struct {
	Word  string
	Count int
}

// Bounds of a correction.
const (
	// shortestCorrected is the length of the shortest word that is corrected.
	shortestCorrected = 4
	// rarer is how many times commoner a word must be to be meant where the one
	// that was typed exists too.
	rarer = 50
)

// Correction is what a word was probably meant to be.
type Correction struct {
	Word string
	// Edits is how many letters were added, left out, changed or swapped.
	Edits int
}

// Sure reports whether the correction may be searched for without asking: one
// edit in words of 4 to 7 letters, two in longer ones, where what was typed is no
// right word or name itself.
func (c Correction) Sure(typed string) bool {
	switch {
	case isRight(typed), c.Word == "":
		return false
	case strings.HasPrefix(c.Word, typed), strings.HasPrefix(typed, c.Word):
		return false // One is the beginning of the other, as a plural's singular is.
	case c.Edits > 1 && c.Word[len(c.Word)-1] != typed[len(typed)-1]:
		return false
	}
	return c.Edits <= 1 || utf8.RuneCountInString(typed) >= 8
}

// Correct finds the word among terms that a misspelt one was most likely meant
// to be: the nearest, and of those the commonest. The first letter is taken as
// right. A word that is not rarer than its like has no correction.
func Correct(typed string, terms []Term) (Correction, bool) {
	if !Correctable(typed) {
		return Correction{}, false
	}
	letters := []rune(typed)
	known := 0
	for _, term := range terms {
		if term.Word == typed {
			known = term.Count
		}
	}
	best, bestScore := Correction{}, math.Inf(-1)
	m := measure{typed: letters}
	for _, term := range terms {
		if term.Count <= rarer*known || term.Word == typed || !strings.HasPrefix(term.Word, string(letters[0])) {
			continue
		}
		edits, cost, ok := m.distance(term.Word)
		if !ok || edits == 2 && len(letters) < 5 {
			continue
		}
		if score := math.Log(float64(term.Count)) - costOfAnEdit*cost; score > bestScore {
			best, bestScore = Correction{term.Word, edits}, score
		}
	}
	return best, best.Word != ""
}

// Correctable reports whether Correct corrects such a word at all: a short one is near too many
// others, and a number is what it is.
func Correctable(typed string) bool {
	return utf8.RuneCountInString(typed) >= shortestCorrected && strings.Trim(typed, "0123456789") == typed
}

// costOfAnEdit weighs one edit against how common a word is: an edit more is
// worth it for a word that is as many times commoner as e to this power.
const costOfAnEdit = 5

// maxEdits is how far a correction may be from what was typed.
const maxEdits = 2

// measure compares words with the one that was typed, and keeps what it works
// in.
type measure struct {
	typed []rune
	other []rune
	rows  [3][]cell
}

// cell is a distance: edits are counted, and cost weighs them by how often
// people make them.
type cell struct {
	edits int
	cost  float64
}

func (c cell) plus(cost float64) cell { return cell{c.edits + 1, c.cost + cost} }

// distance is the number of edits between the words, at most maxEdits.
func (m *measure) distance(word string) (edits int, cost float64, ok bool) {
	m.other = m.other[:0]
	for _, r := range word {
		m.other = append(m.other, r)
	}
	a, b := m.typed, m.other
	if len(a) > len(b)+maxEdits || len(b) > len(a)+maxEdits || bits.OnesCount64(lettersOf(a)^lettersOf(b)) > 2*maxEdits {
		return 0, 0, false
	}
	for i := range m.rows {
		if cap(m.rows[i]) <= len(b) {
			m.rows[i] = make([]cell, len(b)+16)
		}
	}
	before, last, row := m.rows[0], m.rows[1], m.rows[2]
	for j := range len(b) + 1 {
		last[j] = cell{j, float64(j)}
	}
	far := cell{maxEdits + 1, math.Inf(1)}
	for i := 1; i <= len(a); i++ {
		// What is further than maxEdits off the diagonal is too far anyway.
		first, end := max(1, i-maxEdits), min(len(b), i+maxEdits)
		row[first-1] = far
		if first == 1 {
			row[0] = cell{i, float64(i)}
		}
		if end < len(b) {
			row[end+1] = far
		}
		least := row[first-1].edits
		for j := first; j <= end; j++ {
			best := last[j-1]
			if a[i-1] != b[j-1] {
				best = last[j-1].plus(changed(a[i-1], b[j-1]))
			}
			best = nearer(best, last[j].plus(extra(a, i-1)))
			best = nearer(best, row[j-1].plus(extra(b, j-1)))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] && a[i-1] != a[i-2] {
				best = nearer(best, before[j-2].plus(swapped))
			}
			row[j] = best
			least = min(least, best.edits)
		}
		if least > maxEdits {
			return 0, 0, false
		}
		before, last, row = last, row, before
	}
	end := last[len(b)]
	return end.edits, end.cost, end.edits <= maxEdits
}

// lettersOf is the set of the letters of a word, roughly. An edit changes two of
// them at most.
func lettersOf(word []rune) (set uint64) {
	for _, r := range word {
		set |= 1 << (r & 63)
	}
	return set
}

// nearer prefers what is cheaper, and of two of one cost the fewer edits.
func nearer(a, b cell) cell {
	if b.cost < a.cost || b.cost == a.cost && b.edits < a.edits {
		return b
	}
	return a
}

// What edits cost that people make more often than others.
const (
	swapped = 0.7
	doubled = 0.5
	vowel   = 0.7
	sound   = 0.7
)

// extra is the cost of a letter that only one of the words has.
func extra(word []rune, i int) float64 {
	switch {
	case i > 0 && word[i-1] == word[i], i+1 < len(word) && word[i+1] == word[i]:
		return doubled
	case isVowel(word[i]) || word[i] == 'h':
		return 0.9
	}
	return 1
}

// changed is the cost of one letter in the place of another.
func changed(a, b rune) float64 {
	switch {
	case isVowel(a) && isVowel(b):
		return vowel
	case sounds(a) != 0 && sounds(a) == sounds(b):
		return sound
	}
	return 1
}

func isVowel(r rune) bool { return strings.ContainsRune("aeiouy", r) }

// sounds groups consonants that are taken for one another.
func sounds(r rune) int {
	switch r {
	case 'c', 's', 'k', 'z', 'q':
		return 1
	case 'f', 'v', 'p':
		return 2
	case 'g', 'j':
		return 3
	case 'm', 'n':
		return 4
	case 'd', 't':
		return 5
	}
	return 0
}
