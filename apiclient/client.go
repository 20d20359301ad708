// Package apiclient speaks the HTTP contract of a server, as the commands and the
// measurements do. Requests flow in, to a server with a key or to the process on this
// machine as its operator; answers or an Error flow out.
package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"tidings/event"
)

// operatorWorkspace is the header by which the local operator names a workspace.
const operatorWorkspace = "Tidings-Workspace"

// Client speaks the HTTP contract to a target. One way for data: a command does
// what any program could do.
type Client struct {
	HTTP *http.Client
	// Base is what stands before each path.
	Base string
	key  string
	// Workspace is the one that a local operator asks about.
	Workspace string
	close     func() error
}

// New asks a server at an address with a key.
func New(base, key string) *Client {
	return &Client{
		HTTP: &http.Client{Timeout: 5 * time.Minute}, Base: strings.TrimSuffix(base, "/"),
		key: key, close: func() error { return nil },
	}
}

// Close ends the connections, and what Operator was told to end.
func (c *Client) Close() error { return c.close() }

// Operator asks as the local operator of a workspace, over connections that dial
// makes. Closing it calls closing.
func Operator(dial func(context.Context) (net.Conn, error), workspace string, closing func() error) *Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dial(ctx)
	}}
	return &Client{
		HTTP: &http.Client{Transport: transport}, Base: "http://operator", Workspace: workspace,
		close: func() error {
			transport.CloseIdleConnections()
			return closing()
		},
	}
}

// Error is a problem that the server answered with.
type Error struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
	RetryAfter time.Duration
}

func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	if len(e.Errors) > 1 {
		for _, each := range e.Errors {
			text += fmt.Sprintf("\n  %s: %s", each.Location, each.Message)
		}
	}
	switch e.Status {
	case http.StatusUnauthorized:
		text += " (is the key right, and not revoked?)"
	case http.StatusForbidden:
		text += " (this key's role is too little for it)"
	}
	return text
}

// Is makes an answer the kind of error that caused it.
func (e *Error) Is(target error) bool {
	switch target {
	case event.ErrNotFound:
		return e.Status == http.StatusNotFound
	case event.ErrTooMuch:
		return e.Status == http.StatusTooManyRequests
	case event.ErrUnavailable:
		return e.Status == http.StatusServiceUnavailable
	}
	return false
}

// Call makes a request with a JSON body and reads a JSON answer; either may be
// nil.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	return c.Send(ctx, method, path, "application/json", body, out)
}

// Send makes a request with a body of any type.
func (c *Client) Send(ctx context.Context, method, path, contentType string, body io.Reader, out any) error {
	return c.answer(ctx, method, path, contentType, body, func(answer io.Reader) error {
		if out == nil {
			return nil
		}
		return json.NewDecoder(answer).Decode(out)
	})
}

// Read asks for a path, and has the bytes of a good answer read as they are.
func (c *Client) Read(ctx context.Context, path string, read func(io.Reader) error) error {
	return c.answer(ctx, http.MethodGet, path, "", nil, read)
}

// answer makes a request and has a good answer read.
func (c *Client) answer(ctx context.Context, method, path, contentType string, body io.Reader, read func(io.Reader) error) error {
	request, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", contentType)
	}
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	} else {
		request.Header.Set(operatorWorkspace, c.Workspace)
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return fmt.Errorf("reach the server: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return readProblem(response)
	}
	if err := read(response.Body); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// maxProblem bounds how much of an error answer is read.
const maxProblem = 1 << 20

func readProblem(response *http.Response) error {
	problem := &Error{Status: response.StatusCode, Title: response.Status}
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxProblem))
	if err == nil {
		_ = json.Unmarshal(raw, problem) // What is no problem document keeps the status as its title.
	}
	problem.Status = response.StatusCode
	if after, err := time.ParseDuration(response.Header.Get("Retry-After") + "s"); err == nil {
		problem.RetryAfter = after
	}
	return problem
}
