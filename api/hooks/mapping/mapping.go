// Package mapping reads the JSON of a vendor by expressions instead of code. A
// Mapping goes in, as an administrator or one of the embedded files writes it,
// and a Program comes out, which turns a body into events that are not
// validated yet.
//
// The expressions are those of github.com/expr-lang/expr, with a small set of
// functions. They cannot reach anything but the request, and what they cost is
// bounded by the number of steps and bytes (see limits.go): a hostile one
// is stopped with ErrLimit, and says so.
package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"tidings/event"
)

// Bounds of what a mapping may be.
const (
	maxExpression = 2000
	maxWords      = 300
	maxWord       = 200
	maxNodes      = 400
)

// Mapping says how the JSON of a vendor becomes events. Each field is an
// expression over e, an element of each, and body, form and header.
type Mapping struct {
	// Each lists the elements of a request; body when empty, where one that is no
	// list stands for a list of itself.
	Each string `json:"each,omitempty" yaml:"each"`
	// When says whether an element is an event at all; every one when empty.
	When string `json:"when,omitempty" yaml:"when"`
	// Name is what happened, in the vendor's word, by which Events is read.
	Name string `json:"name" yaml:"name"`
	Time string `json:"time,omitempty" yaml:"time"`
	// Message is the vendor's id of the mail, Aliases other names of it.
	Message string `json:"message" yaml:"message"`
	Aliases string `json:"aliases,omitempty" yaml:"aliases"`
	// Recipient is an address or a list of them, with or without a name.
	Recipient     string `json:"recipient,omitempty" yaml:"recipient"`
	RecipientName string `json:"recipient_name,omitempty" yaml:"recipient_name"`
	// Owner is the internal address that the mail came from, User the id of a user.
	Owner   string `json:"owner,omitempty" yaml:"owner"`
	User    string `json:"user,omitempty" yaml:"user"`
	Subject string `json:"subject,omitempty" yaml:"subject"`
	Body    string `json:"body,omitempty" yaml:"body"`
	Title   string `json:"title,omitempty" yaml:"title"`
	Kind    string `json:"kind,omitempty" yaml:"kind"`
	Link    string `json:"link,omitempty" yaml:"link"`
	File    string `json:"file,omitempty" yaml:"file"`
	IP      string `json:"ip,omitempty" yaml:"ip"`
	Agent   string `json:"user_agent,omitempty" yaml:"user_agent"`
	// Automated is the vendor's own word on a machine, a flag.
	Automated string `json:"automated,omitempty" yaml:"automated"`
	// Detail is why a mail came back.
	Detail string `json:"detail,omitempty" yaml:"detail"`
	// Start and Meeting are the begin and the title of a meeting.
	Start   string `json:"start,omitempty" yaml:"start"`
	Meeting string `json:"meeting,omitempty" yaml:"meeting"`
	// ID is the vendor's id of the event; made of name, message, recipient, time
	// and link when empty.
	ID string `json:"id,omitempty" yaml:"id"`
	// Events are the vendor's words and ours: a type, and behind it "hard",
	// "soft" or "rejected" for a bounce, "automated" for an open or a click, an
	// answer for a meeting, a kind for a custom event. "ignore" is a word that is
	// known and becomes nothing; "*" stands for every other word.
	Events map[string]string `json:"events" yaml:"events"`
	// Untimed says that the vendor sends no time with some events: the first
	// arrival counts then, by the vendor's id of the event.
	Untimed bool `json:"untimed,omitempty" yaml:"untimed"`
	// Source is the address of the vendor's documentation that this follows.
	Source string `json:"source,omitempty" yaml:"source"`
}

// fields are the expressions of a mapping, by name.
func (m Mapping) fields() map[string]string {
	all := map[string]string{
		"each": m.Each, "when": m.When, "name": m.Name, "time": m.Time, "message": m.Message, "aliases": m.Aliases,
		"recipient": m.Recipient, "recipient_name": m.RecipientName, "owner": m.Owner, "user": m.User, "subject": m.Subject,
		"body": m.Body, "title": m.Title, "kind": m.Kind, "link": m.Link, "file": m.File, "ip": m.IP, "user_agent": m.Agent,
		"automated": m.Automated, "detail": m.Detail, "start": m.Start, "meeting": m.Meeting, "id": m.ID,
	}
	maps.DeleteFunc(all, func(_, text string) bool { return strings.TrimSpace(text) == "" })
	return all
}

