package query

import (
	"cmp"
	"slices"
	"strconv"

	"tidings/event"
	"tidings/query/times"
)

// Table is how a text wants what it finds to be counted: by company, the ten with
// the most. The zero value is no table.
type Table struct {
	// By is one of TableKeys; "" is by person where Limit is set.
	By string
	// Limit is how many rows are wanted, 0 where the text does not say.
	Limit int
	// Fewest puts the rows with the fewest events first.
	Fewest bool
}

// TableKeys are what a table can be made by.
var TableKeys = []string{
	"person", "company", "message", "subject", "user", "type", "link", "file", "device", "client",
	"hour", "weekday", "day", "week", "month",
}

// usualRows is how many rows a ranking has that does not say.
const (
	usualRows = 10
	mostRows  = 500
)

func (t Table) with(other Table) Table {
	return Table{By: cmp.Or(other.By, t.By), Limit: cmp.Or(other.Limit, t.Limit), Fewest: t.Fewest || other.Fewest}
}

// Asked reports whether a table is wanted at all.
func (t Table) Asked() bool { return t.By != "" || t.Limit > 0 }

// Key is what the table is made by.
func (t Table) Key() string { return cmp.Or(t.By, "person") }

// tableBy understands by:, top: and bottom:.
func tableBy(field, lower string) meaning {
	if field == "by" {
		if key := keyNoun(lower); key != "" {
			return groupedBy(key)
		}
		if slices.Contains(TableKeys, lower) {
			return groupedBy(lower)
		}
		return meaning{problem: "by is one of person, company, message, subject, user, type, link, file, device, client, hour, weekday, day, week, month"}
	}
	n, err := strconv.Atoi(lower)
	if err != nil || n < 1 || n > mostRows {
		return meaning{problem: field + " needs a number of rows, 1 to " + strconv.Itoa(mostRows)}
	}
	return top(n, field == "bottom")
}

func groupedBy(key string) meaning {
	return meaning{where: aside{table: Table{By: key}}, field: "by", value: key}
}

func top(n int, fewest bool) meaning {
	m := meaning{where: aside{table: Table{Limit: n, Fewest: fewest}}, field: "top", value: strconv.Itoa(n)}
	if fewest {
		m.field = "bottom"
	}
	return m
}

// keyNoun is the key of a table that a word names.
func keyNoun(word string) string {
	switch word {
	case "person", "people", "persons", "contact", "contacts", "recipient", "recipients", "customer", "customers", "prospect", "prospects",
		"lead", "leads", "reader", "readers", "viewers", "openers", "clickers", "repliers", "responders", "downloaders":
		return "person"
	case "company", "companies", "domain", "domains", "account", "accounts", "organization", "organizations":
		return "company"
	case "email", "emails", "mail", "mails", "message", "messages", "e-mail", "e-mails":
		return "message"
	case "subject", "subjects":
		return "subject"
	case "user", "users", "sender", "senders", "colleague", "colleagues", "rep", "reps":
		return "user"
	case "type", "types":
		return "type"
	case "link", "links":
		return "link"
	case "file", "files", "attachment", "attachments":
		return "file"
	case "device", "devices":
		return "device"
	case "client", "clients":
		return "client"
	case "hour", "hours":
		return "hour"
	case "weekday", "weekdays":
		return "weekday"
	case "day", "days":
		return "day"
	case "week", "weeks":
		return "week"
	case "month", "months":
		return "month"
	}
	return ""
}

// actNoun is what those did whom a word names by it: clickers.
func actNoun(word string) event.Type {
	switch word {
	case "openers", "readers", "viewers":
		return event.Open
	case "clickers":
		return event.Click
	case "repliers", "responders":
		return event.Reply
	case "downloaders":
		return event.Download
	}
	return ""
}

