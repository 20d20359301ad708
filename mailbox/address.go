package mailbox

import (
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tidings/event"
)

// emptyGroup is how mail is addressed to people whom it does not name:
// "undisclosed-recipients:;".
var emptyGroup = regexp.MustCompile(`^[^@<>]*:\s*;?\s*$`)

// spelledAt is an address as public archives of mailing lists write it.
var spelledAt = regexp.MustCompile(`^\s*<?([^\s<>@,;()"]+) at ([^\s<>@,;()"]+\.[A-Za-z]{2,})>?\s*(?:\((.*)\))?\s*$`)

// addresses are the people of an address list, those with a usable address
// alone. named is false when the list names nobody at all. The standard's
// grammar is tried first; what does not follow it is searched for addresses.
func addresses(list string) (people []event.Person, named bool) {
	list = cleanLine(list, 0)
	if list == "" || emptyGroup.MatchString(list) {
		return nil, false
	}
	parser := netmail.AddressParser{WordDecoder: wordDecoder()}
	if parsed, err := parser.ParseList(list); err == nil {
		for _, address := range parsed {
			if one, ok := person(address.Address, address.Name); ok {
				people = append(people, one)
			}
		}
		return people, true
	}
	parts := split(list, true)
	if parts == nil {
		parts = split(list, false)
	}
	before := ""
	for _, part := range parts {
		one, ok := loose(before + part)
		if ok {
			people = append(people, one)
		}
		before = ""
		if !ok && !strings.ContainsAny(part, "@<>") {
			// A name with a comma in it, and no quotes around.
			before = part + ", "
		}
	}
	return people, true
}

// sender is the first usable address of a From or Sender field.
func sender(list string) (event.Person, bool) {
	people, _ := addresses(list)
	if len(people) == 0 {
		return event.Person{}, false
	}
	return people[0], true
}

// split cuts a list at commas and semicolons that are not within angle
// brackets, nor within quotes where these are heeded. It is nil when a quote
// is never closed.
func split(list string, quotes bool) []string {
	var parts []string
	begin := 0
	quoted, angled := false, false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case quoted && c == '\\':
			i++
		case c == '"' && quotes:
			quoted = !quoted
		case quoted:
		case c == '<':
			angled = true
		case c == '>':
			angled = false
		case (c == ',' || c == ';') && !angled:
			parts = append(parts, list[begin:i])
			begin = i + 1
		}
	}
	if quoted {
		return nil
	}
	return append(parts, list[begin:])
}

// loose finds an address in a text that does not follow the grammar: what is in
// the last angle brackets, or the first word with an "@".
func loose(text string) (event.Person, bool) {
	if found := spelledAt.FindStringSubmatch(text); found != nil {
		return person(found[1]+"@"+found[2], decodeWords(found[3]))
	}
	if begin := strings.LastIndexByte(text, '<'); begin >= 0 {
		address, after, _ := strings.Cut(text[begin+1:], ">")
		if one, ok := person(address, decodeWords(text[:begin]+" "+after)); ok {
			return one, true
		}
	}
	words := strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(`<>()[]"`, r)
	})
	for i, word := range words {
		if _, ok := person(word, ""); ok {
			rest := slices.Concat(words[:i], words[i+1:])
			return person(word, decodeWords(strings.Join(rest, " ")))
		}
	}
	return event.Person{}, false
}

// person normalises an address and its name, if it is an address: one "@", a
// text on both sides, and nothing that only grammar puts there.
func person(address, name string) (event.Person, bool) {
	address = strings.Trim(address, " \t'\"<>,:")
	if len(address) > len("mailto:") && strings.EqualFold(address[:len("mailto:")], "mailto:") {
		address = address[len("mailto:"):]
	}
	address = strings.ToLower(strings.TrimSuffix(address, "."))
	unfit := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`<>(),;:"\`, r) || r == utf8.RuneError
	}
	local, domain, found := strings.Cut(address, "@")
	if !found || local == "" || domain == "" || strings.Contains(domain, "@") || len(address) > maxAddress ||
		strings.ContainsFunc(address, unfit) || strings.HasPrefix(domain, ".") {
		return event.Person{}, false
	}
	name = strings.Trim(cleanLine(name, maxName), ` "'<>,`)
	name = strings.ReplaceAll(name, `\"`, `"`)
	if strings.EqualFold(name, address) {
		name = ""
	}
	return event.Person{Email: address, Name: name}, true
}
