package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"mime"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tidings/api/hooks/mapping"
	"tidings/event"
	"tidings/mailbox"
)

// Bounds of package event on texts, in bytes.
const (
	maxText  = 2000
	maxLink  = 4096
	maxName  = 400
	maxShort = 200
	maxAlias = 998
	// maxInstant is the last second that an event may have.
	maxInstant = 1<<32 - 1
	// maxElements bounds how many events a request may report.
	maxElements = 10_000
)

// lenient decodes what a vendor writes: names that are not known are passed
// over, and a broken character does not lose an event.
func lenient() jsonv2.Options {
	return jsonv2.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// unique is lenient, but refuses a name given twice: where a signature covers
// some fields, nobody may read others under the same name.
func unique() jsonv2.Options { return jsontext.AllowInvalidUTF8(true) }

// decode reads one JSON object of a vendor.
func decode[T any](raw []byte) (T, error) {
	var value T
	if jsontext.Value(raw).Kind() != jsontext.KindBeginObject && reflect.TypeFor[T]().Kind() == reflect.Struct {
		if !jsontext.Value(raw).IsValid(lenient()) {
			return value, event.Invalid("body", "is not valid JSON")
		}
		return value, event.Invalid("body", "is not a JSON object, which this vendor's events are")
	}
	if err := mapping.CheckTokens(raw); err != nil {
		return value, err
	}
	if err := jsonv2.Unmarshal(raw, &value, tolerant()); err != nil {
		return value, invalid(err)
	}
	return value, nil
}

// invalid says what is wrong with a vendor's JSON without repeating any of it.
func invalid(err error) error {
	var semantic *jsonv2.SemanticError
	if errors.As(err, &semantic) && semantic.JSONPointer != "" {
		return event.Invalid(shorten(string(semantic.JSONPointer), 100), "has another shape than this vendor's events have")
	}
	if semantic != nil {
		return event.Invalid("body", "has another shape than this vendor's events have")
	}
	return event.Invalid("body", "is not valid JSON")
}

// elements are the objects of a body that is an array, or one object.
func elements(body []byte) ([]jsontext.Value, error) {
	raw := jsontext.Value(body)
	if raw.Kind() == jsontext.KindBeginObject {
		if !raw.IsValid(lenient()) {
			return nil, event.Invalid("body", "is not valid JSON")
		}
		return []jsontext.Value{raw}, nil
	}
	if err := mapping.CheckTokens(body); err != nil {
		return nil, err
	}
	var all []jsontext.Value
	if err := jsonv2.Unmarshal(body, &all, lenient()); err != nil {
		return nil, invalid(err)
	}
	if len(all) > maxElements {
		return nil, event.Invalid("body", "holds more than 10,000 events")
	}
	return all, nil
}

// each decodes the elements of a batch one by one, so that a bad one is
// rejected alone. read returns no events for one that it does not know, and
// names it.
func each[T any](body []byte, read func(T, jsontext.Value) (events []Event, unknown string, err error)) (Decoded, error) {
	all, err := elements(body)
	if err != nil {
		return Decoded{}, err
	}
	var out Decoded
	for _, raw := range all {
		value, err := decode[T](raw)
		if err != nil {
			out.reject(err, raw)
			continue
		}
		events, unknown, err := read(value, raw)
		switch {
		case err != nil:
			out.reject(err, raw)
		case unknown != "":
			out.unknownIn(unknown, raw)
		}
		out.add(raw, events...)
	}
	return out, nil
}

func (d *Decoded) add(payload []byte, events ...Event) {
	for _, e := range events {
		e.Payload = payload
		d.Events = append(d.Events, e)
	}
}

// unknownIn names an event of the vendor that becomes nothing here. payload is
// what it can be decoded from again, once it is known.
func (d *Decoded) unknownIn(name string, payload []byte) {
	d.Unknown = append(d.Unknown, Unknown{firstOf(shorten(name, 100), "(an unreadable name)"), payload})
}

func (d *Decoded) reject(err error, payload []byte) {
	d.Rejected = append(d.Rejected, Fault{Reason: err.Error(), Payload: payload})
}

// instant is a time as vendors write it: see mapping.Instant. What is none leaves
// it zero.
type instant struct{ time.Time }

// UnmarshalJSON reads all forms.
func (i *instant) UnmarshalJSON(raw []byte) error {
	i.Time = mapping.Instant(strings.Trim(string(raw), `"`))
	return nil
}

// moment is the time of an event, nil when there is none.
func (i instant) moment() *event.Moment { return momentOf(i.Time) }

func momentOf(at time.Time) *event.Moment {
	if at.IsZero() {
		return nil
	}
	moment := event.Moment(at.Unix())
	return &moment
}

// exact is the time for an event's key, with its fraction.
func (i instant) exact() string {
	if i.IsZero() {
		return ""
	}
	return strconv.FormatInt(i.UnixNano(), 10)
}

// key makes an event's key of parts that stay the same when the vendor sends
// the event again.
func key(parts ...string) string {
	joined := strings.Join(parts, "/")
	clean := clean(joined)
	if len(joined) <= event.MaxKey && clean == joined {
		return joined
	}
	sum := sha256.Sum256([]byte(joined))
	return "sha256-" + hex.EncodeToString(sum[:])
}

// nobody is the message of an event that is about a person and no mail.
func nobody(vendor, email string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(email))))
	return vendor + "/" + hex.EncodeToString(sum[:12])
}

// clean drops control characters and broken ones.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
}

// shorten cleans a text and cuts it at the end of a character.
func shorten(text string, most int) string {
	text = strings.TrimSpace(clean(text))
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// person reads an address that may have a name before it.
func person(address, name string) event.Person {
	p := event.Person{Email: strings.TrimSpace(address), Name: shorten(name, maxName)}
	if strings.ContainsAny(address, "<> ") {
		if found := mailbox.ParseAddresses(address); len(found) > 0 {
			p.Email = found[0].Email
			if p.Name == "" {
				p.Name = found[0].Name
			}
		}
	}
	return p
}

func personOf(address, name string) *event.Person {
	p := person(address, name)
	return &p
}

// address is the bare address of a sender.
func address(text string) string { return strings.ToLower(person(text, "").Email) }

// client is evidence; an address that is none is left out.
func client(ip, agent string, automated *bool) *event.Client {
	c := event.Client{Automated: automated}
	if at, err := netip.ParseAddr(strings.TrimSpace(ip)); err == nil {
		c.IP = at.String()
	}
	if agent != "" {
		agent = shorten(agent, maxText)
		c.UserAgent = &agent
	}
	if c.IP == "" && c.UserAgent == nil && c.Automated == nil {
		return nil
	}
	return &c
}

func bounce(kind, detail string) *event.BounceDetail {
	return &event.BounceDetail{Kind: kind, Detail: shorten(detail, maxText)}
}

// custom gives an event a kind and a title of its own.
func custom(in event.Input, kind, title string) event.Input {
	in.Type, in.Kind, in.Title = event.Custom, shorten(kind, maxShort), shorten(title, maxText)
	if in.Title == "" {
		in.Title = in.Kind
	}
	return in
}

// nameless is an event that does not say what it is: its shape has changed.
func nameless(field string) error {
	return event.Invalid(field, "is missing: nothing says what happened")
}

// firstOf is the first text that is not empty.
func firstOf(texts ...string) string {
	for _, text := range texts {
		if strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}

// mediaType is a request's Content-Type without its parameters.
func (r *Request) mediaType() string {
	name, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return name
}
