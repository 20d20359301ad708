package feed

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/url"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

const (
	// MostRecipients is how many recipients are listed with a message. A mailing has
	// a thousand, and a page has two hundred mailings.
	MostRecipients = 50
	// moreRecipients is how many are listed when the others are asked for.
	moreRecipients = 200
)

// Rest says of a list of people how many are not in it.
type Rest struct {
	Count int    `json:"count" doc:"how many are not listed"`
	At    string `json:"at" doc:"the path, with its query, that lists the message's recipients, or the next of them"`
	// Next is there where At lists the next of them.
	Next string `json:"next,omitempty" doc:"the cursor in it"`
}

func messagePath(message string) string { return "/v1/messages/" + url.PathEscape(message) }

func first(people []event.Person, most int) []event.Person { return people[:min(len(people), most)] }

// peopleOf are all recipients of a message, by address.
func peopleOf(state event.State) []event.Person {
	people := make([]event.Person, 0, len(state.Recipients))
	for _, person := range state.Recipients {
		people = append(people, person)
	}
	sortPeople(people)
	return people
}

// LatestOf lists those recipients of a message of whom something was heard last, at
// most MostRecipients, by address, with the number of the others, and how many of all
// have not opened.
func LatestOf(state event.State) (list []Recipient, unopenedOfAll int, rest *Rest) {
	people := peopleOf(state)
	unopenedOfAll = *unopened(people, &state)
	if others := len(people) - MostRecipients; others > 0 {
		latest := make(map[event.RecipientKey]int64, len(people))
		for _, firsts := range state.First {
			for key, seconds := range firsts {
				latest[key] = max(latest[key], seconds)
			}
		}
		slices.SortStableFunc(people, func(a, b event.Person) int {
			return cmp.Compare(latest[event.KeyOf(b.Email)], latest[event.KeyOf(a.Email)])
		})
		people = people[:MostRecipients]
		sortPeople(people)
		rest = &Rest{Count: others, At: messagePath(state.Message)}
	}
	return recipients(people, &state), unopenedOfAll, rest
}

// recipientsCursor is how far the recipients of a message were listed, by address: the
// last of them, and how many there were, for when they are gone meanwhile.
type recipientsCursor struct {
	fingerprint [8]byte
	last        [12]byte // an event.RecipientKey
	listed      uint32
}

const recipientsCursorLen = 8 + 12 + 4

func (c recipientsCursor) String() string {
	raw := append(c.fingerprint[:], c.last[:]...)
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(raw, c.listed))
}

func parseRecipientsCursor(text string, fingerprint [8]byte) (recipientsCursor, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != recipientsCursorLen {
		return recipientsCursor{}, event.Invalid("recipients", "is not a valid cursor")
	}
	c := recipientsCursor{[8]byte(raw), [12]byte(raw[8:]), binary.BigEndian.Uint32(raw[20:])}
	if c.fingerprint != fingerprint {
		return c, event.Invalid("recipients", "belongs to another message: start again without it")
	}
	return c, nil
}

// listRecipients fills in the recipients of a message behind a cursor, "" for the
// first. scope is the reader who asks; state is what they may see.
func (v *MessageView) listRecipients(scope Scope, state event.State, after string) error {
	people := peopleOf(state)
	v.Unopened = *unopened(people, &state)
	fingerprint := query.Fingerprint(scope.Workspace, scope.Me, "recipients", state.Message)
	from, most := 0, MostRecipients
	if after != "" {
		c, err := parseRecipientsCursor(after, fingerprint)
		if err != nil {
			return err
		}
		from, most = min(int(c.listed), len(people)), moreRecipients
		last := event.RecipientKey(hex.EncodeToString(c.last[:]))
		if at := slices.IndexFunc(people, func(p event.Person) bool { return event.KeyOf(p.Email) == last }); at >= 0 {
			from = at + 1
		}
	}
	listed := first(people[from:], most)
	v.Recipients = recipients(listed, &state)
	if others := len(people) - from - len(listed); others > 0 {
		c := recipientsCursor{fingerprint: fingerprint, listed: uint32(from + len(listed))}
		last, err := hex.DecodeString(string(event.KeyOf(listed[len(listed)-1].Email)))
		if err != nil {
			return err
		}
		copy(c.last[:], last)
		next := c.String()
		v.Rest = &Rest{Count: others, At: messagePath(state.Message) + "?recipients=" + next, Next: next}
	}
	return nil
}

// recipients decorates people with the state of their message. Without a state
// nobody is known to have done anything.
func recipients(people []event.Person, state *event.State) []Recipient {
	if state == nil {
		state = &event.State{}
	}
	list := make([]Recipient, len(people))
	for i, person := range people {
		key := event.KeyOf(person.Email)
		list[i] = Recipient{
			Email: person.Email, Name: person.Name,
			Opened:     opening(state, key),
			Clicked:    firstTime(state, event.MarkClicked, key),
			Downloaded: firstTime(state, event.MarkDownloaded, key),
			Replied:    firstTime(state, event.MarkReplied, key),
			Bounced:    firstTime(state, event.MarkBounced, key),
			Delivered:  firstTime(state, event.MarkDelivered, key),

			Complained:   firstTime(state, event.MarkComplained, key),
			Unsubscribed: firstTime(state, event.MarkUnsubscribed, key),
		}
	}
	return list
}

// unopened counts those who have not opened.
func unopened(people []event.Person, state *event.State) *int {
	if state == nil {
		state = &event.State{}
	}
	count := 0
	switch opened := state.First[event.MarkOpened]; {
	case state.Done:
	case len(opened) == 0:
		count = len(people)
	default:
		for _, person := range people {
			if _, has := opened[event.KeyOf(person.Email)]; !has {
				count++
			}
		}
	}
	return &count
}

func opening(state *event.State, key event.RecipientKey) Opening {
	if state.Done {
		return Opening{}
	}
	seconds, opened := state.First[event.MarkOpened][key]
	if !opened {
		return Never
	}
	return OpenedAt(seconds)
}

func firstTime(state *event.State, mark event.Mark, key event.RecipientKey) *time.Time {
	seconds, ok := state.First[mark][key]
	if !ok {
		return nil
	}
	return at(seconds)
}

func at(seconds int64) *time.Time {
	t := time.Unix(seconds, 0).UTC()
	return &t
}
