// Package bulk reads and writes bulk requests of Elasticsearch. The measurements take
// the requests of a Tidings down, read their documents, and send these again in
// requests of their own.
package bulk

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"tidings/event"
)

// Document is a document as it was sent.
type Document struct {
	Target Target
	Doc    []byte
}

type Target struct {
	Index   string   `json:"_index"`
	ID      event.ID `json:"_id"`
	Routing string   `json:"routing"`
}

// Parse reads the documents of a bulk request.
func Parse(bulk []byte) ([]Document, error) {
	var documents []Document
	lines := slices.Collect(bytes.Lines(bulk))
	for pair := range slices.Chunk(lines, 2) {
		var action struct{ Create *Target }
		if err := json.Unmarshal(pair[0], &action); err != nil {
			return nil, err
		}
		if action.Create == nil || len(pair) != 2 {
			return nil, errors.New("a bulk request does more than create")
		}
		documents = append(documents, Document{*action.Create, bytes.TrimSuffix(pair[1], []byte("\n"))})
	}
	return documents, nil
}

// Append adds a line of what is to be done and one of what with.
func Append(body []byte, op string, target Target, doc []byte) []byte {
	action, err := json.Marshal(map[string]Target{op: target})
	if err != nil {
		panic(err) // It holds texts alone.
	}
	body = append(append(body, action...), '\n')
	return append(append(body, doc...), '\n')
}
