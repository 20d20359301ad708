package sqlite

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"

	"tidings/event"
)

// Formats of an encoded state, its first byte. Most states have neither clicks
// nor overrides, and one sender, and are written without.
const (
	statePlain        = 1
	stateJudged       = 2
	statePlainShared  = 3
	stateJudgedShared = 4
)

// Flags of an encoded state.
const (
	flagSent = 1 << iota
	flagDone
	// flagNamed is set where the message has other names, or is known under one.
	flagNamed
)

var errState = errors.New("a stored state cannot be read")

// encodeState writes a state without its message key, which its row has. A
// recipient's key is left out where it follows from the address as it stands, and marks name
// recipients by number and times by their distance from the send, since states
// are most of state.db. The same state has one form only.
func encodeState(s event.State) []byte {
	out := make([]byte, 0, 64+48*len(s.Recipients)+16*len(s.Pending))
	flags := byte(0)
	if s.Sent {
		flags |= flagSent
	}
	if s.Done {
		flags |= flagDone
	}
	if len(s.Aliases) > 0 || s.To != "" {
		flags |= flagNamed
	}
	format := byte(statePlain)
	if len(s.Clicks) > 0 || len(s.Overrides) > 0 {
		format = stateJudged
	}
	judged := format == stateJudged
	if s.Parts != nil {
		format += statePlainShared - statePlain
	}
	out = append(out, format, flags)
	out = appendText(appendText(out, s.User), s.Subject)
	out = binary.AppendVarint(out, s.At)
	out = binary.AppendVarint(out, s.Version)
	out = binary.AppendVarint(out, s.Expire)

	keys := slices.SortedFunc(maps.Keys(s.Recipients), func(a, b event.RecipientKey) int {
		if order := strings.Compare(s.Recipients[a].Email, s.Recipients[b].Email); order != 0 {
			return order
		}
		return strings.Compare(string(a), string(b))
	})
	out = binary.AppendUvarint(out, uint64(len(keys)))
	number := make(map[event.RecipientKey]uint64, len(keys))
	for i, key := range keys {
		person := s.Recipients[key]
		number[key] = uint64(i) + 1
		out = appendText(appendText(out, person.Email), person.Name)
		if key == event.TextKey(person.Email) {
			key = ""
		}
		out = appendText(out, string(key))
	}
	out = appendMarks(out, s, number)
	out = binary.AppendUvarint(out, uint64(len(s.Pending)))
	for _, id := range s.Pending {
		out = append(out, id[:]...)
	}
	if judged {
		out = appendJudged(out, s, number)
	}
	if s.Parts != nil {
		out = appendSenders(out, s, number)
	}
	if flags&flagNamed != 0 {
		out = appendText(out, s.To)
		out = binary.AppendUvarint(out, uint64(len(s.Aliases)))
		for _, name := range s.Aliases {
			out = appendText(out, name)
		}
	}
	return out
}

// appendJudged writes clicks and overrides.
func appendJudged(out []byte, s event.State, number map[event.RecipientKey]uint64) []byte {
	out = binary.AppendUvarint(out, uint64(len(s.Clicks)))
	for _, key := range slices.Sorted(maps.Keys(s.Clicks)) {
		out = appendKey(out, key, number)
		out = binary.AppendUvarint(out, uint64(len(s.Clicks[key])))
		for _, click := range s.Clicks[key] {
			out = binary.BigEndian.AppendUint32(append(out, click.ID[:]...), click.Link)
		}
	}
	out = binary.AppendUvarint(out, uint64(len(s.Overrides)))
	for _, key := range slices.Sorted(maps.Keys(s.Overrides)) {
		out = appendKey(out, key, number)
		overrides := s.Overrides[key]
		out = binary.AppendUvarint(out, uint64(len(overrides)))
		for _, id := range slices.SortedFunc(maps.Keys(overrides), func(a, b event.ID) int { return slices.Compare(a[:], b[:]) }) {
			out = append(out, id[:]...)
			out = appendText(appendText(appendText(out, overrides[id].Is), overrides[id].Reason), overrides[id].User)
		}
	}
	return out
}

