package event

import (
	"strconv"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
)

// DecodeJSON reads an event's JSON form. What AppendJSON wrote, which is nearly
// everything, is read in its order, in a third of the time; whatever else stands there is
// left to the library. What it returns holds nothing of data.
func (e *Event) DecodeJSON(data []byte) error {
	if readWritten(data, e) {
		return nil
	}
	*e = Event{}
	return jsonv2.Unmarshal(data, e)
}

// readWritten reads what AppendJSON wrote, and reports false where it is anything else.
func readWritten(data []byte, e *Event) bool {
	if !utf8.Valid(data) {
		return false
	}
	in := input{data: data}
	in.event(e)
	return !in.odd && in.at == len(data)
}

func (in *input) event(e *Event) {
	*e = Event{ID: in.id(`{"id":"`), Workspace: in.text(`,"w":`)}
	e.Type = typeOf(in.word(`,"type":`))
	e.Time = in.number(`,"t":`)
	e.Message = in.text(`,"message":`)
	e.Original = in.perhaps(`,"original":`)
	e.Aliases = in.list(`,"aliases":[`)
	e.User = in.perhaps(`,"user":`)
	if in.is(`,"recipient":{`) {
		e.Recipient = new(in.person())
	}
	if in.is(`,"recipients":[{`) {
		for e.Recipients = append(e.Recipients, in.person()); in.is(`,{`); {
			e.Recipients = append(e.Recipients, in.person())
		}
		in.must(`]`)
	}
	e.Subject = in.perhaps(`,"subject":`)
	e.Body = in.perhaps(`,"body":`)
	e.OwnWords = in.perhaps(`,"own":`)
	e.Kind = in.perhaps(`,"kind":`)
	e.Title = in.perhaps(`,"title":`)
	e.Link = in.perhaps(`,"link":`)
	e.File = in.perhaps(`,"file":`)
	e.Meeting, e.Bounce, e.Client = in.meeting(), in.bounce(), in.client()
	e.Source = in.text(`,"source":`)
	e.Verdict = in.verdict()
	in.must(`}`)
}

// DecodeJSON reads an announcement's JSON form as Event.DecodeJSON does an event's.
func (a *Announcement) DecodeJSON(data []byte) error {
	if a.readWritten(data) {
		return nil
	}
	*a = Announcement{}
	return jsonv2.Unmarshal(data, a)
}

// readWritten reads what AppendJSON wrote but for notes, and reports false where it is
// anything else.
func (a *Announcement) readWritten(data []byte) bool {
	if !utf8.Valid(data) {
		return false
	}
	in := input{data: data}
	*a = Announcement{Kind: in.text(`{"kind":`), Workspace: in.text(`,"w":`), User: in.perhaps(`,"u":`), Users: in.list(`,"us":[`)}
	if in.is(`,"event":`) {
		a.Event = new(Event)
		in.event(a.Event)
	}
	if in.is(`,"state":{`) {
		begin := in.at - 1
		a.State = new(State)
		if in.state(a.State); in.odd {
			// Something that few have. It is nearly always the last.
			*a.State, in.at = State{}, len(data)-1
			in.odd = jsonv2.Unmarshal(data[begin:in.at], a.State) != nil
		}
	}
	if in.is(`,"gone":"`) {
		in.at--
		a.Gone = new(in.id(`"`))
	}
	a.To = in.perhaps(`,"to":`)
	in.must(`}`)
	return !in.odd && in.at == len(data)
}

// state reads what most states have: those of a message that several have sent, or that waits
// for its send, and clicks and overrides, are odd here.
func (in *input) state(s *State) {
	s.Workspace, s.Message = in.text(`"w":`), in.text(`,"message":`)
	s.Sent = in.is(`,"sent":true`)
	s.User, s.Subject = in.perhaps(`,"u":`), in.perhaps(`,"s":`)
	s.At = in.count(`,"at":`)
	s.Recipients = object[RecipientKey](in, `,"r":{`, func() Person {
		in.must(`{`)
		return in.person()
	})
	s.First = object[Mark](in, `,"first":{`, func() map[RecipientKey]int64 {
		return object[RecipientKey](in, `{`, func() int64 { return in.number("") })
	})
	s.Done = in.is(`,"done":true`)
	s.Aliases = in.list(`,"aliases":[`)
	s.To = in.perhaps(`,"to":`)
	s.Version = in.number(`,"v":`)
	s.Expire = in.count(`,"x":`)
	in.must(`}`)
}

