package query

import (
	"strings"

	"tidings/query/times"
)

// isContraction reports whether a word is an auxiliary with its "not". Where
// what it negates is not understood, nobody wants it searched for.
func isContraction(word string) bool {
	switch word {
	case "hasnt", "havent", "hadnt", "didnt", "dont", "doesnt", "isnt", "arent", "wasnt", "werent", "cant", "cannot", "wont", "couldnt", "shouldnt", "wouldnt":
		return true
	}
	return strings.HasSuffix(word, "n't")
}

// isNegation reports whether a word turns what stands beside it into its
// opposite.
func isNegation(word string) bool {
	switch word {
	case "not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without", "except", "excluding", "exclude", "besides",
		"nowhere", "hardly", "barely", "unless", "instead", "lacks", "lacking", "missing", "minus", "non":
		return true
	}
	return isContraction(word)
}

// isQuantity reports whether a word counts, compares or ranks.
func isQuantity(word string) bool {
	switch word {
	case "more", "less", "fewer", "least", "most", "once", "twice", "thrice", "times", "again", "first", "oldest", "newest", "latest",
		"top", "bottom", "average", "median", "percent", "per", "every", "each", "only", "both", "always", "exactly", "many", "several", "few",
		"almost", "nearly", "mostly", "alone", "else", "solely", "exclusively", "rank", "ranked", "sorted", "sort", "grouped", "group", "count", "total", "best", "worst", "highest", "lowest", "slowest", "fastest", "quickest", "longest", "shortest", "least-engaged", "rate":
		return true
	}
	return false
}

// isGroup reports whether a word is what results could be grouped by.
func isGroup(word string) bool {
	switch word {
	case "country", "city", "day", "week", "month", "hour", "company", "companies", "person", "user", "sender", "recipient", "domain", "team", "type", "device", "client":
		return true
	}
	return false
}

// noteUnread names the words of negation and quantity that were not understood
// and are searched for like any others.
func (p *parser) noteUnread() {
	var unread []string
	behind := -1
	for _, i := range p.asText {
		word := p.word(i)
		goesOn := i == behind && (isQuantity(word) || isNumber(word) || word == "people" || p.word(i-1) == "per")
		grouped := isGroup(word) && p.word(i-1) == "by"
		counts := isNegation(word) || p.unreadTime(i) || isQuantity(word) || p.isHabit(i) || (p.speaksOfEvents() || isOneMail(p.word(i+1)) || p.word(i-1) == "my") && p.isOrdinal(i) || p.speaksOfEvents() && (p.countsPeople(i) || p.isWord(i, "half", "of"))
		shown := p.typed(i)
		if (word == "time" || word == "day" || word == "days") && p.unreadTime(i) {
			shown = p.typed(i-1) + " " + shown // "this time", "the same day"
		}
		if grouped || (word == "least" || word == "most") && p.word(i-1) == "at" {
			shown = p.typed(i-1) + " " + shown
		}
		if !goesOn && !grouped && !counts {
			continue
		}
		if goesOn {
			unread[len(unread)-1] += " " + shown
		} else {
			unread = append(unread, shown)
		}
		behind = i + 1
		if p.word(behind) == "than" || p.word(behind) == "or" {
			behind++
		}
	}
	if len(unread) > 0 {
		p.note("Not understood, and searched for as words: \"" + strings.Join(unread, `", "`) + "\".")
	}
}

// unreadTime reports whether the word at i is of a time that was not read: "between 9
// and 5", "this time last year", "gone quiet".
func (p *parser) unreadTime(i int) bool {
	switch p.word(i) {
	case "between":
		return isNumber(p.word(i + 1))
	case "since":
		return p.word(i+1) != ""
	case "before", "after", "until":
		return p.word(i+1) != "" && p.speaksOfEvents()
	case "time", "day":
		return p.word(i-1) == "this" || p.word(i-1) == "same"
	case "days":
		return p.word(i-1) == "business" || p.word(i-1) == "working"
	case "long":
		return p.word(i-1) == "how"
	case "quiet", "silent", "dormant", "inactive":
		switch p.word(i - 1) {
		case "gone", "went", "going", "fallen", "is", "are", "was", "were", "been":
			return true
		}
	}
	return false
}

// countsPeople reports whether the word at i is the number of "two people".
func (p *parser) countsPeople(i int) bool {
	if keyNoun(p.word(i+1)) != "person" {
		return false
	}
	_, spelled := times.Number(p.word(i))
	return spelled || isNumber(p.word(i))
}

func isNumber(word string) bool { return word != "" && strings.Trim(word, "0123456789") == "" }

// leftOut drops a word with a note.
func (p *parser) leftOut(i int) {
	p.note("\"" + p.typed(i) + "\" is left out: what it negates is not understood.")
}

// isOrdinal reports whether the word at i says which one of a row is meant: the last,
// the third, the 2nd; or the number of "all but two".
func (p *parser) isOrdinal(i int) bool {
	switch p.word(i) {
	case "last", "previous", "recent":
		return true
	}
	if _, number := times.Number(p.word(i)); number && (p.word(i-1) == "but" || p.word(i-1) == "except") {
		return true
	}
	_, ok := times.Ordinal(p.word(i))
	return ok
}
