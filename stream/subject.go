package stream

import (
	"encoding/hex"
	"strings"

	"tidings/event"
)

// Streams and their subjects. A workspace is written in hex there, since '.',
// '*', '>' and spaces mean something to NATS and a workspace may hold any.
const (
	eventsName = "EVENTS" // events.<lane>.<workspace>
	deadName   = "DEAD"   // dead.<workspace>.<id>
	liveName   = "LIVE"   // live.<workspace>
	claimsName = "CLAIMS" // claims.<name>

	eventsPrefix = "events."
	deadPrefix   = "dead."
	livePrefix   = "live."
	claimsPrefix = "claims."
)

// lanes lists the lanes in the order in which Pull serves them.
var lanes = [...]event.Lane{event.LaneLive, event.LaneBulk}

func eventSubject(lane event.Lane, workspace string) string {
	return eventsPrefix + string(lane) + "." + token(workspace)
}

// laneSubject matches all events of a lane.
func laneSubject(lane event.Lane) string { return eventsPrefix + string(lane) + ".>" }

// splitEventSubject reads the lane and the workspace of an event back.
func splitEventSubject(subject string) (event.Lane, string, error) {
	lane, rest, ok := strings.Cut(strings.TrimPrefix(subject, eventsPrefix), ".")
	workspace, err := fromToken(rest)
	if !ok || err != nil {
		return "", "", event.Invalid("subject", "is not one of an event")
	}
	return event.Lane(lane), workspace, nil
}

func deadSubject(workspace, id string) string { return deadWorkspace(workspace) + token(id) }

// deadWorkspace begins the subject of every dead letter of a workspace.
func deadWorkspace(workspace string) string { return deadPrefix + token(workspace) + "." }

func liveSubject(workspace string) string { return livePrefix + token(workspace) }

func claimSubject(name string) string { return claimsPrefix + token(name) }

// token writes any text as one part of a subject, never empty.
func token(text string) string { return "x" + hex.EncodeToString([]byte(text)) }

func fromToken(part string) (string, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(part, "x"))
	if err != nil || !strings.HasPrefix(part, "x") {
		return "", event.Invalid("subject", "is not one of ours")
	}
	return string(raw), nil
}
