package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/feed"
	"tidings/live"
	"tidings/query"
)

// socketOrders are a line that a server of sockets reads: what it publishes from then on, each
// event to the next of so many workspaces. It answers with a line that says how many it were.
type socketOrders struct {
	Channels int           `json:"channels"`
	Rate     int           `json:"rate"`
	For      time.Duration `json:"for"`
	// Bytes is how large a message is, of a peer's; ours are as large as events are.
	Bytes int `json:"bytes"`
}

// socketServer serves /v1/live as a server does, with announcements that are made up: what is
// measured is the way from an announcement to the sockets.
type socketServer struct {
	each     chan func(live.Entry)
	sequence atomic.Uint64
	written  writtenSends
}

// serveSockets says its address, and publishes as it is told on in until that ends.
func serveSockets(ctx context.Context, in io.Reader, out io.Writer) error {
	s := &socketServer{each: make(chan func(live.Entry), 1), written: make(writtenSends)}
	logger := slog.New(slog.DiscardHandler)
	hub := live.NewHub(live.Config{Log: s, Render: api.NewLiveRenderer(nobody{}, time.Now).Render, Logger: logger})
	handler := &api.LiveHandler{Hub: hub, Questions: s, Logger: logger, Caller: func(r *http.Request) (account.Caller, bool) {
		return account.Caller{Workspace: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), Role: account.RoleRead}, true
	}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/live", handler.Socket)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 2)
	go func() { done <- hub.Run(ctx) }()
	go func() { done <- server.Serve(listener) }()
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var orders socketOrders
		if err := json.Unmarshal(lines.Bytes(), &orders); err != nil {
			return fmt.Errorf("read orders: %w", err)
		}
		published, err := s.publish(ctx, orders)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, published); err != nil {
			return err
		}
	}
	err = server.Close()
	cancel()
	for range 2 {
		if ended := <-done; ended != nil && !errors.Is(ended, http.ErrServerClosed) && !errors.Is(ended, context.Canceled) {
			err = errors.Join(err, ended)
		}
	}
	return err
}

// publish announces a send at a time, each with the moment at which it is due.
func (s *socketServer) publish(ctx context.Context, o socketOrders) (published int, err error) {
	began := time.Now()
	for ; ; published++ {
		due := began.Add(time.Duration(published) * time.Second / time.Duration(o.Rate))
		if due.Sub(began) >= o.For {
			return published, nil
		}
		if err := wait(ctx, time.Until(due)); err != nil {
			return published, err
		}
		if err := s.announce(ctx, fmt.Sprint("w", published%o.Channels), due); err != nil {
			return published, err
		}
	}
}

// announce hands the hub a send, written as the stream of announcements has it.
func (s *socketServer) announce(ctx context.Context, workspace string, due time.Time) error {
	data, err := s.written.at(workspace, due)
	if err != nil {
		return err
	}
	entry := live.Entry{
		Sequence: s.sequence.Add(1), At: due, Workspace: workspace, Size: len(data),
		Read: func() (read event.Announcement, err error) { return read, read.DecodeJSON(data) },
	}
	select {
	case each := <-s.each:
		each(entry)
		s.each <- each
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writtenSends are announcements of sends as the stream has them. One is made of each
// workspace, and the others are that one with another message: making announcements is the
// indexer's work, and not to be counted as the sockets'.
type writtenSends map[string]writtenSend

type writtenSend struct {
	data []byte
	key  []byte // within data, with as many digits as each other
}

// at is the announcement of a send that is due at a time.
func (w writtenSends) at(workspace string, due time.Time) ([]byte, error) {
	key := fmt.Appendf(nil, "due-%d", due.UnixNano())
	if of, known := w[workspace]; known && len(of.key) == len(key) {
		return bytes.ReplaceAll(of.data, of.key, key), nil
	}
	sent := event.Event{
		ID:        event.NewID(due.Unix(), workspace, "api", true, key),
		Workspace: workspace, Type: event.Send, Time: due.Unix(), Message: string(key), User: "u_ana",
		Subject: "Pricing proposal for the next quarter", Source: "api", Verdict: event.Verdict{Is: event.Human, Rule: "else", By: "rule"},
		Recipients: []event.Person{{Email: "jo@acme.example", Name: "Jo Reyes"}},
	}
	a := event.Announcement{Kind: event.AnnounceEvent, Workspace: workspace, User: sent.User, Event: &sent}
	a.State = &event.State{MessageKey: event.MessageKey{Workspace: workspace, Message: string(key)}}
	a.State.Apply(event.ChangeOf(sent))
	data, err := a.AppendJSON(nil)
	if err == nil {
		w[workspace] = writtenSend{data, key}
	}
	return data, err
}

// Follow is the log's: nothing is kept from before. Who announces calls each: to hand entries to
// another goroutine would be a way that the peer's messages do not take.
func (s *socketServer) Follow(ctx context.Context, each func(live.Entry)) error {
	s.each <- each
	<-ctx.Done()
	<-s.each // nobody calls it any more
	return ctx.Err()
}

// Bounds are those of a log that began empty.
func (s *socketServer) Bounds(context.Context) (live.Bounds, error) {
	return live.Bounds{Incarnation: "bench", First: 1, Last: s.sequence.Load()}, nil
}

// Understand reads what a socket asks for.
func (s *socketServer) Understand(_ context.Context, request feed.PageRequest) (feed.Understood, query.Query, error) {
	read := query.Parse(request.Text, query.Options{Now: time.Now(), Zone: request.Zone, Me: request.Me})
	return feed.Understood{Chips: read.Chips, Words: read.Words, Interpretation: read.Interpretation}, request.Filter.Apply(read.Query), nil
}

// nobody is a directory without names.
type nobody struct{}

func (nobody) Names(context.Context, string) (map[string]string, error) {
	return map[string]string{}, nil
}
