package api

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
)

// maxEvents is how many events one request may hold.
const maxEvents = 10_000

// batch is what a body of events holds: those that are good, and for the
// others why not.
type batch struct {
	good []event.Event
	// at says which one each good event is.
	at       []int
	rejected []rejection
	// total counts both.
	total int
}

// rejection is an event that was refused.
type rejection struct {
	index int
	fault
}

// reader decodes a body of events in one pass, checking each on its own.
type reader struct {
	workspace string
	// sources are the only ones that are taken; nil for any.
	sources []string
	limits  event.Limits
	options jsonv2.Options
	decoder *jsontext.Decoder
	buffer  bytes.Buffer
	batch   batch
}

// sourceAPI is the source of events whose sender names none.
const sourceAPI = "api"

func newReader(workspace string, limits event.Limits) *reader {
	return &reader{
		workspace: workspace, limits: limits,
		options: strict(), decoder: jsontext.NewDecoder(&bytes.Buffer{}),
	}
}

// readLines reads one event a line. A bad line spoils no other.
func (r *reader) readLines(body []byte) error {
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if r.batch.total == maxEvents {
			return tooMany()
		}
		if line[0] != '{' {
			r.reject(notAnObject(line))
			continue
		}
		var in event.Input
		if !in.ReadPlain(line) {
			in = event.Input{}
			if err := jsonv2.Unmarshal(line, &in, r.options); err != nil {
				r.reject(faultOf(err))
				continue
			}
		}
		r.take(in)
	}
	return nil
}

// readJSON reads one event or an array of them. An error of syntax is one of
// the whole body, since what follows it cannot be told apart; any other one is
// of its event alone.
func (r *reader) readJSON(body []byte) error {
	rest := skipSpace(body)
	if len(rest) == 0 {
		return invalidBody("", "is empty")
	}
	if rest[0] != '[' {
		length, err := r.element(rest, len(body)-len(rest))
		if err == nil && len(skipSpace(rest[length:])) > 0 {
			return invalidBody("", "goes on after the event: several need an array, or application/x-ndjson")
		}
		return err
	}
	rest = skipSpace(rest[1:])
	for first := true; ; first = false {
		switch {
		case len(rest) == 0:
			return invalidBody("", "ends before its array does")
		case rest[0] == ']' && len(skipSpace(rest[1:])) > 0:
			return invalidBody("", "goes on after its array")
		case rest[0] == ']':
			return nil
		case !first && rest[0] != ',':
			return invalidBody("", fmt.Sprintf("is not valid JSON at byte %d: a comma or ] is missing", len(body)-len(rest)))
		case !first:
			if rest = skipSpace(rest[1:]); len(rest) > 0 && rest[0] == ']' {
				return invalidBody("", fmt.Sprintf("is not valid JSON at byte %d: an event is missing", len(body)-len(rest)))
			}
		}
		if r.batch.total == maxEvents {
			return tooMany()
		}
		length, err := r.element(rest, len(body)-len(rest))
		if err != nil {
			return err
		}
		rest = skipSpace(rest[length:])
	}
}

// element reads the JSON value that rest begins with, at an offset of the body,
// and returns its length.
func (r *reader) element(rest []byte, offset int) (int, error) {
	var in event.Input
	var wrong *fault
	if len(rest) > 0 && rest[0] == '{' {
		r.buffer = *bytes.NewBuffer(rest)
		r.decoder.Reset(&r.buffer, r.options)
		err := jsonv2.UnmarshalDecode(r.decoder, &in)
		if err == nil {
			r.take(in)
			return int(r.decoder.InputOffset()), nil
		}
		fault := faultOf(err)
		wrong = &fault
	}
	// The event is bad, or the syntax of the body is: find its end.
	lenient := jsontext.NewDecoder(bytes.NewBuffer(rest), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	value, err := lenient.ReadValue()
	if err != nil {
		fault := faultOf(err)
		location := fmt.Sprintf("events[%d]", r.batch.total)
		message := fault.message
		var syntactic *jsontext.SyntacticError
		if errors.As(err, &syntactic) && fault.reason == reasonSyntax {
			message = fmt.Sprintf("is not valid JSON at byte %d of the body", offset+int(syntactic.ByteOffset))
		}
		p := invalidBody("", message)
		p.Errors[0].Location = location
		return 0, p
	}
	if wrong == nil {
		fault := notAnObject(value)
		wrong = &fault
	}
	r.reject(*wrong)
	return int(lenient.InputOffset()), nil
}

// take checks an event that could be read.
func (r *reader) take(in event.Input) {
	e, err := in.Event(r.workspace, sourceAPI, r.limits)
	if err == nil && len(r.sources) > 0 && !slices.Contains(r.sources, e.Source) {
		err = event.Invalid("source", "is not one that this key is for")
	}
	if err == nil {
		r.batch.good = append(r.batch.good, e)
		r.batch.at = append(r.batch.at, r.batch.total)
		r.batch.total++
		return
	}
	var field *event.FieldError
	if !errors.As(err, &field) {
		field = event.Invalid("", "is not valid")
	}
	r.reject(fault{field.Field, field.Problem, reasonInvalid})
}

func (r *reader) reject(f fault) {
	r.batch.rejected = append(r.batch.rejected, rejection{r.batch.total, f})
	r.batch.total++
}

func notAnObject(value []byte) fault {
	kind := jsontext.Value(value).Kind()
	return fault{"", "is " + jsonName(kind) + "; an event is a JSON object", reasonType}
}

func skipSpace(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }
