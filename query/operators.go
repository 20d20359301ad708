package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tidings/address"
	"tidings/event"
)

// meaning is what a term was understood as: a condition and its chip. Without
// either, problem says why it could not be.
type meaning struct {
	where        Expr
	field, value string
	// not is whether the chip says the opposite of its value.
	not     bool
	problem string
}

// isOperator reports whether name, in lower case, may stand before a colon.
func isOperator(name string) bool {
	switch name {
	case "from", "to", "among", "domain", "type", "event", "is", "unopened",
		"subject", "body", "link", "file", "words",
		"opened", "clicked", "replied", "downloaded", "bounced",
		"times", "nth", "pause", "took", "quiet", "by", "top", "bottom", "device", "client", "order", "sort",
		"answer", "bounce", "verdict", "automated", "source", "message",
		"before", "after", "since", "on", "during", "newer_than", "older_than", "time":
		return true
	}
	return false
}

// otherwiseCalled is an operator by the name that others give it, Gmail's among them
// (https://support.google.com/mail/answer/7190), or the name.
func otherwiseCalled(name string) string {
	switch name {
	case "sender":
		return "from"
	case "recipient":
		return "to"
	case "newer":
		return "since"
	case "older":
		return "before"
	case "filename":
		return "file"
	}
	return name
}

// foreign is the operator of other searches that a word begins with, "" for none.
func foreign(word string) string {
	name, value, found := strings.Cut(strings.ToLower(word), ":")
	if !found || value == "" {
		return ""
	}
	switch name {
	case "has", "in", "label", "category", "cc", "bcc", "deliveredto", "larger", "smaller", "size", "list", "rfc822msgid",
		"status", "state", "tag", "author", "assignee", "priority", "folder", "account", "user", "team":
		return name
	}
	return ""
}

// term reads one term; start is where its minus signs begin.
func (p *parser) term(l lexeme, start int) Expr {
	shown := p.text[l.start:l.end]
	if l.field == "" {
		l.field = p.scope
	}
	if l.field != "" && strings.TrimSpace(l.value) == "" {
		p.note(l.field + ": needs a value behind it.")
		return nil
	}
	if name := foreign(l.value); name != "" && l.field == "" && !l.quoted {
		p.note(name + ": is no operator here, and is searched for as text.")
	}
	m := p.understand(l)
	if m.problem != "" {
		p.note(fmt.Sprintf("%q is searched for as text: %s.", shown, m.problem))
		m = p.plain("words", FieldAny, lexeme{value: shown})
	}
	return p.add(m, start, l.end)
}

// add adds the chip of a condition that stands at [start, end), within bounds.
func (p *parser) add(m meaning, start, end int) Expr {
	if m.where == nil {
		return nil
	}
	if p.clauses += leafCount(m.where); p.clauses > MaxClauses {
		p.clauses = MaxClauses
		p.note(fmt.Sprintf("A search has %d conditions at most; the rest is ignored.", MaxClauses))
		return nil
	}
	switch e := m.where.(type) {
	case choice:
		e.chip = len(p.chips)
		m.where = e
	case aside:
		e.chip = len(p.chips)
		m.where = e
	}
	p.chips = append(p.chips, Chip{
		Field: m.field, Value: m.value, Not: p.not != m.not,
		Text: p.text[start:end], Span: [2]int{start, end},
	})
	return m.where
}

func leafCount(where Expr) int {
	leaves := 0
	walk(where, true, func(Expr, bool) { leaves++ })
	return leaves
}

func (p *parser) understand(l lexeme) meaning {
	if takesList(l.field) && !l.quoted {
		l.value = strings.TrimRight(l.value, ",;") // "from:ana, opened"
	}
	if m := p.listed(l); m.where != nil {
		return m
	}
	value := strings.TrimSpace(l.value)
	lower := strings.ToLower(value)
	switch l.field {
	case "":
		return p.plain("words", FieldAny, l)
	case "words":
		return p.plain("words", FieldAny, l)
	case "subject", "body", "link", "file":
		return p.plain(l.field, TextField(l.field), l)
	case "from":
		return p.from(value)
	case "to":
		return p.to(l)
	case "among":
		return p.among(l)
	case "domain":
		if !utf8.ValidString(value) {
			return meaning{problem: "that is not a domain"}
		}
		return keyword("domain", FieldDomain, address.Domain(strings.TrimLeft(lower, "@")))
	case "message":
		return keyword("message", FieldMessage, event.MessageName(value))
	case "source":
		return keyword("source", FieldSource, value)
	case "verdict":
		return oneOf("verdict", FieldVerdict, lower, event.Human, event.Machine, event.Unknown)
	case "answer":
		return oneOf("answer", FieldAnswer, lower, "yes", "no", "maybe")
	case "bounce":
		return bounceOf(lower)
	case "type", "event":
		return typeOf(lower)
	case "is":
		return is(lower)
	case "unopened":
		return unopened(lower)
	case "automated":
		return automated(lower)
	case "times", "nth", "pause", "took", "quiet":
		return p.told(l.field, lower)
	case "by", "top", "bottom":
		return tableBy(l.field, lower)
	case "order", "sort":
		return ordered(lower)
	case "device":
		return oneOf("device", FieldDevice, lower, Devices...)
	case "client":
		return oneOf("client", FieldClient, lower, Clients...)
	case "opened", "clicked", "replied", "downloaded", "bounced":
		return p.stateWhen(RecipientState(l.field), value)
	}
	return p.time(l.field, value)
}

