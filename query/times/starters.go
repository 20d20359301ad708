package times

import "strings"

// starters are the words that a time may begin with, beside numbers. Most words
// of a text are none of them, and need no second look.
var starters = func() map[string]bool {
	all := map[string]bool{}
	add := func(words ...string) {
		for _, word := range words {
			all[word] = true
		}
	}
	add(strings.Fields(`since starting after before until till til by prior up between from earlier over more older longer less
		newer younger fewer under later no not > < within for throughout on in at @ during around about the last this past previous prev
		current next coming now today yesterday yest tomorrow tmrw tonight right day noon midday lunch lunchtime dawn midnight
		morning afternoon evening night early mid late beginning start end eod ytd qtd mtd wtd weekend cw kw w wk half quarter roughly
		q1 q2 q3 q4 a an few couple sept tues thur thurs thirty`)...)
	add(smallNumbers[:]...)
	add(smallOrdinals[:]...)
	for _, name := range months {
		add(name, name[:3])
	}
	for _, name := range weekdays {
		add(name, name[:3])
	}
	for _, unit := range [...]string{"second", "minute", "hour", "day", "week", "wk", "month", "quarter", "year"} {
		add(unit, unit+"s")
	}
	return all
}()

// mayBegin reports whether a time may begin with a word.
func mayBegin(word string) bool {
	switch {
	case word == "":
		return false
	case starters[word], '0' <= word[0] && word[0] <= '9', strings.Contains(word, "/"):
		return true
	}
	return word[len(word)-1] <= '9' && starters[strings.TrimRight(word, "0123456789")] // cw47
}
