package sqlite

import (
	"encoding/binary"
	"maps"
	"slices"

	"tidings/event"
)

// appendSenders writes the parts of a message that several have sent, and who has
// sent to whom where that is not the message's user alone. Users are numbered in
// the order of the parts.
func appendSenders(out []byte, s event.State, number map[event.RecipientKey]uint64) []byte {
	users := slices.Sorted(maps.Keys(s.Parts))
	out = binary.AppendUvarint(out, uint64(len(users)))
	for _, user := range users {
		part := s.Parts[user]
		out = appendText(appendText(out, user), part.Subject)
		out = binary.AppendVarint(binary.AppendVarint(out, part.At-s.At), part.Version)
	}
	out = binary.AppendUvarint(out, uint64(len(s.Senders)))
	for _, key := range slices.Sorted(maps.Keys(s.Senders)) {
		out = appendKey(out, key, number)
		out = binary.AppendUvarint(out, uint64(len(s.Senders[key])))
		for _, user := range s.Senders[key] {
			at, _ := slices.BinarySearch(users, user)
			out = binary.AppendUvarint(out, uint64(at))
		}
	}
	return out
}

// senders reads what appendSenders wrote.
func (in *stateReader) senders(s *event.State, keys []event.RecipientKey) {
	users := make([]string, in.count(4))
	s.Parts = make(map[string]event.Part, len(users))
	for i := range users {
		users[i] = in.text()
		s.Parts[users[i]] = event.Part{Subject: in.text(), At: s.At + in.varint(), Version: in.varint()}
	}
	recipients := in.count(2)
	for range recipients {
		key := in.key(keys)
		senders := make([]string, in.count(1))
		for i := range senders {
			at := in.uvarint()
			if at >= uint64(len(users)) {
				in.bad = true
				return
			}
			senders[i] = users[at]
		}
		if s.Senders == nil {
			s.Senders = make(map[event.RecipientKey][]string, recipients)
		}
		s.Senders[key] = senders
	}
	// What has one sender is written without.
	in.bad = in.bad || len(s.Parts) < 2
}
