package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"tidings/app"
	"tidings/event"
)

// target is what a command works on: a running server, or a data directory,
// through the process that serves it where there is one.
type target struct {
	Server string `help:"Work through this running server." placeholder:"URL" group:"Where"`
	Key    string `help:"The key for --server." placeholder:"KEY" group:"Where"`
	Data   string `help:"Work on this data directory, also while serve runs on it." placeholder:"DIR" type:"path" group:"Where"`
	storeFlags
}

// operatorWorkspace is the header by which the local operator names a workspace.
const operatorWorkspace = "Tidings-Workspace"

// client speaks the HTTP contract to a target. One way for data: a command does
// what any program could do.
type client struct {
	http      *http.Client
	base      string
	key       string
	workspace string
	close     func() error
}

// open finds the target's server, or starts the parts on its directory for
// this command alone.
func (t target) open(ctx context.Context, env *environment, workspace string) (*client, error) {
	switch {
	case t.Server != "" && t.Data != "":
		return nil, &usageError{"give either --server or --data, not both"}
	case t.Server != "":
		return t.openServer()
	case t.Data == "" && !t.external():
		return nil, &usageError{"give --data DIR, or --server URL with --key KEY, or --index, --state and --stream"}
	case workspace == "":
		return nil, &usageError{"give --workspace NAME with --data"}
	case t.Data == "":
		return t.openAlone(ctx, env, workspace)
	}
	if info, err := os.Stat(t.Data); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", t.Data)
	}
	if dial, ok := app.DialOperator(ctx, t.Data); ok {
		return operatorClient(dial, workspace, func() error { return nil }), nil
	}
	return t.openAlone(ctx, env, workspace)
}

// workspaceTarget is a target and whose part of it a command is about.
type workspaceTarget struct {
	target
	Workspace string `help:"The workspace, with --data." placeholder:"NAME"`
}

// with runs work on the target and closes it.
func (t workspaceTarget) with(ctx context.Context, env *environment, work func(*client) error) error {
	client, err := t.open(ctx, env, t.Workspace)
	if err != nil {
		return err
	}
	if err := work(client); err != nil {
		_ = client.close() // The work's own error says more.
		return err
	}
	return client.close()
}

func (t target) openServer() (*client, error) {
	base, err := url.Parse(t.Server)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, &usageError{fmt.Sprintf("--server %q is not an address such as http://127.0.0.1:8080", t.Server)}
	}
	if t.Key == "" {
		return nil, &usageError{"--server needs --key (or TIDINGS_KEY)"}
	}
	return &client{
		http: &http.Client{Timeout: 5 * time.Minute}, base: strings.TrimSuffix(t.Server, "/"),
		key: t.Key, close: func() error { return nil },
	}, nil
}

// openAlone runs the parts in this process, with nothing listening but memory.
// Where nothing is kept in a directory, indexing is the indexers' task.
func (t target) openAlone(ctx context.Context, env *environment, workspace string) (*client, error) {
	s := app.Settings{Data: t.Data, Stores: app.Stores(t.storeFlags)}
	if t.Data == "" {
		s.Role = app.RoleAPI
	}
	a, err := app.Open(ctx, s, env.log)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	dial, stopServer := a.OperateInMemory()
	return operatorClient(dial, workspace, func() error {
		err := errors.Join(stopServer(), a.Drain(ctx))
		stop()
		return errors.Join(err, <-done, a.Close())
	}), nil
}

func operatorClient(dial app.Dialer, workspace string, closing func() error) *client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dial(ctx)
	}}
	return &client{
		http: &http.Client{Transport: transport}, base: "http://operator", workspace: workspace,
		close: func() error {
			transport.CloseIdleConnections()
			return closing()
		},
	}
}

// answerError is a problem that the server answered with.
type answerError struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
	retryAfter time.Duration
}

func (e *answerError) Error() string {
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
func (e *answerError) Is(target error) bool {
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

// call makes a request with a JSON body and reads a JSON answer; either may be
// nil.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	return c.send(ctx, method, path, "application/json", body, out)
}

// send makes a request with a body of any type.
func (c *client) send(ctx context.Context, method, path, contentType string, body io.Reader, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", contentType)
	}
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	} else {
		request.Header.Set(operatorWorkspace, c.workspace)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("reach the server: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return readProblem(response)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// maxProblem bounds how much of an error answer is read.
const maxProblem = 1 << 20

func readProblem(response *http.Response) error {
	problem := &answerError{Status: response.StatusCode, Title: response.Status}
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxProblem))
	if err == nil {
		_ = json.Unmarshal(raw, problem) // What is no problem document keeps the status as its title.
	}
	problem.Status = response.StatusCode
	if after, err := time.ParseDuration(response.Header.Get("Retry-After") + "s"); err == nil {
		problem.retryAfter = after
	}
	return problem
}
