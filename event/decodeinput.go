package event

import (
	"slices"
	"time"
	"unicode/utf8"
)

// ReadPlain reads an event as most senders write it: one JSON object of known names, each
// once, with texts and times, in any order, and nothing between them but white space. It
// reports false, and in is of no use, where data is anything else, right or wrong: the
// library tells that, and what is wrong with it. What it reads it reads as the library does.
func (in *Input) ReadPlain(data []byte) bool {
	if !utf8.Valid(data) {
		return false
	}
	r := input{data: data}
	r.fields(func(name []byte) bool {
		switch string(name) {
		case "id":
			in.ID = r.value()
		case "type":
			in.Type = typeOf(r.quoted())
		case "time":
			in.Time = r.moment()
		case "message":
			in.Message = r.value()
		case "user":
			in.User = r.value()
		case "recipient":
			in.Recipient = new(r.plainPerson())
		case "recipients":
			in.Recipients = r.plainPeople()
		case "subject":
			in.Subject = r.value()
		case "body":
			in.Body = r.value()
		case "kind":
			in.Kind = r.value()
		case "title":
			in.Title = r.value()
		case "link":
			in.Link = r.value()
		case "file":
			in.File = r.value()
		case "client":
			in.Client = r.plainClient()
		case "source":
			in.Source = r.value()
		default:
			return false
		}
		return true
	})
	return !r.odd && r.at == len(data)
}

// fields reads an object and gives each name, once, to read, which reads its value.
func (in *input) fields(read func(name []byte) bool) {
	const most = 20
	var room [most][]byte
	names := room[:0]
	in.space()
	in.must(`{`)
	for more := true; more && !in.odd; more = in.is(`,`) {
		in.space()
		name := in.quoted()
		in.space()
		in.must(`:`)
		in.space()
		twice := slices.ContainsFunc(names, func(other []byte) bool { return string(other) == string(name) })
		if in.odd || twice || len(names) == most || !read(name) {
			in.odd = true
			return
		}
		names = append(names, name)
		in.space()
	}
	in.must(`}`)
	in.space()
}

// space goes past white space.
func (in *input) space() {
	for in.at < len(in.data) {
		switch in.data[in.at] {
		case ' ', '\t', '\r', '\n':
			in.at++
		default:
			return
		}
	}
}

// value reads a text.
func (in *input) value() string { return string(in.quoted()) }

func (in *input) moment() *Moment {
	if in.at == len(in.data) || in.data[in.at] != '"' {
		return new(Moment(in.number("")))
	}
	at, err := time.Parse(time.RFC3339, string(in.quoted()))
	if err != nil {
		in.odd = true
	}
	return new(Moment(at.Unix()))
}

func (in *input) plainPerson() (p Person) {
	in.fields(func(name []byte) bool {
		switch string(name) {
		case "email":
			p.Email = in.value()
		case "name":
			p.Name = in.value()
		default:
			return false
		}
		return true
	})
	return p
}

func (in *input) plainPeople() (people []Person) {
	in.must(`[`)
	for more := true; more && !in.odd; more = in.is(`,`) {
		people = append(people, in.plainPerson())
	}
	in.must(`]`)
	return people
}

func (in *input) plainClient() *Client {
	c := &Client{}
	in.fields(func(name []byte) bool {
		switch string(name) {
		case "ip":
			c.IP = in.value()
		case "user_agent":
			c.UserAgent = new(in.value())
		case "automated":
			c.Automated = new(in.is(`true`))
			if !*c.Automated {
				in.must(`false`)
			}
		case "method":
			c.Method = in.value()
		default:
			return false
		}
		return true
	})
	return c
}
