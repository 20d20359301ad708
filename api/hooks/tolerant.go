package hooks

import (
	"encoding"
	"errors"
	"reflect"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tidings/api/hooks/mapping"
)

// tolerant reads a member of another type than expected as far as it can be
// read: scalars as a text, number or flag whatever they are in JSON, one value as
// a list of it. What cannot be read is left out, so that a field that an event
// can do without never loses it.
func tolerant() jsonv2.Options {
	return jsonv2.JoinOptions(lenient(), jsonv2.WithUnmarshalers(jsonv2.JoinUnmarshalers(
		jsonv2.UnmarshalFromFunc(readText), jsonv2.UnmarshalFromFunc(readWhole), jsonv2.UnmarshalFromFunc(readFlag), jsonv2.UnmarshalFromFunc(skipOther),
	)))
}

// scalarOf reads the next value as a text; ok is false for what is no scalar.
func scalarOf(from *jsontext.Decoder) (text string, ok bool, err error) {
	raw, err := from.ReadValue()
	if err != nil {
		return "", false, err
	}
	switch raw.Kind() {
	case jsontext.KindString:
		unquoted, err := jsontext.AppendUnquote(nil, raw)
		return strings.ToValidUTF8(string(unquoted), "\uFFFD"), err == nil || len(unquoted) > 0, nil
	case jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
		return string(raw), true, nil
	}
	return "", false, nil
}

func readText(from *jsontext.Decoder, into *string) error {
	text, _, err := scalarOf(from)
	*into = text
	return err
}

func readWhole(from *jsontext.Decoder, into *int64) error {
	text, _, err := scalarOf(from)
	*into = 0
	if whole, failed := strconv.ParseInt(strings.TrimSpace(text), 10, 64); failed == nil {
		*into = whole
	} else if f, failed := strconv.ParseFloat(strings.TrimSpace(text), 64); failed == nil && f > -1<<62 && f < 1<<62 {
		*into = int64(f)
	}
	return err
}

func readFlag(from *jsontext.Decoder, into *bool) error {
	text, _, err := scalarOf(from)
	*into, _ = mapping.Flag(text)
	return err
}

// skipOther passes over an object or list where another is expected.
func skipOther(from *jsontext.Decoder, into any) error {
	switch into.(type) {
	case jsonv2.UnmarshalerFrom, jsonv2.Unmarshaler, encoding.TextUnmarshaler:
		return errors.ErrUnsupported
	}
	target := reflect.ValueOf(into)
	if _, coded := into.(*[]byte); coded || target.Kind() != reflect.Pointer {
		return errors.ErrUnsupported
	}
	kind, next := target.Elem().Kind(), from.PeekKind()
	object := next == jsontext.KindBeginObject
	list := next == jsontext.KindBeginArray
	switch {
	case (kind == reflect.Struct || kind == reflect.Map) && !object,
		kind == reflect.Slice && !list && target.Elem().Type().Elem().Kind() != reflect.String:
		return from.SkipValue()
	case kind == reflect.Slice && !list:
		text, ok, err := scalarOf(from)
		if ok && text != "" {
			one := reflect.New(target.Elem().Type().Elem()).Elem()
			one.SetString(text)
			target.Elem().Set(reflect.Append(reflect.Zero(target.Elem().Type()), one))
		}
		return err
	}
	return errors.ErrUnsupported
}
