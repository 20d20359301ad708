package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
)

// strict are the options of every body: names are compared with their case, a
// name may be given once, unknown names and invalid UTF-8 are refused.
func strict() jsonv2.Options {
	return jsonv2.JoinOptions(
		jsonv2.RejectUnknownMembers(true),
		jsonv2.MatchCaseInsensitiveNames(false),
		jsontext.AllowDuplicateNames(false),
		jsontext.AllowInvalidUTF8(false),
	)
}

// fault is what is wrong with a JSON text: where and what, for its sender, and
// its kind for the metrics.
type fault struct {
	field, message string
	reason         reason
}

// reason is why an event was refused, as it is counted.
type reason string

const (
	reasonSyntax    reason = "syntax"
	reasonUnknown   reason = "unknown_field"
	reasonDuplicate reason = "duplicate_field"
	reasonEncoding  reason = "encoding"
	reasonType      reason = "wrong_type"
	reasonInvalid   reason = "invalid_value"
	reasonErased    reason = "erased"
)

func (f fault) text() string {
	if f.field == "" {
		return f.message
	}
	return f.field + ": " + f.message
}

// faultOf reads a decoding error. The error's own text names Go types and is
// not shown.
func faultOf(err error) fault {
	var syntactic *jsontext.SyntacticError
	var semantic *jsonv2.SemanticError
	switch {
	case errors.As(err, &semantic) && errors.Is(err, jsonv2.ErrUnknownName):
		return fault{fieldOf(semantic.JSONPointer), "is not a known field (names are compared with their case)", reasonUnknown}
	case errors.As(err, &syntactic) && errors.Is(err, jsontext.ErrDuplicateName):
		return fault{fieldOf(syntactic.JSONPointer), "is given twice", reasonDuplicate}
	case errors.As(err, &semantic):
		return fault{fieldOf(semantic.JSONPointer), wrongType(semantic), reasonType}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault{"", "the JSON ends too early", reasonSyntax}
	case errors.As(err, &syntactic) && strings.Contains(syntactic.Err.Error(), "UTF-8"):
		return fault{fieldOf(syntactic.JSONPointer), "is not valid UTF-8", reasonEncoding}
	case errors.As(err, &syntactic):
		return fault{fieldOf(syntactic.JSONPointer), fmt.Sprintf("is not valid JSON at byte %d: %s", syntactic.ByteOffset, clip(syntactic.Err.Error())), reasonSyntax}
	}
	return fault{"", "is not valid JSON", reasonSyntax}
}

// wrongType says what was given and what would be right.
func wrongType(err *jsonv2.SemanticError) string {
	if err.GoType != nil && kindName(err.GoType) == "a time" && err.Err != nil {
		return clip(err.Err.Error()) // Moment says it for its sender
	}
	wanted := "something else"
	if err.GoType != nil {
		wanted = kindName(err.GoType)
	}
	return fmt.Sprintf("is %s; %s is expected", jsonName(err.JSONKind), wanted)
}

func kindName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[event.Moment]() {
		return "a time"
	}
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a number"
}

func jsonName(kind jsontext.Kind) string {
	switch kind {
	case jsontext.KindNull:
		return "null"
	case jsontext.KindFalse, jsontext.KindTrue:
		return "true or false"
	case jsontext.KindString:
		return "a text"
	case jsontext.KindNumber:
		return "a number"
	case jsontext.KindBeginArray, jsontext.KindEndArray:
		return "a list"
	case jsontext.KindBeginObject, jsontext.KindEndObject:
		return "an object"
	}
	return "something else"
}

// fieldOf writes a JSON pointer as recipients[3].email.
func fieldOf(pointer jsontext.Pointer) string {
	var field strings.Builder
	for token := range pointer.Tokens() {
		switch {
		case field.Len() == 0:
			field.WriteString(token)
		case isIndex(token):
			field.WriteString("[" + token + "]")
		default:
			field.WriteString("." + token)
		}
		if field.Len() > maxEcho {
			break
		}
	}
	return clip(field.String())
}

func isIndex(token string) bool {
	for _, r := range token {
		if r < '0' || r > '9' {
			return false
		}
	}
	return token != ""
}

// decodeDocument reads a small body as one JSON object.
func decodeDocument[T any](b *bodies, c *content) (T, error) {
	var value T
	if _, err := c.mediaType("application/json"); err != nil {
		return value, err
	}
	body, release, err := b.read(c, maxDocument, false)
	if err != nil {
		return value, err
	}
	defer release()
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '{' {
		return value, invalidBody("", "must be one JSON object")
	}
	if err := jsonv2.Unmarshal(body, &value, strict()); err != nil {
		fault := faultOf(err)
		return value, invalidBody(fault.field, fault.message)
	}
	return value, nil
}