// input is what is read. Once something is odd, nothing else of it counts.
type input struct {
	data []byte
	at   int
	odd  bool
}

// is goes past something, if it is what comes next.
func (in *input) is(next string) bool {
	if in.odd || len(in.data)-in.at < len(next) || string(in.data[in.at:in.at+len(next)]) != next {
		return false
	}
	in.at += len(next)
	return true
}

// must goes past what has to come next.
func (in *input) must(next string) { in.odd = !in.is(next) || in.odd }

func (in *input) id(name string) (id ID) {
	in.must(name)
	if in.odd || len(in.data)-in.at <= idLen || in.data[in.at+idLen] != '"' {
		in.odd = true
		return id
	}
	id, err := ParseID(string(in.data[in.at : in.at+idLen]))
	in.at += idLen + 1
	in.odd = err != nil
	return id
}

// number reads a whole number, written as strconv does.
func (in *input) number(name string) int64 {
	in.must(name)
	begin := in.at
	for in.at < len(in.data) && (in.data[in.at] == '-' || '0' <= in.data[in.at] && in.data[in.at] <= '9') {
		in.at++
	}
	digits := in.data[begin:in.at]
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil || digits[0] == '0' && len(digits) > 1 || digits[0] == '-' && digits[1] == '0' {
		in.odd = true
	}
	return n
}

// count is number for a field that is left out where it is 0.
func (in *input) count(name string) int64 {
	if !in.is(name) {
		return 0
	}
	return in.number("")
}

// object reads a field that may come next, each value by value; nil where it does not.
func object[K ~string, V any](in *input, name string, value func() V) map[K]V {
	if !in.is(name) {
		return nil
	}
	all := make(map[K]V)
	if in.is(`}`) {
		return all
	}
	for !in.odd {
		key := K(in.text(""))
		_, twice := all[key]
		in.odd = in.odd || twice
		in.must(`:`)
		all[key] = value()
		if in.is(`}`) {
			return all
		}
		in.must(`,`)
	}
	return all
}

// text reads a field that has to come next, and perhaps one that may.
func (in *input) text(name string) string { return string(in.word(name)) }

func (in *input) perhaps(name string) string {
	if !in.is(name) {
		return ""
	}
	return string(in.quoted())
}

// word is text, of which nobody keeps the bytes.
func (in *input) word(name string) []byte {
	in.must(name)
	return in.quoted()
}

// quoted reads a text in quotes. It may be a part of data.
func (in *input) quoted() []byte {
	in.must(`"`)
	if in.odd {
		return nil
	}
	begin := in.at
	rest := in.data[begin:]
	for i, c := range rest {
		if c != '"' && c != '\\' && c >= ' ' {
			continue
		}
		in.at = begin + i
		switch c {
		case '"':
			in.at++
			return rest[:i]
		case '\\':
			return in.escaped(begin)
		}
		break
	}
	in.odd = true
	return nil
}

// escaped reads the rest of a text that began somewhere and has a backslash.
func (in *input) escaped(begin int) []byte {
	out := append(make([]byte, 0, in.at-begin+64), in.data[begin:in.at]...)
	for in.at < len(in.data) {
		c := in.data[in.at]
		in.at++
		switch {
		case c == '"':
			return out
		case c < ' ':
			in.odd = true
			return nil
		case c != '\\':
			out = append(out, c)
			continue
		}
		if in.at == len(in.data) {
			break
		}
		c = in.data[in.at]
		in.at++
		switch c {
		case '"', '\\':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			if len(in.data)-in.at < 4 {
				in.odd = true
				return nil
			}
			r, err := strconv.ParseUint(string(in.data[in.at:in.at+4]), 16, 16)
			if err != nil || !utf8.ValidRune(rune(r)) { // a half of a surrogate pair
				in.odd = true
				return nil
			}
			out = utf8.AppendRune(out, rune(r))
			in.at += 4
		default:
			in.odd = true
			return nil
		}
	}
	in.odd = true
	return nil
}

