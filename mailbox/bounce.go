package mailbox

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tidings/event"
)

// delivery is what a report says of one recipient.
type delivery struct {
	original, final string
	action          string
	status          string
	diagnostic      string
}

// deliveryReport reads RFC 3464: a part message/delivery-status, in a
// multipart/report or anywhere else.
func (r interpreter) deliveryReport() (Reading, bool) {
	part := r.mail.parts.machine(deliveryStatus...)
	if part == nil && r.mail.fromMailSystem() {
		// A filter has passed it on whole.
		for _, inner := range r.mail.parts.inner {
			if found := inner.content.machine(deliveryStatus...); found != nil {
				part, r.mail.parts = found, inner.content
				break
			}
		}
	}
	if part == nil || passedOn.MatchString(r.mail.Subject) && !r.mail.fromMailSystem() {
		return Reading{}, false // A person passes one on, with its parts.
	}
	deliveries := r.withRecipients(parseDeliveries(part.text))
	if len(deliveries) == 0 {
		// Some systems leave the fields out and write the old form.
		return r.plainReport()
	}
	return r.reported(deliveries), true
}

// withRecipients leaves those without an address out. A single one is about whom the
// report names elsewhere: systems write the name of a mailbox, or an address of theirs.
func (r interpreter) withRecipients(deliveries []delivery) []delivery {
	if len(deliveries) == 1 && deliveries[0].final == "" && deliveries[0].original == "" {
		named, _ := addresses(strings.Join(r.mail.header["x-failed-recipients"], ", "))
		if len(named) == 0 {
			named = r.returned().To
		}
		if len(named) == 1 {
			deliveries[0].final = named[0].Email
		}
	}
	return slices.DeleteFunc(deliveries, func(d delivery) bool { return d.final == "" && d.original == "" })
}

// deliveryStatus are the types of a report's part for programs.
var deliveryStatus = []string{"message/delivery-status", "message/global-delivery-status"}

// parseDeliveries reads the groups of fields of a delivery-status; the first is
// about the message, and the others are each about one recipient. Some systems
// leave the blank line between out.
func parseDeliveries(text string) []delivery {
	var found []delivery
	for _, group := range fieldGroups(text) {
		var d delivery
		about := false
		for _, f := range group {
			value := strings.TrimSpace(f.Value)
			switch strings.ToLower(f.Name) {
			case "original-recipient":
				about, d.original = true, typedAddress(value)
			case "final-recipient":
				if d.final != "" {
					found = append(found, d)
					d = delivery{}
				}
				about, d.final = true, typedAddress(value)
			case "action":
				d.action = strings.ToLower(firstWord(value))
			case "status":
				d.status = statusCode(value)
			case "diagnostic-code":
				d.diagnostic = diagnosticText(value)
			}
		}
		if about {
			found = append(found, d)
		}
	}
	return found
}

// fieldGroups are the blocks of fields of a report, unfolded.
func fieldGroups(text string) [][]Field {
	var groups [][]Field
	var group []Field
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch name, value, found := strings.Cut(line, ":"); {
		case strings.TrimSpace(line) == "":
			if len(group) > 0 {
				groups = append(groups, group)
			}
			group = nil
		case (line[0] == ' ' || line[0] == '\t') && len(group) > 0:
			group[len(group)-1].Value += " " + strings.TrimSpace(line)
		case found && isFieldName([]byte(name)):
			group = append(group, Field{name, strings.TrimSpace(value)})
		}
	}
	if len(group) > 0 {
		groups = append(groups, group)
	}
	return groups
}

// typedAddress reads "rfc822; jo@x.example", with comments and brackets.
func typedAddress(value string) string {
	if kind, rest, found := strings.Cut(value, ";"); found && !strings.Contains(kind, "@") {
		value = rest
		if strings.EqualFold(strings.TrimSpace(kind), "utf-8") {
			value = fromUTF8Xtext(value)
		}
	}
	if people, _ := addresses(value); len(people) > 0 && !strings.HasPrefix(people[0].Email, encapsulated) {
		return people[0].Email
	}
	return ""
}

// utf8Escape is a character of an address of the type utf-8: RFC 6533 section 3.
var utf8Escape = regexp.MustCompile(`\\x\{([0-9A-Fa-f]{2,6})\}`)

// fromUTF8Xtext puts the characters for their escapes: "j\x{F6}@x.example".
func fromUTF8Xtext(text string) string {
	return utf8Escape.ReplaceAllStringFunc(text, func(escape string) string {
		code, err := strconv.ParseInt(escape[len(`\x{`):len(escape)-1], 16, 32)
		if err != nil || code <= ' ' || !utf8.ValidRune(rune(code)) {
			return escape
		}
		return string(rune(code))
	})
}

// xtextEscape is a character of an ORCPT, which some systems pass on as they got it:
// RFC 3461 section 4.
var xtextEscape = regexp.MustCompile(`\+[0-9A-Fa-f]{2}`)

// fromXtext puts the characters for their escapes: "jo+2Bnews@x.example".
func fromXtext(text string) string {
	return xtextEscape.ReplaceAllStringFunc(text, func(escape string) string {
		code := unhex(escape[1])<<4 | unhex(escape[2])
		if code <= ' ' || code >= utf8.RuneSelf {
			return escape
		}
		return string(rune(code))
	})
}

