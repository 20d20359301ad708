//go:build !race

package hooks

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// TestAFieldOfAnotherShapeLosesNoEvent changes each member of each JSON payload in
// turn, to null, a number, a text, an object, or leaves it out. The events of the
// payload are all there afterwards, but for those whose time, type or message
// went, and sends to nobody.
func TestAFieldOfAnotherShapeLosesNoEvent(t *testing.T) {
	changes := map[string]any{"null": nil, "number": 7, "text": "x", "object": map[string]any{"x": "y"}, "left out": leftOut{}}
	tried, lost := 0, 0
	for _, sample := range driftSamples(t) {
		before := validTypes(t, sample.provider, sample.request)
		if len(before) == 0 {
			continue
		}
		var root any
		require.NoError(t, json.Unmarshal(sample.request.Body, &root))
		for _, path := range pathsOf(root, nil) {
			for name, value := range changes {
				body, err := json.Marshal(altered(root, path, value))
				require.NoError(t, err)
				tried++
				after := validTypes(t, sample.provider, &Request{Header: sample.request.Header, Body: body})
				fewer := len(after) > 0 && addressed(path) // one for each address
				if len(after) >= len(before) || fewer || excused[sample.name+" "+strings.Join(path, ".")] || path[0] == "TopicArn" || essential(root, path) || slices.Contains(before, event.Send) && addressed(path) {
					continue
				}
				lost++
				t.Errorf("%s: %s: %s: %d events are %d", sample.name, strings.Join(path, "."), name, len(before), len(after))
			}
		}
	}
	t.Logf("%d payloads with one member changed, %d events lost", tried, lost)
	require.Greater(t, tried, 500)
}

// excused are members that stand for the message where there is none: who no longer
// wants any mail. TopicArn is no part of an event: Amazon signs it, and it says who may
// send.
var excused = map[string]bool{"mailgun-unsubscribed-from-all.txt event-data.recipient": true}

// leftOut stands for a member that is not there.
type leftOut struct{}

type driftSample struct {
	name     string
	provider Provider
	request  *Request
}

// driftSamples are the samples of all providers and the requests of the tests.
func driftSamples(t *testing.T) []driftSample {
	h := New(nil, nil)
	var all []driftSample
	for _, name := range h.Names() {
		p, _ := h.Provider(name)
		if r := p.Sample(); json.Valid(r.Body) && name != "standard" && name != "cloudevents" {
			all = append(all, driftSample{name, p, r})
		}
	}
	for _, file := range requestFiles(t) {
		p, r := requestFile(t, file)
		name := filepath.Base(file)
		// What is in our own shape is read strictly.
		if json.Valid(r.Body) && !strings.HasPrefix(name, "standard-") && !strings.HasPrefix(name, "cloudevents-") {
			all = append(all, driftSample{name, p, r})
		}
	}
	root := filepath.Join("..", "..", "..", "shared", "data", "webhooks_json")
	files, err := filepath.Glob(filepath.Join(root, "*", "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		p, ok := h.Provider(filepath.Base(filepath.Dir(file)))
		require.True(t, ok, file)
		raw := shared(t, strings.TrimPrefix(file, filepath.Join("..", "..", "..", "shared", "data")))
		all = append(all, driftSample{file, p, &Request{Header: http.Header{"Content-Type": {"application/json"}, "Greenhouse-Event-Id": {"g"}}, Body: raw}})
	}
	return all
}

// validTypes are the types of the events that a request brings.
func validTypes(t *testing.T, p Provider, r *Request) []event.Type {
	t.Helper()
	d, err := p.Decode(r)
	if err != nil {
		return nil
	}
	good, _ := goodEvents(d, today)
	types := make([]event.Type, len(good))
	for i, e := range good {
		types[i] = e.Type
	}
	return types
}

// essentials are the members that say when something happened, what, and with which mail
// or object: what an event cannot do without.
var essentials = map[string]bool{}

func init() {
	for _, word := range []string{
		// what happened
		"event", "entity", "recordtype", "subscriptiontype", "action", "type", "eventtype", "notificationtype", "triggerevent", "event_type",
		// when
		"time", "timestamp", "ts", "ts_epoch", "ts_event", "date", "created_at", "createdat", "triggeredat", "occurredat", "bouncedat", "receivedat",
		"deliveredat", "changedat", "submitted_at", "updatedat", "last_activity_at", "applied_at", "rejected_at", "updated_at", "lastmodifieddate",
		// about which mail or object
		"message", "messageid", "message-id", "message_id", "sg_message_id", "smtp-id", "email_id", "mj_message_id", "_id", "uid",
		"transmission_id", "objectid", "fromobjectid", "vid", "id", "opportunityid", "candidateid",
	} {
		essentials[word] = true
	}
}

// essential reports whether a member of a payload is, or holds, a time, a type or a
// message.
func essential(root any, path []string) bool {
	if last := len(path) - 1; essentials[strings.ToLower(path[last])] || last > 0 && path[last] == "value" && essentials[strings.ToLower(path[last-1])] {
		return true
	}
	for _, step := range path {
		switch v := root.(type) {
		case map[string]any:
			root = v[step]
		case []any:
			var at int
			_, _ = fmt.Sscanf(step, "[%d]", &at)
			root = v[at]
		}
	}
	return slices.ContainsFunc(pathsOf(root, nil), func(below []string) bool {
		return essentials[strings.ToLower(below[len(below)-1])]
	})
}

// addressed reports whether a member is, or holds, an address.
func addressed(path []string) bool {
	last := strings.ToLower(path[len(path)-1])
	if strings.HasPrefix(last, "[") && len(path) > 1 {
		last = strings.ToLower(path[len(path)-2])
	}
	return strings.Contains("email to recipient destination rcpt_to raw_rcpt_to data msg mail payload", last)
}

// pathsOf are the ways to each member below a value.
func pathsOf(value any, at []string) (all [][]string) {
	add := func(step string, within any) {
		path := append(slices.Clone(at), step)
		all = append(append(all, path), pathsOf(within, path)...)
	}
	switch v := value.(type) {
	case map[string]any:
		for name, within := range v {
			add(name, within)
		}
	case []any:
		for i, within := range v {
			add(fmt.Sprintf("[%d]", i), within)
		}
	}
	return all
}

// altered is a copy of a value with another one at a path.
func altered(value any, path []string, to any) any {
	if len(path) == 0 {
		return to
	}
	switch v := value.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for name, within := range v {
			if name != path[0] {
				copied[name] = within
			} else if within = altered(within, path[1:], to); !isLeftOut(within) {
				copied[name] = within
			}
		}
		return copied
	case []any:
		copied := []any{}
		for i, within := range v {
			if fmt.Sprintf("[%d]", i) == path[0] {
				if within = altered(within, path[1:], to); isLeftOut(within) {
					continue
				}
			}
			copied = append(copied, within)
		}
		return copied
	}
	return value
}

func isLeftOut(value any) bool {
	_, is := value.(leftOut)
	return is
}
