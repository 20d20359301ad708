package query

import (
	"slices"
	"strings"

	"tidings/query/times"
)

// counting reads how often, in which order and how fast: "more than 3 times",
// "first open", "again after 2 weeks", "quiet for 30 days", "within an hour".
func (p *parser) counting(i int) (meaning, int) {
	if i == p.english.understood {
		return meaning{}, p.english.understoodWords
	}
	if m, n := p.quiet(i); n > 0 {
		return m, n
	}
	if behind := p.notSoOften(i); behind > 0 && !p.english.state {
		p.english.turned = behind
		return meaning{}, 1
	}
	if !p.hasActs() || p.english.state && p.english.counted < 0 {
		return meaning{}, 0
	}
	if p.isWord(i, "never", "again") && p.saysOnce(i) {
		return meaning{}, 2 // "once and never again"
	}
	return p.counts(i)
}

func (p *parser) saysOnce(before int) bool {
	for i := range before {
		if p.word(i) == "once" {
			return true
		}
	}
	return false
}

// counts reads how often, the how manieth time or how fast.
func (p *parser) counts(i int) (meaning, int) {
	for _, read := range [...]func(*parser, int) (meaning, int){(*parser).often, (*parser).ordinal, (*parser).took} {
		if m, n := read(p, i); n > 0 {
			return m, n
		}
	}
	return meaning{}, 0
}

// notSoOften is where the count stands of "not opened more than twice", which
// turns it around; 0 where there is none.
func (p *parser) notSoOften(i int) int {
	switch p.word(i) {
	case "not", "never", "hasn't", "haven't", "didn't", "hasnt", "havent", "didnt":
	default:
		return 0
	}
	if t, f := doneOf(p.word(i + 1)); f == noForm || f == several || !slices.Contains(ActTypes, t) {
		return 0
	}
	_, _, j := p.compared(i + 2)
	if _, n := p.count(j); n == 0 || j == i+2 {
		return 0
	}
	return i + 2
}

// often reads "more than 3 times", "twice", "at least once", "3 or more opens".
func (p *parser) often(i int) (meaning, int) {
	for _, read := range [...]func(*parser, int) (meaning, int){(*parser).oftenInRange, (*parser).oftenBySign, (*parser).manyTimes} {
		if m, n := read(p, i); n > 0 {
			return m, n
		}
	}
	least, most, j := p.compared(i)
	plain := j == i || p.word(i) == "between"
	n, number := p.count(j)
	if number == 0 {
		return meaning{}, 0
	}
	j += number
	word := p.word(j - 1)
	said := word == "once" || word == "twice" || word == "thrice" || strings.HasSuffix(word, "x")
	least, most = bound(least, most, n)
	if plain && strings.HasSuffix(word, "+") {
		least, most, plain = n, 0, false
	}
	if plain && p.word(j) == "or" && !said {
		switch p.word(j + 1) {
		case "more":
			least, most, plain, j = n, 0, false, j+2
		case "less", "fewer":
			least, most, plain, j = 0, n, false, j+2
		}
	}
	if to, k := p.count(j + 1); plain && said && p.word(j) == "or" && k > 0 && to > n {
		most, plain, j = to, false, j+1+k // "once or twice", "twice or three times"
		said = p.word(j-1) == "twice" || p.word(j-1) == "thrice" || p.word(j) != "times"
	}
	if to, k := p.count(j + 1); plain && !said && (p.word(j) == "to" || p.word(j) == "or" || p.word(j) == "and") && k > 0 && to >= n {
		most, j = to, j+1+k
	}
	switch {
	case p.word(j) == "times":
		j++
	case said:
	case !plain && p.isAct(j) && (p.nounForm(j) || n == 1):
		// "more than 3 opens"
	default:
		return meaning{}, 0
	}
	if p.word(j) == "or" {
		switch p.word(j + 1) {
		case "more":
			most, j = 0, j+2
		case "less", "fewer":
			least, j = 0, j+2
		}
	}
	if i == p.english.turned {
		turned, ok := aside{history: History{Least: least, Most: most}}.opposite().(aside)
		if !ok {
			return meaning{}, 0
		}
		least, most = turned.history.Least, turned.history.Most
	}
	if p.spread(j) || p.word(i-1) == "never" || p.word(i-1) == "at" || least == 0 && most == 0 {
		return meaning{}, 0
	}
	return counted(least, most), j - i
}

// oftenInRange reads "2-3 times" and "a couple of times".
func (p *parser) oftenInRange(i int) (meaning, int) {
	if from, to, found := strings.Cut(p.word(i), "-"); found && p.word(i+1) == "times" {
		least, first := times.Number(from)
		most, second := times.Number(to)
		if first && second && 0 < least && least <= most && most <= maxCount && !p.spread(i+2) {
			return counted(least, most), 2
		}
	}
	j := i
	if p.word(j) == "a" {
		j++
	}
	if p.isWord(j, "couple", "of", "times") && !p.spread(j+3) {
		return counted(2, 2), j + 3 - i
	}
	return meaning{}, 0
}

// signs writes those of a comparison as operators do.
var signs = strings.NewReplacer("≥", ">=", "≤", "<=")

// oftenBySign reads the ">3" of ">3 opens" and the "> 3" of "opens > 3".
func (p *parser) oftenBySign(i int) (meaning, int) {
	text, n := signs.Replace(p.word(i)), 1
	if text == "" || !strings.ContainsAny(text[:1], "<>=") {
		return meaning{}, 0
	}
	if strings.Trim(text, "<>=") == "" {
		text, n = text+p.word(i+1), 2
	}
	least, most, ok := parseRange(text)
	behind := p.isAct(i+n) && p.nounForm(i+n)
	before := p.isAct(i-1) && p.nounForm(i-1) && !p.isText(i+n) && p.word(i+n) != "times"
	if !ok || !behind && !before {
		return meaning{}, 0
	}
	return counted(least, most), n
}

// manyTimes reads "several times", "many times" and "a lot" as more than once, and says so.
func (p *parser) manyTimes(i int) (meaning, int) {
	n := 0
	switch {
	case p.isWord(i, "several", "times"), p.isWord(i, "many", "times") && p.word(i-1) != "how":
		n = 2
	case p.isWord(i, "lots", "of", "times"):
		n = 3
	case p.isWord(i, "a", "lot") && !p.isText(i+2) && p.actsBeside(i, i):
		n = 2
	}
	if n == 0 || p.spread(i+n) {
		return meaning{}, 0
	}
	p.note("\"" + p.words(i, n) + "\" is read as more than once.")
	return counted(2, 0), n
}

func (p *parser) nounForm(i int) bool {
	_, f := eventOf(p.word(i))
	return f == several
}

// spread reports whether a count is of each day, or within a short time: that is
// not understood.
func (p *parser) spread(j int) bool {
	switch p.word(j) {
	case "a", "an", "per", "each", "every", "daily", "weekly", "apart":
		return true
	case "in", "within":
		_, n := p.english.times.Amount(j + 1)
		return n > 0 || p.word(j+1) == "a" && p.word(j+2) == "row"
	}
	return false
}

