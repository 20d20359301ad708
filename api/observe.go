package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"tidings/tracing"
)

// metrics are what the server counts. Labels are routes, methods, statuses and
// reasons, all from short lists: never addresses, keys or workspaces.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	accepted prometheus.Counter
	rejected *prometheus.CounterVec
	// hooks are webhooks by their provider and result, hookEvents what they hold.
	hooks      *prometheus.CounterVec
	hookEvents *prometheus.CounterVec
}

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tidings_http_requests_total", Help: "Requests that were answered.",
		}, []string{"route", "method", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tidings_http_request_duration_seconds", Help: "How long answers took.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "method"}),
		accepted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tidings_events_accepted_total", Help: "Events that were made durable over HTTP.",
		}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tidings_events_rejected_total", Help: "Events that were refused over HTTP, by reason.",
		}, []string{"reason"}),
		hooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tidings_hook_requests_total", Help: "Webhooks that came in, by provider and result.",
		}, []string{"provider", "result"}),
		hookEvents: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tidings_hook_events_total", Help: "Events of believed webhooks, by provider and outcome.",
		}, []string{"provider", "outcome"}),
	}
	for _, collector := range []prometheus.Collector{m.requests, m.duration, m.accepted, m.rejected, m.hooks, m.hookEvents} {
		if err := registry.Register(collector); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

type requestKey struct{}

// requestID names a request in the log and in a problem's reference.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// observe names, times, counts and logs a request, and outlives a panic.
func (s *Server) observe(c *gin.Context) {
	began := time.Now()
	var name [8]byte
	_, _ = rand.Read(name[:]) // never fails, and is no secret
	id := hex.EncodeToString(name[:])
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestKey{}, id))
	c.Header("X-Request-Id", id)
	s.noteForwarded(c.Request)
	endSpan := s.traced(c)
	defer func() {
		if r := recover(); r != nil {
			s.recovered(c, id, r)
		}
		s.observed(c, id, time.Since(began))
		endSpan()
	}()
	c.Next()
}

// traced begins the span of a request to the API. A trace that began before us
// is gone on with when a trusted proxy says so; nobody else decides what is
// recorded here. Streams last for hours and have no span of their own.
func (s *Server) traced(c *gin.Context) (end func()) {
	route := c.FullPath()
	if s.Tracer == nil || !isAPI(route) || strings.HasPrefix(route, "/v1/live") {
		return func() {}
	}
	name, parent := c.Request.Method+" "+route, ""
	if s.trusted(remote(c.Request)) {
		parent = c.Request.Header.Get(tracing.Header)
	}
	about := []attribute.KeyValue{attribute.String("http.request.method", c.Request.Method), attribute.String("http.route", route)}
	ctx, span := s.Tracer.Resume(c.Request.Context(), parent, name, trace.SpanKindServer, about...)
	if parent == "" {
		ctx, span = s.Tracer.Start(c.Request.Context(), name, trace.SpanKindServer, about...)
	}
	c.Request = c.Request.WithContext(ctx)
	return func() {
		status := c.Writer.Status()
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(status))
		}
		span.End()
	}
}

func (s *Server) recovered(c *gin.Context, id string, r any) {
	if err, ok := r.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(r) // net/http drops the connection
	}
	s.Logger.ErrorContext(c.Request.Context(), "request panicked",
		"reference", id, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	if c.Writer.Written() {
		return
	}
	p := problem(http.StatusInternalServerError, "something went wrong on the server; nothing is wrong with the request")
	p.Reference = id
	p.write(c.Writer)
}

func (s *Server) observed(c *gin.Context, id string, took time.Duration) {
	route := c.FullPath()
	if route == "" {
		route = "other"
	}
	method := c.Request.Method
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete}
	if !slices.Contains(known, method) {
		method = "other"
	}
	status := c.Writer.Status()
	s.metrics.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	if !strings.HasPrefix(route, "/v1/live") { // which last for hours
		s.metrics.duration.WithLabelValues(route, method).Observe(took.Seconds())
	}
	level := slog.LevelInfo
	if route == "other" || !strings.HasPrefix(route, "/v1/") || status >= http.StatusBadRequest && !s.refusals.next() {
		level = slog.LevelDebug // pages and probes, and floods of refusals
	}
	if !s.Logger.Enabled(c.Request.Context(), level) {
		return
	}
	about := []any{
		"id", id, "route", route, "method", method, "status", status, "bytes", max(0, c.Writer.Size()), "took", took,
	}
	if before := s.refusals.unlogged.Swap(0); before > 0 {
		about = append(about, "unlogged", before)
	}
	s.Logger.Log(c.Request.Context(), level, "request", about...)
}

// How many refused requests are logged: at once, and a second in the long run. Who floods
// the server with what is refused must not fill the disk of the log, nor have others wait
// for it. The metrics count them all.
const (
	refusalsAtOnce  = 200
	refusalsASecond = 20
)

// refusals bounds what is logged of requests that were refused.
type refusals struct {
	clock   func() time.Time
	allowed *rate.Limiter
	// unlogged is how many were left out since the last line.
	unlogged atomic.Int64
}

func newRefusals(clock func() time.Time) *refusals {
	return &refusals{clock: clock, allowed: rate.NewLimiter(refusalsASecond, refusalsAtOnce)}
}

// next says whether the next one is logged, and counts it where it is not.
func (r *refusals) next() bool {
	if r.allowed.AllowN(r.clock(), 1) {
		return true
	}
	r.unlogged.Add(1)
	return false
}

// contentPolicy lets a page load from its own host alone.
const contentPolicy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// secure sets what every answer says to a browser.
func secure(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	c.Next()
}

// isAPI reports whether a path belongs to the contract and not to the pages.
func isAPI(path string) bool { return path == "/v1" || strings.HasPrefix(path, "/v1/") }
