package live

import (
	"encoding/base64"
	"encoding/binary"

	"tidings/event"
)

// Position is a point on the live stream: everything up to Sequence has been
// seen. The zero Position is one of a hub that does not know its stream yet;
// whoever resumes from it is reset.
type Position struct {
	Incarnation string
	Sequence    uint64
}

const (
	positionForm     = 1
	positionHead     = 1 + 8
	maxIncarnation   = 64
	maxPositionBytes = positionHead + maxIncarnation
)

// String is the position as clients keep it: opaque and safe in a URL.
func (p Position) String() string {
	raw := make([]byte, positionHead, maxPositionBytes)
	raw[0] = positionForm
	binary.BigEndian.PutUint64(raw[1:], p.Sequence)
	return base64.RawURLEncoding.EncodeToString(append(raw, p.Incarnation...))
}

// ParsePosition reads what String writes. The error is a *event.FieldError.
func ParsePosition(text string) (Position, error) {
	if len(text) > base64.RawURLEncoding.EncodedLen(maxPositionBytes) {
		return Position{}, errNoPosition()
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < positionHead || raw[0] != positionForm {
		return Position{}, errNoPosition()
	}
	p := Position{string(raw[positionHead:]), binary.BigEndian.Uint64(raw[1:])}
	if p.String() != text { // the decoder passes over line breaks
		return Position{}, errNoPosition()
	}
	return p, nil
}

func errNoPosition() error {
	return event.Invalid("since", "is not a position: take the one of a page or of the last frame")
}
