// Package times reads times as people write them: yesterday, since monday, 3 to 9
// november, 2 weeks ago. A Reader takes the words of a text, the present moment
// and its zone, and gives half-open periods; where no time is, it says so. The
// calendar that it counts in (calendar.go) is that of statistics too, so that days
// begin at the same moment everywhere. Pure: no clock, no I/O.
package times

import (
	"strings"
	"time"
)

// Period is a time as it was written, half-open; a zero end is open.
type Period struct{ From, Until time.Time }

// piece is a part of a word that a time can be made of.
type piece struct {
	text string
	// word is the number of the word it comes from, last whether the word ends
	// with it.
	word int
	last bool
	// starts is whether a time may begin with it.
	starts bool
}

// Reader reads times out of words. Its methods take the position of a piece
// and return the position behind what they read, 0 when that is no time.
type Reader struct {
	now      time.Time
	dayFirst bool
	pieces   []piece
	// first is the first piece of each word.
	first []int
	// known is what At said of each word, which is asked more than once: 0 for nothing yet,
	// -1 for no time, else the time's place in found, plus one.
	known []int16
	found []answer
	// led is whether something before makes it likely that a time follows, so
	// that words which mean other things too are taken as times.
	led bool
	// likely is whether the text is one that names times: 11/13 is a date in it,
	// and 2025 a year.
	likely bool
	// halved is whether the text has a half or a quarter, which few have.
	halved bool
	// ahead is whether times that lie ahead are meant too, as of meetings.
	ahead bool
}

// text is the piece at i, "" behind the end.
func (r *Reader) text(i int) string {
	if i < 0 || i >= len(r.pieces) {
		return ""
	}
	return r.pieces[i].text
}

// is reports whether the pieces from i on are these words.
func (r *Reader) is(i int, words ...string) bool {
	for k, word := range words {
		if r.text(i+k) != word {
			return false
		}
	}
	return true
}

// skip is the position behind any one of the words at i, or i.
func (r *Reader) skip(i int, words ...string) int {
	for _, word := range words {
		if r.text(i) == word {
			return i + 1
		}
	}
	return i
}

// String writes a period in its zone; ".." is an open end.
func (p Period) String() string { return iso(p.From) + "/" + iso(p.Until) }

func iso(t time.Time) string {
	switch {
	case t.IsZero():
		return ".."
	case t.Equal(StartOfDay(t)):
		return t.Format(time.DateOnly)
	case t.Second() == 0:
		return t.Format("2006-01-02T15:04")
	}
	return t.Format("2006-01-02T15:04:05")
}

// NewReader makes a reader for a text of about so many words.
func NewReader(now time.Time, dayFirst bool, words int) *Reader {
	return &Reader{now: now, dayFirst: dayFirst, pieces: make([]piece, 0, words+8), first: make([]int, 0, words)}
}

// Add adds the next word of the text, in lower case and without the signs of a
// sentence; "" stands for what is no word.
func (r *Reader) Add(word string) {
	number := len(r.first)
	r.first = append(r.first, len(r.pieces))
	if word == "" {
		r.pieces = append(r.pieces, piece{word: number, last: true})
		return
	}
	r.pieces = split(word, number, r.pieces)
	for i := r.first[number]; i < len(r.pieces); i++ {
		text := r.pieces[i].text
		r.pieces[i].starts = mayBegin(text)
		r.halved = r.halved || text == "half" || text == "quarter" || text == "quarters" || strings.HasSuffix(text, ".5")
	}
}

// mayBegin reports whether a time may begin with the piece at i.
func (r *Reader) mayBegin(i int) bool { return i >= 0 && i < len(r.pieces) && r.pieces[i].starts }

// LookAhead has the reader take times that lie ahead, as of meetings, where a
// text does not say.
func (r *Reader) LookAhead(ahead bool) { r.ahead = ahead }

// Expect has the reader take for times what would be text in other texts.
func (r *Reader) Expect(times bool) { r.likely = times }

// At reads the longest time that begins with a word and ends with one, and how
// many words it takes; 0 where there is none.
func (r *Reader) At(word int) (Period, int) {
	if word < 0 || word >= len(r.first) {
		return Period{}, 0
	}
	if !r.mayBegin(r.first[word]) {
		return Period{}, 0
	}
	if len(r.known) < len(r.first) {
		r.known = make([]int16, len(r.first))
	}
	const none = -1
	switch known := r.known[word]; {
	case known == none:
		return Period{}, 0
	case known > 0:
		return r.found[known-1].when, r.found[known-1].words
	}
	when, end := r.phrase(r.first[word])
	if end == 0 || !r.pieces[end-1].last {
		r.known[word] = none
		return Period{}, 0
	}
	words := r.pieces[end-1].word + 1 - word
	r.found = append(r.found, answer{when, words})
	r.known[word] = int16(len(r.found))
	return when, words
}

// answer is a time, and how many words it takes.
type answer struct {
	when  Period
	words int
}

// Lasting reads how long something has lasted, "for 3 days", and how many words
// that takes.
func (r *Reader) Lasting(word int) (Amount, int) {
	if word < 0 || word >= len(r.first) {
		return Amount{}, 0
	}
	i := r.first[word]
	j := r.skip(i, "for", "in", "within", "after", "since")
	j = r.skip(j, "the")
	j = r.skip(j, "over", "more", "longer", "last", "past", ">")
	j = r.skip(r.skip(j, "than"), "=")
	if j == i || j == i+1 && r.text(i) == "the" {
		return Amount{}, 0
	}
	a, end := r.amount(j)
	if end == 0 || !r.pieces[end-1].last {
		return Amount{}, 0
	}
	return a, r.pieces[end-1].word + 1 - word
}

