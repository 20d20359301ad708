package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/apiclient"
	"tidings/app"
	"tidings/bench/figures"
)

// Env is where a measurement prints its figures and how far it has come, and logs.
type Env struct {
	Out, Err io.Writer
	Log      *slog.Logger
	// Found takes the figures by name; nil where nobody wants them so.
	Found *figures.Found
}

// load is what the weeks before now are filled with.
func load(seed uint64, weeks int) Load {
	until := time.Now().UTC()
	if weeks > 0 {
		// The last second of a week that is over, so that the same settings give the
		// same events for a week.
		until = until.Truncate(7 * 24 * time.Hour)
	}
	return Load{Seed: seed, Weeks: weeks, Until: until}
}

// loadOf is load with the mails of a directory; without one they are made up.
func loadOf(seed uint64, weeks int, mails string) (_ Load, err error) {
	l := load(seed, weeks)
	if mails != "" {
		l.Mails, err = ReadMails(mails)
	}
	return l, err
}

// Ingest is the whole way of events: posted, durable, indexed.
type Ingest struct {
	// Data is an empty directory on the disk to be measured.
	Data    string
	Seed    uint64
	Weeks   int
	Events  int
	Senders int
	// Mails is a directory of mails that are sent and answered; "" for texts that are
	// made up.
	Mails string
	// Batch is how many events a request holds at most, and Every after how many
	// each sender's waiting ones are posted.
	Batch, Every int
	// Untold has nobody told of anything, to see what that costs.
	Untold bool
}

