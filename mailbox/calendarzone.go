package mailbox

import (
	"strconv"
	"strings"
	"time"
)

// calendarZones are the zones that a calendar defines itself: RFC 5545 section 3.6.5.
type calendarZones struct {
	all  map[string]*calendarZone
	last *calendarZone
}

// calendarZone is one: the name that a program gives it beside, or its offsets with
// the months in which they begin.
type calendarZone struct {
	location           string
	standard, daylight offsetFrom
}

type offsetFrom struct {
	known   bool
	seconds int
	month   int
}

// property reads a line of a VTIMEZONE.
func (z *calendarZones) property(where, name, value string) {
	at, ok := strings.CutPrefix(where, "VCALENDAR/VTIMEZONE")
	if !ok {
		return
	}
	value = strings.TrimSpace(value)
	if at == "" && name == "TZID" && len(z.all) < maxZones {
		z.last = &calendarZone{}
		if z.all == nil {
			z.all = make(map[string]*calendarZone)
		}
		z.all[value] = z.last
	}
	if z.last == nil {
		return
	}
	part := &z.last.standard
	if at == "/DAYLIGHT" {
		part = &z.last.daylight
	}
	switch name {
	case "X-LIC-LOCATION":
		z.last.location = value
	case "TZOFFSETTO":
		part.seconds, part.known = offsetSeconds(value)
	case "DTSTART":
		if len(value) >= 6 {
			part.month, _ = strconv.Atoi(value[4:6])
		}
	case "RRULE":
		if _, month, found := strings.Cut(value, "BYMONTH="); found {
			month, _, _ = strings.Cut(month, ";")
			if n, err := strconv.Atoi(month); err == nil {
				part.month = n
			}
		}
	}
}

// maxZones bounds the zones of a calendar.
const maxZones = 50

// offsetSeconds reads +0100 and -033000.
func offsetSeconds(text string) (int, bool) {
	if len(text) < 5 || text[0] != '+' && text[0] != '-' {
		return 0, false
	}
	hours, err1 := strconv.Atoi(text[1:3])
	minutes, err2 := strconv.Atoi(text[3:5])
	if err1 != nil || err2 != nil || hours > 26 || minutes > 59 {
		return 0, false
	}
	seconds := hours*3600 + minutes*60
	if text[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// of is the zone by a name: of the tz database, also behind a prefix, of Windows, or
// as the calendar defines it.
func (z *calendarZones) of(name string, month int) *time.Location {
	own := z.all[name]
	names := []string{name, windowsZones[name]}
	if own != nil {
		names = append(names, own.location)
	}
	if parts := strings.Split(name, "/"); len(parts) > 2 {
		names = append(names, strings.Join(parts[len(parts)-2:], "/"))
	}
	for _, each := range names {
		if known, err := time.LoadLocation(each); err == nil && each != "" && each != "Local" {
			return known
		}
	}
	if own == nil || !own.standard.known && !own.daylight.known {
		return time.UTC
	}
	offset := own.standard
	if from, to := own.daylight.month, own.standard.month; own.daylight.known && (!offset.known ||
		from < to && month >= from && month < to || from > to && (month >= from || month < to)) {
		offset = own.daylight
	}
	return time.FixedZone(name, offset.seconds)
}

// time reads 20261110T090000Z, 20261110T090000 and 20261110.
func (z *calendarZones) time(value, zone string) time.Time {
	value = strings.TrimSpace(value)
	if at, err := time.Parse("20060102T150405Z", value); err == nil {
		return at
	}
	for _, layout := range []string{"20060102T150405", "20060102"} {
		if at, err := time.Parse(layout, value); err == nil {
			at, _ = time.ParseInLocation(layout, value, z.of(zone, int(at.Month())))
			return at
		}
	}
	return time.Time{}
}

// windowsZones are the names that Exchange writes, with those of the tz
// database: Unicode's windowsZones.xml, the commonest.
var windowsZones = map[string]string{
	"W. Europe Standard Time": "Europe/Berlin", "Central Europe Standard Time": "Europe/Budapest",
	"Romance Standard Time": "Europe/Paris", "Central European Standard Time": "Europe/Warsaw",
	"GMT Standard Time": "Europe/London", "Greenwich Standard Time": "Atlantic/Reykjavik",
	"E. Europe Standard Time": "Europe/Chisinau", "FLE Standard Time": "Europe/Kiev", "GTB Standard Time": "Europe/Bucharest",
	"Russian Standard Time": "Europe/Moscow", "Turkey Standard Time": "Europe/Istanbul",
	"Eastern Standard Time": "America/New_York", "Central Standard Time": "America/Chicago",
	"Mountain Standard Time": "America/Denver", "Pacific Standard Time": "America/Los_Angeles",
	"Atlantic Standard Time": "America/Halifax", "E. South America Standard Time": "America/Sao_Paulo",
	"India Standard Time": "Asia/Kolkata", "China Standard Time": "Asia/Shanghai", "Tokyo Standard Time": "Asia/Tokyo",
	"Korea Standard Time": "Asia/Seoul", "Singapore Standard Time": "Asia/Singapore", "Israel Standard Time": "Asia/Jerusalem",
	"Arabian Standard Time": "Asia/Dubai", "AUS Eastern Standard Time": "Australia/Sydney", "New Zealand Standard Time": "Pacific/Auckland",
	"South Africa Standard Time": "Africa/Johannesburg", "UTC": "UTC",
}
