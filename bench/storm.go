package bench

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
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/api"
	"tidings/apiclient"
	"tidings/app"
	"tidings/bench/figures"
)

// Storm is a provider that delivers each of its events many times, in any order, as
// they do after an outage: against the same events once.
type Storm struct {
	// Data is an empty directory on the disk to be measured.
	Data   string
	Seed   uint64
	Events int
	// Times is how often each event is delivered.
	Times   int
	Senders int
	// Batch is how many events a request holds.
	Batch int
}

// Run measures both and checks what is left of the storm against the model.
func (c *Storm) Run(ctx context.Context, env Env) error {
	if entries, err := os.ReadDir(c.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", c.Data)
	}
	// The backlog has the bound that it has by default: senders are told to wait
	// when it is full, as providers are.
	a, err := app.Open(ctx, app.Settings{Data: c.Data}, env.Log)
	if err != nil {
		return err
	}
	machine, err := Describe(ctx, c.Data)
	if err != nil {
		return errors.Join(err, a.Close())
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	watched := watchDisk(running, c.Data)
	report, err := c.measure(ctx, a)
	stop()
	mostDisk, watchErr := watched()
	if err := errors.Join(err, watchErr, <-done, a.Close()); err != nil {
		return err
	}
	report.mostDisk, report.mostMemory = mostDisk, MostMemory()
	if report.weeks, err = directorySize(c.Data, "weeks", "state.db"); err != nil {
		return err
	}
	report.figures(env.Found)
	_, err = fmt.Fprintf(env.Out, "%s\n%s", machine.Markdown(), report)
	return err
}

// stormReport is what bench storm found.
type stormReport struct {
	events, times int
	before, after time.Duration // the same events once, before and after
	storm         time.Duration
	refused       int64 // requests that were told to wait and came again
	// mostDisk and mostMemory are the most that the directory and the process
	// held, in bytes, and weeks what the three workspaces left behind.
	mostDisk, mostMemory, weeks int64
}

// once and often are how many deliveries a second were taken, before and after the storm
// and in it.
func (r stormReport) once() float64  { return float64(2*r.events) / (r.before + r.after).Seconds() }
func (r stormReport) often() float64 { return float64(r.events*r.times) / r.storm.Seconds() }

// figureStorm is the name of the figure that a bound is of.
const figureStorm = "deliveries of the storm a second ÷ unique events a second"

func (r stormReport) figures(found *figures.Found) {
	found.Add("unique events, taken and indexed", "events/s", r.once())
	found.Add("deliveries of the storm, taken and indexed", "events/s", r.often())
	found.Add(figureStorm, "", r.often()/r.once())
	found.Add("requests that were told to wait", "", float64(r.refused))
	found.Add("most memory, senders and model included", "MB", orNothing(float64(r.mostMemory>>20)))
	found.Add("most disk with the queue", "MB", float64(r.mostDisk>>20))
}

func (r stormReport) String() string {
	once, often := r.once(), r.often()
	memory := "not known"
	if r.mostMemory > 0 {
		memory = megabytes(r.mostMemory)
	}
	return fmt.Sprintf(`| Provider storm, embedded | |
| --- | --- |
| unique events, taken and indexed (before and after the storm) | %d: %.0f/s |
| deliveries of the storm, taken and indexed (each event %d times, shuffled) | %d: %.0f/s, %v |
| deliveries a second ÷ unique events a second (must be %.2f or more) | %.2f |
| requests that were told to wait | %d |
| most memory; most disk with the queue; what stays of the three runs | %s; %s; %s |
| documents and states | one document each, states as the model |
`, r.events, once, r.times, r.events*r.times, often, r.storm.Round(time.Second), leastStorm, often/once, r.refused,
		memory, megabytes(r.mostDisk), megabytes(r.weeks))
}

func megabytes(bytes int64) string { return fmt.Sprintf("%d MB", bytes>>20) }

// measure delivers the events once, in a storm, and once again, each in a
// workspace of its own, and checks what is left.
func (c *Storm) measure(ctx context.Context, a *app.App) (stormReport, error) {
	report := stormReport{events: c.Events, times: c.Times}
	if err := a.AwaitReady(ctx); err != nil {
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
		refused, err := c.deliver(ctx, a, part.workspace, storm, order)
		if err != nil {
			return report, fmt.Errorf("deliver %s: %w", part.workspace, err)
		}
		report.refused += refused
		if err := a.Drain(ctx); err != nil {
			return report, err
		}
		*part.took = time.Since(began)
		if err := storm.check(ctx, a, part.workspace); err != nil {
			return report, fmt.Errorf("after %s: %w", part.workspace, err)
		}
	}
	return report, nil
}

// deliver posts the events in an order, signed as SendGrid does, and counts the
// requests that were told to wait.
func (c *Storm) deliver(ctx context.Context, a *app.App, workspace string, storm *storm, order []int32) (int64, error) {
	dial, stopServer := a.OperateInMemory()
	client := apiclient.Operator(dial, workspace, func() error {
		err := stopServer()
		return err
	})
	sender, err := newStormSender(ctx, client)
	if err != nil {
		return 0, errors.Join(err, client.Close())
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
	err = errors.Join(group.Wait(), client.Close())
	return sender.refused.Load(), err
}

// stormSender posts to a source of SendGrid.
type stormSender struct {
	client  *apiclient.Client
	key     *ecdsa.PrivateKey
	url     string
	refused atomic.Int64
}

func newStormSender(ctx context.Context, client *apiclient.Client) (*stormSender, error) {
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
	if err := client.Call(ctx, http.MethodPut, "/v1/sources/storm", request, &made); err != nil {
		return nil, err
	}
	return &stormSender{client: client, key: key, url: client.Base + made.Path}, nil
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
		s.refused.Add(1)
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
	response, err := s.client.HTTP.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
