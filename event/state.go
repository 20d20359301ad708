package event

import (
	"maps"
	"slices"
	"strings"

	"tidings/address"
)

// RecipientKey names a recipient inside a message: hex of the first 12 bytes of
// the SHA-256 of the canonical address, since raw addresses break field paths.
type RecipientKey string

// KeyOf is the key of an address.
func KeyOf(email string) RecipientKey { return TextKey(address.Fold(email)) }

// MessageKey names a message.
type MessageKey struct {
	Workspace string `json:"w"`
	Message   string `json:"message"`
}

// Mark is a kind of first time that is kept for each recipient of a message.
type Mark string

// The marks, named as they are stored.
const (
	MarkOpened        Mark = "o"
	MarkMachineOpened Mark = "m"
	MarkClicked       Mark = "c"
	MarkDownloaded    Mark = "f"
	MarkReplied       Mark = "p"
	MarkBounced       Mark = "b"
	MarkDelivered     Mark = "d"
	MarkComplained    Mark = "s"
	MarkUnsubscribed  Mark = "u"
)

// MaxPending bounds how many ids of events that came before their send are noted
// on a message. What goes beyond keeps no subject.
const MaxPending = 1000

// State is what is known of one message: the facts of its send and the first
// time of each mark for each recipient. Every field only ever grows or takes
// the smaller value, so any order and any repetition of the same changes gives
// the same State but for Version.
type State struct {
	MessageKey
	// Sent is whether the send itself was seen.
	Sent bool `json:"sent,omitempty"`
	// User, Subject and At are the send's; where pieces differ, the smallest
	// that is not empty. Where several users have sent the message, Parts says
	// what each has sent, and Senders to whom: see SendersOf and SeenBy.
	User    string `json:"u,omitempty"`
	Subject string `json:"s,omitempty"`
	At      int64  `json:"at,omitempty"`
	// Recipients are the send's, over all its pieces.
	Recipients map[RecipientKey]Person `json:"r,omitempty"`
	// Parts are by user, nil where there is one; "" stands for sends without one.
	Parts map[string]Part `json:"by,omitempty"`
	// Senders are those of a recipient where that is not User alone, sorted; none
	// where no send to them names one.
	Senders map[RecipientKey][]string `json:"rs,omitempty"`
	// First holds Unix seconds, by mark and recipient; 0 is a time let go.
	First map[Mark]map[RecipientKey]int64 `json:"first,omitempty"`
	// Pending are events that were indexed before the send was known, sorted. Its
	// key and that of Overrides are older than the names: stored states have them.
	Pending []ID `json:"early,omitempty"`
	// Clicks are the latest clicks of each recipient, machines' too, sorted.
	Clicks map[RecipientKey][]Clicked `json:"k,omitempty"`
	// Overrides are what people said of single events, by recipient and event.
	Overrides map[RecipientKey]map[ID]Override `json:"ov,omitempty"`
	// Done is set when everyone has opened and the first opens were let go:
	// nobody is unopened, and MarkOpened and MarkMachineOpened are empty.
	Done bool `json:"done,omitempty"`
	// Aliases are the other names of the message, sorted; at most MaxNames.
	Aliases []string `json:"aliases,omitempty"`
	// To is the name that the message is known under, where this is another of
	// its names. Nothing else but At, how long this is kept, is known then.
	To string `json:"to,omitempty"`
	// Version rises with every change that had an effect.
	Version int64 `json:"v"`
	// Expire is when the state may be reduced to Done, Unix seconds; 0 while
	// somebody has not opened.
	Expire int64 `json:"x,omitempty"`
}

// Change is the effect of one or more events on one message.
type Change struct {
	MessageKey
	Sent          bool
	User, Subject string
	At            int64
	Recipients    map[RecipientKey]Person
	// Parts and Senders are as in State, of changes that several sends brought.
	Parts   map[string]Part
	Senders map[RecipientKey][]string
	First   map[Mark]map[RecipientKey]int64
	Clicks  map[RecipientKey][]Clicked
	// Pending names events that were judged without knowing the send.
	Pending []ID
}

// ChangeOf is the effect of a judged event. A machine's open is kept apart, a
// machine's click is only a neighbour to others, a machine's download changes
// nothing, and unknown counts as a person.
func ChangeOf(e Event) Change {
	c := Change{MessageKey: MessageKey{e.Workspace, e.Message}}
	if e.Type == Send {
		c.Sent, c.User, c.Subject, c.At = true, e.User, e.Subject, e.Time
		c.Recipients = make(map[RecipientKey]Person, len(e.Recipients))
		for _, person := range e.Recipients {
			person.Written = "" // events alone keep it
			c.Recipients[KeyOf(person.Email)] = person
		}
		return c
	}
	if e.Recipient == nil {
		return c // it marks nobody
	}
	key := KeyOf(e.Recipient.Email)
	machine := e.Verdict.Is == Machine
	switch e.Type {
	case Open:
		if machine {
			c.mark(MarkMachineOpened, key, e.Time)
		} else {
			c.mark(MarkOpened, key, e.Time)
		}
	case Click:
		c.Clicks = map[RecipientKey][]Clicked{key: {ClickedOf(e)}}
		if !machine {
			c.mark(MarkClicked, key, e.Time)
			c.mark(MarkOpened, key, e.Time)
		}
	case Download:
		if !machine {
			c.mark(MarkDownloaded, key, e.Time)
			c.mark(MarkOpened, key, e.Time)
		}
	case Reply:
		c.mark(MarkReplied, key, e.Time)
		c.mark(MarkOpened, key, e.Time)
	case Bounce:
		if !e.Unsent() {
			c.mark(MarkBounced, key, e.Time)
		}
	case Delivery:
		c.mark(MarkDelivered, key, e.Time)
	case Complaint:
		c.mark(MarkComplained, key, e.Time)
	case Unsubscribe:
		c.mark(MarkUnsubscribed, key, e.Time)
	}
	return c
}