// Run fills an empty directory and prints the speed.
func (c *Ingest) Run(ctx context.Context, env Env) error {
	if entries, err := os.ReadDir(c.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", c.Data)
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	machine, err := Describe(ctx, c.Data)
	if err != nil {
		return err
	}
	made, err := c.keepPosts(ctx)
	if err != nil {
		return err
	}
	report, err := c.fill(ctx, env, made)
	if err := errors.Join(err, made.Close()); err != nil {
		return err
	}
	report.figures(env.Found)
	_, err = fmt.Fprintf(env.Out, "%s\n%s", machine.Markdown(), report)
	return errors.Join(err, filling{c.Events, report.bytes}.write(c.Data))
}

// fill posts what was made to a Tidings on the directory.
func (c *Ingest) fill(ctx context.Context, env Env, made *keptPosts) (ingestReport, error) {
	a, err := app.Open(ctx, app.Settings{Data: c.Data, Backlog: int64(c.Events) + 1, Untold: c.Untold}, env.Log)
	if err != nil {
		return ingestReport{}, err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	dial, stopServer := a.OperateInMemory()

	report, err := c.measure(ctx, env, a, dial, made)
	stop()
	err = errors.Join(err, stopServer(), <-done)
	if err := errors.Join(err, a.Close()); err != nil {
		return report, err
	}
	report.disk, err = directorySize(c.Data, "weeks", "state.db")
	return report, err
}

// ingestReport is what bench ingest found.
type ingestReport struct {
	events                    int
	bytes, disk               int64
	accepted, indexed, merged time.Duration
	// decided is when everybody was told, and worked the processor time until then.
	decided, worked time.Duration
	requests        *Timing
}

func (r ingestReport) String() string {
	rate := func(d time.Duration) float64 { return float64(r.events) / d.Seconds() }
	return fmt.Sprintf(`| P1, embedded | |
| --- | --- |
| events | %d, %.0f bytes of JSON each |
| accepted for good | %.0f/s |
| accepted and searchable | %.0f/s |
| accepted, searchable and told | %.0f/s |
| processor time until then | %.1f s, %.0f µs an event |
| a request | %s |
| words merged afterwards, while it is quiet | %.1f s |
| bytes on disk an event ÷ its JSON, not sealed | %.2f |
`, r.events, float64(r.bytes)/float64(r.events), rate(r.accepted), rate(r.indexed), rate(r.decided),
		r.worked.Seconds(), float64(r.worked.Microseconds())/float64(r.events), r.requests,
		r.merged.Seconds(), float64(r.disk)/float64(r.bytes))
}

// Names of figures that a bound is of.
const (
	figureSearchable = "accepted and searchable"
	figureSealed     = "bytes on disk ÷ JSON, state included, sealed"
)

func (r ingestReport) figures(found *figures.Found) {
	events := float64(r.events)
	found.Add("accepted for good", "events/s", events/r.accepted.Seconds())
	found.Add(figureSearchable, "events/s", events/r.indexed.Seconds())
	found.Add("accepted, searchable and told", "events/s", events/r.decided.Seconds())
	found.Add("processor time an event", "µs", float64(r.worked.Microseconds())/events)
	found.Add("a request, p50", "ms", milliseconds(r.requests.Percentile(50)))
	found.Add("a request, p99", "ms", milliseconds(r.requests.Percentile(99)))
	found.Add("words merged afterwards", "s", r.merged.Seconds())
	found.Add("bytes on disk ÷ JSON, state included, not sealed", "", float64(r.disk)/float64(r.bytes))
}

// measure posts all events and waits until the last can be found.
func (c *Ingest) measure(ctx context.Context, env Env, a *app.App, dial app.Dialer, made *keptPosts) (_ ingestReport, err error) {
	report := ingestReport{events: c.Events, bytes: made.size}
	began, worked := time.Now(), processorTime()
	if report.requests, err = c.postAll(ctx, dial, made); err != nil {
		return report, err
	}
	report.accepted = time.Since(began)
	fmt.Fprintf(env.Err, "all accepted after %v, waiting until they are indexed …\n", report.accepted.Round(time.Millisecond))
	if err := a.Drain(ctx); err != nil {
		return report, err
	}
	report.indexed = time.Since(began)
	if err := a.DrainTriggers(ctx); err != nil {
		return report, err
	}
	report.decided, report.worked = time.Since(began), processorTime()-worked
	fmt.Fprintf(env.Err, "all indexed after %v, merging words, as serve does once it is quiet …\n", report.indexed.Round(time.Millisecond))
	quiet := time.Now()
	if err := a.Words.MergeWords(ctx, 0); err != nil {
		return report, err
	}
	report.merged = time.Since(quiet)
	return report, nil
}

// postAll has all senders post what was made until there is no more, and times the
// requests.
func (c *Ingest) postAll(ctx context.Context, dial app.Dialer, made *keptPosts) (*Timing, error) {
	group, posting := errgroup.WithContext(ctx)
	posts := make(chan post, c.Senders)
	group.Go(func() error {
		defer close(posts)
		return made.giveAll(posting, posts)
	})
	requests := NewTiming()
	var mu sync.Mutex
	for range c.Senders {
		group.Go(func() error {
			timing := NewTiming()
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				requests.Merge(timing)
			}()
			for post := range posts {
				client := apiclient.Operator(dial, post.workspace, func() error { return nil })
				sent := time.Now()
				if err := client.Send(posting, http.MethodPost, "/v1/events", "application/x-ndjson", bytes.NewReader(post.body), nil); err != nil {
					return err
				}
				timing.Record(time.Since(sent))
				client.HTTP.CloseIdleConnections()
			}
			return nil
		})
	}
	return requests, group.Wait()
}

// post is one request.
type post struct {
	workspace string
	body      []byte
}

// keptPosts are requests that were made before anything is timed, in a file.
type keptPosts struct {
	file  *os.File
	posts []keptPost
	size  int64
}

type keptPost struct {
	workspace string
	size      int
}

// keepPosts makes all requests.
func (c *Ingest) keepPosts(ctx context.Context) (_ *keptPosts, err error) {
	load, err := loadOf(c.Seed, c.Weeks, c.Mails)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(c.Data, "posts-*")
	if err != nil {
		return nil, err
	}
	kept := &keptPosts{file: file}
	defer func() {
		if err != nil {
			err = errors.Join(err, kept.Close())
		}
	}()
	group, making := errgroup.WithContext(ctx)
	posts := make(chan post)
	group.Go(func() error {
		defer close(posts)
		return c.makePosts(making, load, posts, &kept.size)
	})
	group.Go(func() error {
		for p := range posts {
			if _, err := file.Write(p.body); err != nil {
				return err
			}
			kept.posts = append(kept.posts, keptPost{p.workspace, len(p.body)})
		}
		return nil
	})
	return kept, group.Wait()
}

// giveAll reads the requests in the order in which they were made.
func (k *keptPosts) giveAll(ctx context.Context, posts chan<- post) error {
	if _, err := k.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	for _, p := range k.posts {
		body := make([]byte, p.size)
		if _, err := io.ReadFull(k.file, body); err != nil {
			return err
		}
		select {
		case posts <- post{p.workspace, body}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close removes the requests.
func (k *keptPosts) Close() error {
	return errors.Join(k.file.Close(), os.Remove(k.file.Name()))
}

// makePosts collects events by workspace into requests.
func (c *Ingest) makePosts(ctx context.Context, load Load, posts chan<- post, size *int64) error {
	type open struct {
		body   bytes.Buffer
		events int
	}
	waiting := make(map[string]*open)
	send := func(workspace string, o *open) error {
		*size += int64(o.body.Len())
		next := post{workspace, bytes.Clone(o.body.Bytes())}
		o.body.Reset()
		o.events = 0
		select {
		case posts <- next:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	made := 0
	flush := func() error {
		for workspace, o := range waiting {
			if o.events > 0 {
				if err := send(workspace, o); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for given := range load.Inputs(c.Events) {
		if made++; made%c.Every == 0 {
			if err := flush(); err != nil {
				return err
			}
		}
		o := waiting[given.Workspace]
		if o == nil {
			o = &open{}
			waiting[given.Workspace] = o
		}
		line, err := json.Marshal(given.Input)
		if err != nil {
			return err
		}
		o.body.Write(line)
		o.body.WriteByte('\n')
		if o.events++; o.events == c.Batch {
			if err := send(given.Workspace, o); err != nil {
				return err
			}
		}
	}
	return flush()
}