// tabled reads "by company", "top 10 companies", "most engaged", "with the most".
func (p *parser) tabled(i int) (meaning, int) {
	if i == p.english.noun {
		if t := actNoun(p.word(i)); t != "" {
			return typeOf(string(t)), 1 // People are what a table is by anyway.
		}
		return groupedBy(keyNoun(p.word(i))), 1
	}
	if number, ok := times.Number(p.word(i)); ok && number > 0 && number <= mostRows && p.word(i-1) != "top" && p.word(i-1) != "bottom" {
		if w := p.word(i + 1); w == "most" || w == "least" || w == "top" || w == "best" {
			return p.soManyOf(i, number)
		}
	}
	switch p.word(i) {
	case "by", "per", "group", "grouped", "split", "broken", "rank", "ranked", "sort", "sorted", "order", "ordered":
		return p.grouped(i)
	case "top", "bottom":
		return p.topOf(i)
	case "most", "least":
		return p.mostOf(i)
	case "the":
		if w := p.word(i + 1); w == "most" || w == "least" {
			if m, n := p.mostOf(i + 1); n > 0 {
				return m, n + 1
			}
		}
	case "with", "got", "gets", "get", "has", "have", "had", "received":
		if w := p.word(i + 2); p.word(i+1) == "the" && (w == "most" || w == "fewest") && p.isAct(i+3) && i == p.english.nounEnd {
			return top(usualRows, w == "fewest"), 3
		}
	}
	return p.nounBefore(i)
}

// grouped reads "by company", "per week", "grouped by day", "ranked by replies".
func (p *parser) grouped(i int) (meaning, int) {
	by := i
	switch p.word(i) {
	case "by", "per":
	case "broken":
		by = i + 2
	default:
		by = i + 1
	}
	if w := p.word(by); w != "by" && w != "per" {
		return meaning{}, 0
	}
	end := by + 1
	if by > i && i == p.english.nounEnd && p.isAct(end) {
		return top(usualRows, false), 2 // "emails ranked by opens"
	}
	if by > i || p.english.ranks {
		if _, f := eventOf(p.word(end)); f == several {
			return typeOf(string(eventWords[p.word(end)].kind)), end + 1 - i
		}
	}
	if w := p.word(end); w == "the" || w == "each" {
		end++
	}
	key := keyNoun(p.word(end))
	switch p.word(end + 1) {
	case "at", "from", "who", "that", "of":
		if key == "person" || key == "company" {
			return meaning{}, 0 // "opens by people at acme"
		}
	}
	if next := keyNoun(p.word(end + 1)); key == "message" && next == "client" {
		key = next
		end++
	}
	if _, n := p.timeAt(end); key == "" || n > 0 || !p.speaksOfEvents() && by == i && p.isText(i-1) {
		return meaning{}, 0
	}
	_, known := p.inDirectory(p.word(end))
	if _, number := times.Number(p.word(end + 1)); known || number {
		return meaning{}, 0
	}
	return groupedBy(key), end + 1 - i
}

// topOf reads "top 10 companies"; the noun is read by itself.
func (p *parser) topOf(i int) (meaning, int) {
	n, j := usualRows, i+1
	if number, ok := times.Number(p.word(j)); ok && number > 0 && number <= mostRows {
		n, j = number, j+1
	}
	noun := j
	switch p.word(noun) {
	case "engaged", "active", "responsive", "performing":
		noun++
		j++
	}
	if _, f := eventOf(p.word(noun)); f == past {
		noun++
	}
	if keyNoun(p.word(noun)) == "" {
		return meaning{}, 0
	}
	p.english.noun, p.english.nounEnd = noun, noun+1
	return top(n, p.word(i) == "bottom"), j - i
}

// mostOf reads "most engaged companies", "most opened emails", "the most" at the
// end.
func (p *parser) mostOf(i int) (meaning, int) {
	fewest, j := p.word(i) == "least", i+1
	switch p.word(j) {
	case "engaged", "active", "responsive", "engaging":
		j++
		if keyNoun(p.word(j)) != "" {
			p.english.noun, p.english.nounEnd = j, j+1
		}
		return top(usualRows, fewest), j - i
	case "often", "frequently":
		return top(usualRows, fewest), 2
	}
	if _, f := eventOf(p.word(j)); f == past && keyNoun(p.word(j+1)) != "" {
		p.english.noun, p.english.nounEnd = j+1, j+2
		return top(usualRows, fewest), 1
	}
	if p.isAct(j) && p.nounForm(j) && (p.word(j+1) == "by" || p.word(j+1) == "per") && keyNoun(p.word(j+2)) != "" {
		return top(usualRows, fewest), 1 // "most replies by company"
	}
	_, n := p.timeAt(j)
	if p.hasActs() && p.word(i-1) != "at" && (p.word(j) == "" || n > 0) && i > 0 {
		return top(usualRows, fewest), 1
	}
	return meaning{}, 0
}

