package event

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// AppendJSON appends what json.Marshal makes of the event, byte for byte, in a fifth of
// the time: each event is written three times on its way.
func (e *Event) AppendJSON(out []byte) []byte {
	out = idText.AppendEncode(append(out, `{"id":"`...), e.ID[:])
	out = appendString(append(out, `","w":`...), e.Workspace)
	out = appendString(append(out, `,"type":`...), string(e.Type))
	out = strconv.AppendInt(append(out, `,"t":`...), e.Time, 10)
	out = appendString(append(out, `,"message":`...), e.Message)
	out = appendText(out, `,"original":`, e.Original)
	out = appendList(out, `,"aliases":`, e.Aliases)
	out = appendText(out, `,"user":`, e.User)
	if e.Recipient != nil {
		out = e.Recipient.append(append(out, `,"recipient":`...))
	}
	if len(e.Recipients) > 0 {
		out = append(out, `,"recipients":[`...)
		for i := range e.Recipients {
			if i > 0 {
				out = append(out, ',')
			}
			out = e.Recipients[i].append(out)
		}
		out = append(out, ']')
	}
	out = appendText(out, `,"subject":`, e.Subject)
	out = appendText(out, `,"body":`, e.Body)
	out = appendText(out, `,"own":`, e.OwnWords)
	out = appendText(out, `,"kind":`, e.Kind)
	out = appendText(out, `,"title":`, e.Title)
	out = appendText(out, `,"link":`, e.Link)
	out = appendText(out, `,"file":`, e.File)
	out = e.Meeting.append(out)
	out = e.Bounce.append(out)
	out = e.Client.append(out)
	out = appendString(append(out, `,"source":`...), e.Source)
	if e.Verdict != (Verdict{}) {
		out = e.Verdict.append(out)
	}
	return append(out, '}')
}

func (p *Person) append(out []byte) []byte {
	out = appendString(append(out, `{"email":`...), p.Email)
	out = appendText(out, `,"name":`, p.Name)
	return append(appendText(out, `,"written":`, p.Written), '}')
}

func (a *Appointment) append(out []byte) []byte {
	if a == nil {
		return out
	}
	out = append(out, `,"meeting":{`...)
	begin := len(out)
	out = appendText(out, `,"title":`, a.Title)
	if a.Start != 0 {
		out = strconv.AppendInt(append(out, `,"start":`...), a.Start, 10)
	}
	return closed(appendText(out, `,"answer":`, a.Answer), begin)
}

func (b *BounceDetail) append(out []byte) []byte {
	if b == nil {
		return out
	}
	out = append(out, `,"bounce":{`...)
	begin := len(out)
	return closed(appendText(appendText(out, `,"kind":`, b.Kind), `,"detail":`, b.Detail), begin)
}

func (c *Client) append(out []byte) []byte {
	if c == nil {
		return out
	}
	out = append(out, `,"client":{`...)
	begin := len(out)
	out = appendText(out, `,"ip":`, c.IP)
	if c.UserAgent != nil {
		out = appendString(append(out, `,"user_agent":`...), *c.UserAgent)
	}
	if c.Automated != nil {
		out = strconv.AppendBool(append(out, `,"automated":`...), *c.Automated)
	}
	out = appendText(out, `,"method":`, c.Method)
	if len(c.Headers) > 0 {
		out = append(out, `,"headers":{`...)
		at := len(out)
		for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
			out = appendString(append(appendString(append(out, ','), name), ':'), c.Headers[name])
		}
		out = closed(out, at)
	}
	return closed(out, begin)
}

func (v *Verdict) append(out []byte) []byte {
	out = appendString(append(out, `,"verdict":{"is":`...), v.Is)
	out = appendText(out, `,"rule":`, v.Rule)
	out = appendText(out, `,"by":`, v.By)
	if v.Version != 0 {
		out = strconv.AppendInt(append(out, `,"v":`...), int64(v.Version), 10)
	}
	return append(appendText(appendText(out, `,"reason":`, v.Reason), `,"user":`, v.User), '}')
}

// AppendJSON appends what json.Marshal makes of the announcement.
func (a *Announcement) AppendJSON(out []byte) ([]byte, error) {
	out = appendString(append(out, `{"kind":`...), a.Kind)
	out = appendString(append(out, `,"w":`...), a.Workspace)
	out = appendText(out, `,"u":`, a.User)
	out = appendList(out, `,"us":`, a.Users)
	if a.Event != nil {
		out = a.Event.AppendJSON(append(out, `,"event":`...))
	}
	if a.State != nil {
		state, err := json.Marshal(a.State)
		if err != nil {
			return nil, err
		}
		out = append(append(out, `,"state":`...), state...)
	}
	if a.Gone != nil {
		out = append(idText.AppendEncode(append(out, `,"gone":"`...), a.Gone[:]), '"')
	}
	out = appendText(out, `,"to":`, a.To)
	if len(a.Note) > 0 {
		note, err := json.Marshal(a.Note)
		if err != nil {
			return nil, err
		}
		out = append(append(out, `,"note":`...), note...)
	}
	return append(out, '}'), nil
}

// closed ends an object that begins at a place with the comma of its first field, if it
// has any.
func closed(out []byte, begin int) []byte {
	if len(out) > begin {
		out = append(out[:begin], out[begin+1:]...)
	}
	return append(out, '}')
}

// appendList appends a field of texts unless it is empty.
func appendList(out []byte, name string, texts []string) []byte {
	if len(texts) == 0 {
		return out
	}
	out = append(append(out, name...), '[')
	for i, text := range texts {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendString(out, text)
	}
	return append(out, ']')
}

// appendText appends a field unless it is empty.
func appendText(out []byte, name, text string) []byte {
	if text == "" {
		return out
	}
	return appendString(append(out, name...), text)
}

// asItIs are the bytes that encoding/json leaves as they are.
var asItIs = func() (set [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		set[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return set
}()

// appendString appends a text as encoding/json does.
func appendString(out []byte, text string) []byte {
	const digits = "0123456789abcdef"
	out = append(out, '"')
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if asItIs[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				out = append(append(out, text[from:i]...), `\ufffd`...)
			case r == '\u2028' || r == '\u2029':
				out = append(append(out, text[from:i]...), `\u202`...)
				out = append(out, digits[r&15])
			default:
				i += size
				continue
			}
			i += size
			from = i
			continue
		}
		out = append(out, text[from:i]...)
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\b':
			out = append(out, `\b`...)
		case '\f':
			out = append(out, `\f`...)
		case '\n':
			out = append(out, `\n`...)
		case '\r':
			out = append(out, `\r`...)
		case '\t':
			out = append(out, `\t`...)
		default:
			out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i++
		from = i
	}
	return append(append(out, text[from:]...), '"')
}
