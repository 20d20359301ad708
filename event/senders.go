package event

import (
	"maps"
	"slices"
)

// MaxSenders bounds how many users are kept as senders to one recipient; those
// with the smallest ids stay.
const MaxSenders = 16

// MaxParts bounds how many users a message may have as senders; of more, those whose
// names come first are kept, in whatever order they come.
const MaxParts = 256

// Part is one sender's part of a message that several have sent: two users may
// give the same id to mails of their own.
type Part struct {
	// Subject and At are of the sender's own sends, the smallest of each.
	Subject string `json:"s,omitempty"`
	At      int64  `json:"at,omitempty"`
	// Version rises with every change to the part.
	Version int64 `json:"v,omitempty"`
}

// Shared reports whether several users have sent the message.
func (s State) Shared() bool {
	_, unnamed := s.Parts[""]
	return len(s.Parts) > 2 || len(s.Parts) == 2 && !unnamed
}

// SendersOf are the users who have sent the message to a recipient, sorted. It
// is empty where nobody was named, and for others than recipients.
func (s State) SendersOf(key RecipientKey) []string {
	if senders, known := s.Senders[key]; known {
		return senders
	}
	if _, known := s.Recipients[key]; !known || s.User == "" {
		return nil
	}
	return []string{s.User}
}

// SentTo is when the message was first sent to a recipient, or at all where that is
// not known.
func (s State) SentTo(key RecipientKey) int64 {
	at := s.At
	for i, user := range s.SendersOf(key) {
		if part, known := s.Parts[user]; known && (i == 0 || part.At < at) {
			at = part.At
		}
	}
	return at
}

// Owner is whose mail an event of the message is about, and its subject: of
// those who have sent to the event's person, the event's own user or else the
// first. A message of one sender is all theirs, whoever the event is about.
func (s State) Owner(e Event) (user, subject string) {
	if !s.Shared() {
		return s.User, s.Subject
	}
	if user = e.User; user == "" {
		people := e.Recipients
		if e.Recipient != nil {
			people = []Person{*e.Recipient}
		}
		user = s.commonSender(people)
	}
	if user == "" {
		return "", ""
	}
	return user, s.Parts[user].Subject
}

// commonSender is the first user who has sent to all of these people, "" where
// there is none.
func (s State) commonSender(people []Person) string {
	var common []string
	for i, person := range people {
		senders := s.SendersOf(KeyOf(person.Email))
		if i == 0 {
			common = slices.Clone(senders)
			continue
		}
		common = slices.DeleteFunc(common, func(user string) bool { return !slices.Contains(senders, user) })
	}
	if len(common) == 0 {
		return ""
	}
	return common[0]
}

// SeenBy is what a reader may know of the message: the recipients of those senders
// whom may names, with their marks, and nothing of others. It reports false
// where that is nobody. The version is then of what they see: it rises with that
// alone.
func (s State) SeenBy(may func(user string) bool) (State, bool) {
	if !s.Shared() {
		return s, may(s.User)
	}
	parts := make(map[string]Part, len(s.Parts))
	for user, part := range s.Parts {
		if may(user) {
			parts[user] = part
		}
	}
	if len(parts) == 0 {
		return State{}, false
	}
	seen := s.of(parts)
	seen.Pending, seen.Version = nil, 0
	for _, part := range parts {
		seen.Version += part.Version
	}
	return seen, true
}

// SentBy is the part of the message that one user has sent, for conditions on a
// single send. A message of one sender is all theirs.
func (s State) SentBy(user string) State {
	if !s.Shared() {
		return s
	}
	seen, _ := s.SeenBy(func(sender string) bool { return sender == user })
	return seen
}

// of is the state with these parts alone: their recipients and what these did.
func (s State) of(parts map[string]Part) State {
	keys := make(map[RecipientKey][]string, len(s.Recipients))
	for key := range s.Recipients {
		senders := s.SendersOf(key)
		theirs := slices.DeleteFunc(slices.Clone(senders), func(user string) bool {
			_, kept := parts[user]
			return !kept
		})
		if _, unnamed := parts[""]; len(theirs) > 0 || unnamed && len(senders) == 0 {
			keys[key] = theirs
		}
	}
	next := s
	next.Recipients = only(s.Recipients, keys)
	next.First = make(map[Mark]map[RecipientKey]int64, len(s.First))
	for mark, firsts := range s.First {
		if firsts = only(firsts, keys); len(firsts) > 0 {
			next.First[mark] = firsts
		}
	}
	next.Clicks, next.Overrides = only(s.Clicks, keys), only(s.Overrides, keys)
	next.setSends(parts, keys)
	return next
}

