package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"tidings/event"
	"tidings/limit"
	"tidings/tracking"
)

// sourceTracking is the source of events that our own addresses bring.
const sourceTracking = "tracking"

// oneClick is what a mail program posts to unsubscribe (RFC 8058, section 3.1),
// and the value of the header that asks for it.
const (
	oneClickName, oneClickValue = "List-Unsubscribe", "One-Click"

	oneClick = oneClickName + "=" + oneClickValue
)

// How much of what one recipient does with one message is kept: a scanner that
// opens every link at once is, one that never stops is not.
const (
	trackedBurst  = 60
	trackedRate   = 0.5 // a second
	trackedCached = 50_000
)

// trackPatience is how long a person waits at most for their click to be kept.
const trackPatience = 2 * time.Second

// maxUnsubscribe bounds the body of an unsubscribing request.
const maxUnsubscribe = 4 << 10

// Outcomes of a request for a tracking address, as they are counted.
const (
	trackKept      = "kept"
	trackUntracked = "untracked"
	trackLimited   = "limited"
	trackUnknown   = "unknown"
	trackLost      = "lost"
)

// tracker takes what tracking addresses bring.
type tracker struct {
	*Server
	counted *prometheus.CounterVec
	pages   map[string][]byte

	allowed *limit.Buckets[trackedPair]
}

// trackedPair is a recipient of a message.
type trackedPair struct{ workspace, message, recipient string }

// trackingRoutes serve what mail holds. They are no part of the JSON contract:
// whoever comes has nothing but the address.
func (s *Server) trackingRoutes() error {
	allowed := limit.NewBuckets[trackedPair](limit.Rate{PerSecond: trackedRate, Burst: trackedBurst}, trackedCached, s.Clock)
	t := &tracker{
		Server: s, allowed: allowed,
		counted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tidings_tracking_requests_total",
			Help: "Requests for tracking addresses, by kind and by what became of them.",
		}, []string{"kind", "outcome"}),
	}
	if err := s.Metrics.Register(t.counted); err != nil {
		return fmt.Errorf("tracking: %w", err)
	}
	var err error
	if t.pages, err = makeTrackingPages(); err != nil {
		return err
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		s.engine.Handle(method, "/t/o/:token", t.open)
		s.engine.Handle(method, "/t/c/:token", t.click)
		s.engine.Handle(method, "/t/u/:token", t.ask)
		s.engine.Handle(method, noticesPath+":token", t.askNotices)
	}
	s.engine.POST("/t/u/:token", t.unsubscribe)
	s.engine.POST(noticesPath+":token", t.stopNotices)
	return nil
}

// open answers with the picture, whatever becomes of the event.
func (t *tracker) open(c *gin.Context) {
	text, _ := strings.CutSuffix(c.Param("token"), ".gif")
	workspace, token, err := t.read(c.Request.Context(), text, tracking.Open)
	t.count(c, tracking.Open, func() string {
		if err != nil {
			return trackUnknown
		}
		return t.keep(c.Request, workspace, token, event.Open)
	})
	h := c.Writer.Header()
	h.Set("Cache-Control", "no-store, no-cache, must-revalidate, private")
	// Mail is read on other sites.
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	picture := tracking.GIF()
	h.Set("Content-Length", fmt.Sprint(len(picture)))
	c.Data(http.StatusOK, "image/gif", picture)
}

// click leads on to where the token says, whatever becomes of the event.
func (t *tracker) click(c *gin.Context) {
	workspace, token, err := t.read(c.Request.Context(), c.Param("token"), tracking.Click)
	t.count(c, tracking.Click, func() string {
		if err != nil {
			return trackUnknown
		}
		return t.keep(c.Request, workspace, token, event.Click)
	})
	if err != nil {
		t.page(c, http.StatusNotFound, "unknown")
		return
	}
	c.Header("Referrer-Policy", "no-referrer")
	c.Redirect(http.StatusFound, token.Link)
}

// ask shows a page with a button: programs that look at every link of a mail
// unsubscribe nobody.
func (t *tracker) ask(c *gin.Context) {
	if _, _, err := t.read(c.Request.Context(), c.Param("token"), tracking.Unsubscribe); err != nil {
		t.page(c, http.StatusNotFound, "unknown")
		return
	}
	t.page(c, http.StatusOK, "ask")
}

// unsubscribe takes the one click of a mail program, or a button of the page. It
// answers once that is durable.
func (t *tracker) unsubscribe(c *gin.Context) {
	workspace, token, err := t.read(c.Request.Context(), c.Param("token"), tracking.Unsubscribe)
	if err != nil {
		t.count(c, tracking.Unsubscribe, func() string { return trackUnknown })
		t.page(c, http.StatusNotFound, "unknown")
		return
	}
	form, err := unsubscribeForm(c.Writer, c.Request)
	switch {
	case err != nil:
		problem(http.StatusBadRequest, "the form cannot be read").write(c.Writer)
	case form.Get("Tracking") == "Off":
		if err := setTracked(c.Request.Context(), t.Records, workspace, token.Recipient, false); err != nil {
			t.failed(c, tracking.Unsubscribe, err)
			return
		}
		t.page(c, http.StatusOK, "off")
	case form.Get(oneClickName) == oneClickValue:
		if err := t.publish(c.Request, workspace, token, event.Unsubscribe); err != nil {
			t.failed(c, tracking.Unsubscribe, err)
			return
		}
		t.count(c, tracking.Unsubscribe, func() string { return trackKept })
		t.page(c, http.StatusOK, "done")
	default:
		problem(http.StatusBadRequest, "the form must say "+oneClick).write(c.Writer)
	}
}

