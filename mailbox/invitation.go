package mailbox

import (
	"slices"
	"strings"
	"time"

	"tidings/event"
)

// maxCalendar bounds the lines of a calendar that are read.
const maxCalendar = 10_000

// invitationAnswer reads iTIP (RFC 5546): a calendar whose method is REPLY. A
// COUNTER proposes another time, and counts as maybe.
func (r interpreter) invitationAnswer() (Reading, bool) {
	var found calendar
	for _, part := range r.mail.parts.machines {
		if part.kind != "text/calendar" && part.kind != "application/ics" {
			continue
		}
		c := parseCalendar(part.text)
		if c.method == "" {
			c.method = part.method
		}
		if c.method == "REPLY" || c.method == "COUNTER" {
			found = c
			break
		}
	}
	if found.method == "" {
		return Reading{}, false
	}
	if !r.invited(found) {
		return Reading{Kind: Invitation, Why: "it answers an invitation that is not one of yours"}, true
	}
	attendee := found.attendee(r.mail.From.Email)
	person := r.mail.From
	if attendee.email != "" && attendee.email != person.Email {
		person = event.Person{Email: attendee.email, Name: attendee.name}
	}
	answer, ok := answers[attendee.status]
	if found.method == "COUNTER" {
		answer, ok = "maybe", true
	}
	switch {
	case !ok:
		return Reading{Kind: Invitation, Why: "it does not say whether they come"}, true
	case !strings.Contains(person.Email, "@"):
		return Reading{Kind: Invitation, Why: "it names nobody"}, true
	}
	in := r.input(event.Meeting, eventKey(r.mail.key(), ":answer"), "")
	if original, known := r.original(append(r.mail.ancestors(), found.uid)...); known && (r.owner.Known != nil || original.Message != found.uid) {
		in.Message = original.Message
	} else {
		// The invitation is no mail that is known: its own name joins the answers.
		in.Message = found.name(r.mail)
		in.User = r.organizer(found)
	}
	in.Recipient = &person
	in.Meeting = &event.AppointmentInput{Title: cleanLine(found.summary, maxSubject), Answer: answer}
	if !found.start.IsZero() && found.start.Unix() > 0 {
		start := event.Moment(found.start.Unix())
		in.Meeting.Start = &start
	}
	return Reading{Kind: Invitation, Events: []event.Input{in}}, true
}

// answers are the words of PARTSTAT, RFC 5545 section 3.2.12.
var answers = map[string]string{"ACCEPTED": "yes", "DECLINED": "no", "TENTATIVE": "maybe"}

// invited reports whether the workspace may have sent the invitation: whoever is
// internal answers those of others too, and others answer one another with a copy to us.
func (r interpreter) invited(c calendar) bool {
	_, internal := r.owner.user(c.organizer)
	if internal || c.organizer == "" || r.owner.anybody() || r.addressedToUs() {
		return true
	}
	_, known := r.original(append(r.mail.ancestors(), c.uid)...)
	return known
}

// organizer is the user whose invitation it is.
func (r interpreter) organizer(c calendar) string {
	for _, address := range []string{c.organizer, firstAddress(r.mail.To)} {
		if user, internal := r.owner.user(address); internal {
			return user
		}
	}
	if r.owner.Arrived {
		return ""
	}
	return c.organizer
}

func firstAddress(people []event.Person) string {
	if len(people) == 0 {
		return ""
	}
	return people[0].Email
}

// calendar is what is used of an iCalendar object.
type calendar struct {
	method, uid, summary, organizer string
	start                           time.Time
	startValue, startZone           string
	// instance is the RECURRENCE-ID of an answer about one of a series, which may
	// have no start of its own.
	instance, instanceZone string
	attendees              []attendee
}

type attendee struct{ email, name, status string }

// attendee is the one that answers: by the mail's sender, or the only one that does.
// A proposal of another time names all who were asked, its organizer among them.
func (c calendar) attendee(from string) attendee {
	if i := slices.IndexFunc(c.attendees, func(a attendee) bool { return a.email == from }); i >= 0 {
		return c.attendees[i]
	}
	var only attendee
	for _, a := range c.attendees {
		if _, ok := answers[a.status]; !ok || a.email == c.organizer || a.email == only.email {
			continue
		}
		if only.email != "" {
			return attendee{} // Nothing says whose answer it is.
		}
		only = a
	}
	return only
}

// name is the UID, where it may be the name of a message.
func (c calendar) name(m Mail) string {
	if c.uid != "" && fitID(c.uid) {
		return c.uid
	}
	return m.key()
}

// parseCalendar reads the first event of an iCalendar object: RFC 5545. Times
// with a zone that this machine knows are of it; others are UTC.
func parseCalendar(text string) calendar {
	var c calendar
	var zones calendarZones
	text = strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "").Replace(text)
	component, lines := []string{}, 0
	for line := range strings.Lines(text) {
		if lines++; lines > maxCalendar {
			break
		}
		name, params, value := calendarLine(strings.TrimRight(line, "\r\n"))
		switch name {
		case "BEGIN":
			component = append(component, strings.ToUpper(value))
			continue
		case "END":
			if len(component) > 0 {
				component = component[:len(component)-1]
			}
			continue
		}
		switch where := strings.Join(component, "/"); where {
		case "VCALENDAR", "":
			if name == "METHOD" {
				c.method = strings.ToUpper(strings.TrimSpace(value))
			}
		case "VCALENDAR/VEVENT", "VEVENT", "VCALENDAR/VTODO":
			c.property(name, params, value)
		default:
			zones.property(where, name, value)
		}
	}
	if c.startValue == "" {
		c.startValue, c.startZone = c.instance, c.instanceZone
	}
	c.start = zones.time(c.startValue, c.startZone)
	return c
}

func (c *calendar) property(name string, params map[string]string, value string) {
	switch name {
	case "UID":
		if c.uid == "" {
			c.uid = strings.TrimSpace(value)
		}
	case "SUMMARY":
		if c.summary == "" {
			c.summary = unescapeCalendar(value)
		}
	case "DTSTART":
		if c.startValue == "" {
			c.startValue, c.startZone = value, params["TZID"]
		}
	case "RECURRENCE-ID":
		if c.instance == "" {
			c.instance, c.instanceZone = value, params["TZID"]
		}
	case "ORGANIZER":
		c.organizer = calendarAddress(value, params)
	case "ATTENDEE":
		c.attendees = append(c.attendees, attendee{
			email: calendarAddress(value, params), name: params["CN"], status: strings.ToUpper(params["PARTSTAT"]),
		})
	}
}

// calendarLine takes a content line apart: NAME;PARAM=value:value.
func calendarLine(line string) (name string, params map[string]string, value string) {
	quoted := false
	begin := 0
	var fields []string
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ';':
			fields = append(fields, line[begin:i])
			begin = i + 1
		case c == ':':
			fields = append(fields, line[begin:i])
			value = line[i+1:]
			params = make(map[string]string, len(fields))
			for _, field := range fields[1:] {
				key, given, _ := strings.Cut(field, "=")
				params[strings.ToUpper(strings.TrimSpace(key))] = strings.Trim(given, `"`)
			}
			return strings.ToUpper(strings.TrimSpace(fields[0])), params, value
		}
	}
	return "", nil, ""
}

func calendarAddress(value string, params map[string]string) string {
	if people, _ := addresses(value); len(people) > 0 {
		return people[0].Email
	}
	people, _ := addresses(params["EMAIL"])
	return firstAddress(people)
}

func unescapeCalendar(text string) string {
	return strings.NewReplacer(`\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(text)
}
