package event

import (
	"maps"
	"slices"
	"strings"
)

// MaxNames bounds how many names a message may have beside the one that it is
// known under.
const MaxNames = 15

// Called is the name of the message as the event's source told it.
func (e Event) Called() string {
	if e.Original != "" {
		return e.Original
	}
	return e.Message
}

// NameAs files the event under another name of its message.
func (e *Event) NameAs(name string) bool {
	if e.Message == name {
		return false
	}
	called := e.Called()
	if e.Message, e.Original = name, called; called == name {
		e.Original = ""
	}
	return true
}

// Names are all names of the message that the event tells.
func (e Event) Names() []string { return append([]string{e.Message}, e.Aliases...) }

// AllNames are the names of the message, the one that it is known under first.
func (s State) AllNames() []string { return append([]string{s.Message}, s.Aliases...) }

// IsCalled reports whether the message has the name.
func (s State) IsCalled(name string) bool {
	return name == s.Message || slices.Contains(s.Aliases, name)
}

// Redirect is the state of a name whose message is known under another one. It
// lasts as long as what it leads to may.
func (s State) Redirect(name string, version int64) State {
	return State{MessageKey: MessageKey{s.Workspace, name}, To: s.Message, At: s.Latest(), Version: version}
}

// Latest is when the message was sent, or without a send, the latest time that is
// known of it.
func (s State) Latest() int64 {
	if s.Sent || s.To != "" {
		return s.At
	}
	at := int64(0)
	for _, firsts := range s.First {
		for _, first := range firsts {
			at = max(at, first)
		}
	}
	for _, clicks := range s.Clicks {
		for _, click := range clicks {
			at = max(at, click.ID.Seconds())
		}
	}
	for _, id := range s.Pending {
		at = max(at, id.Seconds())
	}
	return at
}

// Known reports whether anything is known of the message itself.
func (s State) Known() bool {
	return s.To == "" && s.Version > 0 && (s.Sent || !s.Vacant() || len(s.Pending) > 0)
}

// Joined is the state with what is known of the same message under another name. The
// version stays; whoever replaces a state raises it.
func (s State) Joined(other State) State {
	next := s.Clone()
	version := next.Version
	next.Apply(other.change())
	for key, overrides := range other.Overrides {
		for id, override := range overrides {
			if _, known := next.Overrides[key][id]; !known {
				next.SetOverride(key, id, &override)
			}
		}
	}
	next.AddAliases(other.AllNames()...)
	next.Version = version
	return next
}

// change is what the state knows, as a change of the same message.
func (s State) change() Change {
	first := s.First
	if s.Done {
		// They have opened, at a time that was let go.
		first = maps.Clone(first)
		if first == nil {
			first = make(map[Mark]map[RecipientKey]int64, 1)
		}
		opened := make(map[RecipientKey]int64, len(s.Recipients))
		for key := range s.Recipients {
			opened[key] = 0
		}
		first[MarkOpened] = opened
	}
	return Change{
		MessageKey: s.MessageKey, Sent: s.Sent, User: s.User, Subject: s.Subject, At: s.At, Recipients: s.Recipients,
		Parts: s.Parts, Senders: s.Senders, First: first, Clicks: s.Clicks, Pending: s.Pending,
	}
}

// AddAliases adds names of the message, and reports whether it had not all of them.
func (s *State) AddAliases(names ...string) bool {
	changed := false
	for _, name := range names {
		if s.IsCalled(name) {
			continue
		}
		at, _ := slices.BinarySearch(s.Aliases, name)
		s.Aliases, changed = slices.Insert(slices.Clone(s.Aliases), at, name), true
	}
	return changed
}

// SameMail reports whether two states may be of one mail: those of which both have
// a subject and another one are not, since a vendor's field that should name the mail
// may hold a constant.
func (s State) SameMail(other State) bool {
	a, b := plainSubject(s.Subject), plainSubject(other.Subject)
	return a == "" || b == "" || a == b || s.Shared() || other.Shared()
}

// plainSubject is a subject without what mail programs put in front, and without case
// and space.
func plainSubject(subject string) string {
	words := strings.Fields(strings.ToLower(subject))
	for len(words) > 0 && slices.Contains([]string{"re:", "fwd:", "fw:", "aw:", "wg:", "sv:", "antw:", "tr:"}, words[0]) {
		words = words[1:]
	}
	return strings.Join(words, " ")
}

// Outranks reports whether a message with two names stays known under this one: a
// name with a send before one without, then the earlier, then the smaller.
func (s State) Outranks(other State) bool {
	if s.Sent != other.Sent {
		return s.Sent
	}
	if s.Sent && s.At != other.At {
		return s.At < other.At
	}
	return s.Message < other.Message
}
