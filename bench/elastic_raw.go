package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/event"
)

// tap is the way to Elasticsearch of what is measured. What goes by can be kept, so
// that the very same can be asked without Tidings.
type tap struct {
	pool *http.Transport
	keep atomic.Pointer[func(asked)]
}

// asked is a request that went by.
type asked struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
}

func newTap() *tap {
	pool := http.DefaultTransport.(*http.Transport).Clone()
	pool.MaxIdleConnsPerHost = 32
	return &tap{pool: pool}
}

// RoundTrip passes a request on.
func (t *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	keep := t.keep.Load()
	if keep == nil || r.Body == nil {
		return t.pool.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	(*keep)(asked{r.Method, r.URL, r.Header.Clone(), body})
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return t.pool.RoundTrip(again)
}

// listen has what goes by kept from now on; nil ends that.
func (t *tap) listen(keep func(asked)) {
	if keep == nil {
		t.keep.Store(nil)
		return
	}
	t.keep.Store(&keep)
}

// rawElastic asks Elasticsearch without Tidings, over the same connections.
type rawElastic struct {
	node               *url.URL
	username, password string
	over               http.RoundTripper
}

// repeat asks again what was asked before and reads the answer, into nothing.
func (e rawElastic) repeat(ctx context.Context, a asked) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, a.method, a.url.String(), bytes.NewReader(a.body))
	if err != nil {
		return 0, err
	}
	request.Header = a.header
	response, err := e.over.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	read, err := io.Copy(io.Discard, response.Body)
	if err == nil && response.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("answer %d of Elasticsearch", response.StatusCode)
	}
	return read, err
}

