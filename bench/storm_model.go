package bench

import (
	"bytes"
	"fmt"

	"tidings/event"
)

// storm is a set of events of SendGrid and what they leave behind.
type storm struct {
	events [][]byte
	// messages is the model of each message, by its name.
	messages map[string]*stormMessage
}

// stormMessage is what is known of a message in the end. Whether an open was a
// person's is left to the verdict: the first of both kinds counts here.
type stormMessage struct {
	recipients map[event.RecipientKey]bool
	first      map[string]map[event.RecipientKey]int64
	clicks     map[event.RecipientKey]int
}

// stormKinds is what happens to a message, in turn: the recipient's number, what,
// and how long after the send.
var stormKinds = []struct {
	who   int
	what  string
	after int64
}{
	{0, "processed", 0},
	{1, "processed", 0},
	{0, "delivered", 2},
	{1, "bounce", 3},
	{0, "open", 60},
	{0, "open", 600},
	{0, "click", 700},
	{0, "click", 800},
}

func newStorm(events int, since int64) *storm {
	s := &storm{events: make([][]byte, events), messages: make(map[string]*stormMessage)}
	for i := range events {
		kind, number := stormKinds[i%len(stormKinds)], i/len(stormKinds)
		name, email := fmt.Sprintf("m-%d", number), fmt.Sprintf("p%d-%d@acme.example", kind.who, number%5000)
		at := since + int64(number%1000) + kind.after
		s.events[i] = fmt.Appendf(nil, `{"event":%q,"email":%q,"timestamp":%d,"sg_event_id":"e-%d","sg_message_id":"%s.filter0","type":"bounce",`+
			`"reason":"550 5.1.1 unknown","url":"https://acme.example/%d","ip":"192.0.2.%d","useragent":"Mozilla/5.0 (Windows NT 10.0)"}`,
			kind.what, email, at, i, name, i, i%250)
		message := s.messages[name]
		if message == nil {
			message = &stormMessage{map[event.RecipientKey]bool{}, map[string]map[event.RecipientKey]int64{}, map[event.RecipientKey]int{}}
			s.messages[name] = message
		}
		message.happen(kind.what, event.KeyOf(email), at)
	}
	return s
}

func (m *stormMessage) happen(what string, who event.RecipientKey, at int64) {
	switch what {
	case "processed":
		m.recipients[who] = true
		return
	case "click":
		m.clicks[who]++
		what = "open" // which a click is too
	}
	if m.first[what] == nil {
		m.first[what] = make(map[event.RecipientKey]int64)
	}
	if have, ok := m.first[what][who]; !ok || at < have {
		m.first[what][who] = at
	}
}

// body is a request that delivers some events.
func (s *storm) body(which []int32) []byte {
	var body bytes.Buffer
	for i, n := range which {
		body.WriteByte("[,"[min(i, 1)])
		body.Write(s.events[n])
	}
	body.WriteByte(']')
	return body.Bytes()
}