func (c *Change) mark(m Mark, key RecipientKey, at int64) {
	if c.First == nil {
		c.First = make(map[Mark]map[RecipientKey]int64, 2)
	}
	minMark(c.First, m, key, at)
}

// Merge adds the effect of another change of the same message.
func (c *Change) Merge(other Change) {
	var s State
	s.MessageKey = c.MessageKey
	s.Apply(*c)
	s.Apply(other)
	c.Sent, c.User, c.Subject, c.At = s.Sent, s.User, s.Subject, s.At
	c.Recipients, c.First, c.Clicks, c.Pending = s.Recipients, s.First, s.Clicks, s.Pending
	c.Parts, c.Senders = s.Parts, s.Senders
}

// Empty reports whether the change says nothing.
func (c Change) Empty() bool {
	return !c.Sent && len(c.First) == 0 && len(c.Clicks) == 0 && len(c.Pending) == 0
}

// Apply makes the change and reports whether it had an effect; Version rises by
// one when it had. A Done state keeps its marks of clicks, replies and bounces
// up to date and lets opens pass.
func (s *State) Apply(c Change) bool {
	if s.To != "" {
		return false // it belongs elsewhere
	}
	wasShared := s.Shared()
	changed := s.addSends(c)
	changed = s.addRecipients(c.Recipients) || changed
	for mark, firsts := range c.First {
		if s.Done && (mark == MarkOpened || mark == MarkMachineOpened) {
			continue
		}
		for key, at := range firsts {
			if s.First == nil {
				s.First = make(map[Mark]map[RecipientKey]int64, 2)
			}
			changed = minMark(s.First, mark, key, at) || changed
		}
	}
	for key, clicks := range c.Clicks {
		changed = s.addClicks(key, clicks) || changed
	}
	for _, id := range c.Pending {
		at, found := slices.BinarySearchFunc(s.Pending, id, compareID)
		if !found && len(s.Pending) < MaxPending {
			s.Pending, changed = slices.Insert(s.Pending, at, id), true
		}
	}
	if changed {
		s.raiseFor(c, wasShared)
	}
	return changed
}

func (s *State) addRecipients(people map[RecipientKey]Person) bool {
	changed := false
	for key, person := range people {
		known, ok := s.Recipients[key]
		if !ok && s.Done {
			s.reopen()
		}
		name := known.Name
		if ok && !minText(&name, person.Name) {
			continue
		}
		if ok {
			person.Name = name
		}
		if s.Recipients == nil {
			s.Recipients = make(map[RecipientKey]Person, len(people))
		}
		s.Recipients[key] = person
		changed = true
	}
	return changed
}

// reopen undoes Done for a recipient who was not known then: the others have
// opened, at a time that was let go and is therefore 0.
func (s *State) reopen() {
	s.Done = false
	opened := make(map[RecipientKey]int64, len(s.Recipients))
	for key := range s.Recipients {
		opened[key] = 0
	}
	if s.First == nil {
		s.First = make(map[Mark]map[RecipientKey]int64, 1)
	}
	s.First[MarkOpened] = opened
}

// Unopened lists the keys of recipients whose first open is not known, sorted
// by address.
func (s State) Unopened() []RecipientKey {
	if s.Done {
		return nil
	}
	var keys []RecipientKey
	for key := range s.Recipients {
		if _, opened := s.First[MarkOpened][key]; !opened {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b RecipientKey) int {
		return strings.Compare(s.Recipients[a].Email, s.Recipients[b].Email)
	})
	return keys
}

// Complete reports whether the send is known and everyone has opened it.
func (s State) Complete() bool {
	if !s.Sent {
		return false
	}
	for key := range s.Recipients {
		if _, opened := s.First[MarkOpened][key]; !opened && !s.Done {
			return false
		}
	}
	return true
}

// Finish reduces a complete state to what is kept for good.
func (s *State) Finish() {
	s.Done, s.Expire = true, 0
	delete(s.First, MarkOpened)
	delete(s.First, MarkMachineOpened)
	s.Clicks = nil
	s.Version++
}

// Clone is a copy that shares nothing.
func (s State) Clone() State {
	s.Recipients, s.Parts, s.Senders = maps.Clone(s.Recipients), maps.Clone(s.Parts), maps.Clone(s.Senders)
	first := make(map[Mark]map[RecipientKey]int64, len(s.First))
	for mark, firsts := range s.First {
		first[mark] = maps.Clone(firsts)
	}
	s.First = first
	s.Pending, s.Aliases = slices.Clone(s.Pending), slices.Clone(s.Aliases)
	s.Clicks = cloneEach(s.Clicks, slices.Clone)
	s.Overrides = cloneEach(s.Overrides, maps.Clone)
	return s
}

func compareID(a, b ID) int { return slices.Compare(a[:], b[:]) }

// minText keeps the smaller of two texts, an empty one counting as absent.
func minText(have *string, given string) bool {
	if given == "" || (*have != "" && *have <= given) {
		return false
	}
	*have = given
	return true
}

func minMark(first map[Mark]map[RecipientKey]int64, m Mark, key RecipientKey, at int64) bool {
	firsts := first[m]
	if firsts == nil {
		firsts = make(map[RecipientKey]int64, 1)
		first[m] = firsts
	}
	if have, ok := firsts[key]; ok && have <= at {
		return false
	}
	firsts[key] = at
	return true
}
