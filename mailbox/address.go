package mailbox

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"tidings/address"
	"tidings/event"
)

// emptyGroup is how mail is addressed to people whom it does not name:
// "undisclosed-recipients:;".
var emptyGroup = regexp.MustCompile(`^[^@<>]*:\s*;?\s*$`)

// spelledAt is an address as public archives of mailing lists write it.
var spelledAt = regexp.MustCompile(`^\s*<?([^\s<>@,;()"]+) at ([^\s<>@,;()"]+\.[A-Za-z]{2,})>?\s*(?:\((.*)\))?\s*$`)

// addresses are the people of an address list, those with a usable address
// alone. named is false when the list names nobody at all. The grammar is RFC
// 5322's with its obsolete forms: comments, routes, empty members, space around
// dots; and what does not follow it is searched for addresses.
func addresses(list string) (people []event.Person, named bool) {
	return addressesIn(list, "")
}

// addressesIn reads a list whose raw bytes are in the charset of the hint.
func addressesIn(list, hint string) (people []event.Person, named bool) {
	list = cleanLine(decode([]byte(list), "", hint), 0)
	if list == "" || emptyGroup.MatchString(list) {
		return nil, false
	}
	members := split(list, true)
	if members == nil {
		members = split(list, false)
	}
	before := ""
	for _, member := range members {
		if strings.TrimSpace(member) == "" {
			continue
		}
		one, ok := mailbox(before + member)
		if ok {
			people = append(people, one)
		}
		before = ""
		if !ok && !strings.ContainsAny(member, "@<>") {
			// A name with a comma in it, and no quotes around.
			before = member + ", "
		}
	}
	if len(people) == 0 && strings.Contains(list, "=?") {
		// Some programs encode all of a member, its address too.
		if decoded := decodeWords(list, hint); !strings.Contains(decoded, "=?") {
			return addressesIn(decoded, "")
		}
	}
	return people, true
}

// sender is the first usable address of a From or Sender field.
func sender(list, hint string) (event.Person, bool) {
	people, _ := addressesIn(list, hint)
	if len(people) == 0 {
		return event.Person{}, false
	}
	return people[0], true
}

// split cuts a list into its members: at commas and semicolons that are not
// within angle brackets, comments, or quotes where these are heeded. The name
// of a group is cut off. It is nil when a quote or a comment is never closed.
func split(list string, strict bool) []string {
	var members []string
	begin, comments := 0, 0
	quoted, angled := false, false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '\\' && (quoted || comments > 0):
			i++
		case c == '"' && strict && comments == 0 && (quoted || opensQuote(list, i)):
			quoted = !quoted
		case quoted:
		case c == '(' && strict:
			comments++
		case c == ')' && comments > 0:
			comments--
		case comments > 0:
		case c == '<':
			angled = true
		case c == '>':
			angled = false
		case (c == ',' || c == ';') && !angled:
			members = append(members, list[begin:i])
			begin = i + 1
		case c == ':' && !angled && isGroupName(list[begin:i]):
			begin = i + 1
		}
	}
	if quoted || comments > 0 {
		return nil
	}
	return append(members, list[begin:])
}

// opensQuote reports whether a quote begins here: one within a word is part of
// it, as in 5"-disk.
func opensQuote(list string, at int) bool {
	if at == 0 {
		return true
	}
	return strings.ContainsRune(" \t,;:<(.\"", rune(list[at-1]))
}

func isGroupName(name string) bool {
	name = strings.TrimSpace(name)
	return name != "" && !strings.ContainsAny(name, "@<") && !strings.EqualFold(name, "mailto")
}

// mailbox reads one member of a list.
func mailbox(text string) (event.Person, bool) {
	if found := spelledAt.FindStringSubmatch(text); found != nil {
		return person(found[1]+"@"+found[2], decodeWords(found[3], ""))
	}
	t := scanMailbox(text)
	if t.angled {
		if one, ok := person(route(t.address), decodeName(t.name, t.comment)); ok {
			return one, true
		}
	} else if one, ok := person(t.spaceless(), decodeName("", t.comment)); ok {
		return one, true
	}
	return loose(text)
}

// scanned is a member of a list, taken apart.
type scanned struct {
	// name is what stands before the angle brackets, or all there is.
	name, address, comment string
	angled                 bool
}

