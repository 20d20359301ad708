package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tidings/event"
	"tidings/mailbox"
)

// shownRefusals is how many examples of each reason a summary names.
const shownRefusals = 3

// importSummary counts what an import did.
type importSummary struct {
	Files      int `json:"files"`
	Sends      int `json:"sends"`
	Recipients int `json:"recipients"`
	Replies    int `json:"replies"`
	Others     int `json:"others"`
	// Known counts the events among them that were in before.
	Known   int                 `json:"known"`
	Resumed int64               `json:"skipped_as_done_before"`
	Refused map[string]*refused `json:"refused"`
	// Ignored are the files of directories and archives that are not mail.
	Ignored ignoredFiles `json:"ignored_files"`
	// Without counts mails that became no event, by their kind.
	Without map[mailbox.Kind]int `json:"without_events"`
	// Assumed counts mails that were taken for their authors' own, since nothing says
	// whose they are.
	Assumed int `json:"assumed"`
	// events are all that were taken.
	events int
}

// note counts what a mail became beside its events.
func (s *importSummary) note(r mailbox.Record) {
	if r.Assumed {
		s.Assumed++
	}
	if len(r.Events) == 0 && r.Kind != "" {
		s.Without[r.Kind]++
	}
}

// nothing reports whether no event was taken, now or by an earlier run.
func (s *importSummary) nothing() bool {
	return s.Sends+s.Replies+s.Others == 0 && s.Resumed == 0
}

// ignoredFiles counts files that were not read, with the names of the first.
type ignoredFiles struct {
	Count    int64    `json:"count"`
	Examples []string `json:"examples"`
}

// ignore adds the files that a reader did not read.
func (s *importSummary) ignore(files mailbox.Ignored) {
	s.Ignored.Count += files.Count
	left := max(0, shownRefusals-len(s.Ignored.Examples))
	s.Ignored.Examples = append(s.Ignored.Examples, files.Names[:min(left, len(files.Names))]...)
}

// refused counts what was refused for one reason.
type refused struct {
	Count    int      `json:"count"`
	Examples []string `json:"examples"`
	text     string
}

func newImportSummary() *importSummary {
	return &importSummary{Ignored: ignoredFiles{Examples: []string{}}, Refused: make(map[string]*refused), Without: make(map[mailbox.Kind]int)}
}

func (s *importSummary) refuse(r *mailbox.Refusal) {
	s.refuseFor(string(r.Code), r.Code.String(), r.Error())
}

func (s *importSummary) refuseFor(code, text, example string) {
	reason := s.Refused[code]
	if reason == nil {
		reason = &refused{text: text, Examples: []string{}}
		s.Refused[code] = reason
	}
	reason.Count++
	if len(reason.Examples) < shownRefusals {
		reason.Examples = append(reason.Examples, example)
	}
}

// add counts one batch by what the server said of it.
func (s *importSummary) add(at []string, events []event.Input, answer intakeAnswer) {
	s.Known += answer.Known
	bad := make(map[int]bool, len(answer.Rejected))
	for _, rejected := range answer.Rejected {
		bad[rejected.Index] = true
		s.refuseFor("server", "that the server refused", at[rejected.Index]+": "+rejected.Detail)
	}
	for i, input := range events {
		if !bad[i] {
			s.events++
		}
		switch {
		case bad[i]:
		case input.Type == event.Send:
			s.Sends++
			s.Recipients += len(input.Recipients)
		case input.Type == event.Reply:
			s.Replies++
		default:
			s.Others++
		}
	}
}

// print writes the summary for a person or a program.
func (s *importSummary) print(w io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(s)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Imported %d sends to %d recipients and %d replies", s.Sends, s.Recipients, s.Replies)
	if s.Others > 0 {
		fmt.Fprintf(&text, ", %d other events", s.Others)
	}
	fmt.Fprintf(&text, " from %s", count(s.Files, "file", "files"))
	fmt.Fprintf(&text, ": %s new, %s known already.\n", grouped(s.events-s.Known), grouped(s.Known))
	if s.Resumed > 0 {
		fmt.Fprintf(&text, "%d records were done by an earlier run.\n", s.Resumed)
	}
	if s.Assumed > 0 {
		fmt.Fprintf(&text, "Nothing says whose mail it is: %s that no server had carried count as sent by their authors.\n", count(s.Assumed, "mail", "mails"))
		fmt.Fprintf(&text, "To say it, give %s.\n", whose)
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Without)) {
		what := string(kind)
		if kind == mailbox.Received {
			what = "received, not an answer to anything of yours"
		}
		fmt.Fprintf(&text, "Left out %d: %s.\n", s.Without[kind], what)
	}
	codes := make([]string, 0, len(s.Refused))
	for code := range s.Refused {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		reason := s.Refused[code]
		fmt.Fprintf(&text, "Refused %d %s, such as:\n", reason.Count, reason.text)
		for _, example := range reason.Examples {
			fmt.Fprintf(&text, "  %s\n", example)
		}
	}
	if s.Ignored.Count > 0 {
		fmt.Fprintf(&text, "Ignored %s, such as:\n", count(int(s.Ignored.Count), "file that is not mail", "files that are not mail"))
		for _, name := range s.Ignored.Examples {
			fmt.Fprintf(&text, "  %s\n", name)
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// grouped is a number with its thousands apart.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
