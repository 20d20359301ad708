package cli

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/api"
	"tidings/bench"
	"tidings/event"
)

// benchStormCmd is a provider that delivers each of its events many times, in
// any order, as they do after an outage: against the same events once.
type benchStormCmd struct {
	Data    string `help:"A directory for the measurement, on the disk to be measured." default:"tidings-storm" placeholder:"DIR" type:"path"`
	Seed    uint64 `help:"Where the randomness begins." default:"1"`
	Events  int    `help:"How many events there are." default:"100000"`
	Times   int    `help:"How often each is delivered." default:"46"`
	Senders int    `help:"How many senders post at once." default:"4"`
	Batch   int    `help:"How many events a request holds." default:"200"`
}

// Run measures both and checks what is left of the storm against the model.
func (c *benchStormCmd) Run(ctx context.Context, env *environment) error {
	if entries, err := os.ReadDir(c.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", c.Data)
	}
	a, err := openApp(ctx, settings{Data: c.Data, Backlog: int64(c.Events*(c.Times+2)) + 1}, env.log)
	if err != nil {
		return err
	}
	machine, err := bench.Describe(ctx, c.Data)
	if err != nil {
		return errors.Join(err, a.Close())
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	report, err := c.measure(ctx, a)
	stop()
	if err := errors.Join(err, <-done, a.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "%s\n%s", machine.Markdown(), report)
	return err
}

// stormReport is what bench storm found.
type stormReport struct {
	events, times int
	before, after time.Duration // the same events once, before and after
	storm         time.Duration
}

func (r stormReport) String() string {
	once := float64(2*r.events) / (r.before + r.after).Seconds()
	often := float64(r.events*r.times) / r.storm.Seconds()
	return fmt.Sprintf(`| Provider storm, embedded | |
| --- | --- |
| events, each once | %d: %.0f/s |
| deliveries, each event %d times, shuffled | %d: %.0f/s |
| the storm ÷ each once | %.2f |
| documents and states | one document each, states as the model |
`, r.events, once, r.times, r.events*r.times, often, often/once)
}

// measure delivers the events once, in a storm, and once again, each in a
// workspace of its own, and checks what is left.
func (c *benchStormCmd) measure(ctx context.Context, a *app) (stormReport, error) {
	report := stormReport{events: c.Events, times: c.Times}
	if err := a.awaitReady(ctx); err != nil {
		return report, err
	}
	storm := newStorm(c.Events, time.Now().Add(-time.Hour).Unix())
	random := mathrand.New(mathrand.NewPCG(c.Seed, 46))
	for _, part := range []struct {
		workspace string
		times     int
		took      *time.Duration
	}{{"before", 1, &report.before}, {"storm", c.Times, &report.storm}, {"after", 1, &report.after}} {
		order := make([]int32, c.Events*part.times)
		for i := range order {
			order[i] = int32(i % c.Events)
		}
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		began := time.Now()
		if err := c.deliver(ctx, a, part.workspace, storm, order); err != nil {
			return report, fmt.Errorf("deliver %s: %w", part.workspace, err)
		}
		if err := a.drain(ctx); err != nil {
			return report, err
		}
		*part.took = time.Since(began)
		if err := storm.check(ctx, a, part.workspace); err != nil {
			return report, fmt.Errorf("after %s: %w", part.workspace, err)
		}
	}
	return report, nil
}

// deliver posts the events in an order, signed as SendGrid does.
func (c *benchStormCmd) deliver(ctx context.Context, a *app, workspace string, storm *storm, order []int32) error {
	listener := newPipeListener()
	server := &http.Server{Handler: a.operator, ReadHeaderTimeout: headerTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	client := operatorClient(listener.dial, workspace, func() error {
		err := server.Close()
		<-served
		return err
	})
	sender, err := newStormSender(ctx, client)
	if err != nil {
		return errors.Join(err, client.close())
	}
	group, posting := errgroup.WithContext(ctx)
	for from := range c.Senders {
		group.Go(func() error {
			for at := from * c.Batch; at < len(order); at += c.Senders * c.Batch {
				if err := sender.post(posting, storm.body(order[at:min(at+c.Batch, len(order))])); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return errors.Join(group.Wait(), client.close())
}

// stormSender posts to a source of SendGrid.
type stormSender struct {
	client *client
	key    *ecdsa.PrivateKey
	url    string
}

func newStormSender(ctx context.Context, client *client) (*stormSender, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	var made api.NewSource
	request := api.SourceRequest{Provider: "sendgrid", Keys: []string{base64.StdEncoding.EncodeToString(public)}}
	if err := client.call(ctx, http.MethodPut, "/v1/sources/storm", request, &made); err != nil {
		return nil, err
	}
	return &stormSender{client, key, client.base + made.Path}, nil
}

// post delivers one request, again and again until it is taken.
func (s *stormSender) post(ctx context.Context, body []byte) error {
	for {
		status, err := s.try(ctx, body)
		switch {
		case err != nil:
			return err
		case status == http.StatusNoContent:
			return nil
		case status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable:
			return fmt.Errorf("answered %d", status)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *stormSender) try(ctx context.Context, body []byte) (int, error) {
	now := strconv.FormatInt(time.Now().Unix(), 10)
	hash := sha256.New()
	hash.Write([]byte(now))
	hash.Write(body)
	signature, err := ecdsa.SignASN1(rand.Reader, s.key, hash.Sum(nil))
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(signature))
	request.Header.Set("X-Twilio-Email-Event-Webhook-Timestamp", now)
	response, err := s.client.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// storm is a set of events of SendGrid and what they leave behind.
type storm struct {
	events [][]byte
	// messages is the model of each message, by its name.
	messages map[string]*stormMessage
}

// stormMessage is what is known of a message in the end. Whether an open was a
// person's is left to the verdict: the first of both kinds counts here.
type stormMessage struct {
	recipients map[event.RecipientKey]bool
	first      map[string]map[event.RecipientKey]int64
	clicks     map[event.RecipientKey]int
}

// stormKinds is what happens to a message, in turn: the recipient's number, what,
// and how long after the send.
var stormKinds = []struct {
	who   int
	what  string
	after int64
}{
	{0, "processed", 0},
	{1, "processed", 0},
	{0, "delivered", 2},
	{1, "bounce", 3},
	{0, "open", 60},
	{0, "open", 600},
	{0, "click", 700},
	{0, "click", 800},
}

func newStorm(events int, since int64) *storm {
	s := &storm{events: make([][]byte, events), messages: make(map[string]*stormMessage)}
	for i := range events {
		kind, number := stormKinds[i%len(stormKinds)], i/len(stormKinds)
		name, email := fmt.Sprintf("m-%d", number), fmt.Sprintf("p%d-%d@acme.example", kind.who, number%5000)
		at := since + int64(number%1000) + kind.after
		s.events[i] = fmt.Appendf(nil, `{"event":%q,"email":%q,"timestamp":%d,"sg_event_id":"e-%d","sg_message_id":"%s.filter0","type":"bounce",`+
			`"reason":"550 5.1.1 unknown","url":"https://acme.example/%d","ip":"192.0.2.%d","useragent":"Mozilla/5.0 (Windows NT 10.0)"}`,
			kind.what, email, at, i, name, i, i%250)
		message := s.messages[name]
		if message == nil {
			message = &stormMessage{map[event.RecipientKey]bool{}, map[string]map[event.RecipientKey]int64{}, map[event.RecipientKey]int{}}
			s.messages[name] = message
		}
		message.happen(kind.what, event.KeyOf(email), at)
	}
	return s
}

func (m *stormMessage) happen(what string, who event.RecipientKey, at int64) {
	switch what {
	case "processed":
		m.recipients[who] = true
		return
	case "click":
		m.clicks[who]++
		what = "open" // which a click is too
	}
	if m.first[what] == nil {
		m.first[what] = make(map[event.RecipientKey]int64)
	}
	if have, ok := m.first[what][who]; !ok || at < have {
		m.first[what][who] = at
	}
}

// body is a request that delivers some events.
func (s *storm) body(which []int32) []byte {
	var body bytes.Buffer
	for i, n := range which {
		body.WriteByte("[,"[min(i, 1)])
		body.Write(s.events[n])
	}
	body.WriteByte(']')
	return body.Bytes()
}