// appendKey names a recipient by number, or by key when it is no recipient of
// the send.
func appendKey(out []byte, key event.RecipientKey, number map[event.RecipientKey]uint64) []byte {
	out = binary.AppendUvarint(out, number[key])
	if number[key] == 0 {
		out = appendText(out, string(key))
	}
	return out
}

func appendMarks(out []byte, s event.State, number map[event.RecipientKey]uint64) []byte {
	marks := slices.Sorted(maps.Keys(s.First))
	marks = slices.DeleteFunc(marks, func(m event.Mark) bool { return len(s.First[m]) == 0 })
	out = binary.AppendUvarint(out, uint64(len(marks)))
	for _, mark := range marks {
		firsts := s.First[mark]
		out = appendText(out, string(mark))
		out = binary.AppendUvarint(out, uint64(len(firsts)))
		for _, key := range slices.Sorted(maps.Keys(firsts)) {
			out = appendKey(out, key, number)
			out = binary.AppendVarint(out, firsts[key]-s.At)
		}
	}
	return out
}

func appendText(out []byte, text string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(text))), text...)
}

// decodeState reads what encodeState wrote.
func decodeState(key event.MessageKey, raw []byte) (event.State, error) {
	in := stateReader{rest: raw}
	format := in.byte()
	if format < statePlain || format > stateJudgedShared {
		return event.State{}, errState
	}
	s := event.State{MessageKey: key}
	flags := in.byte()
	s.Sent, s.Done = flags&flagSent != 0, flags&flagDone != 0
	s.User, s.Subject = in.text(), in.text()
	s.At, s.Version, s.Expire = in.varint(), in.varint(), in.varint()

	keys := in.recipients(&s)
	in.marks(&s, keys)
	if n := in.count(len(event.ID{})); n > 0 {
		s.Pending = make([]event.ID, n)
		for i := range s.Pending {
			s.Pending[i] = in.id()
		}
	}
	if format == stateJudged || format == stateJudgedShared {
		in.judged(&s, keys)
	}
	if format >= statePlainShared {
		in.senders(&s, keys)
	}
	if flags&flagNamed != 0 {
		in.names(&s)
	}
	if in.bad || len(in.rest) > 0 {
		return event.State{}, errState
	}
	s.Rekey()
	return s, nil
}

// stateReader reads the parts of a state. After the first part that is not
// there it is bad and reads zeroes.
type stateReader struct {
	rest []byte
	bad  bool
}

// recipients reads a send's recipients, and returns their keys by number. A mailing has a
// thousand, and states are read for each page: their texts are parts of one.
func (in *stateReader) recipients(s *event.State) []event.RecipientKey {
	n := in.count(3)
	if n == 0 {
		return nil
	}
	keys := make([]event.RecipientKey, n)
	s.Recipients = make(map[event.RecipientKey]event.Person, n)
	texts := string(in.rest)
	made := make([]byte, 0, n*event.KeyLen)
	people := make([]event.Person, n)
	for i := range people {
		people[i] = event.Person{Email: in.part(texts), Name: in.part(texts)}
		if keys[i] = event.RecipientKey(in.part(texts)); keys[i] == "" {
			made = event.AppendTextKey(made, people[i].Email)
		}
	}
	for i, rest := 0, string(made); i < n; i++ {
		if keys[i] == "" {
			keys[i], rest = event.RecipientKey(rest[:event.KeyLen]), rest[event.KeyLen:]
		}
		s.Recipients[keys[i]] = people[i]
	}
	return keys
}

// part reads a text out of what rest was, which is the end of texts.
func (in *stateReader) part(texts string) string {
	n := in.uvarint()
	if n > uint64(len(in.rest)) {
		in.bad = true
		return ""
	}
	from := len(texts) - len(in.rest)
	in.take(int(n))
	return texts[from : from+int(n)]
}

