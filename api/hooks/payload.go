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
	value := jsontext.Value(payload)
	if value.Kind() == jsontext.KindBeginArray {
		var list []jsontext.Value
		if jsonv2.Unmarshal(value, &list, lenient()) != nil || len(list) == 0 {
			return ""
		}
		return Lookup(list[0], path)
	}
	if path == "" {
		return scalar(value)
	}
	if value.Kind() != jsontext.KindBeginObject {
		return ""
	}
	var object map[string]jsontext.Value
	if jsonv2.Unmarshal(value, &object, lenient()) != nil {
		return ""
	}
	if whole, ok := object[path]; ok {
		return Lookup(whole, "")
	}
	for at := strings.IndexByte(path, '.'); at >= 0; {
		if within, ok := object[path[:at]]; ok {
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