// Amount reads a length of time, "3 days", and how many words that takes.
func (r *Reader) Amount(word int) (Amount, int) {
	if word < 0 || word >= len(r.first) {
		return Amount{}, 0
	}
	a, end := r.amount(r.first[word])
	if end == 0 || !r.pieces[end-1].last {
		return Amount{}, 0
	}
	return a, r.pieces[end-1].word + 1 - word
}

// Number reads a number in digits or in letters.
func Number(word string) (int, bool) { return numberOf(word) }

// Value reads a text that is a time and nothing else, such as the value of an
// operator.
func Value(text string, now time.Time, dayFirst bool) (Span, bool) {
	words := strings.Fields(strings.ToLower(text))
	r := NewReader(now, dayFirst, len(words))
	r.led = true
	for _, word := range words {
		r.Add(trimSigns(word))
	}
	s, n := r.point(0)
	return Span{s}, n > 0 && n == len(r.pieces)
}

// Span is a time that stands on its own, which a bound may be made of.
type Span struct{ s span }

// Period is the whole of it.
func (s Span) Period() Period { return Period{s.s.from, s.s.until} }

// Since is where a time since then begins.
func (s Span) Since() time.Time { return s.s.cut() }

// After is where a time after it begins.
func (s Span) After() time.Time { return s.s.end() }

func trimSigns(word string) string { return strings.Trim(word, ",.;:!?") }

// IsDay reports whether a word is the name of a weekday, IsMonth of a month.
func IsDay(word string) bool {
	_, _, ok := weekdayOf(word)
	return ok
}

// IsNamed reports whether a word names a time by itself or behind "last".
func IsNamed(word string) bool {
	switch word {
	case "today", "yesterday", "tomorrow", "tonight", "night", "weekend":
		return true
	}
	return IsDay(word) || IsMonth(word) || unitOf(word) >= day
}

// NamesDay reports whether a word says, alone or with others, which day a time is of.
func NamesDay(word string) bool {
	if IsNamed(word) || IsMonth(word) || IsOrdinal(word) || unitOf(word) != noUnit || strings.ContainsAny(word, "/") {
		return true
	}
	switch word {
	case "yest", "tmrw", "now", "ago", "this", "last", "past", "next", "lunch", "lunchtime":
		return true
	}
	return strings.Count(word, "-") > 1
}

// IsClock reports whether a word is of a time of day: 8am, 15:30, noon.
func IsClock(word string) bool {
	switch word {
	case "am", "pm", "a.m", "p.m", "noon", "midday", "midnight", "dawn", "o'clock", "morning", "afternoon", "evening":
		return true
	}
	if word == "" || word[0] < '0' || word[0] > '9' {
		return false
	}
	_, _, ok := clockDigits(strings.TrimRight(word, "apm."))
	return ok && (strings.Contains(word, ":") || strings.ContainsAny(word, "apm"))
}

// IsMonth reports whether a word is the name of a month.
func IsMonth(word string) bool {
	m, _ := monthOf(word)
	return m != 0
}

// IsOrdinal reports whether a word is written like 9th.
func IsOrdinal(word string) bool {
	if word == "" || word[0] < '0' || word[0] > '9' {
		return false
	}
	_, ok := ordinalOf(word)
	return ok
}

// Ordinal reads the number of 9th or ninth.
func Ordinal(word string) (int, bool) { return ordinalOf(word) }

// IsWord reports whether a word may take part in a time.
func IsWord(word string) bool {
	if IsDay(word) || IsMonth(word) || unitOf(word) != noUnit {
		return true
	}
	if _, ok := whichOf(word); ok {
		return true
	}
	if _, ok := numberOf(word); ok {
		return true
	}
	_, ok := ordinalOf(word)
	return ok
}

// cuts reports whether a word may be cut at a sign.
func cuts(r rune) bool {
	switch r {
	case '-', '–', '—', '@', '<', '>':
		return true
	}
	return false
}

// split cuts a word where times are joined without a space: "fri@3pm",
// "11am-2pm", but not a date that is written with dashes.
func split(word string, number int, to []piece) []piece {
	if strings.IndexFunc(word, cuts) < 0 {
		return append(to, piece{text: word, word: number, last: true})
	}
	dashed := strings.Count(word, "-")
	numeric := strings.Trim(word, "0123456789-") == ""
	iso := numeric && (dashed == 2 || len(word) == len("2006-01") && word[4] == '-') || strings.ContainsAny(word, "t:") && dashed >= 2
	start := 0
	for start < len(word) && (word[start] == '>' || word[start] == '<') {
		to = append(to, piece{text: word[start : start+1], word: number})
		start++
	}
	for i, r := range word {
		if i < start {
			continue
		}
		if r != '@' && (iso || r != '-' && r != '–' && r != '—') {
			continue
		}
		if start < i {
			to = append(to, piece{text: word[start:i], word: number})
		}
		text, size := "-", len(string(r))
		if r == '@' {
			text = "@"
		}
		to = append(to, piece{text: text, word: number})
		start = i + size
	}
	if start < len(word) {
		to = append(to, piece{text: word[start:], word: number})
	}
	if len(to) > 0 {
		to[len(to)-1].last = true
	}
	return to
}
