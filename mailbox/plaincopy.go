package mailbox

import (
	"regexp"
	"strings"
)

// copiedField is a line that a header of a mail has, and a report in words hardly.
var copiedField = regexp.MustCompile(`(?i)^[ \t>|]*(?:message-id|received|return-path|from|to|subject|date|mime-version|content-type|x-[a-z-]+)[ \t]*:`)

// copiedID is the line that names the mail.
var copiedID = regexp.MustCompile(`(?im)^[ \t>|]*message-id[ \t]*:[ \t]*<[^<>\s]+>`)

// leastFields is how many fields the header of a mail has.
const leastFields = 3

// cutHeader splits a report where the header of the returned mail begins that no
// line announces: the lines that are fields, around one that names the mail.
func cutHeader(text string) (report, copied string) {
	lines := strings.SplitAfter(text, "\n")
	first, last, fields, id := -1, -1, 0, false
	for i, line := range lines {
		switch {
		case copiedField.MatchString(line):
			if first < 0 {
				first, fields, id = i, 0, false
			}
			last, fields, id = i, fields+1, id || copiedID.MatchString(line)
		case first >= 0 && strings.TrimSpace(line) != "" && (line[0] == ' ' || line[0] == '\t'):
			// A field goes on.
		case first >= 0 && id && fields >= leastFields:
			return strings.Join(lines[:first], ""), unquoted(lines[first : last+1])
		default:
			first = -1
		}
	}
	if first >= 0 && id && fields >= leastFields {
		return strings.Join(lines[:first], ""), unquoted(lines[first : last+1])
	}
	return text, ""
}

// unquoted takes the marks off lines that a report has indented or quoted.
func unquoted(lines []string) string {
	begin := len(lines[0]) - len(strings.TrimLeft(lines[0], " \t>|"))
	mark := lines[0][:begin]
	var out strings.Builder
	for _, line := range lines {
		out.WriteString(strings.TrimPrefix(line, mark))
	}
	return out.String()
}