// soManyOf reads "3 most active companies".
func (p *parser) soManyOf(i, rows int) (meaning, int) {
	read := p.mostOf
	if p.word(i+1) == "top" {
		read = p.topOf
	}
	m, n := read(i + 1)
	ranked, ok := m.where.(aside)
	if n == 0 || !ok || ranked.table.Limit != usualRows || p.english.nounEnd < 0 {
		return meaning{}, 0
	}
	return top(rows, ranked.table.Fewest), n + 1
}

// nounBefore reads the companies of "companies with the most opens" and "which
// company opened the most".
func (p *parser) nounBefore(i int) (meaning, int) {
	key := keyNoun(p.word(i))
	if key == "company" && (p.word(i-1) == "which" || p.word(i-1) == "what" || p.isWord(i-2, "how", "many")) {
		if _, states := p.state(i + 1); states > 0 || p.isAct(p.behindHas(i+1)) {
			p.english.nounEnd = i + 1
			return groupedBy(key), 1
		}
	}
	if (key == "company" || key == "person") && (p.word(i-1) == "which" || p.word(i-1) == "what") && p.isQuestion(i+1) && p.isSender(i+2) {
		if key == "person" {
			return meaning{}, 1 // "which people did ben email" are in the answer.
		}
		return groupedBy(key), 1
	}
	if key == "" || !p.english.ranks {
		return meaning{}, 0
	}
	if w := p.word(i + 1); (w == "ranked" || w == "sorted" || w == "ordered") && p.word(i+2) == "by" && p.isAct(i+3) {
		p.english.nounEnd = i + 1
		return groupedBy(key), 1
	}
	with := p.hasMost(i + 1)
	asked := (p.word(i-1) == "which" || p.word(i-1) == "what") && p.isAct(p.behindCompany(p.behindHas(i+1)))
	if !with && !asked {
		return meaning{}, 0
	}
	p.english.nounEnd = i + 1
	return groupedBy(key), 1
}

// hasMost reports whether "with the most" or "got the fewest" stands at i, with an act behind.
func (p *parser) hasMost(i int) bool {
	switch p.word(i) {
	case "with":
	case "got", "gets", "get", "has", "have", "had", "received":
		if w := p.word(i - 2); w != "which" && w != "what" {
			return false
		}
	default:
		return false
	}
	w := p.word(i + 2)
	return p.word(i+1) == "the" && (w == "most" || w == "fewest") && p.isAct(i+3)
}

// behindCompany is behind the "at acme" at i, or i: "which person at acme clicks most".
func (p *parser) behindCompany(i int) int {
	if w := p.word(i); w == "at" || w == "from" || w == "in" {
		_, n := p.operand(i + 1)
		return i + btoi(n > 0) + n
	}
	return i
}

// behindHas is behind the "has" at i, or i.
func (p *parser) behindHas(i int) int { return i + btoi(p.word(i) == "has" || p.word(i) == "have") }

// ranksPeople reports whether the word at i ranks people or companies, so that the
// text is about what they do: "most engaged", "top 10 contacts".
func (p *parser) ranksPeople(i int) bool {
	switch p.word(i + 1) {
	case "engaged", "active", "responsive":
		return true
	}
	j := i + 1
	if _, ok := times.Number(p.word(j)); ok {
		j++
	}
	return (p.word(i) == "top" || p.word(i) == "bottom") && keyNoun(p.word(j)) != ""
}

// isAct reports whether the word at i names what recipients do.
func (p *parser) isAct(i int) bool {
	t, f := eventOf(p.word(i))
	return f != noForm && slices.Contains(ActTypes, t)
}
