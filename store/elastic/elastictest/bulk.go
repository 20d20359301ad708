package elastictest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Faults are what a Bulk does to bulk requests.
type Faults struct {
	// Busy is the share of writes that are answered 429 and not made.
	Busy float64
	// Refused is the share of documents that never fit: the same ones each time.
	Refused float64
	// Lost is the share of requests whose answer is lost after they were done.
	Lost float64
}

// Bulk stands before an Elasticsearch and does what busy servers and networks do.
type Bulk struct {
	target    *url.URL
	server    *http.Server
	listener  net.Listener
	pass      *httputil.ReverseProxy
	transport *http.Transport
	done      chan struct{}

	mu     sync.Mutex
	faults Faults
	random *rand.Rand
	cut    bool
	open   map[net.Conn]bool
	counts Counts
}

// Counts are what a Bulk did.
type Counts struct{ Busy, Refused, Lost int }

// NewBulk listens on loopback for the Elasticsearch at an address as --index names it.
func NewBulk(address string) (*Bulk, error) {
	target, err := url.Parse(strings.Replace(address, "elasticsearch://", "http://", 1))
	if err != nil {
		return nil, err
	}
	p := &Bulk{
		target: target, pass: httputil.NewSingleHostReverseProxy(target), done: make(chan struct{}),
		random: rand.New(rand.NewPCG(1, 2)), open: make(map[net.Conn]bool),
		transport: http.DefaultTransport.(*http.Transport).Clone(),
	}
	p.pass.Transport = p.transport
	p.pass.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	p.server = &http.Server{Handler: p, ConnState: p.connected, ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(p.done)
		_ = p.server.Serve(p.listener)
	}()
	return p, nil
}

// Close ends it and all connections.
func (p *Bulk) Close() error {
	err := p.server.Close()
	<-p.done
	p.transport.CloseIdleConnections()
	return err
}

// URL is where it is, as --index names it.
func (p *Bulk) URL() string { return "elasticsearch://" + p.listener.Addr().String() }

// Set changes what it does from now on.
func (p *Bulk) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

// Counts is what it did so far.
func (p *Bulk) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Cut ends every connection and refuses new ones until Restore.
func (p *Bulk) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for connection := range p.open {
		_ = connection.Close()
	}
}

// Restore ends Cut.
func (p *Bulk) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
}

func (p *Bulk) connected(connection net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch state {
	case http.StateNew:
		p.open[connection] = true
		if p.cut {
			_ = connection.Close()
		}
	case http.StateClosed, http.StateHijacked:
		delete(p.open, connection)
	}
}

// ServeHTTP passes a request on.
func (p *Bulk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/_bulk") {
		p.pass.ServeHTTP(w, r)
		return
	}
	answer, err := p.bulk(r)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if p.falls(func(f Faults) float64 { return f.Lost }, func(c *Counts) { c.Lost++ }) {
		panic(http.ErrAbortHandler) // the connection ends without an answer
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
}

// falls throws the dice for a fault, and counts it when it falls.
func (p *Bulk) falls(share func(Faults) float64, count func(*Counts)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.random.Float64() >= share(p.faults) {
		return false
	}
	count(&p.counts)
	return true
}

// Refuses reports whether the document of an id never fits under faults.
func (f Faults) Refuses(id string) bool {
	sum := fnv.New32a()
	sum.Write([]byte(id))
	return float64(sum.Sum32()%1000) < 1000*f.Refused
}

// bulk passes on the writes that no fault falls on, and answers for all.
func (p *Bulk) bulk(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	faults := p.faults
	p.mu.Unlock()
	var items []json.RawMessage // nil for a write that is passed on
	var passed bytes.Buffer
	for lines := bytes.SplitAfter(body, []byte("\n")); len(lines) > 1; {
		var meta map[string]struct {
			ID string `json:"_id"`
		}
		if err := json.Unmarshal(lines[0], &meta); err != nil {
			return nil, err
		}
		length := 2
		var item json.RawMessage
		for op, target := range meta {
			if op == "delete" {
				length = 1
			}
			switch {
			case faults.Refuses(target.ID):
				p.count(func(c *Counts) { c.Refused++ })
				item = fmt.Appendf(nil, `{%q:{"status":400,"error":{"type":"document_parsing_exception"}}}`, op)
			case p.falls(func(f Faults) float64 { return f.Busy }, func(c *Counts) { c.Busy++ }):
				item = fmt.Appendf(nil, `{%q:{"status":429,"error":{"type":"es_rejected_execution_exception"}}}`, op)
			default:
				passed.Write(bytes.Join(lines[:length], nil))
			}
		}
		items = append(items, item)
		lines = lines[length:]
	}
	return p.join(r, &passed, items)
}

func (p *Bulk) count(add func(*Counts)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	add(&p.counts)
}

// join makes the writes that are passed on and puts what became of them where
// items are nil.
func (p *Bulk) join(r *http.Request, passed *bytes.Buffer, items []json.RawMessage) ([]byte, error) {
	var answer struct {
		Items []json.RawMessage `json:"items"`
	}
	if passed.Len() > 0 {
		request := r.Clone(r.Context())
		request.RequestURI, request.URL.Scheme, request.URL.Host = "", p.target.Scheme, p.target.Host
		request.Header.Del("Accept-Encoding") // so that the transport unpacks the answer
		request.Body, request.ContentLength = io.NopCloser(passed), int64(passed.Len())
		response, err := p.transport.RoundTrip(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			return nil, err
		}
	}
	for i := range items {
		if items[i] == nil && len(answer.Items) > 0 {
			items[i], answer.Items = answer.Items[0], answer.Items[1:]
		}
	}
	return json.Marshal(map[string]any{"items": items})
}
