package feed

import (
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
)

// AppendJSON appends an item's JSON, the same bytes as by its tags: a page has fifty of them,
// with hundreds of recipients, and looking at each field by reflection was a quarter of what
// answering it took. A field that is added to Item is added here; a test compares the two.
func (i *Item) AppendJSON(out []byte) []byte {
	out = append(out, `{"id":"`...)
	out = append(out, i.ID.String()...)
	out = appendQuoted(append(out, `","type":`...), string(i.Type))
	out = appendTime(append(out, `,"time":`...), i.Time)
	out = appendQuoted(append(out, `,"message":`...), i.Message)
	out = appendText(out, `,"original_message":`, i.Original)
	if i.User != nil {
		out = appendQuoted(append(out, `,"user":{"id":`...), i.User.ID)
		out = append(appendText(out, `,"name":`, i.User.Name), '}')
	}
	out = appendText(out, `,"subject":`, i.Subject)
	if i.Person != nil {
		out = appendPerson(append(out, `,"person":`...), i.Person)
	}
	out = appendAll(out, `,"candidates":[`, i.Candidates, appendPerson)
	out = appendAll(out, `,"recipients":[`, i.Recipients, appendRecipient)
	if i.Unopened != nil {
		out = strconv.AppendInt(append(out, `,"unopened":`...), int64(*i.Unopened), 10)
	}
	if i.Rest != nil {
		out = strconv.AppendInt(append(out, `,"rest":{"count":`...), int64(i.Rest.Count), 10)
		out = appendQuoted(append(out, `,"at":`...), i.Rest.At)
		out = append(appendText(out, `,"next":`, i.Rest.Next), '}')
	}
	if v := i.Verdict; v != nil {
		out = appendQuoted(append(out, `,"verdict":{"is":`...), v.Is)
		out = appendText(appendText(out, `,"rule":`, v.Rule), `,"by":`, v.By)
		out = append(appendText(appendText(out, `,"reason":`, v.Reason), `,"user":`, v.User), '}')
	}
	out = appendText(appendText(out, `,"kind":`, i.Kind), `,"title":`, i.Title)
	out = appendText(appendText(out, `,"link":`, i.Link), `,"file":`, i.File)
	out = appendText(out, `,"snippet":`, i.Snippet)
	if m := i.Meeting; m != nil {
		fields := appendMoment(appendText(nil, `,"title":`, m.Title), `,"start":`, m.Start)
		out = appendObject(append(out, `,"meeting":`...), appendText(fields, `,"answer":`, m.Answer))
	}
	if b := i.Bounce; b != nil {
		out = appendObject(append(out, `,"bounce":`...), appendText(appendText(nil, `,"kind":`, b.Kind), `,"detail":`, b.Detail))
	}
	out = appendQuoted(append(out, `,"source":`...), i.Source)
	return append(i.appendHighlights(out), '}')
}

func (i *Item) appendHighlights(out []byte) []byte {
	if len(i.Highlights) == 0 {
		return out
	}
	out = append(out, `,"highlights":{`...)
	for n, field := range slices.Sorted(maps.Keys(i.Highlights)) {
		if n > 0 {
			out = append(out, ',')
		}
		out = append(appendQuoted(out, field), ':', '[')
		for n, span := range i.Highlights[field] {
			if n > 0 {
				out = append(out, ',')
			}
			out = strconv.AppendInt(append(out, '['), int64(span[0]), 10)
			out = append(strconv.AppendInt(append(out, ','), int64(span[1]), 10), ']')
		}
		out = append(out, ']')
	}
	return append(out, '}')
}

func appendPerson(out []byte, p *event.Person) []byte {
	out = appendQuoted(append(out, `{"email":`...), p.Email)
	return append(appendText(appendText(out, `,"name":`, p.Name), `,"written":`, p.Written), '}')
}

func appendRecipient(out []byte, r *Recipient) []byte {
	out = appendText(appendQuoted(append(out, `{"email":`...), r.Email), `,"name":`, r.Name)
	switch {
	case r.Opened.never:
		out = append(out, `,"opened":null`...)
	case !r.Opened.IsZero():
		out = appendTime(append(out, `,"opened":`...), time.Unix(r.Opened.at, 0).UTC())
	}
	out = appendMoment(appendMoment(out, `,"clicked":`, r.Clicked), `,"downloaded":`, r.Downloaded)
	out = appendMoment(appendMoment(out, `,"replied":`, r.Replied), `,"bounced":`, r.Bounced)
	out = appendMoment(out, `,"delivered":`, r.Delivered)
	return append(appendMoment(appendMoment(out, `,"complained":`, r.Complained), `,"unsubscribed":`, r.Unsubscribed), '}')
}

// appendAll appends a field with a list unless that is empty.
func appendAll[T any](out []byte, name string, all []T, one func([]byte, *T) []byte) []byte {
	if len(all) == 0 {
		return out
	}
	out = append(out, name...)
	for n := range all {
		if n > 0 {
			out = append(out, ',')
		}
		out = one(out, &all[n])
	}
	return append(out, ']')
}

// appendObject appends an object of fields that each begin with a comma.
func appendObject(out, fields []byte) []byte {
	if len(fields) > 0 {
		fields = fields[1:]
	}
	return append(append(append(out, '{'), fields...), '}')
}

// appendText appends a field unless it is empty.
func appendText(out []byte, name, text string) []byte {
	if text == "" {
		return out
	}
	return appendQuoted(append(out, name...), text)
}

// appendQuoted appends a text; what is no UTF-8 in it becomes U+FFFD.
func appendQuoted(out []byte, text string) []byte {
	if !isPlain(text) {
		out, _ = jsontext.AppendQuote(out, text)
		return out
	}
	return append(append(append(out, '"'), text...), '"')
}

// isPlain reports whether a text stands in JSON as it is. It looks at eight bytes at a time.
func isPlain(text string) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(text); i += 8 {
		t := text[i : i+8]
		x := uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
			uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
		quote, backslash := x^ones*'"', x^ones*'\\'
		// The high bits of bytes that are not ASCII, below a space, quotes and backslashes. One that
		// is none of these has it at most above one that is.
		if (x|(x-ones*' ')|(quote-ones)|(backslash-ones))&highs != 0 {
			return false
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// appendMoment appends a field with a time unless there is none.
func appendMoment(out []byte, name string, at *time.Time) []byte {
	if at == nil {
		return out
	}
	return appendTime(append(out, name...), *at)
}

func appendTime(out []byte, at time.Time) []byte {
	return append(at.AppendFormat(append(out, '"'), time.RFC3339Nano), '"')
}
