package cli

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// colours reports whether a stream is a terminal that shows colours.
func colours(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// Ways to write on a terminal.
const (
	plainly = "\x1b[0m"
	boldly  = "\x1b[1m"
	faintly = "\x1b[2m"
	inRed   = "\x1b[31m"
	inGreen = "\x1b[32m"
	inBlue  = "\x1b[34m"
	inCyan  = "\x1b[36m"
)

// feedPrinter prints events under their days.
type feedPrinter struct {
	out     io.Writer
	zone    *time.Location
	now     time.Time
	colours bool
	// day is the last that was printed.
	day string
}

// print prints events that follow those printed before.
func (p *feedPrinter) print(items []foundItem) error {
	var text strings.Builder
	for _, item := range items {
		at := item.Time.In(p.zone)
		if day := p.dayOf(at); day != p.day {
			if p.day != "" {
				text.WriteString("\n")
			}
			p.day = day
			text.WriteString(p.in(boldly, day) + "\n")
		}
		fmt.Fprintf(&text, "  %s  %s\n", p.in(faintly, at.Format("15:04")), p.line(item))
	}
	_, err := io.WriteString(p.out, text.String())
	return err
}

// end says what there is beside what was printed.
func (p *feedPrinter) end(found int, more bool) error {
	text := ""
	switch {
	case found == 0:
		text = "Nothing was found.\n"
	case more:
		text = p.in(faintly, "\nThere is more: --limit N shows so many, --all shows all.") + "\n"
	}
	_, err := io.WriteString(p.out, text)
	return err
}

// dayOf says a date as people do who know today's.
func (p *feedPrinter) dayOf(at time.Time) string {
	date := func(t time.Time) string { return t.Format(time.DateOnly) }
	layout := "Monday 2 January 2006"
	if at.Year() == p.now.Year() {
		layout = "Monday 2 January"
	}
	switch date(at) {
	case date(p.now):
		return "Today, " + at.Format(layout)
	case date(p.now.AddDate(0, 0, -1)):
		return "Yesterday, " + at.Format(layout)
	}
	return at.Format(layout)
}

// line says one event: who did what, and to which mail.
func (p *feedPrinter) line(item foundItem) string {
	who, what := p.subjectOf(item)
	parts := []string{p.in(boldly, clean(who)) + " " + p.verb(item)}
	if what != "" {
		parts = append(parts, what)
	}
	if item.Unopened != nil && *item.Unopened > 0 {
		parts = append(parts, p.in(inRed, fmt.Sprintf("%d of %d not opened", *item.Unopened, len(item.Recipients))))
	}
	if item.Verdict != nil && item.Verdict.Is == "machine" {
		parts = append(parts, p.in(faintly, "by a machine"))
	}
	return strings.Join(parts, "  ")
}

// subjectOf is who acted, and the mail or the thing.
func (p *feedPrinter) subjectOf(item foundItem) (who, what string) {
	what = p.highlighted(item.Subject, item.Highlights["subject"])
	switch {
	case item.Person != nil:
		who = item.Person.String()
	case item.User != nil:
		who = cmp.Or(item.User.Name, item.User.ID)
	case item.Type == "send":
		who = "Mail" // Whose it is was not said: mail sent to Jo.
	default:
		who = item.Source
	}
	switch {
	case item.Meeting != nil && item.Meeting.Title != "":
		what = clean(item.Meeting.Title)
	case item.Title != "":
		what = clean(item.Title)
	case item.Link != "":
		what += "  " + p.in(faintly, clean(item.Link))
	case item.File != "":
		what += "  " + p.in(faintly, clean(item.File))
	}
	return who, strings.TrimSpace(what)
}

// verb says what happened.
func (p *feedPrinter) verb(item foundItem) string {
	switch item.Type {
	case "send":
		return p.in(inBlue, "sent to "+recipients(item.Recipients))
	case "delivery":
		return "got"
	case "open":
		return p.in(inGreen, "opened")
	case "click":
		return p.in(inGreen, "clicked in")
	case "download":
		return p.in(inGreen, "downloaded from")
	case "reply":
		return p.in(inCyan, "replied to")
	case "bounce":
		return p.in(inRed, "bounced:")
	case "complaint":
		return p.in(inRed, "complained about")
	case "unsubscribe":
		return p.in(inRed, "unsubscribed from")
	case "meeting":
		if item.Meeting != nil {
			switch item.Meeting.Answer {
			case "yes":
				return p.in(inGreen, "accepted")
			case "no":
				return p.in(inRed, "declined")
			case "maybe":
				return "may come to"
			}
		}
		return "was invited to"
	}
	return clean(item.Type) + ":"
}

// recipients names the first, and counts the others.
func recipients(people []foundPerson) string {
	switch len(people) {
	case 0:
		return "nobody"
	case 1:
		return clean(people[0].String())
	case 2:
		return clean(people[0].String()) + " and " + clean(people[1].String())
	}
	return fmt.Sprintf("%s and %d others", clean(people[0].String()), len(people)-1)
}

// highlighted shows what a search matched.
func (p *feedPrinter) highlighted(text string, spans [][2]int) string {
	if !p.colours || len(spans) == 0 {
		return clean(text)
	}
	runes := []rune(text)
	var out strings.Builder
	from := 0
	for _, span := range spans {
		if span[0] < from || span[1] > len(runes) || span[1] < span[0] {
			break
		}
		out.WriteString(clean(string(runes[from:span[0]])))
		out.WriteString(p.in(boldly, clean(string(runes[span[0]:span[1]]))))
		from = span[1]
	}
	out.WriteString(clean(string(runes[from:])))
	return out.String()
}

// in writes text in a way, on a terminal alone.
func (p *feedPrinter) in(way, text string) string {
	if !p.colours || text == "" {
		return text
	}
	return way + text + plainly
}

// clean takes out of somebody else's text what would move the cursor or change
// the terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
}