// scanMailbox takes comments and quotes off. Within quotes a name is kept
// without them; an address keeps its own.
func scanMailbox(text string) scanned {
	var t scanned
	var name, address, comment strings.Builder
	depth := 0
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		out := &name
		if t.angled && t.address == "" {
			out = &address
		}
		switch {
		case c == '\\' && (quoted || depth > 0) && i+1 < len(text):
			i++
			switch {
			case depth > 0:
				comment.WriteByte(text[i])
			case out == &address:
				out.WriteString(text[i-1 : i+1])
			default:
				out.WriteByte(text[i])
			}
		case c == '"' && depth == 0:
			quoted = !quoted
			if out == &address || followsLocal(text, i, quoted) {
				out.WriteByte(c)
			}
		case quoted:
			out.WriteByte(c)
		case c == '(':
			depth++
			if depth > 1 {
				comment.WriteByte(c)
			} else if comment.Len() > 0 {
				comment.WriteByte(' ')
			}
		case c == ')' && depth > 0:
			if depth--; depth > 0 {
				comment.WriteByte(c)
			}
		case depth > 0:
			comment.WriteByte(c)
		case c == '<':
			// The last brackets count: what stood before is of the name.
			if t.angled {
				name.WriteString(" " + t.address + address.String())
			}
			t.angled, t.address = true, ""
			address.Reset()
		case c == '>' && t.angled:
			t.address = address.String()
		default:
			out.WriteByte(c)
		}
	}
	if t.angled && t.address == "" {
		t.address = address.String()
	}
	t.name, t.comment = strings.TrimSpace(name.String()), strings.TrimSpace(comment.String())
	return t
}

// followsLocal keeps the quotes of a local part that stands without angle
// brackets: "jo smith"@x.example.
func followsLocal(text string, at int, opens bool) bool {
	if opens {
		closing := strings.IndexByte(text[at+1:], '"')
		return closing >= 0 && strings.HasPrefix(text[at+closing+2:], "@")
	}
	return at+1 < len(text) && text[at+1] == '@'
}

// spaceless is the member as an address without angle brackets: the space that
// may stand around dots and "@" is taken out.
func (t scanned) spaceless() string {
	words := strings.Fields(t.name)
	for i := 1; i < len(words); i++ {
		before, after := words[i-1], words[i]
		if !strings.ContainsAny(before[len(before)-1:], ".@") && !strings.ContainsAny(after[:1], ".@") && !strings.HasPrefix(t.name, `"`) {
			return "" // Two words are a sentence.
		}
	}
	if strings.HasPrefix(t.name, `"`) {
		return t.name
	}
	return strings.Join(words, "")
}

// route takes the obsolete route off an address: "@a.example,@b.example:jo@c".
func route(address string) string {
	address = strings.TrimSpace(address)
	if strings.HasPrefix(address, "@") {
		if _, after, found := strings.Cut(address, ":"); found {
			address = after
		}
	}
	if !strings.HasPrefix(address, `"`) {
		address = strings.Join(strings.Fields(address), "")
	}
	return address
}

// decodeName is a person's name: what stands before the address, or else the
// comment.
func decodeName(name, comment string) string {
	if strings.TrimSpace(name) == "" {
		name = comment
	}
	return decodeWords(name, "")
}

// loose finds an address in a text that does not follow the grammar: what is in
// the last angle brackets, or the first word with an "@".
func loose(text string) (event.Person, bool) {
	if begin := strings.LastIndexByte(text, '<'); begin >= 0 {
		inner, after, _ := strings.Cut(text[begin+1:], ">")
		if one, ok := person(inner, decodeWords(text[:begin]+" "+after, "")); ok {
			return one, true
		}
	}
	words := strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(`<>()[]"`, r)
	})
	for i, word := range words {
		if _, ok := person(word, ""); ok {
			rest := append(append([]string{}, words[:i]...), words[i+1:]...)
			return person(word, decodeWords(strings.Join(rest, " "), ""))
		}
	}
	return event.Person{}, false
}

// person makes an address canonical, if it is one: a text on both sides of an
// "@", and nothing that only grammar puts there. In quotes a local part may be
// anything.
func person(text, name string) (event.Person, bool) {
	text = strings.Trim(text, " \t'<>,:")
	if len(text) > len("mailto:") && strings.EqualFold(text[:len("mailto:")], "mailto:") {
		text = text[len("mailto:"):]
	}
	text = strings.TrimPrefix(text, `""`)
	at := strings.LastIndexByte(text, '@')
	quoted := at > 2 && text[0] == '"' && text[at-1] == '"'
	if !quoted {
		text = strings.Trim(text, `"`)
		at = strings.LastIndexByte(text, '@')
	}
	if at < 1 || !quoted && strings.ContainsFunc(text[:at], unfit) || strings.ContainsFunc(text[at+1:], unfit) || strings.HasPrefix(text[at+1:], ".") {
		return event.Person{}, false
	}
	email, problem := address.Canonical(text)
	if problem != "" {
		return event.Person{}, false
	}
	name = strings.Trim(cleanLine(name, maxName), ` "'<>,`)
	name = strings.ReplaceAll(name, `\"`, `"`)
	if strings.EqualFold(name, email) {
		name = ""
	}
	return event.Person{Email: email, Name: name}, true
}

func unfit(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`<>(),;:"\@`, r) || r == utf8.RuneError
}
