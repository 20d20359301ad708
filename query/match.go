package query

import (
	"slices"
	"strings"
	"sync"

	"tidings/event"
)

// Document is an event with its texts analysed, as an index keeps it.
type Document struct {
	Event event.Event
	// Fields holds the words of each of TextFields that has any.
	Fields map[TextField][]Token
	// later makes them where they are asked for: see DocumentLater.
	later func() map[TextField][]Token
}

// NewDocument analyses the texts of an event; of a reply, its own words and not what
// it quotes. The words of a field that has several texts follow one another, and
// behind them all stand their variants. Links and addresses have none: nobody writes
// them in another way.
func NewDocument(e event.Event) Document {
	d := Document{Event: e, Fields: make(map[TextField][]Token, len(TextFields))}
	variants := make(map[TextField][]Token)
	add := func(field TextField, text string) {
		tokens := Analyse(text)
		d.add(field, tokens)
		if others := variantsOf(text, tokens); len(others) > 0 {
			variants[field] = append(variants[field], others...)
		}
	}
	add(FieldSubject, e.Subject)
	if e.Meeting != nil {
		add(FieldSubject, e.Meeting.Title)
	}
	add(FieldSubject, e.Title)
	for _, person := range people(e) {
		add(FieldPeople, person.Name)
		d.add(FieldPeople, Analyse(person.Email))
	}
	d.add(FieldLink, Analyse(e.Link))
	add(FieldFile, e.File)
	add(FieldBody, e.OwnBody())
	for field, others := range variants {
		d.add(field, others)
	}
	return d
}

// DocumentLater is NewDocument whose texts are analysed when a condition asks for words,
// once; its Fields stay empty.
func DocumentLater(e event.Event) Document {
	return Document{Event: e, later: sync.OnceValue(func() map[TextField][]Token { return NewDocument(e).Fields })}
}

// AsksWords reports whether the query asks for words of an event. One that does not holds for
// a Document without Fields wherever it holds for the event's.
func (q Query) AsksWords() bool {
	asks := false
	walk(q.Where, true, func(leaf Expr, _ bool) {
		_, ok := leaf.(Words)
		asks = asks || ok
	})
	return asks
}

// fields are the analysed texts.
func (d *Document) fields() map[TextField][]Token {
	if d.later != nil {
		return d.later()
	}
	return d.Fields
}

func (d Document) add(field TextField, tokens []Token) {
	switch {
	case len(tokens) == 0:
	case d.Fields[field] == nil:
		d.Fields[field] = tokens
	default:
		d.Fields[field] = append(d.Fields[field], tokens...)
	}
}

// people are the recipients of an event.
func people(e event.Event) []event.Person {
	if e.Recipient != nil {
		return []event.Person{*e.Recipient}
	}
	return e.Recipients
}

// anyAddress reports whether one of an event's recipients has an address that is asked for.
func anyAddress(e *event.Event, asked func(email string) bool) bool {
	if e.Recipient != nil {
		return asked(e.Recipient.Email)
	}
	for i := range e.Recipients {
		if asked(e.Recipients[i].Email) {
			return true
		}
	}
	return false
}

// Match reports whether the query holds for an event. s is the state of the
// event's message, nil when there is none; only conditions on the recipients of
// sends ask it. It leaves out History, which other events decide.
func (q Query) Match(d Document, s *event.State) bool {
	return q.admits(&d.Event) && q.holds(q.Where, &d, s)
}

// admits reports whether an event is of the query's time, and by whom it wants. Events are
// large: a match of many queries hands on where one is, not the event.
func (q *Query) admits(e *event.Event) bool {
	if !(Time{q.From, q.Until}).match(e) {
		return false
	}
	switch q.Automated {
	case AutomatedShow:
		return true
	case AutomatedOnly:
		return e.Automated()
	}
	return !e.Automated()
}

// MayMatch reports whether the query can hold for an event, whatever its words are. It is
// cheap: no text is analysed.
func (q *Query) MayMatch(e *event.Event) bool {
	if !q.admits(e) {
		return false
	}
	may, _ := possible(q.Where, e)
	return may
}

// possible reports whether a condition can hold for an event, and whether it can fail.
func possible(where Expr, e *event.Event) (holds, fails bool) {
	switch x := where.(type) {
	case And:
		holds = true
		for _, part := range x {
			yes, no := possible(part, e)
			holds, fails = holds && yes, fails || no
		}
		return holds, fails
	case Or:
		fails = true
		for _, part := range x {
			yes, no := possible(part, e)
			holds, fails = holds || yes, fails && no
		}
		return holds, fails
	case Not:
		yes, no := possible(x.Expr, e)
		return no, yes
	case Keyword:
		yes := x.match(e)
		return yes, !yes
	case Time:
		yes := x.match(e)
		return yes, !yes
	case Words, Recipients:
		return true, true
	}
	return where == nil, where != nil
}

