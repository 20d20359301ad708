// Package address says what a mail address is, and which ways of writing one
// mean the same person. What people, vendors and mail programs write goes in;
// one canonical text comes out, by which addresses are compared, hashed and
// searched everywhere.
//
// The canonical text is in lower case and NFC. Its domain has no dot at its end
// and is written in Unicode (U-labels): it is made through the ASCII form
// (A-labels), so the two forms of a domain always meet in one text. Its local
// part has quotes only where it cannot be written without them.
package address

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Max bounds an address, in bytes.
const Max = 320

// quotedOnly are the characters that a local part may hold in quotes alone.
const quotedOnly = " <>(),;\"\\"

// labels maps domains as RFC 5891 and UTS 46 have it, for looking one up. It is
// lenient on what host names forbid, such as "_": mail comes from such domains.
var labels = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false))

// Canonical is the one text that stands for an address. problem says, for
// whoever wrote it, why a text is none; it is empty otherwise. A text without a
// problem has a local part and a domain, and holds no control characters. What
// a local part may be is up to its domain: a..b@docomo.example is an address.
func Canonical(text string) (canonical, problem string) {
	if isCanonical(text) {
		return text, ""
	}
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", "is required"
	case len(text) > Max:
		return "", "is longer than a mail address can be"
	case !utf8.ValidString(text):
		return "", "is not valid UTF-8"
	case strings.ContainsFunc(text, isControl):
		return "", "holds a control character"
	}
	local, host, found := split(text)
	if !found {
		return "", "is not a mail address"
	}
	local, fits := canonicalLocal(local)
	host = Domain(host)
	if !fits || host == "" || strings.ContainsAny(host, quotedOnly+"@") || strings.ContainsFunc(host, unicode.IsSpace) {
		return "", "is not a mail address"
	}
	canonical = local + "@" + host
	if len(canonical) > Max {
		return "", "is longer than a mail address can be"
	}
	return canonical, ""
}

// isCanonical reports whether an address is surely canonical already, as most are: what is
// stored is, and a state of a mailing has a thousand.
func isCanonical(text string) bool {
	at := strings.LastIndexByte(text, '@')
	if at < 1 || at == len(text)-1 || len(text) > Max || !isPlain(text[at+1:]) {
		return false
	}
	for i := range at {
		if c := text[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' && c != '+' && c != '=' {
			return false
		}
	}
	return true
}

// Fold is Canonical for a text that need not be an address, such as one that is
// still being typed: what is none is trimmed and in lower case.
func Fold(text string) string {
	if canonical, problem := Canonical(text); problem == "" {
		return canonical
	}
	return strings.ToLower(strings.TrimSpace(text))
}

// Domain is the canonical text of a domain: lower case, NFC, in Unicode and
// without a dot at its end. What no domain can be keeps its letters.
func Domain(text string) string {
	if isPlain(text) {
		return text
	}
	text = trimDot(lower(strings.TrimSpace(text)))
	if isASCII(text) && !strings.Contains(text, "xn--") {
		return text
	}
	ascii, err := labels.ToASCII(text)
	if err != nil || ascii == "" {
		return text
	}
	ascii = trimDot(ascii)
	shown, err := labels.ToUnicode(ascii)
	if err != nil || shown == "" {
		return ascii
	}
	if again, err := labels.ToASCII(shown); err != nil || again != ascii {
		return ascii
	}
	return shown
}

// ASCII is an address with its domain in A-labels, as mail programs and vendors
// that know no others write it.
func ASCII(email string) string {
	at := strings.LastIndexByte(email, '@')
	ascii, err := labels.ToASCII(email[at+1:])
	if err != nil {
		return email
	}
	return email[:at+1] + ascii
}

// split cuts a text at the "@" before its domain.
func split(text string) (local, host string, found bool) {
	at := strings.LastIndexByte(text, '@')
	if at < 1 || at == len(text)-1 {
		return "", "", false
	}
	return text[:at], text[at+1:], true
}

// canonicalLocal is a local part with quotes only where it needs them (RFC 5322,
// section 3.4.1: the quotes are no part of the address).
func canonicalLocal(local string) (canonical string, fits bool) {
	local = lower(local)
	inner, quoted := strings.CutPrefix(local, `"`)
	if !quoted {
		if strings.ContainsAny(local, " <>(),;") {
			return "", false
		}
		inner = local
	} else if inner, fits = unquote(inner); !fits || inner == "" {
		return "", false
	}
	if needsQuotes(inner) {
		return quote(inner), true
	}
	return inner, true
}

// unquote reads a quoted string behind its first quote.
func unquote(text string) (inner string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			if i++; i == len(text) {
				return "", false
			}
		case '"':
			return b.String(), i == len(text)-1
		}
		b.WriteByte(text[i])
	}
	return "", false
}

func quote(inner string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(inner) + `"`
}

// lower is a text in lower case and NFC, whichever of the two came first.
func lower(text string) string {
	if isASCII(text) {
		return strings.ToLower(text)
	}
	return norm.NFC.String(strings.ToLower(norm.NFC.String(text)))
}

// trimDot takes the dot of the root off the end of a domain, and what was typed
// behind it.
func trimDot(host string) string {
	return strings.TrimRightFunc(host, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
}

// needsQuotes reports whether a local part can be written in quotes alone.
func needsQuotes(local string) bool {
	return strings.ContainsAny(local, quotedOnly) || strings.ContainsFunc(local, unicode.IsSpace)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isPlain reports whether a domain is surely canonical already, which most are.
func isPlain(host string) bool {
	for i := range len(host) {
		if c := host[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return !strings.HasSuffix(host, ".") && !strings.Contains(host, "xn--")
}
