package mailbox

import (
	"bytes"
	"strings"
	"time"
)

// fromLine is how far behind a From_ line is looked.
const fromLine = 8 << 10

// isFromLine tells the line between two mails from a sentence that begins with
// "From ": a header follows it. Writers differ in all else. Some leave no blank
// line before it, which is taken where it names a month, a time of day and a
// year in English, as most do. Some name no date, or write it in other words:
// then a blank line has to stand before it, and the fields of a mail behind it.
// The first line of a git patch looks like one, and is none but in a file of
// patches.
func isFromLine(text []byte, afterBlank, patches bool) bool {
	line, after, found := bytes.Cut(text, []byte("\n"))
	if !found || !bytes.HasPrefix(line, []byte("From")) {
		return false
	}
	words := strings.Fields(string(line))
	if len(words) == 0 || words[0] != "From" {
		return false
	}
	words = words[1:]
	if isPatch(words) && !patches {
		return false
	}
	var month, clock, year bool
	for _, word := range words {
		month = month || isMonth(word)
		clock = clock || isClock(word) || isInstant(word)
		year = year || isYear(word) || isInstant(word) || isPlainDate(word)
	}
	switch {
	case month && clock && year:
		return beginsHeader(after)
	case !afterBlank:
		return false
	case clock && year:
		return beginsHeader(after)
	case len(words) <= 2:
		return beginsMail(after)
	}
	return false
}

// isPatch reports whether the words behind "From" are those of git format-patch:
// the name of a commit, and always the same date.
func isPatch(words []string) bool {
	return len(words) > 0 && (len(words[0]) == 40 || len(words[0]) == 64) && strings.Trim(words[0], "0123456789abcdef") == ""
}

func isMonth(word string) bool {
	return len(word) == 3 && strings.Contains("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", word)
}

func isClock(word string) bool {
	return len(word) >= len("1:02") && len(word) <= len("01:02:03") &&
		strings.Contains(word, ":") && strings.Trim(word, "0123456789:") == ""
}

func isYear(word string) bool {
	return len(word) == 4 && (word[:2] == "19" || word[:2] == "20") && strings.Trim(word, "0123456789") == ""
}

func isInstant(word string) bool {
	_, err := time.Parse(time.RFC3339, word)
	if err != nil {
		_, err = time.Parse("2006-01-02T15:04:05", word)
	}
	return err == nil
}

func isPlainDate(word string) bool {
	for _, layout := range []string{"2006-01-02", "02.01.2006", "2.1.2006", "02/01/2006", "01/02/2006", "2006/01/02"} {
		if _, err := time.Parse(layout, word); err == nil {
			return true
		}
	}
	return false
}

// beginsHeader reports whether a header field is next, or a quoted From_ line,
// which some programs leave as the first line of a mail.
func beginsHeader(text []byte) bool {
	if bytes.HasPrefix(text, []byte(">From ")) {
		return true
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	name, _, found := bytes.Cut(line, []byte(":"))
	return found && isFieldName(bytes.TrimRight(name, " \t"))
}

// mailFields are those of which a mail's header has two at least.
var mailFields = map[string]bool{
	"from": true, "to": true, "date": true, "subject": true, "message-id": true, "received": true, "return-path": true,
	"delivered-to": true, "mime-version": true, "content-type": true, "cc": true, "x-mozilla-status": true,
	"x-mozilla-status2": true, "x-gm-thrid": true, "x-gmail-labels": true, "x-account-key": true, "x-uidl": true, "status": true,
	"x-original-to": true, "sender": true, "reply-to": true, "in-reply-to": true, "references": true, "envelope-to": true,
}

// beginsMail reports whether the header of a mail is next: lines that are all
// fields or go on with one, of which two at least are a mail's.
func beginsMail(text []byte) bool {
	known := make(map[string]bool)
	fields := 0
	for len(text) > 0 {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		line = bytes.TrimRight(line, "\r")
		if !whole && len(text) >= fromLine/2 {
			break // It was not looked further.
		}
		text = rest
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if fields == 0 {
				return false
			}
			continue
		}
		name, _, found := bytes.Cut(line, []byte(":"))
		name = bytes.TrimRight(name, " \t")
		if !found || !isFieldName(name) {
			return bytes.HasPrefix(line, []byte(">From ")) || len(known) > 1
		}
		fields++
		if lower := strings.ToLower(string(name)); mailFields[lower] || strings.HasPrefix(lower, "x-") {
			known[lower] = true
		}
	}
	return len(known) > 1
}

// fromDate is the date of a From_ line, or zero.
func fromDate(line []byte) time.Time {
	words := strings.Fields(strings.TrimPrefix(string(line), "From "))
	for skip := 0; skip <= 1 && skip < len(words); skip++ {
		if at, ok := parseDate(strings.Join(words[skip:], " ")); ok {
			return at
		}
	}
	return time.Time{}
}

// isQuotedFrom reports whether a line is ">From ", with any number of ">".
func isQuotedFrom(line []byte) bool {
	unquoted := bytes.TrimLeft(line, ">")
	return len(unquoted) < len(line) && bytes.HasPrefix(unquoted, []byte("From "))
}
