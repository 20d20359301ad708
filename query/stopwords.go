package query

import (
	"strings"

	"tidings/event"
)

// mostFillersDeep bounds asking whether a word is a filler: of some it depends on the words
// beside them, and of these on theirs, in a circle too. What it would depend on beyond is none.
const mostFillersDeep = 12

// isFiller reports whether the word at i says nothing of its own. What stands
// beside an OR is meant.
func (p *parser) isFiller(i int) bool {
	if p.fillersDeep == mostFillersDeep {
		return false
	}
	p.fillersDeep++
	defer func() { p.fillersDeep-- }()
	word := p.word(i)
	if word == "" || i > 0 && p.lexemes[i-1].kind == lexOr || i+1 < len(p.lexemes) && p.lexemes[i+1].kind == lexOr {
		return false
	}
	if p.leadsIn(i) || p.says(i) {
		return true
	}
	switch word {
	case "link", "links":
		return p.english.types.has(event.Click)
	case "file", "files", "attachment", "attachments":
		return p.english.types.has(event.Download)
	case "new":
		return p.nounForm(i+1) && p.isAct(i+1) // The newest come first.
	case "employees", "employee", "folks", "staff", "users", "team", "guys":
		return i == p.english.personEnd && !p.isText(i+1)
	case "only", "yet", "far", "still", "already", "ever", "even", "also", "too":
		return p.speaksOfEvents()
	case "as":
		return p.word(i+1) == "well" && p.speaksOfEvents()
	case "well":
		return p.word(i-1) == "as" && p.speaksOfEvents()
	case "own":
		return (p.word(i-1) == "my" || p.word(i-1) == "our") && p.speaksOfEvents()
	case "everything", "anything", "events", "activity":
		return true
	case "list", "show", "find":
		// A command stands before what it asks for: "the price list" is none.
		_, f := p.eventAt(i - 1)
		return f != noForm || !p.isText(i-1) || strings.HasSuffix(p.lexemes[i].value, ":")
	case "than":
		return p.speaksOfEvents()
	case "last":
		t, f := p.eventAt(i + 1)
		return t != "" && f == single // "the last reply": results come in this order.
	case "newest", "latest", "recent":
		if t, _ := p.eventAt(i + 1); t != "" {
			return true // Results come in this order.
		}
		return p.newestFirst(i) > 0
	case "most":
		t, _ := p.eventAt(i + 2)
		return p.word(i+1) == "recent" && (t != "" || p.newestFirst(i+1) > 0)
	case "received", "gets", "having":
		_, n := p.state(i + 1)
		return n > 0 && p.speaksOfEvents() // "mails which received no reply"
	case "so":
		return p.word(i+1) == "far" && p.speaksOfEvents()
	case "since":
		// "not replied since", "hasn't opened it since then": it has not happened at all.
		ends := p.word(i+1) == "" || p.word(i+1) == "then" && p.word(i+2) == ""
		return ends && p.english.lasting >= 0 && p.nothingNamed(p.english.lasting, i)
	case "then", "later", "eventually", "afterwards", "subsequently", "finally":
		_, f := eventOf(p.word(i + 1))
		if _, first := eventOf(p.word(i - 2)); first == past && f == past && p.joinsActs(i-1) {
			return true // "opened but later unsubscribed"
		}
		if p.word(i-1) == "since" {
			return p.isFiller(i - 1)
		}
		_, before := eventOf(p.word(i - 1))
		// "opened and then replied", "opened then clicked"
		return p.english.state && f == past && (p.joinsActs(i-1) || (before == past || p.endsWithComma(i-1)) && p.word(i) == "then")
	case "both":
		return p.english.state && p.didBoth(i+1)
	case "either":
		return p.listsAfter(i)
	case "often":
		return p.word(i-1) == "how"
	case "first":
		return p.newestFirst(i-1) > 0 || p.newestFirst(i-2) > 0
	case "email", "mail", "message", "e-mail":
		if i == 0 && p.speaksOfEvents() && p.actOn(i+1) {
			return true // "mail that never arrived", "email opened by jo"
		}
		mine := p.word(i-2) == "my" || p.word(i-2) == "our"
		_, counted := p.count(i + 1)
		ends := !p.isText(i+1) || counted > 0 || p.verbLast && p.actOn(i+1) // "hat jo die mail nicht geöffnet"
		return p.speaksOfEvents() && (isSmall(p.word(i-1)) || mine || p.english.newestEnd >= 0) && ends
	case "total", "count", "sum", "number":
		j := i + 1
		if p.word(i) == "total" && p.word(j) == "number" {
			j++
		}
		if _, f := p.eventAt(j); f == several && (p.word(i) == "total" || p.word(i) == "count") && !p.isText(i-1) {
			return true // "total opens"
		}
		if p.word(j) == "of" && (j > i+1 || p.word(i) == "sum") {
			_, f := p.eventAt(j + 1)
			return f == several
		}
		if p.word(i+1) == "of" {
			_, f := p.eventAt(i + 2)
			return (f == several || isMail(p.word(i+2))) && (i == 0 || p.isFiller(i-1)) // "the number of replies"
		}
		return false
	case "times":
		return p.isWord(i-2, "how", "many")
	case "many", "much":
		return p.word(i-1) == "how"
	case "happened":
		return p.word(i-1) == "what"
	case "people", "contacts", "recipients", "customers":
		if i == p.english.personEnd && !p.isText(i+1) {
			return true // "opens by acme people"
		}
		if p.speaksOfEvents() && (p.isWord(i-2, "how", "many") || p.word(i-1) == "which" || p.word(i-1) == "what") {
			return true
		}
		if w := p.word(i - 1); p.speaksOfEvents() && (w == "my" || w == "our" || w == "the") && p.word(i-2) == "of" && p.isWhich(i-3) {
			return true // "which of our customers opened"
		}
		next := p.word(i + 1)
		if (next == "i" || next == "we") && p.speaksOfEvents() && p.opts.Me != "" {
			return true // "people i emailed"
		}
		if next == "with" && p.word(i+2) == "no" {
			return true
		}
		if p.word(i-1) == "by" && (next == "at" || next == "from") {
			return true
		}
		return next == "who" || next == "that" || p.speaksOfEvents() && (next == "at" || next == "from" || next == "in")
	}
	return isSmall(word)
}

