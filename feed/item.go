package feed

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"tidings/event"
)

// Item is an event as people see it: the shape of a page, of the socket and of
// a timeline.
type Item struct {
	ID      event.ID   `json:"id" format:"" doc:"26 characters; text order is time order"`
	Type    event.Type `json:"type" doc:"what happened"`
	Time    time.Time  `json:"time"`
	Message string     `json:"message" doc:"the mail that this is about, by the name that it is known under"`
	// Original is there where the event came with another name.
	Original string `json:"original_message,omitempty" doc:"the mail as the source of the event named it, where that is another name"`
	User     *User  `json:"user,omitempty" doc:"whose mail it is"`
	Subject  string `json:"subject,omitempty"`
	// Person is absent on sends.
	Person     *event.Person  `json:"person,omitempty" doc:"who acted, or was acted on; absent on sends"`
	Candidates []event.Person `json:"candidates,omitempty" doc:"opens and clicks of which nobody says who did them: one of these, of whom the first 50 are listed"`
	// Recipients and Unopened are on sends alone.
	Recipients []Recipient         `json:"recipients,omitempty" doc:"sends only: the first 50; rest has the number of the others"`
	Unopened   *int                `json:"unopened,omitempty" doc:"sends only: how many have not opened, of all recipients"`
	Rest       *Rest               `json:"rest,omitempty" doc:"recipients or candidates beyond the first 50"`
	Verdict    *Verdict            `json:"verdict,omitempty" doc:"whether a person or a machine did it"`
	Kind       string              `json:"kind,omitempty" doc:"custom events: a word for what it is"`
	Title      string              `json:"title,omitempty" doc:"custom events: what people read"`
	Link       string              `json:"link,omitempty"`
	File       string              `json:"file,omitempty"`
	Snippet    string              `json:"snippet,omitempty" doc:"replies: how the text begins"`
	Meeting    *Meeting            `json:"meeting,omitempty"`
	Bounce     *event.BounceDetail `json:"bounce,omitempty"`
	Source     string              `json:"source"`
	Highlights map[string][][2]int `json:"highlights,omitempty" doc:"what the query matched: by field, spans in Unicode code points"`
}

// User is a user of the workspace.
type User struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Recipient is one recipient of a send with what they did first.
type Recipient struct {
	Email      string     `json:"email"`
	Name       string     `json:"name,omitempty"`
	Opened     Opening    `json:"opened,omitzero" nullable:"true" format:"date-time" doc:"null when not opened; absent when opened at a time that is not kept any more"`
	Clicked    *time.Time `json:"clicked,omitempty"`
	Downloaded *time.Time `json:"downloaded,omitempty"`
	Replied    *time.Time `json:"replied,omitempty"`
	Bounced    *time.Time `json:"bounced,omitempty"`
	Delivered  *time.Time `json:"delivered,omitempty"`
	// Complained and Unsubscribed are of those who want no more of it.
	Complained   *time.Time `json:"complained,omitempty" doc:"when they reported it as spam"`
	Unsubscribed *time.Time `json:"unsubscribed,omitempty"`
}

// Verdict says whether a person or a machine made an event.
type Verdict struct {
	Is   string `json:"is" enum:"human,machine,unknown"`
	Rule string `json:"rule,omitempty"`
	By   string `json:"by,omitempty" enum:"rule,provider,person"`
	// Reason and User are a person's.
	Reason string `json:"reason,omitempty" doc:"why a person overrode the rules"`
	User   string `json:"user,omitempty" doc:"who did"`
}

// Meeting is what a meeting event is about.
type Meeting struct {
	Title  string     `json:"title,omitempty"`
	Start  *time.Time `json:"start,omitempty"`
	Answer string     `json:"answer,omitempty" enum:"yes,no,maybe"`
}

// Opening is a first open. Its zero value is one whose time is not kept, and is
// left out of JSON; Never is written as null.
type Opening struct {
	at    int64
	never bool
}

// Never is the Opening of someone who has not opened.
var Never = Opening{never: true}

// OpenedAt is a first open in Unix seconds.
func OpenedAt(seconds int64) Opening { return Opening{at: seconds} }

// IsZero reports whether the time is not kept.
func (o Opening) IsZero() bool { return o == Opening{} }

// MarshalJSON writes RFC 3339, or null for Never.
func (o Opening) MarshalJSON() ([]byte, error) {
	if o.never {
		return []byte("null"), nil
	}
	return json.Marshal(time.Unix(o.at, 0).UTC())
}

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Opening) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		*o = Never
		return nil
	}
	var at time.Time
	if err := json.Unmarshal(raw, &at); err != nil {
		return err
	}
	*o = OpenedAt(at.Unix())
	return nil
}

// UnmarshalText makes schema generators see a text.
func (o *Opening) UnmarshalText(text []byte) error {
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return err
	}
	*o = OpenedAt(at.Unix())
	return nil
}

// snippetRunes is how much of a reply a line of the feed shows.
const snippetRunes = 140

// ItemOf is the item of an event, with the first of its recipients: see Rest. state is what is known of its message, nil
// when nothing is or when the event is no send; names gives a user's name.
func ItemOf(e event.Event, state *event.State, names func(user string) string) Item {
	return itemOf(e, state, names, MostRecipients)
}

// itemOf lists at most so many recipients.
func itemOf(e event.Event, state *event.State, names func(user string) string, most int) Item {
	item := Item{
		ID: e.ID, Type: e.Type, Time: e.At(), Message: e.Message, Original: e.Original, Subject: e.Subject,
		Person: e.Recipient, Kind: e.Kind, Title: e.Title, Link: e.Link, File: e.File,
		Bounce: e.Bounce, Source: e.Source,
	}
	if e.User != "" {
		item.User = &User{ID: e.User, Name: names(e.User)}
	}
	if e.Verdict.Is != "" {
		item.Verdict = &Verdict{
			Is: e.Verdict.Is, Rule: e.Verdict.Rule, By: e.Verdict.By, Reason: e.Verdict.Reason, User: e.Verdict.User,
		}
	}
	if e.Meeting != nil {
		item.Meeting = &Meeting{Title: e.Meeting.Title, Answer: e.Meeting.Answer}
		if e.Meeting.Start != 0 {
			item.Meeting.Start = at(e.Meeting.Start)
		}
	}
	if e.Type == event.Reply {
		item.Snippet = snippet(e.OwnBody())
	}
	if e.Type == event.Send {
		item.Unopened = unopened(e.Recipients, state)
		item.Recipients = recipients(first(e.Recipients, most), state)
	} else if e.Recipient == nil {
		item.Candidates = first(e.Recipients, most)
	}
	if others := len(e.Recipients) - most; others > 0 && (e.Type == event.Send || e.Recipient == nil) {
		item.Rest = &Rest{Count: others, At: messagePath(e.Message)}
	}
	return item
}

// snippet is the beginning of a text on one line, without what it quotes.
func snippet(body string) string {
	var line strings.Builder
	count := 0
	for part := range strings.Lines(body) {
		part = strings.TrimSpace(part)
		if part == "" || strings.HasPrefix(part, ">") {
			continue
		}
		if line.Len() > 0 {
			line.WriteByte(' ')
			count++
		}
		for _, r := range part {
			if count == snippetRunes {
				return strings.TrimSpace(line.String()) + "…"
			}
			if r == utf8.RuneError {
				continue
			}
			line.WriteRune(r)
			count++
		}
	}
	return line.String()
}
