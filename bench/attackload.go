package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// How many of each kind go on at once.
const (
	slowBodies   = 200
	bombs        = 8
	forgeries    = 8
	smallOnes    = 16
	widePages    = 8
	slowExports  = 6
	deafSockets  = 300
	forgeryBytes = 9 << 20
)

// brokenOff stands for an answer that did not come.
const brokenOff = "broken off"

// attackKind is one thing that is done again and again, by several at once.
type attackKind struct {
	name  string
	n     int
	pause time.Duration
	once  func(ctx context.Context, o *attackOrders, from *attacker) (string, error)
}

// Bodies that are sent.
var (
	bomb    = sync.OnceValue(unfolding)
	forgery = sync.OnceValue(func() []byte { return bytes.Repeat([]byte("x"), forgeryBytes) })
)

var attackKinds = []attackKind{
	{"sign-ins that come slowly", slowBodies / 2, 50 * time.Millisecond, func(ctx context.Context, _ *attackOrders, from *attacker) (string, error) {
		return from.drip(ctx, "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
	}},
	{"events that come slowly", slowBodies / 2, 50 * time.Millisecond, func(ctx context.Context, o *attackOrders, from *attacker) (string, error) {
		return from.drip(ctx, "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+o.Slow+"\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n")
	}},
	{"gzip bodies of 9 MiB", bombs, 50 * time.Millisecond, func(ctx context.Context, o *attackOrders, from *attacker) (string, error) {
		return from.ask(ctx, http.MethodPost, "/v1/events", o.Unfolding, bomb(), "Content-Encoding", "gzip")
	}},
	{"unsigned webhooks of 9 MiB", forgeries, 50 * time.Millisecond, func(ctx context.Context, o *attackOrders, from *attacker) (string, error) {
		return from.ask(ctx, http.MethodPost, o.Hook, "", forgery())
	}},
	{"forged webhooks of 9 MiB", forgeries, 50 * time.Millisecond, func(ctx context.Context, o *attackOrders, from *attacker) (string, error) {
		return from.ask(ctx, http.MethodPost, o.Hook, "", forgery(), "Calendly-Webhook-Signature", fmt.Sprintf("t=%d,v1=%064x", time.Now().Unix(), 0))
	}},
	{"small requests without a key", smallOnes, 5 * time.Millisecond, func(ctx context.Context, _ *attackOrders, from *attacker) (string, error) {
		return from.ask(ctx, http.MethodGet, "/v1/feed", "tid_none", nil)
	}},
	{"pages of mailings", widePages, 50 * time.Millisecond, func(ctx context.Context, o *attackOrders, from *attacker) (string, error) {
		return from.ask(ctx, http.MethodGet, "/v1/feed?limit=200", o.Attacker, nil)
	}},
	{"searches of mailings", widePages, 50 * time.Millisecond, func(ctx context.Context, o *attackOrders, from *attacker) (string, error) {
		return from.ask(ctx, http.MethodGet, "/v1/feed?limit=200&q=is%3Aunopened+type%3Asend", o.Attacker, nil)
	}},
	{"exports that are read slowly", slowExports, 50 * time.Millisecond, func(ctx context.Context, o *attackOrders, from *attacker) (string, error) {
		return from.listen(ctx, "GET /v1/export?format=ndjson HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+o.Attacker+"\r\n\r\n", 1024)
	}},
	{"sockets that do not answer", deafSockets, 50 * time.Millisecond, func(ctx context.Context, o *attackOrders, from *attacker) (string, error) {
		return from.listen(ctx, "GET /v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+o.Attacker+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: tidings.v1\r\n\r\n", 0)
	}},
}

// attacker is who attacks from one address.
type attacker struct {
	address string // the server's
	dialer  *net.Dialer
	client  *http.Client
}

// newAttacker calls from an address of this machine, or from any where it has not that one.
func newAttacker(server string, from net.IP) *attacker {
	a := &attacker{address: server, dialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}}
	if listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: from}); err != nil {
		a.dialer.LocalAddr = nil
	} else {
		_ = listener.Close() // it is only whether there is that address
	}
	a.client = &http.Client{Transport: &http.Transport{DialContext: a.dialer.DialContext, MaxIdleConnsPerHost: 16}}
	return a
}

// unfolding is a small body of 9 MiB of one refused event.
func unfolding() []byte {
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	// Writing to memory does not fail.
	_, _ = io.WriteString(w, `[{"type":"nothing","text":"`)
	_, _ = w.Write(bytes.Repeat([]byte("x"), 9<<20))
	_, _ = io.WriteString(w, `"}]`)
	_ = w.Close()
	return body.Bytes()
}

// ask makes one request, with one more header or none, and returns its status.
func (a *attacker) ask(ctx context.Context, method, path, key string, body []byte, header ...string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+a.address+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if len(header) == 2 {
		request.Header.Set(header[0], header[1])
	}
	response, err := a.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return fmt.Sprint(response.StatusCode), err
}

// drip sends a head and then a byte a second, until the server has had enough.
func (a *attacker) drip(ctx context.Context, head string) (string, error) {
	conn, err := a.dial(ctx, head)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	go func() {
		for ctx.Err() == nil {
			if _, err := conn.Write([]byte(" ")); err != nil {
				return
			}
			pause(ctx, time.Second)
		}
	}()
	return statusOf(conn)
}

// listen sends a request, reads the beginning of its answer, and then so many bytes a
// second, until the server has had enough.
func (a *attacker) listen(ctx context.Context, head string, bytes int) (string, error) {
	conn, err := a.dial(ctx, head)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	status, err := statusOf(conn)
	if err != nil || status >= "4" {
		return status, err
	}
	if bytes == 0 {
		// What comes is read, as the machine of a client does that is asleep; nothing
		// is answered.
		_, _ = io.Copy(io.Discard, conn) // that it is broken off is what is waited for
		return status, nil
	}
	for part := make([]byte, bytes); ctx.Err() == nil; pause(ctx, time.Second) {
		if _, err := conn.Read(part); err != nil {
			return status, nil
		}
	}
	return status, nil
}

// dial sends a head over a connection that ends with ctx.
func (a *attacker) dial(ctx context.Context, head string) (net.Conn, error) {
	conn, err := a.dialer.DialContext(ctx, "tcp", a.address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	_, err = io.WriteString(conn, head)
	return conn, err
}

// statusOf reads the beginning of an answer: "HTTP/1.1 408".
func statusOf(conn net.Conn) (string, error) {
	var head [12]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return "", err
	}
	return strings.TrimPrefix(string(head[:]), "HTTP/1.1 "), nil
}

func pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}
