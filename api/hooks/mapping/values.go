package mapping

import (
	"bytes"
	"encoding/json"
	"math"
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
)

const (
	// longBody is a body whose values are counted before it is read.
	longBody = 1 << 20
	// maxTokens bounds them: {} takes thirty times its two bytes when it was read.
	maxTokens = 500_000
)

// CheckTokens refuses JSON that takes many times its bytes when it is read. What is not
// JSON is for the reader to refuse.
func CheckTokens(raw []byte) error {
	if len(raw) <= longBody {
		return nil
	}
	tokens := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	read := 0
	for ; read < maxTokens; read++ {
		if _, err := tokens.ReadToken(); err != nil {
			break // it ended, or is no JSON
		}
	}
	if read == maxTokens {
		return event.Invalid("body", "holds more than 500,000 values, names and brackets")
	}
	return nil
}

// decode reads JSON; whole numbers keep all their digits.
func decode(raw []byte) (any, error) {
	if err := CheckTokens(raw); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, event.Invalid("body", "is not valid JSON")
	}
	return numbers(value), nil
}

func numbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, within := range v {
			v[name] = numbers(within)
		}
	case []any:
		for i, within := range v {
			v[i] = numbers(within)
		}
	case json.Number:
		if whole, err := strconv.Atoi(v.String()); err == nil {
			return whole
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	}
	return value
}

// Text is a scalar as a text: a text itself, a number, a flag. What is none is "".
func Text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		if len(v) == 1 {
			return Text(v[0])
		}
	}
	return ""
}

func number(value any) (float64, bool) {
	switch v := value.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// Flag reads true, "true", 1, "yes" and their opposites; ok is false for the rest.
func Flag(value any) (is, ok bool) {
	switch strings.ToLower(Text(value)) {
	case "true", "1", "yes", "y", "on":
		return true, true
	case "false", "0", "no", "n", "off":
		return false, true
	}
	return false, false
}

// earliest and latest bound the seconds that a number may stand for; what is
// smaller is none: in 1973 nobody sent webhooks. latest is the last second that an
// event can have.
const (
	earliest = 100_000_000
	latest   = 1<<32 - 1
)

// layouts are how vendors write a time beside RFC 3339. One without a zone is
// taken for UTC.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999Z07", "2006-01-02T15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999 MST", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", time.RFC1123Z, time.RFC1123,
}

// Instant reads a time: Unix seconds, milliseconds, micro- or nanoseconds, as a
// number or a text, or one of the layouts. It is zero for what is none.
func Instant(value any) time.Time {
	text := strings.TrimSpace(Text(value))
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil && at.Unix() > 0 && at.Unix() <= latest {
			return at
		}
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds >= earliest) || math.IsInf(seconds, 0) {
		return time.Time{}
	}
	for _, unit := range []float64{1, 1e3, 1e6, 1e9} {
		if seconds/unit <= latest {
			whole, part := math.Modf(seconds / unit)
			return time.Unix(int64(whole), int64(part*1e9))
		}
	}
	return time.Time{}
}

// people are the addresses in a text or a list, with names where they have some.
func people(value any) []event.Person {
	var all []event.Person
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	}
	for _, item := range items[:min(len(items), event.MaxRecipients)] {
		if object, ok := item.(map[string]any); ok {
			p := event.Person{Email: firstText(object, "email", "address", "value", "Email"), Name: firstText(object, "name", "Name")}
			if p.Email != "" {
				all = append(all, p)
			}
			continue
		}
		if p := person(Text(item)); p.Email != "" {
			all = append(all, p)
		}
	}
	return all
}

func firstText(object map[string]any, names ...string) string {
	for _, name := range names {
		if text := strings.TrimSpace(Text(object[name])); text != "" {
			return text
		}
	}
	return ""
}

// person reads an address that may have a name before it.
func person(text string) event.Person {
	text = strings.TrimSpace(text[:min(len(text), maxLooked)])
	if strings.ContainsAny(text, "<> ") {
		if parsed, err := mail.ParseAddress(text); err == nil {
			return event.Person{Email: parsed.Address, Name: parsed.Name}
		}
		if _, inner, ok := strings.Cut(text, "<"); ok {
			inner, _, _ = strings.Cut(inner, ">")
			return event.Person{Email: strings.TrimSpace(inner)}
		}
	}
	return event.Person{Email: text}
}

// shorten drops control characters and cuts a text at the end of a character.
func shorten(text string, most int) string {
	text = text[:min(len(text), max(maxLooked, 2*most))]
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, text))
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
