package event

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"tidings/address"
)

// TextsOf are the texts that may stand for an address in stored events: those that came in
// before addresses had one text keep theirs.
func TextsOf(email string) []string { return address.Stored(email) }

// KeysOf are the keys that states may have for a recipient, today's first: those from
// before addresses had one text have the key of the text as it came.
func KeysOf(email string) []RecipientKey {
	keys := []RecipientKey{KeyOf(email)}
	for _, text := range TextsOf(email) {
		if key := TextKey(text); key != keys[0] {
			keys = append(keys, key)
		}
	}
	return keys
}

// TextKey is the key of an address as it stands, which is KeyOf for a canonical one.
func TextKey(text string) RecipientKey { return RecipientKey(AppendTextKey(nil, text)) }

// KeyLen is how long a RecipientKey is.
const KeyLen = 24

// AppendTextKey adds what TextKey is, for those who make many.
func AppendTextKey(to []byte, text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return hex.AppendEncode(to, sum[:KeyLen/2])
}

// Rekey gives the recipients of a state as it was stored today's address and key, and
// puts together what is known of one person under several. Stores call it for
// each state that they read. What is known under an old key of somebody to whom no
// known send went stays there: the key alone does not say whose it is.
func (s *State) Rekey() {
	moved := make(map[RecipientKey]Person)
	strangers := s.hasStrangers()
	for key, person := range s.Recipients {
		email := address.Fold(person.Email)
		if email == person.Email && !strangers {
			continue
		}
		now := KeyOf(email)
		if email != person.Email {
			if person.Email = email; key != now {
				moved[key] = person
			} else {
				s.Recipients[key] = person
			}
		}
		for _, old := range KeysOf(email)[1:] {
			if _, recipient := s.Recipients[old]; strangers && !recipient && s.Names(old) {
				moved[old] = person
			}
		}
	}
	for _, old := range slices.Sorted(maps.Keys(moved)) {
		s.rekey(old, moved[old])
	}
}

// hasStrangers reports whether somebody is named who is no recipient of a known send.
func (s *State) hasStrangers() bool {
	if len(s.Recipients) == 0 {
		return false // there is nobody whose old keys could be told
	}
	stranger := func(key RecipientKey) bool { _, known := s.Recipients[key]; return !known }
	for _, firsts := range s.First {
		for key := range firsts {
			if stranger(key) {
				return true
			}
		}
	}
	for key := range s.Clicks {
		if stranger(key) {
			return true
		}
	}
	for key := range s.Overrides {
		if stranger(key) {
			return true
		}
	}
	return false
}

// rekey moves what is known under an old key to a person's own.
func (s *State) rekey(old RecipientKey, person Person) {
	key := KeyOf(person.Email)
	if _, recipient := s.Recipients[old]; recipient {
		delete(s.Recipients, old)
		if known, there := s.Recipients[key]; there {
			minText(&person.Name, known.Name)
		}
		s.Recipients[key] = person
	}
	for mark, firsts := range s.First {
		if at, there := firsts[old]; there {
			delete(firsts, old)
			minMark(s.First, mark, key, at)
		}
	}
	if clicks := s.Clicks[old]; len(clicks) > 0 {
		delete(s.Clicks, old)
		s.addClicks(key, clicks)
	}
	if overrides := s.Overrides[old]; len(overrides) > 0 {
		delete(s.Overrides, old)
		maps.Copy(overrides, s.Overrides[key])
		s.Overrides[key] = overrides
	}
	if senders := s.Senders[old]; len(senders) > 0 {
		delete(s.Senders, old)
		all := slices.Concat(senders, s.Senders[key])
		slices.Sort(all)
		all = slices.Compact(all)
		s.Senders[key] = all[:min(len(all), MaxSenders)]
	}
}
