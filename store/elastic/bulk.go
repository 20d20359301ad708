package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"tidings/event"
)

// maxBulk bounds one bulk request in bytes, where one document does not pass it
// alone.
const maxBulk = 8 << 20

// action is one write of a bulk request.
type action struct {
	// op is opCreate, opIndex or opDelete.
	op     string
	target target
	doc    []byte // nil for opDelete
}

const (
	opCreate = "create"
	opIndex  = "index"
	opDelete = "delete"
)

// target says what an action writes.
type target struct {
	Index   string   `json:"_index"`
	ID      event.ID `json:"_id"`
	Routing string   `json:"routing"`
	// RequireAlias refuses to make an index of the alias's name.
	RequireAlias bool `json:"require_alias,omitempty"`
	// SeqNo and Term, when set, are of the document that is to be replaced.
	SeqNo *int64 `json:"if_seq_no,omitempty"`
	Term  *int64 `json:"if_primary_term,omitempty"`
}

// result is what became of an action.
type result struct {
	Status int    `json:"status"`
	Error  reason `json:"error"`
}

// err is nil for a write that was done.
func (r result) err() error {
	if r.Status < 300 {
		return nil
	}
	return r.Error.refusal(r.Status)
}

// bulk makes the writes, in their order and in as many requests as it takes, and
// returns what became of each. When it fails nothing is known of any.
func (x *Index) bulk(ctx context.Context, actions []action, refresh bool) ([]result, error) {
	results := make([]result, 0, len(actions))
	var text bytes.Buffer
	first := 0
	for i, a := range actions {
		meta, err := json.Marshal(map[string]target{a.op: a.target})
		if err != nil {
			return nil, err
		}
		if text.Len() > 0 && text.Len()+len(meta)+len(a.doc) > maxBulk {
			some, err := x.send(ctx, &text, i-first, refresh)
			if err != nil {
				return nil, err
			}
			results = append(results, some...)
			text.Reset()
			first = i
		}
		text.Write(append(meta, '\n'))
		if a.op != opDelete {
			text.Write(a.doc)
			text.WriteByte('\n')
		}
	}
	if text.Len() == 0 {
		return results, nil
	}
	some, err := x.send(ctx, &text, len(actions)-first, refresh)
	return append(results, some...), err
}

// send makes one bulk request of n actions.
func (x *Index) send(ctx context.Context, text *bytes.Buffer, n int, refresh bool) ([]result, error) {
	request := esapi.BulkRequest{
		Body: bytes.NewReader(text.Bytes()),
		// An index whose shards are missing is waited for, and the others' writes with it.
		Timeout:    shardsTimeout,
		FilterPath: []string{"items.*.status", "items.*.error.type", "items.*.error.caused_by.type"},
	}
	if refresh {
		request.Refresh = "true"
	}
	var answer struct {
		Items []map[string]result `json:"items"`
	}
	if err := x.write(ctx, writeTimeout, request, &answer); err != nil {
		return nil, err
	}
	if len(answer.Items) != n {
		return nil, fmt.Errorf("%w: Elasticsearch answered for %d of %d writes", event.ErrUnavailable, len(answer.Items), n)
	}
	results := make([]result, n)
	for i, item := range answer.Items {
		for _, only := range item {
			results[i] = only
		}
	}
	return results, nil
}
