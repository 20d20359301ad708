package mailbox

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// decodeTransfer takes a Content-Transfer-Encoding off. It is as lenient as mail
// programs are: what is not of the encoding is passed over or kept.
func decodeTransfer(raw []byte, encoding string) []byte {
	encoding, _, _ = strings.Cut(encoding, ";")
	switch strings.ToLower(strings.Trim(encoding, " \t\"'")) {
	case "base64":
		return fromBase64(base64Lines(raw))
	case "quoted-printable":
		return fromQuoted(raw, false)
	case "x-uuencode", "x-uue", "uuencode":
		return fromUU(raw)
	}
	return raw
}

// base64Lines leaves out lines that are words and no base64: what a mailing list
// has put below it.
func base64Lines(raw []byte) []byte {
	kept := make([]byte, 0, len(raw))
	for line := range bytes.Lines(raw) {
		if words := bytes.TrimSpace(line); !bytes.ContainsAny(words, " \t") {
			kept = append(kept, line...)
		}
	}
	return kept
}

// fromBase64 passes over what is not of the alphabet. Padding ends one text, and
// another may follow.
func fromBase64(raw []byte) []byte {
	out := make([]byte, 0, len(raw)*3/4)
	digits := make([]byte, 0, len(raw))
	flush := func() {
		if len(digits)%4 == 1 {
			digits = digits[:len(digits)-1]
		}
		out, _ = base64.RawStdEncoding.AppendDecode(out, digits)
		digits = digits[:0]
	}
	for _, c := range raw {
		switch {
		case isBase64(c):
			digits = append(digits, c)
		case c == '-':
			digits = append(digits, '+')
		case c == '_':
			digits = append(digits, '/')
		case c == '=' && len(digits) > 0:
			flush()
		}
	}
	flush()
	return out
}

// fromQuoted decodes quoted-printable, or the encoding Q of header words, where
// "_" is a space. A "=" that begins nothing stays.
func fromQuoted(raw []byte, word bool) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '_' && word:
			out = append(out, ' ')
		case c != '=':
			out = append(out, c)
		case i+2 < len(raw) && isHex(raw[i+1]) && isHex(raw[i+2]):
			out = append(out, unhex(raw[i+1])<<4|unhex(raw[i+2]))
			i += 2
		default:
			// A soft line end, perhaps with spaces that were added on the way.
			rest := bytes.TrimLeft(raw[i+1:], " \t\r")
			switch {
			case len(rest) == 0 && !word:
				return out
			case len(rest) > 0 && rest[0] == '\n':
				i = len(raw) - len(rest)
			default:
				out = append(out, c)
			}
		}
	}
	return out
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

// fromUU decodes uuencode between its "begin" and "end".
func fromUU(raw []byte) []byte {
	var out []byte
	begun := false
	for line := range bytes.Lines(raw) {
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case !begun:
			begun = bytes.HasPrefix(line, []byte("begin "))
			continue
		case bytes.Equal(line, []byte("end")):
			return out
		case len(line) == 0:
			continue
		}
		size := int(line[0]-' ') & 63
		for i := 1; i+3 < len(line) && size > 0; i += 4 {
			var b [4]byte
			for j := range b {
				b[j] = (line[i+j] - ' ') & 63
			}
			three := []byte{b[0]<<2 | b[1]>>4, b[1]<<4 | b[2]>>2, b[2]<<6 | b[3]}
			out = append(out, three[:min(3, size)]...)
			size -= 3
		}
	}
	return out
}
