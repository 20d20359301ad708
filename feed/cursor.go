package feed

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/event"
	"tidings/query"
)

// cursor is where a page ended: the position of its last item, the clock of page
// one (so that "last 2 hours" means the same on page two) and a fingerprint of
// the question, so that a cursor cannot be used with another one.
type cursor struct {
	key         Key
	clock       int64
	fingerprint [8]byte
}

const cursorLen = 4 + 8 + 8 + 8

func (c cursor) String() string {
	var raw [cursorLen]byte
	binary.BigEndian.PutUint32(raw[0:], uint32(c.key.Seconds))
	binary.BigEndian.PutUint64(raw[4:], c.key.Tie)
	binary.BigEndian.PutUint64(raw[12:], uint64(c.clock))
	copy(raw[20:], c.fingerprint[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// parseCursor reads a cursor that was given with a question. One that belongs to
// another question is returned with the error.
func parseCursor(text string, fingerprint [8]byte) (cursor, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != cursorLen {
		return cursor{}, event.Invalid("cursor", "is not a valid cursor")
	}
	c := cursor{
		key:         Key{int64(binary.BigEndian.Uint32(raw[0:])), binary.BigEndian.Uint64(raw[4:])},
		clock:       int64(binary.BigEndian.Uint64(raw[12:])),
		fingerprint: [8]byte(raw[20:]),
	}
	if c.fingerprint != fingerprint {
		return c, event.Invalid("cursor", "belongs to another query: start again without it")
	}
	return c, nil
}

// fingerprint names the question as it was asked: the reader, the text and the
// filters, but not the size of the page.
func (r PageRequest) fingerprint() [8]byte {
	types := make([]string, len(r.Filter.Types))
	for i, t := range r.Filter.Types {
		types[i] = string(t)
	}
	return query.Fingerprint(
		r.Workspace, r.Me, r.zone().String(), r.Text,
		sorted(types), sorted(r.Filter.Users), sorted(r.Filter.Recipients), sorted(r.Filter.Messages),
		string(r.Filter.Automated), fmt.Sprint(r.Filter.Since, r.Filter.Until),
	)
}

func sorted(values []string) string {
	values = slices.Clone(values)
	slices.Sort(values)
	return strings.Join(values, "\x00")
}

// clockOf is the time that relative times of the question count from.
func (c cursor) clockOf(now time.Time) time.Time {
	if c.clock == 0 {
		return now
	}
	return time.Unix(c.clock, 0)
}