func only[V any](from map[RecipientKey]V, keys map[RecipientKey][]string) map[RecipientKey]V {
	kept := maps.Clone(from)
	maps.DeleteFunc(kept, func(key RecipientKey, _ V) bool { _, is := keys[key]; return !is })
	return kept
}

// addSends takes in what sends say: who has sent what to whom. It is called
// before the change's recipients are added.
func (s *State) addSends(c Change) bool {
	if !c.Sent {
		return false
	}
	if s.Parts == nil && c.Parts == nil && (!s.Sent || s.User == c.User) {
		changed := minText(&s.User, c.User)
		changed = minText(&s.Subject, c.Subject) || changed
		if !s.Sent || c.At < s.At {
			s.At, changed = c.At, true
		}
		changed = changed || !s.Sent
		s.Sent = true
		return changed
	}
	sent := State{Sent: true, User: c.User, Subject: c.Subject, At: c.At, Recipients: c.Recipients, Parts: c.Parts, Senders: c.Senders}
	parts, keys := s.parts(), make(map[RecipientKey][]string, len(s.Recipients)+len(c.Recipients))
	for user, given := range sent.parts() {
		part, known := parts[user]
		if !known {
			part.At, part.Version = given.At, s.Version
		}
		minText(&part.Subject, given.Subject)
		part.At = min(part.At, given.At)
		parts[user] = part
	}
	for key := range s.Recipients {
		keys[key] = s.SendersOf(key)
	}
	for key := range c.Recipients {
		senders := append(slices.Clone(keys[key]), sent.SendersOf(key)...)
		slices.Sort(senders)
		senders = slices.Compact(senders)
		keys[key] = senders[:min(len(senders), MaxSenders)]
	}
	before := *s
	s.Sent = true
	s.setSends(parts, keys)
	return !before.Sent || !sameParts(before.Parts, s.Parts) || before.User != s.User || before.Subject != s.Subject ||
		before.At != s.At || !maps.EqualFunc(before.Senders, s.Senders, slices.Equal)
}

// parts are the parts of the senders, also where there is one.
func (s State) parts() map[string]Part {
	if s.Parts != nil {
		return maps.Clone(s.Parts)
	}
	parts := make(map[string]Part, 2)
	if s.Sent {
		parts[s.User] = Part{s.Subject, s.At, s.Version}
	}
	return parts
}

// setSends writes down who has sent what to whom. The same facts have one form
// only: a message of one sender says nothing of parts, and a recipient whose
// sender is the message's user has none noted.
func (s *State) setSends(parts map[string]Part, keys map[RecipientKey][]string) {
	s.User, s.Subject, s.At, s.Parts, s.Senders = "", "", 0, nil, nil
	if len(parts) > MaxParts {
		parts = maps.Clone(parts)
		for _, user := range slices.Sorted(maps.Keys(parts))[MaxParts:] {
			delete(parts, user)
		}
	}
	first := true
	for user, part := range parts {
		minText(&s.User, user)
		minText(&s.Subject, part.Subject)
		if first || part.At < s.At {
			s.At, first = part.At, false
		}
	}
	if len(parts) < 2 {
		return
	}
	s.Parts = parts
	for key, senders := range keys {
		if len(senders) == 1 && senders[0] == s.User {
			continue
		}
		if s.Senders == nil {
			s.Senders = make(map[RecipientKey][]string)
		}
		s.Senders[key] = senders
	}
}

