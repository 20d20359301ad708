package mailbox

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	utf16 "golang.org/x/text/encoding/unicode"
)

// charsetNames are labels that mail has and neither the WHATWG's encoding
// standard nor IANA knows.
var charsetNames = map[string]string{
	"cp932": "shift_jis", "ms932": "shift_jis", "sjis": "shift_jis", "x-ms-cp932": "shift_jis",
	"cp936": "gbk", "ms936": "gbk", "x-gbk": "gbk", "gb-2312": "gbk", "euc-cn": "gbk", "gb_2312": "gbk",
	"cp949": "euc-kr", "ms949": "euc-kr", "uhc": "euc-kr", "ksc5601": "euc-kr", "ks_c_5601": "euc-kr",
	"cp950": "big5", "ms950": "big5", "eucjp": "euc-jp", "euckr": "euc-kr",
	"koi8r": "koi8-r", "koi8u": "koi8-u", "win-1251": "windows-1251", "win1251": "windows-1251",
	"latin-1": "windows-1252", "iso-latin-1": "windows-1252", "8859-1": "windows-1252", "8859_1": "windows-1252",
	"iso 8859-1": "windows-1252", "latin-2": "iso-8859-2", "mac": "macintosh", "mac-roman": "macintosh",
	"cp-850": "cp850", "utf_8": "utf-8", "utf": "utf-8", "unicode": "utf-16", "ucs-2": "utf-16", "utf-16": "utf-16",
	"utf16": "utf-16",
}

// says nothing: programs wrote these where they did not know the charset.
var noCharset = map[string]bool{
	"": true, "us-ascii": true, "ascii": true, "ansi_x3.4-1968": true, "unknown-8bit": true, "x-unknown": true,
	"unknown": true, "default": true, "default_charset": true, "8bit": true, "x-user-defined": true, "none": true,
	"binary": true, "iso-8859-1-or-utf-8": true,
}

// charsetName makes one form of a label: lower case, without quotes and without
// the language of RFC 2231.
func charsetName(label string) string {
	label, _, _ = strings.Cut(label, "*")
	label = strings.ToLower(strings.Trim(label, " \t\"'"))
	if name, ok := charsetNames[label]; ok {
		return name
	}
	if number, ok := strings.CutPrefix(label, "cp125"); ok {
		return "windows-125" + number
	}
	if number, ok := strings.CutPrefix(label, "windows125"); ok {
		return "windows-125" + number
	}
	return label
}

// encodingOf is the encoding that a label names, as browsers have it and then as
// IANA does, or nil.
func encodingOf(name string) encoding.Encoding {
	if name == "hz-gb-2312" || name == "hz" {
		return simplifiedchinese.HZGB2312
	}
	if found, err := htmlindex.Get(name); err == nil && found != encoding.Replacement {
		return found
	}
	if found, err := ianaindex.MIME.Encoding(name); err == nil && found != nil {
		return found
	}
	return nil
}

// decode makes text of bytes in a charset. hint is the charset for bytes that
// have no label, or one that says nothing; without it these are UTF-8 where they
// can be, and windows-1252 elsewhere.
func decode(raw []byte, label, hint string) string {
	switch {
	case bytes.HasPrefix(raw, byteOrderMark):
		return validOr(raw[len(byteOrderMark):], "")
	case bytes.HasPrefix(raw, []byte("\xff\xfe")), bytes.HasPrefix(raw, []byte("\xfe\xff")):
		return decodeUTF16(raw)
	}
	name := charsetName(label)
	if noCharset[name] {
		return undeclared(raw, hint)
	}
	switch name {
	case "utf-8", "utf8", "unicode-1-1-utf-8":
		return validOr(raw, hint)
	case "utf-7", "unicode-1-1-utf-7", "utf7", "csunicode11utf7":
		return decodeUTF7(raw)
	case "utf-16", "utf-16le", "utf-16be", "csunicode", "iso-10646-ucs-2":
		if name == "utf-16be" {
			return withDecoder(utf16.UTF16(utf16.BigEndian, utf16.IgnoreBOM), raw)
		}
		return decodeUTF16(raw)
	}
	if found := encodingOf(name); found != nil {
		return withDecoder(found, raw)
	}
	return undeclared(raw, hint)
}

// undeclared reads bytes of which nothing says in what charset they are.
func undeclared(raw []byte, hint string) string {
	if bytes.Contains(raw, []byte("\x1b$")) || bytes.Contains(raw, []byte("\x1b(J")) {
		return withDecoder(encodingOf("iso-2022-jp"), raw)
	}
	return validOr(raw, hint)
}

// validOr reads bytes that should be UTF-8. Those that mostly are keep what is;
// others are in the charset of the hint, or else in windows-1252.
func validOr(raw []byte, hint string) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	good, bad := 0, 0
	for rest := raw; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			bad++
		case size > 1:
			good++
		}
		rest = rest[size:]
	}
	if good > bad {
		return strings.ToValidUTF8(string(raw), "\ufffd")
	}
	name := charsetName(hint)
	if found := encodingOf(name); found != nil && !noCharset[name] && !strings.HasPrefix(name, "utf") {
		return withDecoder(found, raw)
	}
	return withDecoder(charmap.Windows1252, raw)
}

func withDecoder(from encoding.Encoding, raw []byte) string {
	decoded, err := from.NewDecoder().Bytes(raw)
	if err != nil {
		return strings.ToValidUTF8(string(raw), "\ufffd")
	}
	return string(decoded)
}

// decodeUTF16 takes the order of bytes from the mark, or from where the zeros
// are: most text has characters below 256.
func decodeUTF16(raw []byte) string {
	order := utf16.LittleEndian
	even, odd := 0, 0
	for i, b := range raw {
		if b == 0 && i%2 == 0 {
			even++
		} else if b == 0 {
			odd++
		}
	}
	if even > odd {
		order = utf16.BigEndian
	}
	return withDecoder(utf16.UTF16(order, utf16.UseBOM), raw)
}

// decodeUTF7 reads RFC 2152: "+" begins UTF-16 in base64, which "-" or any other
// character ends.
func decodeUTF7(raw []byte) string {
	var text strings.Builder
	for i := 0; i < len(raw); {
		if raw[i] != '+' {
			text.WriteByte(raw[i])
			i++
			continue
		}
		end := i + 1
		for end < len(raw) && isBase64(raw[end]) {
			end++
		}
		if end == i+1 {
			text.WriteByte('+')
		} else {
			units, _ := base64.RawStdEncoding.DecodeString(string(raw[i+1 : end]))
			text.WriteString(withDecoder(utf16.UTF16(utf16.BigEndian, utf16.IgnoreBOM), units[:len(units)/2*2]))
		}
		if end < len(raw) && raw[end] == '-' {
			end++
		}
		i = end
	}
	return strings.ToValidUTF8(text.String(), "\ufffd")
}

func isBase64(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}

// decodeHTML reads HTML as a browser does: by its label, or else by what its
// meta element says.
func decodeHTML(raw []byte, label, hint string) string {
	name := charsetName(label)
	if !noCharset[name] || utf8.Valid(raw) && !bytes.Contains(raw, []byte("\x1b$")) {
		return decode(raw, label, hint)
	}
	if found, declared, sure := charset.DetermineEncoding(raw, ""); sure || declared != "windows-1252" && declared != "utf-8" {
		return withDecoder(found, raw)
	}
	return decode(raw, label, hint)
}

// toUTF8 reads bytes of no known charset.
func toUTF8(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return validOr([]byte(text), "")
}

// printable takes control characters out, and reads those of ISO 8859-1 as the
// windows-1252 that was meant.
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
