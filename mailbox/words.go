package mailbox

import (
	"strings"
)

// maxWord bounds an encoded word. The standard says 75; programs write whole
// subjects.
const maxWord = 4000

// encodedWord is a word of RFC 2047 taken apart: "=?charset?Q?text?=".
type encodedWord struct {
	charset, text string
	// base64 is the encoding B, else it is Q.
	base64 bool
}

// bytes are the word's, decoded of their transfer encoding.
func (w encodedWord) bytes() ([]byte, bool) {
	if w.base64 {
		raw := fromBase64([]byte(w.text))
		return raw, len(raw) > 0 || w.text == ""
	}
	return fromQuoted([]byte(w.text), true), true
}

// cutWord takes an encoded word off the front of a text.
func cutWord(text string) (word encodedWord, rest string, ok bool) {
	if !strings.HasPrefix(text, "=?") {
		return word, text, false
	}
	label, after, found := strings.Cut(text[2:], "?")
	if !found || label == "" || len(after) < 2 || after[1] != '?' || strings.ContainsAny(label, " \t<>\"") {
		return word, text, false
	}
	switch after[0] {
	case 'B', 'b':
		word.base64 = true
	case 'Q', 'q':
	default:
		return word, text, false
	}
	word.charset = label
	after = after[2:]
	end := strings.Index(after, "?=")
	if end < 0 || end > maxWord {
		return word, text, false
	}
	// "?=" may be the begin of "?=3D": a question mark, and an encoded "=".
	for !word.base64 && end+4 <= len(after) && isHex(after[end+2]) && isHex(after[end+3]) && strings.Contains(after[end+2:], "?=") &&
		!strings.Contains(after[end+2:end+2+strings.Index(after[end+2:], "?=")], "=?") {
		end += 2 + strings.Index(after[end+2:], "?=")
	}
	word.text = after[:end]
	return word, after[end+2:], true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f'
}

// decodeWords decodes a header's text. A word that cannot be decoded stays as it
// is and spoils no other. Words next to each other in one charset are joined
// before they are decoded: programs cut characters in two, and the state of ISO
// 2022 goes on from one word to the next. Bytes that stand outside of words are
// in the charset of the hint, where they are not UTF-8.
func decodeWords(text, hint string) string {
	if !strings.Contains(text, "=?") {
		return decode([]byte(text), "", hint)
	}
	var out strings.Builder
	var pending []byte
	charset := ""
	flush := func() {
		if len(pending) > 0 {
			out.WriteString(decode(pending, charset, hint))
		}
		pending, charset = nil, ""
	}
	afterWord := false
	for text != "" {
		next := strings.Index(text, "=?")
		if next < 0 {
			next = len(text)
		}
		if between := text[:next]; next > 0 {
			text = text[next:]
			if afterWord && strings.TrimSpace(between) == "" && isWord(text) {
				continue // White space between words is not shown.
			}
			flush()
			out.WriteString(decode([]byte(between), "", hint))
			afterWord = false
			continue
		}
		word, rest, ok := cutWord(text)
		raw, good := word.bytes()
		if !ok || !good {
			flush()
			end := 2
			if ok {
				end = len(text) - len(rest)
			}
			out.WriteString(decode([]byte(text[:end]), "", hint))
			text, afterWord = text[end:], ok
			continue
		}
		name := charsetName(word.charset)
		if name != charset {
			flush()
		}
		charset, pending = name, append(pending, raw...)
		text, afterWord = rest, true
	}
	flush()
	return out.String()
}

// isWord reports whether a text begins with an encoded word.
func isWord(text string) bool {
	word, _, ok := cutWord(text)
	_, good := word.bytes()
	return ok && good
}

// wordCharset is the charset of the first encoded word of a text that names one
// for more than ASCII, or empty.
func wordCharset(text string) string {
	for {
		begin := strings.Index(text, "=?")
		if begin < 0 {
			return ""
		}
		text = text[begin:]
		word, rest, ok := cutWord(text)
		if !ok {
			text = text[2:]
			continue
		}
		if name := charsetName(word.charset); !noCharset[name] {
			return name
		}
		text = rest
	}
}