// isWhich reports whether the word at i asks for some of several: "which of", "how many of".
func (p *parser) isWhich(i int) bool {
	switch p.word(i) {
	case "which", "who", "many", "any", "all", "some":
		return true
	}
	return false
}

// newestFirst is how many words from i on ask for the order that all results have.
func (p *parser) newestFirst(i int) int {
	if p.word(i) != "newest" && p.word(i) != "latest" && p.word(i) != "recent" || !p.speaksOfEvents() {
		return 0
	}
	for n := 1; n <= 2; n++ {
		if p.word(i+n) == "first" {
			return n + 1
		}
	}
	return 0
}

// isOneMail reports whether a word means one mail.
func isOneMail(word string) bool {
	switch word {
	case "email", "mail", "message", "e-mail":
		return true
	}
	return false
}

// isDocument reports whether a word is what people send in mails, so that it is nobody's
// name: "invoices not opened".
func isDocument(word string) bool {
	switch strings.TrimSuffix(word, "s") {
	case "proposal", "quote", "quotation", "offer", "invoice", "contract", "agreement", "nda", "newsletter", "bulletin", "digest", "mailing",
		"campaign", "brochure", "catalog", "catalogue", "deck", "presentation", "document", "doc", "pdf", "attachment", "report",
		"statement", "receipt", "confirmation", "reminder", "ticket", "order", "survey", "questionnaire", "application", "resume", "cv",
		"letter", "link", "file", "image", "picture", "video", "tender", "bid", "renewal", "announcement", "webinar", "template", "sequence", "followup", "follow-up", "estimate":
		return true
	}
	switch word { // in German
	case "angebot", "angebote", "rechnung", "rechnungen", "vertrag", "verträge", "auftrag", "aufträge", "bestellung", "bestellungen", "broschüre",
		"broschüren", "katalog", "kataloge", "mahnung", "mahnungen", "rundschreiben", "anhang", "anhänge", "datei", "dateien", "dokument",
		"dokumente", "bewerbung", "bewerbungen", "bestätigung", "bestätigungen", "erinnerung", "erinnerungen", "präsentation", "präsentationen",
		"umfrage", "umfragen", "bericht", "berichte", "lieferschein", "preisliste", "unterlagen":
		return true
	}
	return false
}

// isSmall reports whether a word is one of those that join others and that
// nobody looks for.
func isSmall(word string) bool {
	switch word {
	case "a", "an", "the", "of", "in", "on", "at", "to", "for", "from", "by", "with", "and", "or", "nor", "but",
		"is", "are", "was", "were", "be", "been", "am", "do", "does", "did", "has", "have", "had",
		"who", "whom", "whose", "what", "which", "that", "this", "these", "those", "when", "where", "how", "there",
		"who's", "what's", "it's", "that's", "there's", "he's", "she's", "let's", "here's", "where's", "when's", "how's",
		"i'm", "i'd", "we've", "we're", "they've", "they're", "you've", "you're",
		"i", "i've", "me", "my", "we", "us", "our", "you", "your", "it", "its", "he", "she", "his", "her", "they", "them", "their",
		"everyone's", "everybody's", "anyone's", "anybody's", "any", "anyone", "anybody", "someone", "somebody", "everyone", "everybody", "all", "some",
		"should", "would", "could", "can", "will", "shall",
		"show", "list", "find", "give", "get", "got", "please", "just", "about", "-", "–", "—":
		return true
	}
	return false
}

// listsAfter reports whether an "or" follows soon: "either jo or sam".
func (p *parser) listsAfter(i int) bool {
	for k := i + 2; k <= i+4 && k < len(p.lexemes); k++ {
		if p.word(k) == "or" || p.lexemes[k].kind == lexOr {
			return true
		}
	}
	return false
}
