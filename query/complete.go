package query

import (
	"strings"
	"unicode/utf8"

	"tidings/event"
)

// Completion is the position of a caret in a search: what is being typed there and
// what is known to go on with it.
type Completion struct {
	// Field is the operator whose value is being typed, "" for plain text.
	Field string
	// Prefix is what was typed of it, in lower case and without a quote.
	Prefix string
	// Person is whether a name is likely, as behind "from".
	Person bool
	// Actor is whether whoever did something is being named, as behind "opened by":
	// somebody outside, and no user.
	Actor bool
	// Span is what a suggestion replaces, [start, end) in code points.
	Span [2]int
}

// Suggestion is one way to go on.
type Suggestion struct {
	// Kind is search (a saved one), operator, value, time, event, user, team,
	// person, domain, subject or word.
	Kind string `json:"kind" enum:"search,operator,value,time,event,user,team,person,domain,subject,word"`
	// Text replaces the completion's span.
	Text string `json:"text" doc:"replaces the span"`
	// Label is for people to read, when it is not the text.
	Label string `json:"label,omitempty" doc:"for people to read, when it is not the text"`
	// Count is how many recent events have it, 0 where that is not known.
	Count int `json:"count,omitempty" doc:"how many of the newest matching events have it"`
}

// CompleteAt reads what is being typed at a caret, a position in code points. The
// whole word is replaced that the caret is in or behind.
func CompleteAt(text string, caret int) Completion {
	at := 0
	for range caret {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	start := wordBefore(text, at)
	if start < at && text[start] == '-' {
		start++
	}
	end := at + wordLength(text[at:])
	c := Completion{Person: behindPreposition(text[:start]), Actor: behindAct(text[:start])}
	typed := text[start:at]
	if name, value, found := strings.Cut(typed, ":"); found && isOperator(strings.ToLower(name)) {
		c.Field = strings.ToLower(name)
		start += len(name) + 1
		typed = value
	}
	if r, size := utf8.DecodeRuneInString(typed); isQuote(r) {
		typed = typed[size:]
		// A quote that was closed already is replaced with the word.
		if r, size := utf8.DecodeRuneInString(text[end:]); isQuote(r) {
			end += size
		}
	}
	c.Prefix = strings.ToLower(typed)
	first := utf8.RuneCountInString(text[:start])
	c.Span = [2]int{first, first + utf8.RuneCountInString(text[start:end])}
	return c
}

// wordBefore is where the word or the quoted value begins that ends at a position.
func wordBefore(text string, at int) int {
	quotes, quote := 0, 0
	for i, r := range text[:at] {
		if isQuote(r) {
			quotes++
			quote = i
		}
	}
	if quotes%2 == 1 {
		at = quote
	}
	start := strings.LastIndexFunc(text[:at], endsWord)
	if start < 0 {
		return 0
	}
	_, size := utf8.DecodeRuneInString(text[start:])
	return start + size
}

// behindPreposition reports whether a text ends with a word that a name follows.
func behindPreposition(text string) bool {
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 || !strings.HasSuffix(text, " ") {
		return false
	}
	switch words[len(words)-1] {
	case "from", "by", "to", "with", "at":
		return true
	}
	return false
}

// behindAct reports whether a text ends with what only those outside do, and "by".
func behindAct(text string) bool {
	words := strings.Fields(strings.ToLower(text))
	if len(words) < 2 || words[len(words)-1] != "by" || !strings.HasSuffix(text, " ") {
		return false
	}
	switch words[len(words)-2] {
	case "opened", "opens", "open", "clicked", "clicks", "click", "downloaded", "downloads", "download",
		"replied", "replies", "reply", "answered", "bounced", "unsubscribed":
		return true
	}
	return false
}

// Known are the suggestions that need no index: operators, their values, types
// of events and times, those first that people use most.
func (c Completion) Known() []Suggestion {
	var all []Suggestion
	add := func(kind string, texts ...string) {
		for _, text := range texts {
			if strings.HasPrefix(text, c.Prefix) && text != c.Prefix {
				all = append(all, Suggestion{Kind: kind, Text: quoteSpaced(text, c.Field)})
			}
		}
	}
	switch c.Field {
	case "type", "event":
		for _, t := range event.Types {
			add("value", string(t))
		}
	case "is":
		add("value", "unopened", "unreplied", "opened", "clicked", "replied", "downloaded", "bounced")
	case "unopened":
		add("value", ">1d", ">3d", ">1w", ">2w")
	case "answer":
		add("value", "yes", "no", "maybe")
	case "bounce":
		add("value", Bounces...)
	case "verdict":
		add("value", event.Human, event.Machine, event.Unknown)
	case "automated":
		add("value", string(AutomatedShow), string(AutomatedOnly), string(AutomatedHide))
	case "newer_than", "older_than":
		add("value", "1h", "1d", "3d", "1w", "4w")
	case "since", "after", "before", "on", "during", "time":
		add("time", timePhrases[:]...)
	case "from":
		add("value", "me", myTeam)
	case "":
		if c.Prefix == "" || c.Person {
			return nil
		}
		add("event", "opens", "clicks", "replies", "sends", "meetings", "downloads", "bounces", "unsubscribes",
			"unopened", "no reply", "hasn't opened", "hasn't replied")
		add("operator", "from:", "to:", "is:", "type:", "since:", "subject:", "domain:", "before:", "on:", "link:", "file:", "body:",
			"unopened:", "verdict:", "answer:", "bounce:", "automated:", "during:", "after:", "newer_than:", "older_than:", "source:", "message:")
		add("time", timePhrases[:]...)
	}
	return all
}

// timePhrases are the times that are suggested.
var timePhrases = [...]string{
	"today", "yesterday", "this week", "last week", "this month", "last month", "last 7 days", "last 30 days",
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "this quarter", "last quarter", "this year", "last year",
	"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
}

// quoteSpaced writes a value behind an operator so that it ends where it should.
func quoteSpaced(text, field string) string {
	if field == "" {
		return text
	}
	return QuoteValue(text)
}

// QuoteValue writes a value as it stands behind an operator.
func QuoteValue(value string) string {
	return quoteValue(strings.Map(func(r rune) rune {
		if isQuote(r) {
			return ' '
		}
		return r
	}, value))
}

// Wants reports whether values of an operator are asked for: of the one that is
// being typed, or of any that plain text may mean.
func (c Completion) Wants(field string) bool {
	return c.Field == field || c.Field == ""
}

// quoteValue puts a value in quotes where it would end early without.
func quoteValue(value string) string {
	if value == "" || strings.HasSuffix(value, "*") || strings.ContainsFunc(value, endsWord) {
		return `"` + value + `"`
	}
	return value
}
