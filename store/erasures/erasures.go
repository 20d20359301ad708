// Package erasures is what every state store writes down when a person is erased:
// a record under an id that is an HMAC of the workspace and the address with a
// secret of this installation, so that the list tells nobody who is on it. Addresses
// go in and record ids come out; the stores keep the records.
package erasures

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
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

// Record is the text of a record: when the person was erased.
func Record(at time.Time) ([]byte, error) {
	return json.Marshal(struct {
		At int64 `json:"at"`
	}{at.Unix()})
}
