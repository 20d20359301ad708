package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
)

// raw sends a request's head and a part of its body, and then nothing more.
func (s *site) raw(head string) (*http.Response, net.Conn) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	// Only a test that fails waits as long.
	require.NoError(s.t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n"))
	require.NoError(s.t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(s.t, err, "no answer to: %s", head)
	s.t.Cleanup(func() { _ = response.Body.Close() })
	return response, conn
}

// Who announces a body and sends none is answered, and the connection ends.
func TestABodyThatNeverComesCostsNothing(t *testing.T) {
	s := newSite(t, func(c *api.Config) {
		c.BodyTiming = api.BodyTiming{Grace: 50 * time.Millisecond, Rest: 10 * time.Millisecond}
	}, withLive)
	key := s.key("acme", account.RoleAdmin, "")
	for _, c := range []struct {
		name, head string
		status     int
	}{
		{"a sign-in", "POST /v1/session HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 1000\n\n", 408},
		{"a sign-in that stops", "POST /v1/session HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 1000\n\n{\"key\":", 408},
		{"a sign-in without a type", "POST /v1/session HTTP/1.1\nHost: x\nContent-Length: 1000\n\n", 415},
		{"events of nobody", "POST /v1/events HTTP/1.1\nHost: x\nContent-Length: 1000\n\n", 401},
		{"chunks that stop", "POST /v1/session HTTP/1.1\nHost: x\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n5\n{\"key", 408},
		{"a body beyond the bound", "POST /v1/session HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 100000\n\n", 413},
		{"a page that takes no body", "GET /v1/feed HTTP/1.1\nHost: x\nAuthorization: Bearer " + key + "\nContent-Length: 1000\n\n", 200},
		{"a route that is not there", "POST /v1/none HTTP/1.1\nHost: x\nContent-Length: 1000\n\n", 404},
		{"a method that is not taken", "PATCH /v1/session HTTP/1.1\nHost: x\nContent-Length: 1000\n\n", 405},
		{"a webhook of nobody", "POST /v1/hooks/none HTTP/1.1\nHost: x\nContent-Length: 1000\n\n", 404},
		{"a socket that is none", "GET /v1/live HTTP/1.1\nHost: x\nContent-Length: 1000\n\n", 401},
		{"unsubscribing", "POST /t/u/none HTTP/1.1\nHost: x\nContent-Length: 1000\n\n", 404},
		{"health", "GET /healthz HTTP/1.1\nHost: x\nContent-Length: 1000\n\n", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.in(t)
			response, conn := s.raw(c.head)
			require.Equal(t, c.status, response.StatusCode)
			require.True(t, response.Close, "the connection goes on")
			_, err := io.Copy(io.Discard, conn)
			var timeout net.Error
			require.False(t, err != nil && errors.As(err, &timeout) && timeout.Timeout(), "the connection does not end")
		})
	}
}

// Whoever sends properly keeps the connection.
func TestAProperBodyKeepsTheConnection(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	for range 2 {
		response := s.do(call{method: "POST", path: "/v1/events", key: key, body: open(nil)}).is(202)
		require.Empty(t, response.header.Get("Connection"))
	}
}

// begun is the beginning of a body of which 100 KB come at once, and then nothing.
func begun() string {
	const size = 100_000
	return fmt.Sprintf("%x\r\n[%s\r\n", size, strings.Repeat(" ", size-1))
}

// Bodies that are in flight share a budget by what has come of them; beyond it
// requests are told when to come back, and what was taken is given back.
func TestBodiesInFlightAreBounded(t *testing.T) {
	s := newSite(t, func(c *api.Config) {
		c.Memory, c.MemoryWait = 8*18<<20, time.Millisecond // 9 MiB of a workspace's bodies, at three times their size
	})
	key := s.key("acme", account.RoleAdmin, "")
	var held []net.Conn
	begin := func(framing, sent string) {
		conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%s\r\n\r\n%s", key, framing, sent)
		require.NoError(t, err)
		held = append(held, conn)
	}
	for range 10 { // Who announces much and sends little takes little.
		begin("Content-Encoding: gzip\r\nContent-Length: 1000", "")
		begin("Transfer-Encoding: chunked", "1\r\n[\r\n")
		begin("Content-Length: 10000000", "[")
	}
	// A small one may come before what the last one took is given back.
	small := func() {
		require.Eventually(t, func() bool {
			return s.do(call{method: "POST", path: "/v1/events", key: key, body: open(nil)}).status == http.StatusAccepted
		}, time.Minute, time.Millisecond)
	}
	for range 100 {
		small()
	}
	begin("Transfer-Encoding: chunked", begun()) // One that is large is the only one.
	large := func() answer {
		return s.do(call{method: "POST", path: "/v1/events", key: key, body: strings.Repeat(" ", 200_000) + openText})
	}
	require.Eventually(t, func() bool { return s.server.HasLarge("acme") }, time.Minute, time.Millisecond)
	refused := large()
	refused.problem(http.StatusServiceUnavailable)
	require.NotEmpty(t, refused.header.Get("Retry-After"))
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, err := io.WriteString(w, strings.Repeat(" ", 200_000)+openText)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	s.do(call{method: "POST", path: "/v1/events", key: key, body: bomb.Bytes(), header: map[string]string{"Content-Encoding": "gzip"}}).problem(http.StatusServiceUnavailable)
	small() // Small ones go on.
	s.get(key, "/v1/session").is(200)

	for _, conn := range held {
		require.NoError(t, conn.Close())
	}
	require.Eventually(t, func() bool { return large().status == http.StatusAccepted }, time.Minute, time.Millisecond)
}

