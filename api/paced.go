package api

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// Bounds of how a body comes.
const (
	bodyGrace = 10 * time.Second
	bodyRate  = 8 << 10
	bodyTotal = 60 * time.Second
)

// BodyTiming is how long a caller may take to send a body; 0 means the default.
type BodyTiming struct {
	// Grace is how long the first bytes may take (10 s), Rate how many bytes a
	// second must follow on average (8 KiB), and Total how long all of it may
	// take (60 s).
	Grace time.Duration
	Rate  int64
	Total time.Duration
	// Rest is how long the rest of a body is read that nobody wants, so that a
	// caller who still sends sees the answer (500 ms). Then the connection ends.
	Rest time.Duration
}

func (t BodyTiming) orDefault() BodyTiming {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&t.Grace, bodyGrace}, {&t.Total, bodyTotal}, {&t.Rest, 500 * time.Millisecond},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if t.Rate == 0 {
		t.Rate = bodyRate
	}
	return t
}

// paced serves a request whose body has a deadline and a least rate, for
// whoever reads it. An answer that comes before all of the body has been read
// is sent at once and ends the connection: net/http would wait for the rest.
func paced(next http.Handler, timing BodyTiming, w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		next.ServeHTTP(w, r)
		return
	}
	body := &pacedBody{from: r.Body, control: http.NewResponseController(w), timing: timing.orDefault(), began: time.Now()}
	// A request of its own: the server looks at its own request's body to know that
	// the caller still sends, and then closes without a reset.
	r = r.WithContext(r.Context())
	r.Body = body
	answer := &pacedAnswer{ResponseWriter: w, body: body}
	next.ServeHTTP(answer, r)
	if answer.hijacked {
		return
	}
	if !body.ended {
		if !answer.written {
			w.Header().Set("Connection", "close")
		}
		_ = body.control.SetReadDeadline(time.Now().Add(body.timing.Rest))
		return
	}
	_ = body.control.SetReadDeadline(time.Time{})
}

// pacedBody is a body whose reading ends with os.ErrDeadlineExceeded when it
// comes too slowly.
type pacedBody struct {
	from    io.ReadCloser
	control *http.ResponseController
	timing  BodyTiming
	began   time.Time
	read    int64
	ended   bool
}

// Read reads what has come, and waits as long as the rate allows.
func (b *pacedBody) Read(p []byte) (int, error) {
	allowed := b.timing.Grace + time.Duration(b.read)*time.Second/time.Duration(b.timing.Rate)
	deadline := b.began.Add(min(allowed, b.timing.Total))
	// Where the connection has no deadlines, as in tests, it has none here.
	_ = b.control.SetReadDeadline(deadline)
	n, err := b.from.Read(p)
	b.read += int64(n)
	if errors.Is(err, io.EOF) {
		b.ended = true
	}
	if err == nil && !time.Now().Before(deadline) {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

// Close leaves the rest to the server.
func (b *pacedBody) Close() error { return b.from.Close() }

// pacedAnswer ends the connection with an answer that comes before the end of the body.
type pacedAnswer struct {
	http.ResponseWriter
	body              *pacedBody
	written, hijacked bool
}

// WriteHeader says that the connection ends when there is still body to come.
func (a *pacedAnswer) WriteHeader(status int) {
	if !a.written && status >= http.StatusOK {
		a.written = true
		if !a.body.ended {
			a.Header().Set("Connection", "close")
		}
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write writes the header first, as net/http does.
func (a *pacedAnswer) Write(p []byte) (int, error) {
	if !a.written {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(p)
}

// Flush is for gin and for streams.
func (a *pacedAnswer) Flush() {
	if !a.written {
		a.WriteHeader(http.StatusOK)
	}
	_ = http.NewResponseController(a.ResponseWriter).Flush()
}

// Hijack is for websockets.
func (a *pacedAnswer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(a.ResponseWriter).Hijack()
	a.hijacked = err == nil
	return conn, buffered, err
}

// Unwrap is for http.ResponseController.
func (a *pacedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
