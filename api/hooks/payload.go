package hooks

import (
	"bytes"
	"regexp"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Lookup finds the text at a path of names in a JSON object: "user_id", or
// "user-variables.user" one level down. A name may hold dots itself. A list
// stands for its first element. It is empty where there is none.
func Lookup(payload []byte, path string) string {
	switch value := jsontext.Value(payload); {
	case value.Kind() == jsontext.KindBeginArray:
		return Lookup(firstElement(payload), path)
	case path == "":
		return scalar(value)
	case value.Kind() != jsontext.KindBeginObject:
		return ""
	}
	members := membersOn(payload, path)
	if whole, ok := members[path]; ok {
		return Lookup(whole, "")
	}
	for at := strings.IndexByte(path, '.'); at >= 0; {
		if within, ok := members[path[:at]]; ok {
			if found := Lookup(within, path[at+1:]); found != "" {
				return found
			}
		}
		next := strings.IndexByte(path[at+1:], '.')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return ""
}

// firstElement is the first of a list, nil where there is none. Like membersOn it reads
// on without keeping what it reads: a body may be looked into before it is believed.
func firstElement(list []byte) []byte {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(list), lenient())
	if _, err := decoder.ReadToken(); err != nil {
		return nil
	}
	var first []byte
	for decoder.PeekKind() != jsontext.KindEndArray {
		value, err := decoder.ReadValue()
		if err != nil {
			return nil
		}
		if first == nil {
			end := decoder.InputOffset()
			first = list[end-int64(len(value)) : end]
		}
	}
	return first
}

// membersOn are the members of an object whose names a path begins with; of a name that is
// given twice the last. nil where it is no object.
func membersOn(object []byte, path string) map[string][]byte {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(object), lenient())
	if _, err := decoder.ReadToken(); err != nil {
		return nil
	}
	found := make(map[string][]byte)
	for decoder.PeekKind() != jsontext.KindEndObject {
		name, err := decoder.ReadValue()
		if err != nil {
			return nil
		}
		wanted, on := leads(name, path)
		value, err := decoder.ReadValue()
		if err != nil {
			return nil
		}
		if end := decoder.InputOffset(); on {
			found[wanted] = object[end-int64(len(value)) : end]
		}
	}
	return found
}

// leads is the beginning of a path that a name, as JSON has it, stands for.
func leads(name jsontext.Value, path string) (wanted string, on bool) {
	const escaped = len(`\u0000`) // what a byte takes at most
	if len(name) > escaped*len(path)+len(`""`) {
		return "", false
	}
	plain := name[1 : len(name)-1]
	if bytes.IndexByte(plain, '\\') >= 0 {
		plain, _ = jsontext.AppendUnquote(nil, name) // what is wrong with it leads nowhere
	}
	if len(plain) > len(path) || path[:len(plain)] != string(plain) {
		return "", false
	}
	rest := path[len(plain):]
	return path[:len(plain)], rest == "" || rest[0] == '.'
}

// scalar is a text or a number.
func scalar(value jsontext.Value) string {
	switch value.Kind() {
	case jsontext.KindString:
		var text string
		if jsonv2.Unmarshal(value, &text, lenient()) == nil {
			return shorten(text, maxShort)
		}
	case jsontext.KindNumber:
		return string(bytes.TrimSpace(value))
	}
	return ""
}

// Masked is how a payload is shown to people: addresses hidden but for their
// domain, what is named like a secret or the text of a mail blanked, and the
// whole cut to most bytes.
func Masked(payload []byte, most int) string {
	if len(payload) > 4*most {
		payload = payload[:4*most]
	}
	var text string
	if masked, ok := maskedJSON(payload, 0); ok {
		text = masked
	} else {
		text = strings.ToValidUTF8(string(payload), "\uFFFD")
		text = hiddenMember.ReplaceAllString(text, `$1"…"`)
		text = hiddenPart.ReplaceAllString(text, "$1…")
		text = maskAddresses(text)
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// mostNested bounds how deep JSON within texts of JSON is looked into.
const mostNested = 3

// maskedJSON masks a JSON value. ok is false for what is none.
func maskedJSON(payload []byte, depth int) (text string, ok bool) {
	var value any
	if depth > mostNested || jsonv2.Unmarshal(payload, &value, lenient()) != nil {
		return "", false
	}
	raw, err := jsonv2.Marshal(masked(value, depth), jsonv2.Deterministic(true), jsontext.EscapeForHTML(false))
	return string(raw), err == nil
}

func masked(value any, depth int) any {
	switch value := value.(type) {
	case map[string]any:
		shown := make(map[string]any, len(value))
		for name, within := range value {
			if text, isText := within.(string); isText && text != "" && hiddenName.MatchString(name) {
				shown[name] = "…"
				continue
			}
			shown[maskAddresses(name)] = masked(within, depth)
		}
		return shown
	case []any:
		for i := range value {
			value[i] = masked(value[i], depth)
		}
		return value
	case string:
		if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
			if text, ok := maskedJSON([]byte(value), depth+1); ok {
				return text
			}
		}
		return maskAddresses(value)
	}
	return value
}

func maskAddresses(text string) string {
	return cutAddress.ReplaceAllString(mailAddress.ReplaceAllString(text, "…@$1"), "…@")
}

// hidden are names of what nobody should read: secrets, and the text of mails.
const hidden = `(?:[a-z0-9_-]*(?:signature|token|secret|password|authorization|api[_-]?key|subscribeurl)[a-z0-9_-]*` +
	`|html|text|email|content|rawemail|(?:html|text|body|stripped)[-_]?[a-z]*)`

var (
	hiddenName = regexp.MustCompile(`(?i)^` + strings.Replace(hidden, "|email|", "|", 1) + `$`)
	// hiddenMember and hiddenPart are the same in JSON that is cut off, and in
	// a form of several parts, where email is the raw mail.
	hiddenMember = regexp.MustCompile(`(?i)("` + strings.Replace(hidden, "|email|", "|", 1) + `"\s*:\s*)"(?:[^"\\]|\\.)*(?:"|$)`)
	hiddenPart   = regexp.MustCompile(`(?is)(name="` + hidden + `"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n).*?(?:\r?\n--|$)`)
	// mailAddress is one as it stands in a text, also percent-encoded.
	mailAddress = regexp.MustCompile(`(?i)[^\s"'<>(),;:=&\\/\[\]{}@|%]+(?:@|%40)([\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?)`)
	// cutAddress is one whose domain was cut off.
	cutAddress = regexp.MustCompile(`[^\s"'<>(),;:=&\\/\[\]{}@|…]+@(?:$|[\s"])`)
)
