package mailbox

import (
	"io"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding/charmap"
)

// wordDecoder decodes the words of RFC 2047 in whatever charset they are in.
func wordDecoder() *mime.WordDecoder {
	return &mime.WordDecoder{CharsetReader: func(name string, words io.Reader) (io.Reader, error) {
		if decoded, err := charset.Reader(name, words); err == nil {
			return decoded, nil
		}
		// "unknown-8bit" and misspellings: as good as no charset.
		raw, err := io.ReadAll(words)
		return strings.NewReader(toUTF8(string(raw))), err
	}}
}

// decodeWords decodes a header's text; what cannot be decoded stays.
func decodeWords(text string) string {
	if !strings.Contains(text, "=?") {
		return text
	}
	decoded, err := wordDecoder().DecodeHeader(text)
	if err != nil {
		return text
	}
	return decoded
}

// toUTF8 reads bytes of no known charset: UTF-8 when they are, or else Windows
// 1252, which is what programs that name no charset wrote.
func toUTF8(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	decoded, err := charmap.Windows1252.NewDecoder().String(text)
	if err != nil {
		return strings.ToValidUTF8(text, "\ufffd")
	}
	return decoded
}

// printable takes control characters out, and reads those of ISO 8859-1 as the
// Windows 1252 that was meant.
func printable(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r >= 0x80 && r <= 0x9f:
		r = charmap.Windows1252.DecodeByte(byte(r))
	}
	if unicode.IsControl(r) {
		return -1
	}
	return r
}

// cleanLine makes one line of a header's text, of at most so many bytes when
// most is not 0.
func cleanLine(text string, most int) string {
	text = strings.Join(strings.Fields(toUTF8(text)), " ")
	return cut(strings.Map(printable, text), most)
}

// cleanBody makes a body of a text: lines that end in a line feed, and no blank
// ones around.
func cleanBody(text string) string {
	text = toUTF8(text)
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(text, "\r\n", "\n")
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	text = strings.Map(printable, text)
	text = strings.TrimRightFunc(text, unicode.IsSpace)
	return cut(strings.TrimLeft(text, "\n"), maxText)
}

// cut shortens a text to so many bytes, at the end of a character.
func cut(text string, most int) string {
	if most == 0 || len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return strings.TrimSpace(text[:most])
}
