package elastic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// document is an event as it is indexed. Its event alone is stored.
type document struct {
	Seconds   int64    `json:"@timestamp"`
	Tie       int64    `json:"tie"`
	Workspace string   `json:"w"`
	Automated bool     `json:"automated"`
	Type      string   `json:"type"`
	User      string   `json:"user"`
	Recipient []string `json:"recipient"`
	Domain    []string `json:"domain"`
	Message   string   `json:"message"`
	Source    string   `json:"source"`
	Verdict   string   `json:"verdict"`
	// Answer is absent on events that are no meetings.
	Answer *string `json:"answer,omitempty"`
	// Link and Pair are for counting alone.
	Link  string            `json:"link,omitempty"`
	Pair  []uint64          `json:"pair,omitempty"`
	Words map[string]string `json:"words,omitempty"`
	Stems map[string]string `json:"stems,omitempty"`
	// Event is the event's JSON as a text: Elasticsearch skips and copies one value
	// where it would walk through an object twice.
	Event string `json:"event"`
}

// stored is what comes back of a document.
type stored struct{ Event event.Event }

// UnmarshalJSON reads the event from its text.
func (s *stored) UnmarshalJSON(doc []byte) error {
	var source struct {
		Event string `json:"event"`
	}
	if err := jsonv2.Unmarshal(doc, &source); err != nil {
		return err
	}
	return jsonv2.Unmarshal([]byte(source.Event), &s.Event)
}

// marshal is json.Marshal that writes <, > and & as they are: twice escaped they
// would make seven bytes each.
func marshal(of any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(of); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// encode makes the document of an event. An event that makes the analysis panic
// is that event's own fault, and a batch could not tell whose it was.
func encode(e event.Event) (doc []byte, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%w: event %s: its analysis panicked: %v", event.ErrInvalid, e.ID, reason)
		}
	}()
	if err := e.Storable(); err != nil {
		return nil, err
	}
	text, err := marshal(e)
	if err == nil {
		doc, err = marshal(documentOf(query.NewDocument(e), string(text)))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: event %s cannot be written: %w", event.ErrInvalid, e.ID, err)
	}
	return doc, nil
}

func documentOf(d query.Document, text string) document {
	e := d.Event
	doc := document{
		Seconds: e.Time, Tie: tieOf(e.ID.Tie()), Workspace: e.Workspace, Automated: e.Automated(),
		Type: string(e.Type), User: e.User, Message: e.Message, Source: e.Source, Verdict: e.Verdict.Is, Link: e.Link,
		Words: make(map[string]string), Stems: make(map[string]string), Event: text,
	}
	if e.Meeting != nil {
		doc.Answer = &e.Meeting.Answer
	}
	people := e.Recipients
	if e.Recipient != nil {
		people = []event.Person{*e.Recipient}
	}
	for _, person := range people {
		doc.Recipient = append(doc.Recipient, person.Email)
		doc.Domain = append(doc.Domain, query.Domain(person.Email))
		if slices.Contains(feed.PairTypes, e.Type) && e.Counted() {
			doc.Pair = append(doc.Pair, feed.PairOf(e.Message, person.Email))
		}
	}
	for _, field := range query.TextFields {
		tokens := d.Fields[field]
		if len(tokens) == 0 {
			continue
		}
		words, stems := make([]string, len(tokens)), newStemList()
		for i, token := range tokens {
			words[i] = token.Word
			stems.add(token.Stem)
		}
		doc.Words[string(field)] = strings.Join(words, " ")
		doc.Stems[string(field)] = stems.text.String()
	}
	return doc
}

// stemList is a text of stems, each once.
type stemList struct {
	known map[string]bool
	text  strings.Builder
}

func newStemList() *stemList { return &stemList{known: make(map[string]bool)} }

func (l *stemList) add(stem string) {
	if l.known[stem] {
		return
	}
	l.known[stem] = true
	if l.text.Len() > 0 {
		l.text.WriteByte(' ')
	}
	l.text.WriteString(stem)
}

// tieOf keeps the order of ties in a signed number, the only kind there is.
func tieOf(tie uint64) int64 { return int64(tie ^ 1<<63) }