func (q *Query) holds(where Expr, d *Document, s *event.State) bool {
	switch e := where.(type) {
	case And:
		return !slices.ContainsFunc(e, func(part Expr) bool { return !q.holds(part, d, s) })
	case Or:
		return slices.ContainsFunc(e, func(part Expr) bool { return q.holds(part, d, s) })
	case Not:
		return !q.holds(e.Expr, d, s)
	case Keyword:
		return e.match(&d.Event)
	case Words:
		return e.match(d)
	case Time:
		return e.match(&d.Event)
	case Recipients:
		return e.match(d.Event, s, q.Now)
	}
	return where == nil
}

func (t Time) match(e *event.Event) bool { return t.holds(e.Time) }

func (t Time) holds(at int64) bool {
	return (t.From == 0 || at >= t.From) && (t.Until == 0 || at < t.Until)
}

func (k Keyword) match(e *event.Event) bool {
	has := func(value string) bool { return slices.Contains(k.Values, value) }
	switch k.Field {
	case FieldType:
		return has(string(e.Type))
	case FieldUser:
		return has(e.User)
	case FieldRecipient:
		return anyAddress(e, has)
	case FieldDomain:
		return anyAddress(e, func(email string) bool { return has(Domain(email)) })
	case FieldMessage:
		return has(e.Message)
	case FieldSource:
		return has(e.Source)
	case FieldVerdict:
		return has(e.Verdict.Is)
	case FieldAnswer:
		return e.Meeting != nil && has(e.Meeting.Answer)
	case FieldBounce:
		return e.Bounce != nil && has(e.Bounce.Kind)
	case FieldDevice:
		return has(DeviceOf(*e))
	case FieldClient:
		return has(ClientOf(*e))
	}
	return false
}

// Domain is what stands behind the last @ of an address, "" without one. It is
// the value of FieldDomain.
func Domain(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return ""
	}
	return email[at+1:]
}

func (w Words) match(d *Document) bool {
	if w.Field != FieldAny {
		return w.in(d.fields()[w.Field])
	}
	fields := d.fields()
	for _, field := range TextFields {
		if w.in(fields[field]) {
			return true
		}
	}
	return false
}

// in reports whether the condition holds somewhere among tokens.
func (w Words) in(tokens []Token) bool {
	if len(w.Terms) == 0 {
		return false
	}
	first, prefix, stem := w.Terms[0], w.Form == FormPrefix, w.Form == FormStem
	for i := 0; i+len(w.Terms) <= len(tokens); i++ {
		at := &tokens[i]
		if !prefix && (stem && at.Stem != first || !stem && at.Word != first) {
			continue // as most are
		}
		if w.at(tokens[i:]) {
			return true
		}
	}
	return false
}

// at reports whether the terms stand at the beginning of tokens.
func (w Words) at(tokens []Token) bool {
	for i, term := range w.Terms {
		same := false
		switch w.Form {
		case FormStem:
			same = tokens[i].Stem == term
		case FormPhrase:
			same = tokens[i].Word == term
		case FormPrefix:
			same = strings.HasPrefix(tokens[i].Word, term)
		}
		if !same {
			return false
		}
	}
	return true
}

// match reports whether a message's recipients are in the state.
func (is RecipientState) match(s event.State) bool {
	switch is {
	case IsUnopened:
		return anyUnopened(s)
	case IsOpened:
		return s.Done && len(s.Recipients) > 0 || anyMarked(s, event.MarkOpened)
	case IsClicked:
		return anyMarked(s, event.MarkClicked)
	case IsReplied:
		return anyMarked(s, event.MarkReplied)
	case IsUnreplied:
		return !anyMarked(s, event.MarkReplied)
	case IsDownloaded:
		return anyMarked(s, event.MarkDownloaded)
	case IsBounced:
		return anyMarked(s, event.MarkBounced)
	}
	return false
}

func anyUnopened(s event.State) bool {
	if s.Done {
		return false
	}
	opened := s.First[event.MarkOpened]
	for key := range s.Recipients {
		if _, ok := opened[key]; !ok {
			return true
		}
	}
	return false
}

// anyMarked reports whether a recipient has the mark. Others can have it too:
// a mail that was passed on is opened by people it was not sent to.
func anyMarked(s event.State, mark event.Mark) bool {
	for key := range s.First[mark] {
		if _, ok := s.Recipients[key]; ok {
			return true
		}
	}
	return false
}
