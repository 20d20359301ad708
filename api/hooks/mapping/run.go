package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tidings/address"
	"tidings/event"
)

// Bounds of package event on texts, in bytes.
const (
	maxText   = 2000
	maxLink   = 4096
	maxPerson = 400
)

// Request is what a mapping reads.
type Request struct {
	Body []byte
	// Form are the fields of a form, where the body is one.
	Form map[string]string
	// Header are the headers by their names in lower case.
	Header map[string]string
}

// Event is one event that a mapping read.
type Event struct {
	event.Input
	// Owner is the address of the person on our side, where the vendor tells.
	Owner string
	// Untimed is set where the vendor says no time, and the first arrival counts.
	Untimed bool
	// Element is the vendor's own object, in JSON.
	Element []byte
	// Found and Missing are the fields that the mapping has, by whether something
	// came out; Notes say why not, by field.
	Found, Missing []string
	Notes          map[string]string
}

// Result is what a request reports.
type Result struct {
	Events  []Event
	Unknown []Unknown
}

// Unknown is an element with a word that is not in the table.
type Unknown struct {
	Name    string
	Element []byte
}

// Run reads a request. The error is an *event.FieldError: ErrLimit, or a body that
// is no JSON, or has elements without a name.
func (p *Program) Run(r Request, clock func() time.Time) (Result, error) {
	var out Result
	m, err := start(r, clock)
	if err != nil {
		return out, err
	}
	elements, err := p.elements(m)
	if err != nil {
		return out, err
	}
	for _, element := range elements {
		m.env["e"] = element
		events, unknown, err := p.element(m, element)
		if err != nil {
			return out, err
		}
		if out.Events = append(out.Events, events...); len(out.Events) > maxEvents {
			return out, ErrLimit
		}
		if unknown != nil {
			out.Unknown = append(out.Unknown, *unknown)
		}
	}
	return out, nil
}

// start makes the machine for a request.
func start(r Request, clock func() time.Time) (*machine, error) {
	if len(r.Body) > MaxBody {
		return nil, event.Invalid("body", "has more than 8 MiB, the most that a mapping is run on")
	}
	m := newMachine(clock)
	form := make(map[string]any, len(r.Form))
	for name, value := range r.Form {
		form[name] = value
	}
	header := make(map[string]any, len(r.Header))
	for name, value := range r.Header {
		header[name] = value
	}
	m.env["form"], m.env["header"] = form, header
	if r.Form == nil {
		body, err := decode(r.Body)
		if err != nil {
			return nil, err
		}
		m.env["body"] = body
	} else {
		m.env["body"] = form
	}
	return m, nil
}

// elements are what each event is read from.
func (p *Program) elements(m *machine) ([]any, error) {
	value := m.env["body"]
	if program := p.fields["each"]; program != nil {
		found, note, err := m.run(program)
		if err != nil {
			return nil, err
		}
		if note != "" {
			return nil, event.Invalid("mapping.each", note)
		}
		value = found
	}
	elements, isList := value.([]any)
	if !isList {
		if _, isObject := value.(map[string]any); !isObject {
			return nil, event.Invalid("mapping.each", "finds neither a list nor an object in this body")
		}
		elements = []any{value}
	}
	if len(elements) > MaxElements {
		return nil, event.Invalid("body", "holds more than 10,000 events")
	}
	return elements, nil
}

// reading is the values of an element's fields.
type reading struct {
	values map[string]any
	event  Event
}

// element reads one element.
func (p *Program) element(m *machine, element any) ([]Event, *Unknown, error) {
	if err := m.meter.weigh(element); err != nil {
		return nil, nil, err
	}
	raw, err := json.Marshal(element)
	if err != nil {
		return nil, nil, event.Invalid("body", "cannot be written as JSON again")
	}
	r := reading{values: make(map[string]any, len(p.order)), event: Event{Element: raw, Notes: map[string]string{}}}
	for _, field := range p.order {
		if field == "each" {
			continue
		}
		value, note, err := m.run(p.fields[field])
		if err != nil {
			return nil, nil, err
		}
		r.note(field, value, note)
	}
	if _, given := p.fields["when"]; given {
		if is, _ := Flag(r.values["when"]); !is {
			return nil, nil, nil
		}
	}
	name := shorten(Text(r.values["name"]), maxWord)
	meaning, known := p.words[name]
	if !known {
		meaning, known = p.words["*"]
	}
	switch {
	case name == "":
		return nil, &Unknown{"(no name)", raw}, nil
	case !known:
		return nil, &Unknown{name, raw}, nil
	case meaning.ignore:
		return nil, nil, nil
	}
	return p.events(r, name, meaning), nil, nil
}

