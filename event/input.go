package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"tidings/address"
)

// Bounds of what an event may hold, in bytes unless said otherwise.
const (
	MaxKey        = 200
	MaxBody       = 64 << 10
	MaxRecipients = 1000
	MaxAliases    = 8
	maxAlias      = 998
	maxText       = 2000
	maxName       = 200
	maxLink       = 4096
	maxAgent      = 2000
	maxMethod     = 20
	maxHeaders    = 16
	maxHeader     = 500
	// maxAhead is how far ahead of us a sender's clock may be.
	maxAhead = time.Hour
	// mostBehind is how far behind our own clock may be: a time that is further ahead
	// is the sender's mistake.
	mostBehind = 366 * 24 * time.Hour
)

// cutMark ends a body that was longer than MaxBody.
const cutMark = "\n[cut]"

// Input is an event as its sender writes it. Everything but the syntax is
// checked by Event.
type Input struct {
	ID         string   `json:"id,omitempty"`
	Type       Type     `json:"type"`
	Time       *Moment  `json:"time"`
	Message    string   `json:"message"`
	Aliases    []string `json:"aliases,omitempty"`
	User       string   `json:"user,omitempty"`
	Recipient  *Person  `json:"recipient,omitempty"`
	Recipients []Person `json:"recipients,omitempty"`
	// Candidates are those of whom one opened or clicked, where nobody says who.
	Candidates []Person          `json:"candidates,omitempty"`
	Subject    string            `json:"subject,omitempty"`
	Body       string            `json:"body,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	Title      string            `json:"title,omitempty"`
	Link       string            `json:"link,omitempty"`
	File       string            `json:"file,omitempty"`
	Meeting    *AppointmentInput `json:"meeting,omitempty"`
	Bounce     *BounceDetail     `json:"bounce,omitempty"`
	Client     *Client           `json:"client,omitempty"`
	Source     string            `json:"source,omitempty"`
}

// AppointmentInput is an Appointment as its sender writes it.
type AppointmentInput struct {
	Title  string  `json:"title,omitempty"`
	Start  *Moment `json:"start,omitempty"`
	Answer string  `json:"answer,omitempty"`
}

// Moment is a time in Unix seconds, read from RFC 3339 text or a whole number.
// A fraction of a second in the text is dropped.
type Moment int64

// UnmarshalJSON reads both forms.
func (m *Moment) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return fmt.Errorf("%q is not a time: write RFC 3339, such as 2026-11-16T09:30:00Z, or Unix seconds", text)
		}
		*m = Moment(at.Unix())
		return nil
	}
	seconds, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not a time: write RFC 3339, such as 2026-11-16T09:30:00Z, or whole Unix seconds", raw)
	}
	*m = Moment(seconds)
	return nil
}

// MarshalJSON writes RFC 3339 in UTC.
func (m Moment) MarshalJSON() ([]byte, error) {
	return []byte(`"` + time.Unix(int64(m), 0).UTC().Format(time.RFC3339) + `"`), nil
}

// Limits are what Event checks times against.
type Limits struct {
	// Now is the clock's time.
	Now time.Time
	// Retention is how old an event may be, 0 for no bound.
	Retention time.Duration
	// Lenient leaves out what is wrong and what an event can do without, instead
	// of refusing the event: for vendors, whom nobody here can correct. An event
	// that is not a send may then be about nobody.
	Lenient bool
}

// Event validates and normalises the input for a workspace. source names where
// it came from when the input does not say. The error is a *FieldError.
func (in Input) Event(workspace, source string, limits Limits) (Event, error) {
	if in.Source == "" {
		in.Source = source
	}
	in.Message = MessageName(in.Message)
	if limits.Lenient {
		in = in.lenient()
	}
	e := Event{
		Workspace: workspace, Type: in.Type, Message: in.Message, User: in.User,
		Subject: strings.TrimSpace(in.Subject), Body: cutBody(in.Body), Kind: in.Kind, Title: in.Title,
		Link: in.Link, File: in.File, Bounce: in.Bounce, Client: in.Client, Source: in.Source,
	}
	checks := []func(Input, *Event, Limits) *FieldError{
		checkTexts, checkAliases, checkTime, checkRecipients, checkMeeting, checkDetails,
	}
	for _, check := range checks {
		if err := check(in, &e, limits); err != nil {
			return Event{}, err
		}
	}
	key := []byte(in.ID)
	if in.ID == "" {
		canonical, err := json.Marshal(e)
		if err != nil {
			return Event{}, Invalid("", "the event cannot be written: "+err.Error())
		}
		key = canonical
	}
	e.ID = NewID(e.Time, workspace, e.Source, in.ID != "", key)
	// How an address is written does not make it another event.
	keepWritten(in, &e)
	return e, nil
}

// MessageName is a message's id as it is kept and looked up: in NFC, without the
// angle brackets of a Message-ID and the white space around and within these.
func MessageName(id string) string {
	id = strings.TrimSpace(id)
	if inner, ok := strings.CutPrefix(id, "<"); ok && strings.HasSuffix(inner, ">") {
		id = strings.TrimSpace(strings.TrimSuffix(inner, ">"))
	}
	return norm.NFC.String(id)
}

func checkTexts(in Input, e *Event, _ Limits) *FieldError {
	switch {
	case in.Type == "":
		return Invalid("type", "is required")
	case !in.Type.Valid():
		return Invalid("type", fmt.Sprintf("%q is not one of %s", clip(string(in.Type)), typeList()))
	case in.Message == "":
		return Invalid("message", "is required: the id of the mail that this is about")
	}
	texts := []struct {
		field, value string
		most         int
		identifier   bool
	}{
		{"id", in.ID, MaxKey, true},
		{"message", in.Message, maxText, true},
		{"user", in.User, maxName, true},
		{"source", in.Source, maxName, true},
		{"kind", in.Kind, maxName, true},
		{"title", in.Title, maxText, false},
		{"subject", in.Subject, maxText, false},
		{"link", in.Link, maxLink, true},
		{"file", in.File, maxText, true},
	}
	for _, text := range texts {
		if err := checkText(text.field, text.value, text.most, text.identifier); err != nil {
			return err
		}
	}
	if !utf8.ValidString(in.Body) {
		return Invalid("body", "is not valid UTF-8")
	}
	return nil
}

// checkAliases keeps each other name of the message once, in the order given.
func checkAliases(in Input, e *Event, _ Limits) *FieldError {
	for i, name := range in.Aliases {
		name = MessageName(name)
		if name == "" || name == e.Message || slices.Contains(e.Aliases, name) {
			continue
		}
		if err := checkText(fmt.Sprintf("aliases[%d]", i), name, maxAlias, true); err != nil {
			return err
		}
		e.Aliases = append(e.Aliases, name)
	}
	if len(e.Aliases) > MaxAliases {
		return Invalid("aliases", fmt.Sprintf("has %d names; at most %d are taken", len(e.Aliases), MaxAliases))
	}
	return nil
}

// checkText bounds a text; an identifier may hold no control characters.
func checkText(field, value string, most int, identifier bool) *FieldError {
	if len(value) > most {
		return Invalid(field, fmt.Sprintf("has %d bytes; at most %d are taken", len(value), most))
	}
	if !utf8.ValidString(value) {
		return Invalid(field, "is not valid UTF-8")
	}
	if identifier && strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Invalid(field, "holds a control character")
	}
	return nil
}

func checkTime(in Input, e *Event, limits Limits) *FieldError {
	if in.Time == nil {
		return Invalid("time", "is required")
	}
	e.Time = int64(*in.Time)
	switch {
	case e.Time < 0:
		return Invalid("time", "is before 1970")
	case e.Time > limits.Now.Add(maxAhead).Unix():
		return &FieldError{
			Field: "time", Problem: "is more than an hour ahead of this server's clock",
			Later: e.Time < limits.Now.Add(mostBehind).Unix(),
		}
	case limits.Retention > 0 && e.Time < limits.Now.Add(-limits.Retention).Unix():
		return Invalid("time", "is older than the retention, so it would be dropped at once")
	}
	return nil
}

func checkRecipients(in Input, e *Event, limits Limits) *FieldError {
	if len(in.Candidates) > 0 {
		return checkCandidates(in, e)
	}
	if in.Type != Send {
		switch {
		case len(in.Recipients) > 0:
			return Invalid("recipients", "belongs on a send; other events have one recipient")
		case in.Recipient == nil && limits.Lenient:
			return nil
		case in.Recipient == nil:
			return Invalid("recipient", "is required: who "+string(in.Type)+" is about")
		}
		person, err := normalPerson("recipient", *in.Recipient)
		e.Recipient = &person
		return err
	}
	switch {
	case in.Recipient != nil:
		return Invalid("recipient", "does not belong on a send, which has recipients")
	case len(in.Recipients) == 0:
		return Invalid("recipients", "is required on a send: 1 to 1,000 people")
	case len(in.Recipients) > MaxRecipients:
		return Invalid("recipients", fmt.Sprintf("has %d people; at most 1,000 are taken", len(in.Recipients)))
	}
	seen := make(map[string]bool, len(in.Recipients))
	for i, given := range in.Recipients {
		person, err := normalPerson(fmt.Sprintf("recipients[%d]", i), given)
		if err != nil {
			return err
		}
		if !seen[person.Email] {
			seen[person.Email] = true
			e.Recipients = append(e.Recipients, person)
		}
	}
	return nil
}

// checkCandidates takes those of whom one did it.
func checkCandidates(in Input, e *Event) *FieldError {
	switch {
	case in.Type != Open && in.Type != Click:
		return Invalid("candidates", "belongs on an open or a click")
	case in.Recipient != nil || len(in.Recipients) > 0:
		return Invalid("candidates", "does not belong beside a recipient")
	case len(in.Candidates) > MaxRecipients:
		return Invalid("candidates", fmt.Sprintf("has %d people; at most 1,000 are taken", len(in.Candidates)))
	}
	for i, given := range in.Candidates {
		person, err := normalPerson(fmt.Sprintf("candidates[%d]", i), given)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(e.Recipients, func(p Person) bool { return p.Email == person.Email }) {
			e.Recipients = append(e.Recipients, person)
		}
	}
	if len(e.Recipients) == 1 {
		e.Recipient, e.Recipients = &e.Recipients[0], nil
	}
	return nil
}

// normalPerson checks an address and makes it canonical.
func normalPerson(field string, p Person) (Person, *FieldError) {
	email, problem := address.Canonical(p.Email)
	if problem != "" {
		if utf8.ValidString(p.Email) && p.Email != "" {
			problem = fmt.Sprintf("%q %s", clip(p.Email), problem)
		}
		return p, Invalid(field+".email", problem)
	}
	p = Person{Email: email, Name: strings.TrimSpace(p.Name)}
	return p, checkText(field+".name", p.Name, maxName*2, false)
}

// keepWritten keeps each address as it came where that is not its canonical text.
func keepWritten(in Input, e *Event) {
	if in.Recipient == nil && e.Type != Send {
		return
	}
	if e.Recipient != nil {
		e.Recipient.Written = written(in.Recipient.Email, e.Recipient.Email)
		return
	}
	given := make(map[string]string)
	for _, person := range slices.Backward(in.Recipients) {
		given[address.Fold(person.Email)] = person.Email
	}
	for i, person := range e.Recipients {
		e.Recipients[i].Written = written(given[person.Email], person.Email)
	}
}

func written(given, canonical string) string {
	if given = strings.TrimSpace(given); given != canonical {
		return given
	}
	return ""
}

func checkMeeting(in Input, e *Event, _ Limits) *FieldError {
	if in.Meeting == nil {
		return nil
	}
	if in.Type != Meeting {
		return Invalid("meeting", "belongs on a meeting event")
	}
	e.Meeting = &Appointment{Title: in.Meeting.Title, Answer: in.Meeting.Answer}
	if in.Meeting.Start != nil {
		e.Meeting.Start = int64(*in.Meeting.Start)
	}
	switch in.Meeting.Answer {
	case "", "yes", "no", "maybe":
	default:
		return Invalid("meeting.answer", fmt.Sprintf("%q is not one of yes, no, maybe", clip(in.Meeting.Answer)))
	}
	return checkText("meeting.title", in.Meeting.Title, maxText, false)
}

// cutBody keeps a body within MaxBody, at the end of a character, with a mark.
func cutBody(body string) string {
	if len(body) <= MaxBody {
		return body
	}
	end := MaxBody - len(cutMark)
	for end > 0 && !utf8.RuneStart(body[end]) {
		end--
	}
	return body[:end] + cutMark
}

// clip shortens what an error repeats of its input.
func clip(text string) string {
	if len(text) <= 60 {
		return text
	}
	return string(bytes.ToValidUTF8([]byte(text[:60]), nil)) + "…"
}

func typeList() string {
	names := make([]string, len(Types))
	for i, t := range Types {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}