// Resent is the state with who has sent to whom as the stored sends of the
// message say it, where these name senders whom the state does not: states did not
// tell senders apart once. Whoever no send names and nothing was noted of has no
// known sender then.
func (s State) Resent(sends State) (State, bool) {
	differs := false
	for key := range s.Recipients {
		known := s.SendersOf(key)
		for _, user := range sends.SendersOf(key) {
			differs = differs || len(known) < MaxSenders && !slices.Contains(known, user)
		}
	}
	if !differs {
		return s, false
	}
	parts, keys := sends.parts(), make(map[RecipientKey][]string, len(s.Recipients))
	for user, part := range s.Parts {
		if _, known := parts[user]; !known {
			parts[user] = part
		}
	}
	for key := range s.Recipients {
		senders := slices.Concat(sends.SendersOf(key), s.Senders[key])
		slices.Sort(senders)
		senders = slices.Compact(senders)
		keys[key] = senders[:min(len(senders), MaxSenders)]
		if _, known := parts[s.User]; !known && len(senders) == 0 {
			parts[s.User] = Part{At: s.At} // whose sends are not stored any more
		}
	}
	for user, part := range parts {
		part.Version = s.Version + 1 // as the whole has once it is written
		parts[user] = part
	}
	next := s.Clone()
	next.setSends(parts, keys)
	return next, true
}

// prune forgets the parts of senders who have no recipient left. What these had
// as versions goes to the others, so that nobody's version falls, and one more: who saw
// both sees less.
func (s *State) prune() {
	if s.Parts == nil {
		return
	}
	keys, parts := make(map[RecipientKey][]string, len(s.Recipients)), make(map[string]Part, len(s.Parts))
	for key := range s.Recipients {
		keys[key] = s.SendersOf(key)
		for _, user := range keys[key] {
			if part, kept := s.Parts[user]; kept {
				parts[user] = part
			}
		}
		if unnamed, known := s.Parts[""]; known && len(keys[key]) == 0 {
			parts[""] = unnamed
		}
	}
	all, gone := int64(0), int64(0)
	for user, part := range s.Parts {
		all += part.Version + 1
		if _, kept := parts[user]; !kept {
			gone += part.Version + 1
		}
	}
	for user, part := range parts {
		part.Version += gone
		parts[user] = part
	}
	s.Version = max(s.Version, all)
	if len(parts) == 0 {
		s.Subject, s.Parts, s.Senders = s.Parts[s.User].Subject, nil, nil
		return
	}
	s.setSends(parts, keys)
}

// raiseFor gives the state its next version, and those parts that a change is about:
// all of them where readers knew of no parts before.
func (s *State) raiseFor(c Change, wasShared bool) {
	s.Version++
	if s.Parts == nil {
		return
	}
	if !wasShared {
		s.Parts = maps.Clone(s.Parts)
		for user, part := range s.Parts {
			part.Version = s.Version
			s.Parts[user] = part
		}
		return
	}
	touched := make(map[string]bool)
	if c.Sent {
		touched[""] = true // it may name the sender of who had none
	}
	for user := range (State{Sent: c.Sent, User: c.User, Parts: c.Parts}).parts() {
		touched[user] = true
	}
	note := func(key RecipientKey) { s.touch(touched, key) }
	for key := range c.Recipients {
		note(key)
	}
	for _, firsts := range c.First {
		for key := range firsts {
			note(key)
		}
	}
	for key := range c.Clicks {
		note(key)
	}
	s.raiseParts(touched)
}

// touch notes whose part of the message a recipient is in.
func (s *State) touch(touched map[string]bool, key RecipientKey) {
	senders := s.SendersOf(key)
	for _, user := range senders {
		touched[user] = true
	}
	if _, recipient := s.Recipients[key]; recipient && len(senders) == 0 {
		touched[""] = true
	}
}

func (s *State) raiseParts(touched map[string]bool) {
	s.Parts = maps.Clone(s.Parts)
	for user := range touched {
		if part, known := s.Parts[user]; known {
			part.Version++
			s.Parts[user] = part
		}
	}
}

// sameParts compares all but versions.
func sameParts(a, b map[string]Part) bool {
	return maps.EqualFunc(a, b, func(a, b Part) bool { return a.Subject == b.Subject && a.At == b.At })
}

// Moved are the users whose part of the message is another one than in before; ""
// where that is nobody's, and nil where it cannot be told apart.
func (s State) Moved(before State) []string {
	if !s.Shared() || !before.Shared() {
		return nil
	}
	var moved []string
	for user, part := range s.Parts {
		if was, known := before.Parts[user]; !known || was.Version != part.Version {
			moved = append(moved, user)
		}
	}
	if len(moved) == 0 {
		return []string{""}
	}
	slices.Sort(moved)
	return moved
}