// openText is an event.
const openText = `{"type":"open","time":"2026-11-16T09:30:00Z","message":"m","recipient":{"email":"jo@acme.example"}}`

// forgery is a signature as Calendly makes them, by a key that is not the source's.
func (s *site) forgery() string {
	return fmt.Sprintf("t=%d,v1=%064x", s.clock().Unix(), 0)
}

// A webhook is bounded before it is believed.
func TestALargeWebhookIsRefusedUnread(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	var made struct{ Path string }
	s.do(call{method: "PUT", path: "/v1/sources/cal", body: `{"provider":"calendly","keys":["a key that is long enough"]}`, key: admin}).is(200).json(&made)
	response, _ := s.raw("POST " + made.Path + " HTTP/1.1\nHost: x\nCalendly-Webhook-Signature: " + s.forgery() + "\nContent-Type: application/json\nContent-Length: 11000000\n\n")
	require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
	require.True(t, response.Close)
}

// The bound is the source's own where an admin gave it one, and stays until it is set anew.
func TestEachSourceBoundsItsWebhooks(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	put := func(more string) answer {
		return s.do(call{method: "PUT", path: "/v1/sources/cal", key: admin, body: `{"provider":"calendly"` + more + `}`})
	}
	var made struct {
		Path     string `json:"path"`
		MaxBytes int64  `json:"max_bytes"`
	}
	put(`,"keys":["a key that is long enough"]`).is(200).json(&made)
	require.EqualValues(t, 10<<20, made.MaxBytes)
	for _, wrong := range []string{"0", "1023", "41943041", "-1"} {
		put(`,"max_bytes":` + wrong).is(400)
	}
	path := made.Path
	post := func(length int64) int {
		return s.do(call{method: "POST", path: path, body: bytes.Repeat([]byte("x"), int(length)), header: map[string]string{"Calendly-Webhook-Signature": s.forgery()}}).status
	}
	put(`,"max_bytes":2048`).is(200).json(&made)
	put("").is(200).json(&made)
	require.EqualValues(t, 2048, made.MaxBytes, "absent keeps what there is")
	require.Equal(t, http.StatusUnauthorized, post(2048))
	require.Equal(t, http.StatusRequestEntityTooLarge, post(2049))
	put(`,"max_bytes":12582912`).is(200).json(&made)
	require.Equal(t, http.StatusUnauthorized, post(11<<20), "more than the default")
}

// What nobody signed, though it looks so, holds no more memory than bodies may, however many come at once.
func TestUnsignedWebhooksShareTheMemoryOfBodies(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.Memory, c.MemoryWait = 8*9<<20, time.Second })
	admin := s.key("acme", account.RoleAdmin, "")
	var made struct{ Path string }
	s.do(call{method: "PUT", path: "/v1/sources/cal", body: `{"provider":"calendly","keys":["a key that is long enough"]}`, key: admin}).is(200).json(&made)
	for range 40 {
		conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nCalendly-Webhook-Signature: %s\r\nTransfer-Encoding: chunked\r\n\r\n%s", made.Path, s.forgery(), begun())
		require.NoError(t, err)
	}
	post := func() int {
		return s.do(call{method: "POST", path: made.Path, body: strings.Repeat(" ", 200_000) + "{}", header: map[string]string{"Calendly-Webhook-Signature": s.forgery()}}).status
	}
	require.Eventually(t, func() bool { return s.server.HasLarge("acme") }, time.Minute, time.Millisecond)
	require.Equal(t, http.StatusServiceUnavailable, post())
	other := s.key("globex", account.RoleAdmin, "")
	require.Equal(t, http.StatusAccepted, s.do(call{method: "POST", path: "/v1/events", key: other, body: open(nil)}).status)
}

// Bodies of one workspace never take all the memory that there is for bodies.
func TestBodiesOfOneWorkspaceLeaveRoomForOthers(t *testing.T) {
	s := newSite(t, func(c *api.Config) {
		c.Memory, c.MemoryWait = 8*9<<20, time.Second
	})
	flooding, other := s.key("acme", account.RoleAdmin, ""), s.key("globex", account.RoleAdmin, "")
	for range 60 {
		conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%s", flooding, begun())
		require.NoError(t, err)
	}
	post := func(key string) int {
		return s.do(call{method: "POST", path: "/v1/events", key: key, body: strings.Repeat(" ", 200_000) + openText}).status
	}
	require.Eventually(t, func() bool { return s.server.HasLarge("acme") }, time.Minute, time.Millisecond)
	require.Equal(t, http.StatusServiceUnavailable, post(flooding))
	require.Equal(t, http.StatusAccepted, post(other))
}
