package event

import "encoding/json"

// Record is a small document that a state store keeps by workspace, kind and
// id: a key, a user, a team, a session, a setting.
type Record struct {
	ID  string
	Doc json.RawMessage
}
