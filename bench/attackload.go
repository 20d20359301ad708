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
	widePages    = 8
	slowExports  = 6
	deafSockets  = 300
	forgeryBytes = 9 << 20
)

// brokenOff stands for an answer that did not come.
const brokenOff = "broken off"

// attacks are what goes on at once, each until its context ends.
func (c *Attack) attacks(a *attacked, report *attackReport) []func(context.Context) {
	var all []func(context.Context)
	add := func(kind string, n int, from *attacker, once func(ctx context.Context, from *attacker) (string, error)) {
		for range n {
			all = append(all, func(ctx context.Context) {
				for ctx.Err() == nil {
					answered, err := once(ctx, from)
					if err != nil {
						answered = brokenOff
					}
					report.answered(kind, answered)
					pause(ctx, 50*time.Millisecond)
				}
			})
		}
	}
	bomb, forged := unfolding(), bytes.Repeat([]byte("x"), forgeryBytes)
	authorized := "Authorization: Bearer " + a.attacker + "\r\n"
	addresses := 1
	next := func() *attacker {
		addresses++
		return newAttacker(a.address, net.IPv4(127, 0, 0, byte(addresses)))
	}
	strangers, slow, unfolders, forgers, readers, exporters, listeners := next(), next(), next(), next(), next(), next(), next()
	add("bodies that come slowly", slowBodies/2, strangers, func(ctx context.Context, from *attacker) (string, error) {
		return from.drip(ctx, "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
	})
	add("bodies that come slowly", slowBodies/2, slow, func(ctx context.Context, from *attacker) (string, error) {
		return from.drip(ctx, "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+a.slow+"\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n")
	})
	add("gzip bodies of 9 MiB", bombs, unfolders, func(ctx context.Context, from *attacker) (string, error) {
		return from.ask(ctx, http.MethodPost, "/v1/events", a.unfolding, bomb, "gzip")
	})
	add("unsigned webhooks of 9 MiB", forgeries, forgers, func(ctx context.Context, from *attacker) (string, error) {
		return from.ask(ctx, http.MethodPost, a.hook, "", forged, "")
	})
	add("pages of mailings", widePages, readers, func(ctx context.Context, from *attacker) (string, error) {
		return from.ask(ctx, http.MethodGet, "/v1/feed?limit=200", a.attacker, nil, "")
	})
	add("searches of mailings", widePages, readers, func(ctx context.Context, from *attacker) (string, error) {
		return from.ask(ctx, http.MethodGet, "/v1/feed?limit=200&q=is%3Aunopened+type%3Asend", a.attacker, nil, "")
	})
	add("exports that are read slowly", slowExports, exporters, func(ctx context.Context, from *attacker) (string, error) {
		return from.listen(ctx, "GET /v1/export?format=ndjson HTTP/1.1\r\nHost: x\r\n"+authorized+"\r\n", 1024)
	})
	add("sockets that do not answer", deafSockets, listeners, func(ctx context.Context, from *attacker) (string, error) {
		return from.listen(ctx, "GET /v1/live HTTP/1.1\r\nHost: x\r\n"+authorized+"Connection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: tidings.v1\r\n\r\n", 0)
	})
	return all
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

// ask makes one request and returns its status.
func (a *attacker) ask(ctx context.Context, method, path, key string, body []byte, encoding string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+a.address+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
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

// attackReport is what bench attack found.
type attackReport struct {
	memory             int64
	took               time.Duration
	quiet, page        *Timing
	health             *Timing
	quietFailed        int
	failedPages        int
	failedHealth       int
	acknowledged, lost int
	most               int64 // resident, in bytes

	mu sync.Mutex
	// answers counts what an attack got, by its kind and the status.
	answers map[string]map[string]int
}

func (r *attackReport) answered(kind, status string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers[kind] == nil {
		r.answers[kind] = make(map[string]int)
	}
	r.answers[kind][status]++
}