func (r *reading) note(field string, value any, note string) {
	r.values[field] = value
	if field == "when" {
		return
	}
	empty := value == nil || value == ""
	if items, ok := value.([]any); ok && len(items) == 0 {
		empty = true
	}
	if empty {
		r.event.Missing = append(r.event.Missing, field)
	} else {
		r.event.Found = append(r.event.Found, field)
	}
	if note != "" {
		r.event.Notes[field] = note
	}
}

func (r *reading) text(field string, most int) string { return shorten(Text(r.values[field]), most) }

// events makes an event for each person, or one of a send to all.
func (p *Program) events(r reading, name string, meaning word) []Event {
	at := Instant(r.values["time"])
	e := r.event
	e.Input = event.Input{
		Type: meaning.kind, Message: r.text("message", maxText), User: r.text("user", 200), Subject: r.text("subject", maxText),
		Body: strings.ToValidUTF8(Text(r.values["body"]), ""), Kind: r.text("kind", 200), Title: r.text("title", maxText),
		Link: r.text("link", maxLink), File: r.text("file", maxText),
	}
	if aliases, ok := r.values["aliases"].([]any); ok {
		for _, alias := range aliases[:min(len(aliases), event.MaxAliases)] {
			e.Aliases = append(e.Aliases, Text(alias))
		}
	} else if alias := Text(r.values["aliases"]); alias != "" {
		e.Aliases = []string{alias}
	}
	e.Owner = address.Fold(person(Text(r.values["owner"])).Email)
	if !at.IsZero() {
		moment := event.Moment(at.Unix())
		e.Time = &moment
	}
	e.Untimed = e.Time == nil && p.untimed && r.text("id", maxText) != ""
	r.detail(&e, name, meaning)
	who := people(r.values["recipient"])
	if called := r.text("recipient_name", maxPerson); called != "" && len(who) == 1 && who[0].Name == "" {
		who[0].Name = called
	}
	return spread(e, who, r, name, at)
}

// detail fills in what belongs to a type.
func (r *reading) detail(e *Event, name string, meaning word) {
	switch meaning.kind {
	case event.Bounce:
		e.Bounce = &event.BounceDetail{Kind: meaning.rest, Detail: r.text("detail", maxText)}
	case event.Custom:
		if e.Kind == "" {
			e.Kind = firstOf(meaning.rest, name)
		}
		if e.Title == "" {
			e.Title = firstOf(r.text("detail", maxText), strings.ReplaceAll(e.Kind, "-", " "))
		}
	case event.Unsubscribe:
		e.Kind = firstOf(e.Kind, meaning.rest)
	case event.Meeting:
		e.Meeting = &event.AppointmentInput{Title: r.text("meeting", maxText), Answer: meaning.rest}
		if begin := Instant(r.values["start"]); !begin.IsZero() {
			moment := event.Moment(begin.Unix())
			e.Meeting.Start = &moment
		}
	case event.Open, event.Click:
		e.Client = r.client(meaning.rest == "automated")
	}
	if meaning.kind != event.Click && meaning.kind != event.Download && meaning.kind != event.Custom {
		e.Link = ""
	}
}

func (r *reading) client(automated bool) *event.Client {
	c := new(event.Client)
	if at, err := netip.ParseAddr(strings.TrimSpace(Text(r.values["ip"]))); err == nil {
		c.IP = at.String()
	}
	if agent := r.text("user_agent", maxText); agent != "" {
		c.UserAgent = &agent
	}
	if is, told := Flag(r.values["automated"]); told {
		c.Automated = &is
	}
	if automated {
		c.Automated = &automated
	}
	if c.IP == "" && c.UserAgent == nil && c.Automated == nil {
		return nil
	}
	return c
}

// spread gives the event to whom it is about.
func spread(e Event, who []event.Person, r reading, name string, at time.Time) []Event {
	own := r.text("id", maxText)
	exact := ""
	if !at.IsZero() {
		exact = strconv.FormatInt(at.UnixNano(), 10)
	}
	key := func(email string) string {
		if own != "" && len(who) < 2 {
			return shortKey(name, own)
		}
		link := Text(r.values["link"])
		return shortKey(name, own, e.Message, email, exact, link[:min(len(link), 4*maxLink)])
	}
	if e.Type == event.Send {
		e.ID, e.Recipients = key(""), who
		if own == "" && len(who) == 1 {
			e.ID = key(address.Fold(who[0].Email))
		}
		return []Event{e}
	}
	if len(who) == 0 {
		e.ID = key("")
		return []Event{e}
	}
	all := make([]Event, len(who))
	for i := range who {
		all[i] = e
		all[i].ID, all[i].Recipient = key(address.Fold(who[i].Email)), &who[i]
	}
	return all
}

// shortKey is the key of an event, hashed where it is long.
func shortKey(parts ...string) string {
	joined := strings.Join(parts, "/")
	if clean := shorten(joined, len(joined)); clean == joined && len(joined) <= event.MaxKey {
		return joined
	}
	sum := sha256.Sum256([]byte(joined))
	return "sha256-" + hex.EncodeToString(sum[:])
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
