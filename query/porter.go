package query

// porterStem is the stem of a word of small letters, by Porter's algorithm with the two
// departures of its author (bli, logi): https://tartarus.org/martin/PorterStemmer/. What
// it gives is in every index, so it never changes: see TestStemsStayTheSame.
func porterStem(word string) string {
	var letters [maxWord]byte
	w := stemming(letters[:copy(letters[:], word)])
	w = w.withoutPlural()
	w = w.withoutPast()
	if last := len(w) - 1; w[last] == 'y' && w[:last].hasVowel() {
		w[last] = 'i'
	}
	w = w.replace(&doubleEndings, 1)
	w = w.replace(&shortEndings, 1)
	w = w.replace(&lastEndings, 2)
	w = w.withoutSilent()
	if len(w) <= len(word) && word[:len(w)] == string(w) {
		return word[:len(w)]
	}
	return string(w)
}

// stemmable are the letters in which words end that have another stem.
var stemmable = func() (set [26]bool) {
	for _, c := range "cdegilmnrstuy" {
		set[c-'a'] = true
	}
	return set
}()

// stemming is a word on its way to its stem.
type stemming []byte

// ending is what a word may end in, and what takes its place.
type ending struct{ from, to string }

// The endings, in the order in which they are tried.
var (
	doubleEndings = endingsOf([]ending{
		{"ational", "ate"},
		{"tional", "tion"},
		{"enci", "ence"},
		{"anci", "ance"},
		{"izer", "ize"},
		{"bli", "ble"},
		{"alli", "al"},
		{"entli", "ent"},
		{"eli", "e"},
		{"ousli", "ous"},
		{"ization", "ize"},
		{"ation", "ate"},
		{"ator", "ate"},
		{"alism", "al"},
		{"iveness", "ive"},
		{"fulness", "ful"},
		{"ousness", "ous"},
		{"aliti", "al"},
		{"iviti", "ive"},
		{"biliti", "ble"},
		{"logi", "log"},
	})
	shortEndings = endingsOf([]ending{
		{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"}, {"ical", "ic"}, {"ful", ""}, {"ness", ""},
	})
	lastEndings = endingsOf([]ending{
		{"al", ""},
		{"ance", ""},
		{"ence", ""},
		{"er", ""},
		{"ic", ""},
		{"able", ""},
		{"ible", ""},
		{"ant", ""},
		{"ement", ""},
		{"ment", ""},
		{"ent", ""},
		{"ion", ""},
		{"ou", ""},
		{"ism", ""},
		{"ate", ""},
		{"iti", ""},
		{"ous", ""},
		{"ive", ""},
		{"ize", ""},
	})
)

// endings are by their letter before the last; last are the letters that they end in.
type endings struct {
	last [26]bool
	by   [26][]ending
}

func endingsOf(list []ending) (all endings) {
	for _, e := range list {
		n := len(e.from)
		all.last[e.from[n-1]-'a'] = true
		letter := e.from[n-2] - 'a'
		all.by[letter] = append(all.by[letter], e)
	}
	return all
}

// replace replaces the first ending that a word has, where what is left has a measure of
// least or more.
func (w stemming) replace(all *endings, least int) stemming {
	n := len(w)
	if n < 3 || !all.last[w[n-1]-'a'] {
		return w
	}
	for _, e := range all.by[w[n-2]-'a'] {
		if !w.endsIn(e.from) {
			continue
		}
		left := w[:n-len(e.from)]
		if last := left[len(left)-1]; e.from == "ion" && last != 's' && last != 't' || left.syllables() < least {
			return w
		}
		return append(left, e.to...)
	}
	return w
}

// withoutPlural takes the s of a plural off.
func (w stemming) withoutPlural() stemming {
	switch {
	case w.endsIn("sses"), w.endsIn("ies"):
		return w[:len(w)-2]
	case w.endsIn("s") && !w.endsIn("ss"):
		return w[:len(w)-1]
	}
	return w
}

// withoutPast takes -ed and -ing off, and mends what is left.
func (w stemming) withoutPast() stemming {
	var left stemming
	switch {
	case w.endsIn("eed"):
		if w[:len(w)-3].syllables() > 0 {
			return w[:len(w)-1]
		}
		return w
	case w.endsIn("ed"):
		left = w[:len(w)-2]
	case w.endsIn("ing"):
		left = w[:len(w)-3]
	}
	if !left.hasVowel() {
		return w
	}
	switch last := left[len(left)-1]; {
	case left.endsIn("at"), left.endsIn("bl"), left.endsIn("iz"):
		return append(left, 'e')
	case len(left) > 1 && last == left[len(left)-2] && left.isConsonant(len(left)-1) && last != 'l' && last != 's' && last != 'z':
		return left[:len(left)-1]
	case left.isShort() && left.syllables() == 1:
		return append(left, 'e')
	}
	return left
}

// withoutSilent takes a last e off, and one of two l.
func (w stemming) withoutSilent() stemming {
	if last := len(w) - 1; w[last] == 'e' {
		left := w[:last]
		if m := left.syllables(); m > 1 || m == 1 && !left.isShort() {
			w = left
		}
	}
	if n := len(w); n > 2 && w[n-1] == 'l' && w[n-2] == 'l' && w[:n-1].syllables() > 1 {
		return w[:n-1]
	}
	return w
}

// endsIn reports whether a word ends in something and has more than that.
func (w stemming) endsIn(end string) bool {
	return len(w) > len(end) && string(w[len(w)-len(end):]) == end
}

// isConsonant tells a y by the letter before it.
func (w stemming) isConsonant(i int) bool {
	switch w[i] {
	case 'a', 'e', 'i', 'o', 'u':
		return false
	case 'y':
		return i == 0 || !w.isConsonant(i-1)
	}
	return true
}

// syllables is the measure of a word: how many times a vowel is followed by a consonant.
func (w stemming) syllables() int {
	times, vowel := 0, false
	for i, c := range w {
		was := vowel
		switch c {
		case 'a', 'e', 'i', 'o', 'u':
			vowel = true
		case 'y':
			vowel = i > 0 && !was
		default:
			vowel = false
		}
		if was && !vowel {
			times++
		}
	}
	return times
}

func (w stemming) hasVowel() bool {
	for i := range w {
		if !w.isConsonant(i) {
			return true
		}
	}
	return false
}

// isShort reports whether a word ends in a consonant, a vowel and another consonant that
// is no w, x or y.
func (w stemming) isShort() bool {
	n := len(w)
	if n < 3 || w[n-1] == 'w' || w[n-1] == 'x' || w[n-1] == 'y' {
		return false
	}
	return w.isConsonant(n-3) && !w.isConsonant(n-2) && w.isConsonant(n-1)
}
