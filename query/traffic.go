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
		"include", "including", "with", "show", "bot", "machine", "automated", "automatic":
	default:
		if !isPeople(p.word(i)) && !isMachine(p.word(i)) {
			return meaning{}, 0
		}
	}
	human := keyword("verdict", FieldVerdict, event.Human)
	machine := keyword("verdict", FieldVerdict, event.Machine)
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
	case "bot", "machine", "automated", "automatic":
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
