// Package erasures is what every state store writes down when a person is erased:
// a record under an id that is an HMAC of the workspace and the address with a
// secret of this installation, so that the list tells nobody who is on it. Addresses
// go in and record ids come out; the stores keep the records.
package erasures

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"tidings/event"
)

// Kind is the kind of the records.
const Kind = "erased"

// ID is the id of the record of one person of one workspace. The case of letters
// does not matter.
func ID(secret []byte, workspace, email string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(workspace))
	mac.Write([]byte{0})
	mac.Write([]byte(strings.ToLower(email)))
	return hex.EncodeToString(mac.Sum(nil))
}

// record is the text of a record.
type record struct {
	// At is when the person was erased.
	At int64 `json:"at"`
	// Until is the latest time of what was erased, where that is after At.
	Until int64 `json:"until,omitempty"`
}

// Record is the text of a record: a person was erased at a time, and what happened
// until another one, 0 where that is the same. What the record before, nil for none,
// has barred stays so.
func Record(at time.Time, until int64, before []byte) ([]byte, error) {
	r := record{At: at.Unix()}
	if before != nil {
		until = max(until, Until(before))
	}
	if until > r.At {
		r.Until = until
	}
	return json.Marshal(r)
}

// Mark writes the record of an erasure. Of several at once each bars what it has to.
func Mark(ctx context.Context, records Records, workspace, id string, at time.Time, until int64) error {
	for {
		before, err := records.Get(ctx, workspace, Kind, id)
		if err != nil && !errors.Is(err, event.ErrNotFound) {
			return fmt.Errorf("read an erasure: %w", err)
		}
		doc, err := Record(at, until, before)
		if err != nil {
			return fmt.Errorf("note an erasure: %w", err)
		}
		err = records.Swap(ctx, workspace, Kind, id, before, doc)
		if !errors.Is(err, event.ErrConflict) {
			return err
		}
	}
}

// Until is up to when events stay out by a record, Unix seconds. A record that
// cannot be read bars everything.
func Until(doc []byte) int64 {
	var r record
	if json.Unmarshal(doc, &r) != nil {
		return math.MaxInt64
	}
	return max(r.At, r.Until)
}