func (t *tracker) failed(c *gin.Context, kind tracking.Kind, err error) {
	t.Logger.WarnContext(c.Request.Context(), "unsubscribing failed", "error", err)
	t.count(c, kind, func() string { return trackLost })
	c.Header("Retry-After", "30")
	t.page(c, http.StatusServiceUnavailable, "later")
}

// unsubscribeForm reads either form that RFC 8058 allows.
func unsubscribeForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUnsubscribe)
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && mediaType == "multipart/form-data" {
		if err := r.ParseMultipartForm(maxUnsubscribe); err != nil {
			return nil, err
		}
		return r.PostForm, nil
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return url.ParseQuery(string(raw))
}

// read opens a token, and says whose it is.
func (t *tracker) read(ctx context.Context, text string, kind tracking.Kind) (string, tracking.Token, error) {
	id, err := tracking.IDOf(text)
	if err != nil {
		return "", tracking.Token{}, err
	}
	workspace, key, err := t.linkKeys.find(ctx, hex.EncodeToString(id[:]))
	if err != nil {
		return "", tracking.Token{}, err
	}
	token, err := key.Open(text, kind)
	return workspace, token, err
}

// keep takes an open or a click in, and says what became of it.
func (t *tracker) keep(r *http.Request, workspace string, token tracking.Token, kind event.Type) string {
	ctx, cancel := context.WithTimeout(r.Context(), trackPatience)
	defer cancel()
	tracked, err := isTracked(ctx, t.Records, workspace, token.Recipient)
	switch {
	case err != nil:
		return trackLost // without knowing of consent, nothing is kept
	case !tracked:
		return trackUntracked
	case !t.allow(trackedPair{workspace, token.Message, token.Recipient}):
		return trackLimited
	}
	if err := t.publish(r.WithContext(ctx), workspace, token, kind); err != nil {
		t.Logger.WarnContext(ctx, "an open or a click was not kept", "error", err)
		return trackLost
	}
	return trackKept
}

func (t *tracker) allow(pair trackedPair) bool { return t.allowed.Take(pair, 1).After == 0 }

// publish makes an event durable, with the request as evidence.
func (t *tracker) publish(r *http.Request, workspace string, token tracking.Token, kind event.Type) error {
	now := t.Clock()
	at := event.Moment(now.Unix())
	input := event.Input{
		Type: kind, Time: &at, Message: token.Message, User: token.User, Link: token.Link,
		Recipient: &event.Person{Email: token.Recipient}, Client: t.evidence(r),
	}
	e, err := input.Event(workspace, sourceTracking, event.Limits{Now: now})
	if err != nil {
		return fmt.Errorf("event of a tracking address: %w", err)
	}
	if err := t.Intake.Publish(r.Context(), event.LaneLive, []event.Event{e}); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	t.metrics.accepted.Inc()
	return nil
}

// count counts a request. Who only asks for the head of an answer, as programs
// do that check links, opens and clicks nothing.
func (t *tracker) count(c *gin.Context, kind tracking.Kind, keep func() string) {
	if c.Request.Method == http.MethodHead {
		return
	}
	t.counted.WithLabelValues(string(rune(kind)), keep()).Inc()
}

func (t *tracker) page(c *gin.Context, status int, name string) {
	c.Data(status, "text/html; charset=utf-8", t.pages[name])
}

// evidenceHeaders are the headers that tell a machine from a person.
var evidenceHeaders = []string{
	"Accept", "Accept-Language", "Purpose", "Sec-Purpose", "X-Purpose", "X-Moz", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-Site", "Via",
}

const (
	maxEvidenceHeader = 500
	maxEvidenceAgent  = 2000
)

// evidence is what a request says of who made it.
func (t *tracker) evidence(r *http.Request) *event.Client {
	client := &event.Client{Method: r.Method}
	if at := t.client(r); at.IsValid() {
		client.IP = at.String()
	}
	if given := r.Header.Values("User-Agent"); len(given) > 0 {
		agent := cleanHeader(given[0], maxEvidenceAgent)
		client.UserAgent = &agent
	}
	for _, name := range evidenceHeaders {
		if value := cleanHeader(r.Header.Get(name), maxEvidenceHeader); value != "" {
			if client.Headers == nil {
				client.Headers = make(map[string]string)
			}
			client.Headers[strings.ToLower(name)] = value
		}
	}
	return client
}

// cleanHeader makes a text of what anybody may have sent.
func cleanHeader(value string, most int) string {
	if len(value) > most {
		value = value[:most]
	}
	return strings.ToValidUTF8(value, "")
}
