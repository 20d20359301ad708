package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"
	jsonv2 "github.com/go-json-experiment/json"

	"tidings/event"
)

// cluster carries requests. Writes are sent once: that a lost answer's write was
// done would otherwise be told as "exists" to the one whose write it was.
type cluster struct {
	pool *http.Transport // nil when it is not ours
	// once sends a request to one node, again to others when one is away.
	once, again *elastictransport.Client
}

func (c *cluster) read(ctx context.Context, limit time.Duration, request esapi.Request, into any) error {
	return call(ctx, c.again, limit, request, into)
}

func (c *cluster) write(ctx context.Context, limit time.Duration, request esapi.Request, into any) error {
	return call(ctx, c.once, limit, request, into)
}

// call sends a request and decodes the answer into into unless that is nil. A
// limit of 0 leaves the time to the caller.
func call(ctx context.Context, over esapi.Transport, limit time.Duration, request esapi.Request, into any) error {
	bounded := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	response, err := request.Do(bounded, over)
	if err != nil {
		return away(ctx, err)
	}
	defer response.Body.Close()
	if response.IsError() {
		return refused(response)
	}
	if into == nil {
		_, err = io.Copy(io.Discard, response.Body)
	} else {
		err = jsonv2.UnmarshalRead(response.Body, into)
	}
	if err != nil {
		return away(ctx, err)
	}
	return nil
}

// away is a request without an answer. When it is the caller's time that is over,
// it is the caller's error; else the cluster did not answer in ours.
func away(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return fmt.Errorf("%w: %w", event.ErrUnavailable, err)
}

// refusal is an answer that is an error. It has the names that Elasticsearch
// gives to what is wrong, never the text, which may quote the document.
type refusal struct {
	status int
	// kind is such as "index_not_found_exception", cause that of what is behind
	// it, or "".
	kind, cause string
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("Elasticsearch answered %d", r.status)
	if r.kind != "" {
		text += " " + r.kind
	}
	if r.cause != "" && r.cause != r.kind {
		text += " (" + r.cause + ")"
	}
	return text
}

// Unwrap is the kind of failure. What is wrong with the credentials or with the
// cluster is nobody's event's fault.
func (r *refusal) Unwrap() error {
	switch {
	case r.status == http.StatusNotFound:
		return event.ErrNotFound
	case r.status == http.StatusConflict:
		return event.ErrConflict
	case r.kind == kindOtherMapping, r.kind == kindClosed:
		return event.ErrUnavailable
	case r.status == http.StatusBadRequest, r.status == http.StatusRequestEntityTooLarge:
		return event.ErrInvalid
	}
	return event.ErrUnavailable
}

// Kinds of refusal that are told apart.
const (
	kindNoIndex     = "index_not_found_exception"
	kindIndexExists = "resource_already_exists_exception"
	kindBlocked     = "cluster_block_exception"
	// kindClosed is what an index says that somebody closed.
	kindClosed = "index_closed_exception"
	// kindOtherMapping is a document with a field that the week's mapping does
	// not have. All documents have the same fields, so it is the week that is
	// of another version, and not the event that is wrong.
	kindOtherMapping = "strict_dynamic_mapping_exception"
)

// reason is an error as Elasticsearch writes it.
type reason struct {
	Type      string   `json:"type"`
	RootCause []reason `json:"root_cause"`
	CausedBy  *reason  `json:"caused_by"`
}

func (r reason) refusal(status int) *refusal {
	refused := &refusal{status: status, kind: r.Type}
	switch {
	case len(r.RootCause) > 0:
		refused.cause = r.RootCause[0].Type
	case r.CausedBy != nil:
		refused.cause = r.CausedBy.Type
	}
	return refused
}

func refused(response *esapi.Response) error {
	// Errors come from proxies too, in any form.
	const most = 1 << 20
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	var why reason
	body, _ := io.ReadAll(io.LimitReader(response.Body, most))
	if json.Unmarshal(body, &answer) == nil {
		_ = json.Unmarshal(answer.Error, &why)
	}
	return why.refusal(response.StatusCode)
}

// body is a request's body. What we make always encodes.
func body(value object) io.Reader {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("encoding a request: %v", err))
	}
	return bytes.NewReader(text)
}
