package api

import (
	"bytes"
	"slices"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
	"tidings/live"
	"tidings/query"
)

// Operations of frames. A client says the first three.
const (
	opSubscribe   = "subscribe"
	opUnsubscribe = "unsubscribe"
	opShows       = "shows"
	opSubscribed  = "subscribed"
	opError       = "error"
	opAt          = "at"
)

// Bounds of what a client says.
const (
	maxClientFrame = 64 << 10
	maxLiveText    = 2000
	maxLiveValues  = 100
	maxLiveValue   = 2000
	maxLiveShows   = 500
)

// clientFrame is what a client says.
type clientFrame struct {
	Op string `json:"op"`
	ID string `json:"id"`
	// Shows are messages that the client shows, for subscribe and shows.
	Shows []string `json:"shows"`
	// Since is for both too; the rest is for subscribe alone.
	Since   string       `json:"since"`
	Q       string       `json:"q"`
	TZ      string       `json:"tz"`
	Filters *liveFilters `json:"filters"`
	// To is toNotifications for what the caller is notified of, instead of a question.
	To string `json:"to"`
}

// toNotifications subscribes to what the caller is notified of.
const toNotifications = "notifications"

// liveFilters are the structured filters, as a page has them.
type liveFilters struct {
	Type      []event.Type    `json:"type"`
	User      []string        `json:"user"`
	Recipient []string        `json:"recipient"`
	Message   []string        `json:"message"`
	Automated query.Automated `json:"automated"`
}

// parseFrame reads and checks one frame of a client. The frame has its id, if
// that could be read, beside a problem too.
func parseFrame(raw []byte) (clientFrame, *Problem) {
	var f clientFrame
	if err := jsonv2.Unmarshal(raw, &f, strict()); err != nil {
		fault := faultOf(err)
		return clientFrame{ID: f.ID}, located("frame", event.Invalid(fault.field, fault.message))
	}
	switch f.Op {
	case opSubscribe:
		if err := f.check(); err != nil {
			return f, located("frame", err)
		}
	case opUnsubscribe:
		if f.Q != "" || f.Since != "" || f.TZ != "" || f.Filters != nil || f.To != "" || f.Shows != nil {
			return f, located("frame", event.Invalid("", "unsubscribe takes an id alone"))
		}
	case opShows:
		if f.Q != "" || f.TZ != "" || f.Filters != nil || f.To != "" {
			return f, located("frame", event.Invalid("", "shows takes an id, shows and since alone"))
		}
		if err := checkList("shows", f.Shows, maxLiveShows); err != nil {
			return f, located("frame", err)
		}
	default:
		return f, located("frame", event.Invalid("op", "is subscribe, shows or unsubscribe"))
	}
	if f.ID == "" {
		return f, located("frame", event.Invalid("id", "is required: frames of this subscription repeat it"))
	}
	return f, nil
}

func (f clientFrame) check() *event.FieldError {
	if len(f.Q) > maxLiveText {
		return event.Invalid("q", "is too long")
	}
	switch {
	case f.To != "" && f.To != toNotifications:
		return event.Invalid("to", "is notifications, or absent")
	case f.To != "" && (f.Q != "" || f.Filters != nil):
		return event.Invalid("to", "takes neither q nor filters beside it")
	}
	if err := checkList("shows", f.Shows, maxLiveShows); err != nil || f.Filters == nil {
		return err
	}
	if err := f.Filters.check(); err != nil {
		return event.Invalid("filters."+err.Field, err.Problem)
	}
	return nil
}

func (f liveFilters) check() *event.FieldError {
	if len(f.Type) > maxLiveValues {
		return event.Invalid("type", "has too many values")
	}
	for _, t := range f.Type {
		if !t.Valid() {
			return event.Invalid("type", "is not one of the types of events")
		}
	}
	for _, list := range []struct {
		name   string
		values []string
	}{{"user", f.User}, {"recipient", f.Recipient}, {"message", f.Message}} {
		if err := checkList(list.name, list.values, maxLiveValues); err != nil {
			return err
		}
	}
	switch f.Automated {
	case "", query.AutomatedHide, query.AutomatedShow, query.AutomatedOnly:
		return nil
	}
	return event.Invalid("automated", "is hide, show or only")
}

// checkList bounds a list of values.
func checkList(name string, values []string, most int) *event.FieldError {
	if len(values) > most {
		return event.Invalid(name, "has too many values")
	}
	if slices.ContainsFunc(values, func(v string) bool { return len(v) > maxLiveValue }) {
		return event.Invalid(name, "has a value that is too long")
	}
	return nil
}

func (f *liveFilters) filter() query.Filter {
	if f == nil {
		return query.Filter{}
	}
	return query.Filter{
		Types: f.Type, Users: f.User, Recipients: f.Recipient, Messages: f.Message, Automated: f.Automated,
	}
}

// appendFrame begins a frame of the server: {"op":…,"id":…
func appendFrame(to []byte, op, id string) []byte {
	to = append(to, `{"op":"`...)
	to = append(to, op...)
	to = append(to, '"')
	if id != "" {
		to = append(to, `,"id":`...)
		to = appendText(to, id)
	}
	return to
}

// appendText appends a JSON text. Only ids that a frame held are given, which
// are valid UTF-8.
func appendText(to []byte, text string) []byte {
	quoted, err := jsontext.AppendQuote(to, text)
	if err != nil {
		return append(to, `""`...)
	}
	return quoted
}

// appendJSON appends a value as answers have it.
func appendJSON(to []byte, value any) ([]byte, error) {
	body := bytes.NewBuffer(to)
	err := writeJSON(body, value)
	return body.Bytes(), err
}

// appendAt ends a frame with its position, which is safe in JSON as it is.
func appendAt(to []byte, at live.Position) []byte {
	to = append(to, `,"at":"`...)
	to = append(to, at.String()...)
	return append(to, `"}`...)
}

// appendDelivery writes a delivery as a frame. highlights is what the query of
// the subscription matched, none for most.
func appendDelivery(to []byte, d live.Delivery, highlights map[string][][2]int) ([]byte, error) {
	to = appendFrame(to, d.Kind, d.Subscription)
	switch d.Kind {
	case live.KindReset:
		return append(to, `,"reason":"position_expired"}`...), nil
	case event.AnnounceGone:
		to = append(to, `,"item":"`...)
		to = append(to, d.Gone.String()...)
		to = append(to, '"')
	case event.AnnounceState, event.AnnounceNotification, event.AnnounceWithdrawn, event.AnnounceRead:
		// The body is an object whose members join the frame's.
		to = append(to, ',')
		to = append(to, d.Body[1:len(d.Body)-1]...)
	default:
		to = append(to, `,"item":`...)
		if len(highlights) == 0 {
			to = append(to, d.Body...)
			break
		}
		to = append(to, d.Body[:len(d.Body)-1]...)
		to = append(to, `,"highlights":`...)
		var err error
		if to, err = appendJSON(to, highlights); err != nil {
			return nil, err
		}
		to = append(to, '}')
	}
	return appendAt(to, d.At), nil
}