// listed understands several values of which one is enough: from:ana,ben. Without a
// condition it is no such list.
func (p *parser) listed(l lexeme) meaning {
	const most = 16
	if l.field == "" || l.quoted || strings.IndexByte(l.value, ',') < 0 || !takesList(l.field) {
		return meaning{}
	}
	values := strings.Split(l.value, ",")
	if len(values) > most || slices.Contains(values, "") {
		return meaning{}
	}
	some, shown := make([]Expr, len(values)), make([]string, len(values))
	field := ""
	for i, value := range values {
		m := p.understand(lexeme{field: l.field, value: value})
		if m.problem != "" {
			return meaning{}
		}
		some[i], shown[i], field = m.where, m.value, m.field
	}
	return meaning{where: alternatives(some), field: field, value: strings.Join(shown, ",")}
}

// takesList reports whether several values may stand behind an operator.
func takesList(field string) bool {
	switch field {
	case "from", "to", "domain", "type", "event", "device", "client", "source":
		return true
	}
	return false
}

// alternatives are conditions of which one is enough; those that compare one field are one
// comparison.
func alternatives(some []Expr) Expr {
	all, ok := some[0].(Keyword)
	for _, e := range some[1:] {
		k, is := e.(Keyword)
		if ok = ok && is && k.Field == all.Field; !ok {
			return disjunction(some)
		}
		all = union(all, k)
	}
	return all
}

func keyword(chip string, field KeywordField, value string) meaning {
	if value == "" {
		return meaning{problem: "there is nothing to compare with"}
	}
	return meaning{where: Keyword{field, []string{value}}, field: chip, value: value}
}

func oneOf(chip string, field KeywordField, value string, known ...string) meaning {
	for _, k := range known {
		if k == value {
			return keyword(chip, field, value)
		}
	}
	return meaning{problem: chip + " is one of " + strings.Join(known, ", ")}
}

func typeOf(value string) meaning {
	if !event.Type(value).Valid() {
		return meaning{problem: "that is not a type of event"}
	}
	return keyword("type", FieldType, value)
}

// is takes types of events and states of a send's recipients.
func is(value string) meaning {
	if event.Type(value).Valid() {
		return typeOf(value)
	}
	switch state := RecipientState(value); state {
	case "unread":
		return is(string(IsUnopened))
	case "unanswered":
		return is(string(IsUnreplied))
	case IsUnopened, IsOpened, IsClicked, IsReplied, IsUnreplied, IsDownloaded, IsBounced:
		return meaning{where: Recipients{Is: state}, field: "is", value: value}
	}
	return meaning{problem: "that is neither a type of event nor a state of recipients"}
}

func unopened(value string) meaning {
	age, ok := parseAge(strings.TrimPrefix(strings.TrimPrefix(value, ">"), "="))
	if !ok {
		return meaning{problem: "an age is written like >3d, with h, d or w"}
	}
	if age == 0 {
		return is(string(IsUnopened))
	}
	return meaning{
		where: Recipients{Is: IsUnopened, OlderThan: age},
		field: "unopened", value: ">" + formatAge(age),
	}
}

func automated(value string) meaning {
	switch a := Automated(value); a {
	case AutomatedHide, AutomatedShow, AutomatedOnly:
		return meaning{where: choice{automated: a}, field: "automated", value: value}
	}
	return meaning{problem: "automated is one of hide, show, only"}
}