// compared reads "more than", "at least", "no more than", as what is to be added
// to a number: see bound. It returns where the number stands.
func (p *parser) compared(i int) (least, most, j int) {
	const none = -1
	switch p.word(i) {
	case "more", "over", "above", "at", "up", "no", "not", "less", "fewer", "under", "exactly", "only", "just", "=", ">", ">=", "≥", "<", "<=", "≤", "between":
	default:
		return 0, 0, i
	}
	switch {
	case p.isWord(i, "more", "than"), p.isWord(i, "over"), p.isWord(i, "above"):
		return 1, none, i + 1 + btoi(p.word(i) == "more")
	case p.isWord(i, "at", "least"):
		return 0, none, i + 2
	case p.isWord(i, "at", "most"), p.isWord(i, "up", "to"):
		return none, 0, i + 2
	case p.isWord(i, "no", "more", "than"), p.isWord(i, "not", "more", "than"):
		return none, 0, i + 3
	case p.isWord(i, "no", "less", "than"), p.isWord(i, "no", "fewer", "than"), p.isWord(i, "not", "less", "than"):
		return 0, none, i + 3
	case p.isWord(i, "less", "than"), p.isWord(i, "fewer", "than"):
		return none, -1 - 1, i + 2
	case p.isWord(i, "under"):
		return none, -1 - 1, i + 1
	case p.isWord(i, "exactly"), p.isWord(i, "only"), p.isWord(i, "just"), p.isWord(i, "="):
		return 0, 0, i + 1
	case p.isWord(i, ">"):
		return 1, none, i + 1
	case p.isWord(i, ">="), p.isWord(i, "≥"):
		return 0, none, i + 1
	case p.isWord(i, "<"):
		return none, -1 - 1, i + 1
	case p.isWord(i, "<="), p.isWord(i, "≤"):
		return none, 0, i + 1
	case p.isWord(i, "between"):
		return 0, 0, i + 1
	}
	return 0, 0, i
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bound makes a range of a comparison and its number: -1 is an open end, -2 one
// less.
func bound(least, most, n int) (int, int) {
	of := func(offset int) int {
		switch offset {
		case -1:
			return 0
		case -2:
			return n - 1
		}
		return n + offset
	}
	return of(least), of(most)
}

// count reads a number, "twice" and its like, "several", and how many words that is.
func (p *parser) count(i int) (int, int) {
	switch w := p.word(i); w {
	case "once":
		return 1, 1
	case "twice":
		return 2, 1
	case "thrice":
		return 3, 1
	default:
		n, ok := times.Number(w)
		if !ok {
			n, ok = times.Number(strings.TrimSuffix(strings.TrimSuffix(w, "x"), "+")) // 5x
		}
		if ok && n > 0 && n <= maxCount {
			return n, 1
		}
	}
	return 0, 0
}

// ordinal reads "first open", "for the first time", "opened again".
func (p *parser) ordinal(i int) (meaning, int) {
	switch w := p.word(i); w {
	case "for":
		if n, ok := times.Ordinal(p.word(i + 2)); ok && p.word(i+1) == "the" && p.word(i+3) == "time" {
			return ranked(n, n), 4
		}
	case "again":
		if p.word(i-1) == "never" || p.word(i-1) == "not" {
			return meaning{}, 0
		}
		j := i + 1
		if p.word(j) == "after" {
			j++
			if p.isWord(j, "more", "than") {
				j += 2
			}
			if seconds, n := p.amountAt(j); n > 0 {
				return paused(seconds), j + n - i
			}
		} else if seconds, n := p.amountAt(j); n > 0 && p.word(j+n) == "later" {
			return paused(seconds), j + n + 1 - i
		}
		return ranked(2, 0), 1
	case "multiple", "repeatedly":
		switch {
		case w == "repeatedly":
			return counted(2, 0), 1
		case p.word(i+1) == "times":
			return counted(2, 0), 2
		}
	default:
		n, ok := times.Ordinal(w)
		if !ok {
			return meaning{}, 0
		}
		if p.newestFirst(i-1) > 0 || p.newestFirst(i-2) > 0 {
			return meaning{}, 0
		}
		if t, f := p.eventAt(i + 1); f != noForm && p.isAct(i+1) && t != "" {
			return ranked(n, n), 1
		}
		if p.word(i+1) == "time" && p.actsBeside(i, i+2) {
			return ranked(n, n), 2
		}
	}
	return meaning{}, 0
}

// actsBeside reports whether somebody did something just before i, or within three words
// from j on: "opened a third time", "the first time acme opened".
func (p *parser) actsBeside(i, j int) bool {
	for k := i - 1; k >= i-3; k-- {
		if _, f := eventOf(p.word(k)); f != noForm && p.isAct(k) {
			return true
		}
		if !isSmall(p.word(k)) {
			break
		}
	}
	for k := j; k < j+3; k++ {
		if _, f := eventOf(p.word(k)); f == past && p.isAct(k) {
			return true
		}
	}
	return false
}

// quiet reads "quiet for 30 days", "no activity since monday".
func (p *parser) quiet(i int) (meaning, int) {
	j := i
	switch w := p.word(i); {
	case w == "quiet" || w == "inactive" || w == "silent" || w == "dormant":
		j = i + 1
	case w == "no" && (p.word(i+1) == "activity" || p.word(i+1) == "engagement" || p.word(i+1) == "interaction"):
		j = i + 2
	case (w == "not" || w == "hasn't" || w == "haven't" || w == "hasnt" || w == "havent") && (p.word(i+1) == "active" || p.word(i+1) == "engaged"):
		j = i + 2
	case (w == "hasn't" || w == "haven't" || w == "hasnt" || w == "havent") && p.isWord(i+1, "been", "active"),
		(w == "hasn't" || w == "haven't" || w == "hasnt" || w == "havent") && p.isWord(i+1, "done", "anything"):
		j = i + 3
	default:
		return meaning{}, 0
	}
	if p.word(j) == "at" && p.word(j+1) == "all" {
		j += 2
	}
	if m, n := p.sinceWhen(j); n > 0 {
		return m, j + n - i
	}
	// Who it is may stand between: "no activity from acme since monday".
	switch p.word(j) {
	case "from", "at", "by", "with":
		_, who := p.operand(j + 1)
		m, n := p.sinceWhen(j + 1 + who)
		if who > 0 && n > 0 {
			p.english.understood, p.english.understoodWords = j+1+who, n
			return m, j - i
		}
	}
	return meaning{}, 0
}

// sinceWhen reads for how long somebody has been quiet.
func (p *parser) sinceWhen(j int) (meaning, int) {
	if a, n := p.english.times.Lasting(j); n > 0 {
		if seconds := int64(p.now.Sub(a.Before(p.now)).Seconds()); seconds > 0 {
			return p.quietFor(seconds), n
		}
	}
	when, n := p.timeAt(j)
	if n == 0 || when.From.IsZero() || p.ahead(when) || !when.Until.IsZero() && when.Until.Before(p.now) {
		return meaning{}, 0
	}
	return p.quietSince(when.From), n
}