func (in *stateReader) marks(s *event.State, keys []event.RecipientKey) {
	marks := in.count(2)
	if marks == 0 {
		return
	}
	s.First = make(map[event.Mark]map[event.RecipientKey]int64, marks)
	for range marks {
		mark := event.Mark(in.text())
		entries := in.count(2)
		if entries == 0 {
			in.bad = true
			return
		}
		firsts := make(map[event.RecipientKey]int64, entries)
		for range entries {
			key := in.key(keys)
			firsts[key] = s.At + in.varint()
		}
		s.First[mark] = firsts
	}
}

func (in *stateReader) judged(s *event.State, keys []event.RecipientKey) {
	const clickLen, overrideLen = 16 + 4, 16 + 3
	people := in.count(2 + clickLen)
	for range people {
		key := in.key(keys)
		clicks := make([]event.Clicked, in.count(clickLen))
		for i := range clicks {
			clicks[i] = event.Clicked{ID: in.id(), Link: in.uint32()}
		}
		if s.Clicks == nil {
			s.Clicks = make(map[event.RecipientKey][]event.Clicked, people)
		}
		s.Clicks[key] = clicks
	}
	overridden := in.count(2 + overrideLen)
	for range overridden {
		key := in.key(keys)
		count := in.count(overrideLen)
		overrides := make(map[event.ID]event.Override, count)
		for range count {
			id := in.id()
			overrides[id] = event.Override{Is: in.text(), Reason: in.text(), User: in.text()}
		}
		if s.Overrides == nil {
			s.Overrides = make(map[event.RecipientKey]map[event.ID]event.Override, overridden)
		}
		s.Overrides[key] = overrides
	}
	// What has none of either is written as a plain state.
	in.bad = in.bad || people+overridden == 0
}

// names reads the other names of a message.
func (in *stateReader) names(s *event.State) {
	s.To = in.text()
	for range in.count(1) {
		s.Aliases = append(s.Aliases, in.text())
	}
	in.bad = in.bad || s.To == "" && len(s.Aliases) == 0
}

// key reads what appendKey wrote.
func (in *stateReader) key(keys []event.RecipientKey) event.RecipientKey {
	number := in.uvarint()
	switch {
	case number == 0:
		return event.RecipientKey(in.text())
	case number > uint64(len(keys)):
		in.bad = true
		return ""
	}
	return keys[number-1]
}

func (in *stateReader) id() event.ID {
	var id event.ID
	copy(id[:], in.take(len(id)))
	return id
}

func (in *stateReader) uint32() uint32 {
	raw := in.take(4)
	if in.bad {
		return 0
	}
	return binary.BigEndian.Uint32(raw)
}

func (in *stateReader) take(n int) []byte {
	if in.bad || n > len(in.rest) {
		in.bad = true
		return nil
	}
	taken := in.rest[:n]
	in.rest = in.rest[n:]
	return taken
}

func (in *stateReader) byte() byte {
	taken := in.take(1)
	if in.bad {
		return 0
	}
	return taken[0]
}

func (in *stateReader) uvarint() uint64 {
	value, n := binary.Uvarint(in.rest)
	if n <= 0 {
		in.bad = true
		return 0
	}
	in.take(n)
	return value
}

func (in *stateReader) varint() int64 {
	value, n := binary.Varint(in.rest)
	if n <= 0 {
		in.bad = true
		return 0
	}
	in.take(n)
	return value
}

// count reads how many things of at least size bytes follow, and refuses more
// than can follow.
func (in *stateReader) count(size int) int {
	n := in.uvarint()
	if in.bad || n > uint64(len(in.rest)/size) {
		in.bad = true
		return 0
	}
	return int(n)
}

func (in *stateReader) text() string {
	n := in.uvarint()
	if n > uint64(len(in.rest)) {
		in.bad = true
		return ""
	}
	return string(in.take(int(n)))
}
