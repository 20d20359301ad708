package event

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash"
)

// ID names an event: 4 bytes of Unix seconds, big endian, then 12 bytes of
// SHA-256 over workspace, source and the sender's own key. Text order of IDs is
// time order, and the ID alone names its week.
type ID [16]byte

// idText is lower-case base32hex, which keeps byte order in text order.
var idText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// idLen is the length of an ID as text.
const idLen = 26

// NewID is the ID of the event that source calls key, at seconds. An event
// without a key of its own has its canonical form instead (see Input.Event),
// with keyed false so that the two can never meet.
func NewID(seconds int64, workspace, source string, keyed bool, key []byte) ID {
	sum := sha256.New()
	writePart(sum, []byte(workspace))
	writePart(sum, []byte(source))
	if keyed {
		sum.Write([]byte{1})
	} else {
		sum.Write([]byte{0})
	}
	writePart(sum, key)
	var id ID
	binary.BigEndian.PutUint32(id[:4], uint32(seconds))
	copy(id[4:], sum.Sum(nil))
	return id
}

// writePart hashes a part behind its length, so that parts cannot run together.
func writePart(sum hash.Hash, part []byte) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(part)))
	sum.Write(length[:])
	sum.Write(part)
}

// ParseID reads the 26 characters that String writes.
func ParseID(text string) (ID, error) {
	var id ID
	if len(text) != idLen {
		return id, Invalid("id", "an event id has 26 characters")
	}
	raw, err := idText.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return id, Invalid("id", "an event id is lower-case base32hex")
	}
	copy(id[:], raw)
	if id.String() != text {
		return id, Invalid("id", "an event id ends in 0, 4, 8, c, g, k, o or s")
	}
	return id, nil
}

// Seconds is the event's time.
func (id ID) Seconds() int64 { return int64(binary.BigEndian.Uint32(id[:4])) }

// Tie orders events of one second: the 8 bytes after the seconds.
func (id ID) Tie() uint64 { return binary.BigEndian.Uint64(id[4:12]) }

// Week is the week the event is stored in.
func (id ID) Week() Week { return WeekOf(id.Seconds()) }

// IsZero reports whether id is no id at all.
func (id ID) IsZero() bool { return id == ID{} }

func (id ID) String() string { return idText.EncodeToString(id[:]) }

// MarshalText writes the 26 characters.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the 26 characters.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err != nil {
		return fmt.Errorf("event id: %w", err)
	}
	*id = parsed
	return nil
}
