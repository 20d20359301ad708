package mailbox

import (
	netmail "net/mail"
	"regexp"
	"strings"
	"time"
)

// zones are the names that RFC 5322 section 4.3 gives a meaning, and those that
// one region alone uses. Any other name says nothing, and counts as UTC: what
// time.Parse makes of it would depend on the zone of this machine.
var zones = map[string]string{
	"UT": "+0000", "GMT": "+0000", "UTC": "+0000", "Z": "+0000",
	"EST": "-0500", "EDT": "-0400", "CST": "-0600", "CDT": "-0500",
	"MST": "-0700", "MDT": "-0600", "PST": "-0800", "PDT": "-0700",
	"BST": "+0100", "WEST": "+0100", "CET": "+0100", "MET": "+0100",
	"CEST": "+0200", "MEST": "+0200", "EET": "+0200", "EEST": "+0300",
	"MSK": "+0300", "JST": "+0900", "AEST": "+1000", "NZST": "+1200",
}

var (
	dateComment = regexp.MustCompile(`\([^()]*\)`)
	// utcOffset is "GMT+0200", where the name says nothing more.
	utcOffset  = regexp.MustCompile(`\b(?:UTC|GMT)([+-]\d{2}):?(\d{2})\b`)
	dateZone   = regexp.MustCompile(`\b[A-Z]{1,5}\b`)
	weekday    = regexp.MustCompile(`^[A-Za-z]{3,9}(?:,|\.,?)?\s+`)
	dottedTime = regexp.MustCompile(`\b(\d{1,2})\.(\d{2})\.(\d{2})\b`)
)

// dateLayouts are what mail programs wrote against the standard.
var dateLayouts = []string{
	"2 Jan 2006 15:04:05 -0700",
	"2 Jan 2006 15:04:05 -07:00",
	"2 Jan 2006 15:04:05",
	"2 Jan 2006 15:04 -0700",
	"2 Jan 2006 15:04",
	"2 January 2006 15:04:05 -0700",
	"2 January 2006 15:04:05",
	"2 Jan 06 15:04:05 -0700",
	"2 Jan 06 15:04:05",
	"2-Jan-2006 15:04:05 -0700",
	"2-Jan-06 15:04:05 -0700",
	"Jan 2 15:04:05 2006",
	"Jan 2 15:04:05 2006 -0700",
	"Jan 2 15:04:05 -0700 2006",
	"January 2, 2006 15:04:05 -0700",
	"Jan 2, 2006 3:04:05 PM",
	"2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04:05",
}

// maxDate is more than any date needs, with its comments.
const maxDate = 200

// parseDate reads a Date field, by the standard or by what is often found in
// its place; without a zone it is UTC.
func parseDate(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if len(text) > maxDate {
		return time.Time{}, false
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, true
	}
	text = strings.TrimSpace(dateComment.ReplaceAllString(text, " "))
	text = utcOffset.ReplaceAllString(text, "$1$2")
	text = dateZone.ReplaceAllStringFunc(text, func(name string) string {
		switch offset, known := zones[name]; {
		case known:
			return offset
		case name == "PM" || name == "AM" || name == "T":
			return name
		default:
			return "+0000"
		}
	})
	if at, err := netmail.ParseDate(text); err == nil {
		return at, true
	}
	text = strings.Join(strings.Fields(text), " ")
	text = dottedTime.ReplaceAllString(text, "$1:$2:$3")
	bare := weekday.ReplaceAllString(text, "")
	for _, layout := range dateLayouts {
		for _, candidate := range []string{bare, text} {
			if at, err := time.Parse(layout, candidate); err == nil {
				return at, true
			}
		}
	}
	return time.Time{}, false
}
