package query

import "tidings/query/times"

// newestAt is how many words from i on ask for the newest of something: "last 3",
// "most recent", "5 latest". Results come in that order, so nothing is looked for.
func (p *parser) newestAt(i int) int {
	j, before := i, false
	switch p.word(i + 1) {
	case "last", "latest", "newest", "most":
		if _, before = times.Number(p.word(i)); before {
			j++
		}
	}
	switch p.word(j) {
	case "last", "latest", "newest", "previous":
		j++
	case "recent":
		if before {
			return 0
		}
		j++
	case "most":
		if p.word(j+1) != "recent" {
			return 0
		}
		j += 2
	default:
		return 0
	}
	for k := i - 1; k >= 0 && k >= i-3; k-- {
		if p.isQuestion(k) && p.word(k-1) == "when" {
			return 0 // "when did jo last open"
		}
	}
	if _, ok := times.Number(p.word(j)); ok && !before {
		j++
	}
	if !p.isNewestOf(i, j) || p.newestFirst(j-1) > 0 {
		return 0
	}
	if _, n := p.timeAt(i); n > 0 {
		return 0
	}
	return j - i
}

// news is how many words from i on ask for whatever there is: "what's new", "what did i
// miss", "any news from".
func (p *parser) news(i int) int {
	switch w := p.word(i); w {
	case "what's", "whats", "anything", "something":
		return 2 * btoi(p.word(i+1) == "new")
	case "what":
		if p.isWord(i+1, "is", "new") {
			return 3
		}
		who, missed := p.word(i+2), p.word(i+3)
		if (who == "i" || who == "we") && (p.word(i+1) == "did" && missed == "miss" || p.word(i+1) == "have" && missed == "missed") {
			return 4
		}
	case "any":
		if next := p.word(i + 1); (next == "news" || next == "updates") && (p.word(i+2) == "" || p.startsPerson(i+2) || p.timesAt(i+2)) {
			return 2
		}
	}
	return 0
}

func (p *parser) timesAt(i int) bool {
	_, n := p.timeAt(i)
	return n > 0
}

// isNewestOf reports whether the word at j is what the newest is wanted of; the words
// for that begin at i.
func (p *parser) isNewestOf(i, j int) bool {
	if _, f := eventOf(p.word(j)); f == several || f == single {
		return true
	}
	if isGeneric(p.word(j)) || isOneMail(p.word(j)) || isThing(p.word(j)) {
		return true
	}
	if _, n := p.state(j); n > 0 {
		return true
	}
	switch p.word(j) {
	case "from", "by", "to":
		_, n := p.operand(j + 1)
		return n > 0 && (i == 0 || p.isFiller(i-1)) && p.word(j-1) != "last"
	}
	switch p.word(i - 1) {
	case "my", "our":
		_, n := p.timeAt(j)
		return n == 0 && p.startsName(j)
	}
	return false
}

func isThing(word string) bool { return word == "thing" || word == "things" }

// newest reads what newestAt finds, and says that all of them are listed.
func (p *parser) newest(i int) (meaning, int) {
	if i == p.english.newestEnd {
		return p.newestNoun(i)
	}
	if n := p.news(i); n > 0 {
		p.note("\"" + p.words(i, n) + "\": the newest come first, and all are listed.")
		p.unused = append(p.unused, p.words(i, n))
		p.asksAll = true
		return meaning{}, n
	}
	n := p.newestAt(i)
	if n == 0 {
		return meaning{}, 0
	}
	p.english.newestEnd = i + n
	p.note("\"" + p.words(i, n) + "\": the newest come first, and all are listed.")
	p.unused = append(p.unused, p.words(i, n))
	return meaning{}, n
}

// newestNoun reads the email of "my last email" and the thing of "the last thing i sent".
func (p *parser) newestNoun(i int) (meaning, int) {
	if isThing(p.word(i)) {
		return meaning{}, 1
	}
	if !isOneMail(p.word(i)) {
		return meaning{}, 0
	}
	if len(p.english.types) > 0 || p.english.state {
		return meaning{}, 1
	}
	return typeOf("send"), 1
}

// everyPeriod reads "daily opens" and "weekly replies".
func (p *parser) everyPeriod(i int) (meaning, int) {
	key := ""
	switch p.word(i) {
	case "hourly":
		key = "hour"
	case "daily":
		key = "day"
	case "weekly":
		key = "week"
	case "monthly":
		key = "month"
	default:
		return meaning{}, 0
	}
	if !p.isAct(i+1) && p.word(i+1) != "sends" || !p.nounForm(i+1) {
		return meaning{}, 0
	}
	return groupedBy(key), 1
}

// isHabit reports whether the word at i is a time that comes again and again: on
// mondays, in the evenings, at night, during office hours. No condition says that.
func (p *parser) isHabit(i int) bool {
	switch p.word(i) {
	case "mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays", "weekdays", "weekends",
		"mornings", "afternoons", "evenings", "nights", "lunchtimes":
		return true
	case "night":
		return p.word(i-1) == "at"
	case "hours":
		switch p.word(i - 1) {
		case "office", "business", "working", "work", "after", "out-of":
			return true
		}
	}
	return false
}

// atNight reports whether "at night" stands at i with no day before it: any night.
func (p *parser) atNight(i int) bool {
	if !p.isWord(i, "at", "night") {
		return false
	}
	_, n := p.timeAt(i - 1)
	return n == 0 && !times.IsNamed(p.word(i-1))
}