// Program is a Mapping that can be run, by several at the same time.
type Program struct {
	fields  map[string]*vm.Program
	order   []string
	words   map[string]word
	untimed bool
}

// word is what a vendor's word becomes.
type word struct {
	kind event.Type
	// rest is what stands behind the type.
	rest   string
	ignore bool
}

// Compile checks a mapping; the error is an *event.FieldError.
func Compile(m Mapping) (*Program, error) {
	p := &Program{words: make(map[string]word, len(m.Events)), untimed: m.Untimed}
	for _, required := range []struct{ field, text string }{{"name", m.Name}, {"message", m.Message}} {
		if strings.TrimSpace(required.text) == "" {
			return nil, event.Invalid("mapping."+required.field, "is required")
		}
	}
	if m.Time == "" && !m.Untimed {
		return nil, event.Invalid("mapping.time", "is required, unless untimed is true and the vendor's id of an event is told")
	}
	if m.Untimed && m.ID == "" {
		return nil, event.Invalid("mapping.id", "is required where untimed is true: the first arrival is kept under it")
	}
	if len(m.Events) == 0 || len(m.Events) > maxWords {
		return nil, event.Invalid("mapping.events", fmt.Sprintf("must have 1 to %d words", maxWords))
	}
	for name, text := range m.Events {
		meaning, err := parseWord(text)
		if err != nil || name == "" || len(name) > maxWord {
			return nil, event.Invalid("mapping.events", fmt.Sprintf("%.60q: %.60q is not a type of event", name, text))
		}
		p.words[name] = meaning
	}
	var err error
	p.fields, err = compileAll(m.fields())
	p.order = slices.Sorted(maps.Keys(p.fields))
	return p, err
}

// parseWord reads "bounce hard" and its like.
func parseWord(text string) (word, error) {
	first, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	w := word{kind: event.Type(first), rest: strings.TrimSpace(rest)}
	if first == "ignore" {
		return word{ignore: true}, nil
	}
	if !w.kind.Valid() || len(w.rest) > maxWord {
		return w, event.ErrInvalid
	}
	fits := true
	switch w.kind {
	case event.Bounce:
		fits = slices.Contains([]string{"", event.BounceHard, event.BounceSoft, event.BounceRejected}, w.rest)
	case event.Open, event.Click:
		fits = w.rest == "" || w.rest == "automated"
	case event.Meeting:
		fits = slices.Contains([]string{"", "yes", "no", "maybe"}, w.rest)
	case event.Custom, event.Unsubscribe:
	default:
		fits = w.rest == ""
	}
	if !fits {
		return w, event.ErrInvalid
	}
	return w, nil
}

func compileAll(texts map[string]string) (map[string]*vm.Program, error) {
	compiled := make(map[string]*vm.Program, len(texts))
	for _, field := range slices.Sorted(maps.Keys(texts)) {
		program, err := compile(texts[field])
		if err != nil {
			return nil, event.Invalid("mapping."+field, err.Error())
		}
		compiled[field] = program
	}
	return compiled, nil
}

// visible are the types of what an expression can see.
func visible() types.Map {
	all := make(types.Map)
	for name, value := range environment(new(meter)) {
		if value == nil {
			all[name] = types.Any
		} else {
			all[name] = types.TypeOf(value)
		}
	}
	return all
}

// compile makes a program of one expression, with its costs counted.
func compile(text string) (*vm.Program, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("has %d bytes; at most %d are taken", len(text), maxExpression)
	}
	options := []expr.Option{
		expr.Env(visible()), expr.MaxNodes(maxNodes), expr.Optimize(false), expr.DisableAllBuiltins(), expr.Patch(counted{}),
	}
	for _, name := range allowed {
		options = append(options, expr.EnableBuiltin(name))
	}
	program, err := expr.Compile(text, options...)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("is not an expression that can be used: %s", first)
	}
	return program, nil
}