// list reads a field that has at least one text.
func (in *input) list(name string) (texts []string) {
	if !in.is(name) {
		return nil
	}
	texts = append(texts, string(in.quoted()))
	for in.is(`,`) {
		texts = append(texts, string(in.quoted()))
	}
	in.must(`]`)
	return texts
}

func (in *input) person() (p Person) {
	p.Email = in.text(`"email":`)
	p.Name = in.perhaps(`,"name":`)
	p.Written = in.perhaps(`,"written":`)
	in.must(`}`)
	return p
}

// first goes to a field of an object of which nothing has to be there: what begins with a
// comma is written without it where it is the first.
func (in *input) first(begin int, name string) bool {
	if in.at == begin {
		return in.is(name[1:])
	}
	return in.is(name)
}

func (in *input) meeting() *Appointment {
	if !in.is(`,"meeting":{`) {
		return nil
	}
	a, begin := &Appointment{}, in.at
	if in.first(begin, `,"title":`) {
		a.Title = string(in.quoted())
	}
	if in.first(begin, `,"start":`) {
		a.Start = in.number("")
	}
	if in.first(begin, `,"answer":`) {
		a.Answer = string(in.quoted())
	}
	in.must(`}`)
	return a
}

func (in *input) bounce() *BounceDetail {
	if !in.is(`,"bounce":{`) {
		return nil
	}
	b, begin := &BounceDetail{}, in.at
	if in.first(begin, `,"kind":`) {
		b.Kind = string(in.quoted())
	}
	if in.first(begin, `,"detail":`) {
		b.Detail = string(in.quoted())
	}
	in.must(`}`)
	return b
}

func (in *input) client() *Client {
	if !in.is(`,"client":{`) {
		return nil
	}
	c, begin := &Client{}, in.at
	if in.first(begin, `,"ip":`) {
		c.IP = string(in.quoted())
	}
	if in.first(begin, `,"user_agent":`) {
		c.UserAgent = new(string(in.quoted()))
	}
	if in.first(begin, `,"automated":`) {
		c.Automated = new(in.is(`true`))
		if !*c.Automated {
			in.must(`false`)
		}
	}
	if in.first(begin, `,"method":`) {
		c.Method = string(in.quoted())
	}
	if in.first(begin, `,"headers":{`) {
		c.Headers = make(map[string]string)
		for more := true; more; more = in.is(`,`) {
			name := in.text("")
			_, twice := c.Headers[name]
			in.odd = in.odd || twice
			c.Headers[name] = in.text(`:`)
		}
		in.must(`}`)
	}
	in.must(`}`)
	return c
}

func (in *input) verdict() (v Verdict) {
	if !in.is(`,"verdict":{"is":`) {
		return v
	}
	v.Is = verdictOf(in.quoted())
	v.Rule = in.perhaps(`,"rule":`)
	v.By = in.perhaps(`,"by":`)
	if in.is(`,"v":`) {
		v.Version = int(in.number(""))
	}
	v.Reason = in.perhaps(`,"reason":`)
	v.User = in.perhaps(`,"user":`)
	in.must(`}`)
	return v
}

// typeOf and verdictOf spare an allocation for what there are few of.
func typeOf(text []byte) Type {
	for _, t := range Types {
		if string(t) == string(text) {
			return t
		}
	}
	return Type(text)
}

func verdictOf(text []byte) string {
	for _, is := range [...]string{Human, Machine, Unknown} {
		if is == string(text) {
			return is
		}
	}
	return string(text)
}