// from is whose message it is. A name that the directory does not know is taken
// as a user id.
func (p *parser) from(value string) meaning {
	if domain, ok := strings.CutPrefix(value, "@"); ok && isDomain(domain) {
		return keyword("domain", FieldDomain, strings.ToLower(domain))
	}
	if strings.EqualFold(value, "me") {
		if p.opts.Me == "" {
			return meaning{problem: "nobody is signed in who could be meant"}
		}
		return keyword("from", FieldUser, p.opts.Me)
	}
	if p.opts.Directory != nil {
		if id, ok := p.opts.Directory.User(value); ok {
			return keyword("from", FieldUser, id)
		}
	}
	if strings.EqualFold(value, myTeam) {
		if m, ok := p.mine(); ok {
			return m
		}
	}
	if m, ok := p.team(value); ok {
		return m
	}
	if p.opts.Directory != nil {
		p.unknownUser(value)
	}
	return keyword("from", FieldUser, value)
}

// unknownUser notes that nobody is called so, and who nearly is.
func (p *parser) unknownUser(value string) {
	note := "from:" + quoteValue(value) + " finds nothing unless that is a user's id: no user or team has this name."
	if named, ok := p.opts.Directory.(Named); ok {
		if near := nearest(value, named.Names()); len(near) > 0 {
			note += " Near to it: " + strings.Join(near, ", ") + "."
		}
	}
	p.note(note)
}

// nearest are up to three names that have a word within two edits of text.
func nearest(text string, names []string) []string {
	const most = 3
	folded := FoldName(text)
	if folded == "" || len(folded) > maxWord {
		return nil
	}
	m := measure{typed: []rune(folded)}
	var near []string
	for _, name := range names {
		for _, word := range append(strings.Fields(FoldName(name)), FoldName(name)) {
			edits, _, ok := m.distance(word)
			if ok && 2*edits < len(m.typed) || strings.HasPrefix(word, folded) {
				near = append(near, name)
				break
			}
		}
		if len(near) == most {
			break
		}
	}
	return near
}

// myTeam stands for everybody in the reader's teams.
const myTeam = "my team"

// team is whose message it is, for a team that has users.
func (p *parser) team(name string) (meaning, bool) {
	if p.opts.Directory == nil {
		return meaning{}, false
	}
	id, members, ok := p.opts.Directory.Team(name)
	if !ok || len(members) == 0 {
		return meaning{}, false
	}
	return meaning{where: Keyword{FieldUser, members}, field: "from", value: id}, true
}

// mine are the users of the reader's teams.
func (p *parser) mine() (meaning, bool) {
	if p.opts.Directory == nil || p.opts.Me == "" {
		return meaning{}, false
	}
	teams := p.opts.Directory.TeamsOf(p.opts.Me)
	var all meaning
	for _, team := range teams {
		m, ok := p.team(team)
		switch {
		case !ok:
		case all.where == nil:
			all = m
		default:
			all.where, all.value = union(all.where.(Keyword), m.where.(Keyword)), myTeam
		}
	}
	return all, all.where != nil
}

// to is a recipient: one address with a complete domain, or words of names and
// addresses. Quotes make it words in any case.
func (p *parser) to(l lexeme) meaning {
	if names := slashed(l.value); len(names) > 0 && !l.quoted {
		some := make([]Expr, len(names))
		for i, name := range names {
			some[i] = p.to(lexeme{value: name}).where
		}
		return meaning{where: disjunction(some), field: "to", value: l.value}
	}
	tokens := Analyse(l.value)
	if l.quoted || len(tokens) == 0 || strings.HasSuffix(l.value, "*") && tokens[len(tokens)-1].End == len(l.value)-1 {
		return p.plain("to", FieldPeople, l)
	}
	email := address.Fold(l.value)
	if at := strings.LastIndexByte(email, '@'); at > 0 && utf8.ValidString(l.value) && dotted(email[at+1:]) && !strings.ContainsAny(email, "<>,;*") {
		return keyword("to", FieldRecipient, email)
	}
	if last := tokens[len(tokens)-1]; isWhole(last, tokens) && dotted(Domain(last.Word)) {
		return keyword("to", FieldRecipient, address.Fold(last.Word))
	}
	return p.plain("to", FieldPeople, l)
}

// slashed are the names of "acme/globex", which mean either; none where a value is something
// else.
func slashed(value string) []string {
	const most = 4
	if slashes := strings.Count(value, "/"); slashes == 0 || slashes >= most {
		return nil
	}
	names := strings.Split(value, "/")
	for _, name := range names {
		other := func(r rune) bool { return !unicode.IsLetter(r) }
		if len(name) < 2 || strings.ContainsFunc(name, other) {
			return nil
		}
	}
	return names
}

// dotted reports whether a domain has two parts at least. One that has not is
// perhaps still being typed.
func dotted(domain string) bool { return strings.Contains(strings.Trim(domain, "."), ".") }