// ask sends JSON, or lines of it to _bulk, and decodes the answer.
func (e rawElastic) ask(ctx context.Context, method, path string, body []byte, into any) error {
	address := *e.node
	address.Path, address.RawQuery, _ = strings.Cut(path, "?")
	request, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	if e.username != "" {
		request.SetBasicAuth(e.username, e.password)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := e.over.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%s: %w", path, event.ErrNotFound)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("answer %d of Elasticsearch: %.300s", response.StatusCode, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

func (e rawElastic) version(ctx context.Context) (string, error) {
	var answer struct {
		Nodes map[string]struct{ Version string }
	}
	err := e.ask(ctx, http.MethodGet, "/_nodes/_local?filter_path=nodes.*.version", nil, &answer)
	for _, node := range answer.Nodes {
		return node.Version, err
	}
	return "not known", err
}

// refresh makes everything of a prefix searchable and counts it.
func (e rawElastic) refresh(ctx context.Context, prefix string) (int, error) {
	var answer struct{ Count int }
	if err := e.ask(ctx, http.MethodPost, "/"+prefix+"-*/_refresh", nil, nil); err != nil {
		return 0, err
	}
	err := e.ask(ctx, http.MethodGet, "/"+prefix+"-*/_count", nil, &answer)
	return answer.Count, err
}

// size is how many bytes the segments of indices take on the disk, of one copy, once
// their log is no longer needed. What Elasticsearch says of whole indices (_stats/store)
// may be ten seconds old, and so of before a merge.
func (e rawElastic) size(ctx context.Context, prefix string) (int64, error) {
	if err := e.ask(ctx, http.MethodPost, "/"+prefix+"-*/_flush?force=true&wait_if_ongoing=true", nil, nil); err != nil {
		return 0, err
	}
	var answer struct {
		Indices map[string]struct {
			Shards map[string][]struct {
				Routing  struct{ Primary bool } `json:"routing"`
				Segments map[string]struct {
					Bytes     int64 `json:"size_in_bytes"`
					Committed bool  `json:"committed"`
				} `json:"segments"`
			} `json:"shards"`
		} `json:"indices"`
	}
	if err := e.ask(ctx, http.MethodGet, "/"+prefix+"-*/_segments", nil, &answer); err != nil {
		return 0, err
	}
	bytes := int64(0)
	for _, index := range answer.Indices {
		for _, copies := range index.Shards {
			for _, each := range copies {
				for _, segment := range each.Segments {
					if each.Routing.Primary && segment.Committed {
						bytes += segment.Bytes
					}
				}
			}
		}
	}
	return bytes, nil
}

// awaitForgotten waits until indices keep no writes for copies that might come back
// and miss them. Elasticsearch looks at that twice a minute; until then it has each
// document as it was sent beside the part that is kept of it (_recovery_source), and
// merging does not take that out.
func (e rawElastic) awaitForgotten(ctx context.Context, prefix string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		var answer struct {
			Indices map[string]struct {
				Shards map[string][]struct {
					SeqNo struct {
						Last int64 `json:"max_seq_no"`
					} `json:"seq_no"`
					Kept struct {
						Leases []struct {
							From int64 `json:"retaining_seq_no"`
						} `json:"leases"`
					} `json:"retention_leases"`
				} `json:"shards"`
			} `json:"indices"`
		}
		if err := e.ask(ctx, http.MethodGet, "/"+prefix+"-*/_stats/docs?level=shards", nil, &answer); err != nil {
			return err
		}
		waits := false
		for _, index := range answer.Indices {
			for _, copies := range index.Shards {
				for _, each := range copies {
					for _, lease := range each.Kept.Leases {
						waits = waits || lease.From <= each.SeqNo.Last
					}
				}
			}
		}
		if !waits {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("writes are still kept for copies that might come back, after two minutes: %w", ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

func (e rawElastic) removeIndices(ctx context.Context, prefix string) error {
	var indices map[string]struct{}
	if err := e.ask(ctx, http.MethodGet, "/"+prefix+"-*?filter_path=*.aliases&features=aliases", nil, &indices); err != nil {
		return err
	}
	// One at a time: a cluster may refuse patterns, and lines have an end.
	for name := range indices {
		if err := e.ask(ctx, http.MethodDelete, "/"+name, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// removeTemplate is no error where no week was ever made.
func (e rawElastic) removeTemplate(ctx context.Context, prefix string) error {
	err := e.ask(ctx, http.MethodDelete, "/_index_template/"+prefix+"-events-*", nil, nil)
	if errors.Is(err, event.ErrNotFound) {
		return nil
	}
	return err
}

// bulk sends bodies, some at once, and fails when any write did.
func (e rawElastic) bulk(ctx context.Context, bodies [][]byte, writers int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for _, body := range bodies {
		group.Go(func() error {
			var answer struct {
				Errors bool
				Items  []map[string]struct {
					Error json.RawMessage
				}
			}
			path := "/_bulk?filter_path=errors,items.*.error"
			if err := e.ask(ctx, http.MethodPost, path, body, &answer); err != nil {
				return err
			}
			if answer.Errors {
				return fmt.Errorf("a document was not written: %.300s", fmt.Sprint(answer.Items))
			}
			return nil
		})
	}
	return group.Wait()
}

// fieldBytes is what each field of an index takes on the disk, and what is stored of whole
// documents, by name.
func (e rawElastic) fieldBytes(ctx context.Context, prefix string) (map[string]int64, error) {
	var answer map[string]json.RawMessage
	if err := e.ask(ctx, http.MethodPost, "/"+prefix+"-*/_disk_usage?run_expensive_tasks=true", nil, &answer); err != nil {
		return nil, err
	}
	bytes := make(map[string]int64)
	for name, raw := range answer {
		if name == "_shards" {
			continue
		}
		var index struct {
			Fields map[string]struct {
				Bytes int64 `json:"total_in_bytes"`
			} `json:"fields"`
		}
		if err := json.Unmarshal(raw, &index); err != nil {
			return nil, err
		}
		for field, of := range index.Fields {
			bytes[field] += of.Bytes
		}
	}
	return bytes, nil
}
