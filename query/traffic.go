package query

import "tidings/event"

// traffic reads whether people or machines are meant: "real opens", "no bots".
func (p *parser) traffic(i int) (meaning, int) {
	only := func(i int) int { // "only" behind what it limits
		if p.word(i) == "only" {
			return 1
		}
		return 0
	}
	switch p.word(i) {
	case "":
		return meaning{}, 0
	case "don't", "dont", "not", "never":
		return p.withoutMachines(i)
	case "real", "human", "genuine", "by", "from", "only", "no", "without", "excluding", "exclude", "hide", "ignore",
		"include", "including", "with", "show", "apple", "apple's", "mpp", "privacy":
	default:
		if !isPeople(p.word(i)) && !isMachine(p.word(i)) && !isMachineMade(p.word(i)) {
			return meaning{}, 0
		}
	}
	human := keyword("verdict", FieldVerdict, event.Human)
	machine := keyword("verdict", FieldVerdict, event.Machine)
	if m, n := p.byOne(i); n > 0 {
		return m, n
	}
	if n := p.applePrivacy(i); n > 0 {
		return machine, n
	}
	behind, _ := p.eventAt(i + 1)
	switch w := p.word(i); {
	case (w == "real" || w == "human" || w == "genuine") && behind != "":
		return human, 1
	case (w == "by" || w == "from") && isPeople(p.word(i+1)) && !p.saysWho(i+2):
		return human, 2 + only(i+2)
	case w == "only" && isPeople(p.word(i+1)):
		return human, 2
	case isPeople(w) && only(i+1) == 1:
		return human, 2
	case (w == "no" || w == "without" || w == "excluding" || w == "exclude" || w == "hide" || w == "ignore") && isMachine(p.word(i+1)):
		if p.english.human {
			return meaning{}, 2
		}
		machine.where, machine.not = negation(machine.where), true
		return machine, 2
	case (w == "exclude" || w == "excluding" || w == "hide" || w == "ignore" || w == "without" || w == "no") && p.areMachineMade(i+1):
		machine.where, machine.not = negation(machine.where), true
		return machine, 2
	case (w == "exclude" || w == "excluding" || w == "hide" || w == "ignore") && isMachineMade(p.word(i+1)):
		if t, f := p.eventAt(i + 2); t == "" || f == noForm {
			break
		}
		machine.where, machine.not = negation(machine.where), true
		return machine, 2
	case (w == "include" || w == "including" || w == "show") && p.areMachineMade(i+1):
		return automated(string(AutomatedShow)), 2
	case (w == "include" || w == "including" || w == "show" && p.saysToo(i)) && isMachineMade(p.word(i+1)) && p.nounForm(i+2):
		if t, _ := p.eventAt(i + 2); t == p.english.last {
			return automated(string(AutomatedShow)), 3 // "opens including bot opens"
		}
		return automated(string(AutomatedShow)), 2
	case (w == "include" || w == "including" || w == "with" || w == "show") && isMachine(p.word(i+1)):
		return automated(string(AutomatedShow)), 2
	case (w == "by" || w == "from" || w == "only") && isMachine(p.word(i+1)):
		return machine, 2
	case isMachineMade(w) && behind != "":
		return machine, 1
	case isMachine(w) && only(i+1) == 1:
		return machine, 2
	}
	return meaning{}, 0
}

// saysToo reports whether the "show" at i asks for what is shown beside all others: "also show
// bot opens", "show bot opens too".
func (p *parser) saysToo(i int) bool {
	return p.word(i-1) == "also" || p.word(i+3) == "too" || p.isWord(i+3, "as", "well")
}

// byOne reads "by a bot" and "by a real person".
func (p *parser) byOne(i int) (meaning, int) {
	if p.word(i) != "by" && p.word(i) != "from" {
		return meaning{}, 0
	}
	j := i + 1
	for w := p.word(j); w == "a" || w == "an" || w == "the" || w == "real" || w == "actual"; w = p.word(j) {
		j++
	}
	switch w := p.word(j); {
	case j == i+1 || p.saysWho(j+1):
		return meaning{}, 0
	case isMachine(w), isMachine(w + "s"):
		return keyword("verdict", FieldVerdict, event.Machine), j + 1 - i
	case isPeople(w), w == "human", w == "person":
		return keyword("verdict", FieldVerdict, event.Human), j + 1 - i
	}
	return meaning{}, 0
}

// applePrivacy is how many words from i on are Apple's Mail Privacy Protection, whose
// machines open: "opens by apple mail privacy protection", "mpp opens".
func (p *parser) applePrivacy(i int) int {
	j := i
	if w := p.word(j); w == "by" || w == "from" {
		j++
	}
	apple := p.word(j) == "apple" || p.word(j) == "apple's"
	if apple {
		if j++; p.word(j) == "mail" {
			j++
		}
	}
	switch {
	case p.word(j) == "mpp":
		j++
	case p.word(j) == "privacy" && (apple || p.word(j+1) == "protection"):
		j += 1 + btoi(p.word(j+1) == "protection")
	default:
		return 0
	}
	if !p.english.types.has(event.Open) {
		return 0
	}
	return j - i
}

// saysWho reports whether the words from i on say which people are meant: "at acme".
func (p *parser) saysWho(i int) bool {
	switch p.word(i) {
	case "at", "from", "in", "of", "who", "that", "with":
		return true
	}
	return false
}

// withoutMachines reads "don't show bots", "not including bots".
func (p *parser) withoutMachines(i int) (meaning, int) {
	switch p.word(i + 1) {
	case "show", "include", "including", "count", "counting", "showing", "want":
	default:
		return meaning{}, 0
	}
	if !isMachine(p.word(i + 2)) {
		return meaning{}, 0
	}
	m := keyword("verdict", FieldVerdict, event.Machine)
	m.where, m.not = negation(m.where), true
	return m, 3
}

// areMachineMade reports whether the word at i, with nothing behind it, is "automated ones".
func (p *parser) areMachineMade(i int) bool {
	if p.word(i) != "automated" && p.word(i) != "automatic" {
		return false
	}
	next := p.word(i + 1)
	return p.kindAt(i+1) == lexEnd || isGeneric(next) || next == "ones" || next == "traffic"
}

// isMachineMade reports whether a word says of an event that a machine made it.
func isMachineMade(word string) bool {
	switch word {
	case "bot", "robot", "machine", "scanner", "automated", "automatic", "prefetched", "preloaded":
		return true
	}
	return false
}

func isPeople(word string) bool {
	switch word {
	case "humans", "people", "persons":
		return true
	}
	return false
}

func isMachine(word string) bool {
	switch word {
	case "bots", "robots", "machines", "scanners":
		return true
	}
	return false
}