// encapsulated begins what Exchange makes of an address that is none of mail.
const encapsulated = "imcea"

// statusCode is the enhanced status of RFC 3463 in a text, or empty.
func statusCode(text string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t#();,[]<>\"'=\n", r) }) {
		word = strings.TrimRight(word, ".:-")
		fields := strings.Split(word, ".")
		if len(fields) != 3 || len(fields[0]) != 1 || !strings.Contains("245", fields[0]) {
			continue
		}
		subject, err1 := strconv.Atoi(fields[1])
		detail, err2 := strconv.Atoi(fields[2])
		if err1 == nil && err2 == nil && subject >= 0 && subject < 1000 && detail >= 0 && detail < 1000 {
			return word
		}
	}
	return ""
}

// diagnosticText is a Diagnostic-Code without its type.
func diagnosticText(value string) string {
	if kind, rest, found := strings.Cut(value, ";"); found && len(kind) < 20 && !strings.Contains(strings.TrimSpace(kind), " ") {
		value = rest
	}
	return cleanLine(value, maxSubject)
}

func firstWord(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == ';' || r == '(' })
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// reported makes the events of a report about recipients.
func (r interpreter) reported(deliveries []delivery) Reading {
	returned := r.returned()
	message, sent := r.reportedMessage(returned)
	if !sent {
		return Reading{Kind: Report, Why: "it is about a message that is not one of yours"}
	}
	found := Reading{Kind: Report}
	seen := make(map[string]bool)
	for _, d := range deliveries {
		address := d.recipient(returned)
		if address == "" || seen[address] {
			continue
		}
		seen[address] = true
		if in, ok := r.deliveryEvent(d, message, address, len(found.Events)); ok {
			in.Subject = returned.Subject
			found.Events = append(found.Events, in)
		}
	}
	if len(found.Events) == 0 {
		found.Why = "it names no recipient"
	}
	return found
}

// deliveryEvent is what happened to one recipient: hard is 5.x.x, soft is 4.x.x.
func (r interpreter) deliveryEvent(d delivery, message, address string, nth int) (event.Input, bool) {
	suffix := ":report"
	if nth > 0 {
		suffix += ":" + strconv.Itoa(nth+1)
	}
	in := r.input(event.Bounce, eventKey(r.mail.key(), suffix), message)
	in.Recipient = &event.Person{Email: address}
	status := d.status
	// The server's own word says more than a status of nothing: 5.0.0.
	if inner := statusCode(d.diagnostic); inner != "" && (status == "" || strings.HasSuffix(status, ".0.0") && inner[0] == status[0]) {
		status = inner
	}
	switch d.action {
	case "delayed":
		in.Type, in.Kind, in.Title = event.Custom, "deferred", d.why(status)
		return in, true
	case "delivered", "relayed", "expanded":
		in.Type = event.Delivery
		return in, true
	case "failed", "failure", "fail", "":
	default:
		if status == "" {
			return in, false
		}
	}
	if status != "" && status[0] == '2' && d.action == "" {
		in.Type = event.Delivery
		return in, true
	}
	in.Bounce = &event.BounceDetail{Kind: "hard", Detail: d.why(status)}
	if status != "" && status[0] == '4' || status == "" && isTemporary(d.diagnostic) {
		in.Bounce.Kind = "soft"
	}
	return in, true
}

// isTemporary reads the reply code of SMTP that a diagnostic begins with.
func isTemporary(diagnostic string) bool {
	for _, word := range strings.Fields(diagnostic) {
		code := strings.Trim(word, "#<>():-")
		if len(code) >= 3 && (len(code) == 3 || code[3] == '-') && strings.Trim(code[:3], "0123456789") == "" {
			return code[0] == '4'
		}
	}
	return fullMailbox.MatchString(diagnostic)
}

// why is what people read of it.
func (d delivery) why(status string) string {
	text := d.diagnostic
	if text == "" {
		text = status
	}
	if text == "" {
		text = "the mail could not be delivered"
	}
	return cut(text, maxSubject)
}

// recipient is who it is about: the one that the returned mail names. A mail
// that was forwarded has a Final-Recipient that its sender does not know.
func (d delivery) recipient(returned Mail) string {
	for _, address := range []string{d.final, d.original, fromXtext(d.original)} {
		for _, person := range returned.To {
			if person.Email == address && address != "" {
				return address
			}
		}
	}
	if d.original != "" {
		return d.original
	}
	return d.final
}

// returned is the mail that a report returns, or its header; empty where it
// returns none.
func (r interpreter) returned() Mail {
	for _, inner := range r.mail.parts.inner {
		if len(inner.header) > 0 {
			return mailOf(inner.header)
		}
	}
	return Mail{}
}

// reportedMessage is the message that a report is about. The workspace sent it when
// it is known, or when its author is, or when nothing says that it is not: who
// forges our address gets us reports about mail that we did not send.
func (r interpreter) reportedMessage(returned Mail) (message string, sent bool) {
	ids := append([]string{returned.ID}, r.mail.ancestors()...)
	if found, ok := r.original(ids...); ok {
		return found.Message, true
	}
	_, author := r.owner.user(returned.From.Email)
	open := author || returned.From.Email == "" || r.owner.anybody() || r.owner.Arrived
	for _, id := range ids {
		if id != "" && id != r.mail.ID {
			return id, open
		}
	}
	// It returned nothing that names it.
	return r.mail.key(), open
}
