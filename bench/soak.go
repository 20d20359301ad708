package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"tidings/apiclient"
	"tidings/bench/figures"
)

// Soak loads a server at a steady rate while sockets listen, some of them slowly, and
// looks whether what it holds stays as it is.
type Soak struct {
	// Data is an empty directory.
	Data string
	For  time.Duration
	// Rate is how many events a second are posted.
	Rate int
	// Sockets listen, Slow of them read one frame a second.
	Sockets, Slow int
}

const (
	// soakSamples is how often the server is looked at, over the whole time.
	soakSamples = 60
	// soakBatches is how many requests a second bring the events.
	soakBatches = 10
	// soakWarm is how long what is kept for sockets to resume takes to reach its bound.
	soakWarm = 15 * time.Minute
	// soakGrowth is how much the last third may have more than the middle one.
	soakGrowth = 1.2
	// soakRate and soakFrames are what part of the events must be accepted, and of their
	// sends heard by each socket that is not slow.
	soakRate, soakFrames = 0.95, 0.9
	// soakPosts is how many requests are under way at most.
	soakPosts = 16
)

// soakSample is what a server holds at a moment, and what has come of the load until then.
type soakSample struct {
	memory, descriptors, goroutines, wals float64
	// sends were accepted, one with each batch, and heard by all sockets that are not slow
	// in so many frames.
	sends, frames float64
}

// batch is how many events a request brings.
func (s *Soak) batch() int { return max(1, s.Rate/soakBatches) }

// figures names them.
func (s soakSample) figures() map[string]float64 {
	return map[string]float64{"resident memory, MB": s.memory / (1 << 20), "descriptors": s.descriptors, "goroutines": s.goroutines, "logs of SQLite, MB": s.wals / (1 << 20)}
}

// slack is by how much a figure may grow whatever it is, in its unit.
var slack = map[string]float64{"resident memory, MB": 32, "descriptors": 16, "goroutines": 40, "logs of SQLite, MB": 40}

// Run loads, prints a table, and fails where a figure grows or the load was not there.
func (s *Soak) Run(ctx context.Context, env Env) error {
	if entries, err := os.ReadDir(s.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", s.Data)
	}
	server, err := serveChild(ctx, s.Data, "127.0.0.1:0")
	if err != nil {
		return err
	}
	samples, posted, err := s.measure(ctx, server)
	if err := errors.Join(err, server.stop()); err != nil {
		return err
	}
	s.figures(env.Found, samples, posted)
	table, not := s.judge(samples, posted)
	if _, err := io.WriteString(env.Out, table); err != nil {
		return err
	}
	return notShown(not)
}

// soakFigures are those that a soak looks at, in the order of its table.
var soakFigures = []string{"resident memory, MB", "descriptors", "goroutines", "logs of SQLite, MB"}

// Names of figures that a bound is of.
const (
	figureOffered = "events accepted ÷ offered"
	figureHeard   = "frames heard ÷ sends, the sockets that are not slow, last third"
)

// flatter is the name of the figure that a bound is of.
func flatter(name string) string { return name + ": last third ÷ middle third" }

// figures adds what was found. Whether a figure grows is not measured before soakWarm.
func (s *Soak) figures(found *figures.Found, samples []soakSample, posted int64) {
	offered, heard := figures.NotMeasured(), figures.NotMeasured()
	third := len(samples) / 3
	if third > 0 {
		from, to := samples[2*third-1], samples[len(samples)-1]
		offered = float64(posted) / (float64(s.batch()*soakBatches) * s.For.Seconds())
		heard = (to.frames - from.frames) / ((to.sends - from.sends) * float64(s.Sockets-s.Slow))
	}
	found.Add(figureOffered, "", offered)
	found.Add(figureHeard, "", heard)
	for _, name := range soakFigures {
		last, growth := figures.NotMeasured(), figures.NotMeasured()
		if third > 0 {
			last = middleOf(samples[2*third:], name)
		}
		if third > 0 && s.For >= soakWarm {
			growth = last / middleOf(samples[third:2*third], name)
		}
		found.Add(name+", last third", "", last)
		found.Add(flatter(name), "", growth)
	}
}

// judge makes the table, and names what the samples do not show.
func (s *Soak) judge(samples []soakSample, posted int64) (table string, not []string) {
	if len(samples) < 3 {
		return "", []string{fmt.Sprintf("the server was looked at %d times, which is too few: take a longer --for", len(samples))}
	}
	third := len(samples) / 3
	wanted := float64(s.batch()*soakBatches) * s.For.Seconds()
	if float64(posted) < soakRate*wanted {
		not = append(not, fmt.Sprintf("%d of %.0f events were accepted", posted, wanted))
	}
	from, to := samples[2*third-1], samples[len(samples)-1]
	quick := s.Sockets - s.Slow
	must := (to.sends - from.sends) * float64(quick)
	if quick > 0 && (must == 0 || to.frames-from.frames < soakFrames*must) {
		not = append(not, fmt.Sprintf("in the last third the sockets that are not slow heard %.0f sends of %.0f", to.frames-from.frames, must))
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%d of %.0f events in %v, %d sockets, %d of them slow, %.0f frames of sends to the others\n\n| what | first third | middle third | last third | |\n| --- | --- | --- | --- | --- |\n",
		posted, wanted, s.For, s.Sockets, s.Slow, to.frames)
	for _, name := range soakFigures {
		first, middle, last := middleOf(samples[:third], name), middleOf(samples[third:2*third], name), middleOf(samples[2*third:], name)
		word := "flat"
		switch {
		case last == 0:
			word = "not measured"
			not = append(not, name+": not measured")
		case last <= middle*soakGrowth || last <= middle+slack[name]:
		case s.For < soakWarm:
			word = "grows, as it may in the first 15 minutes"
		default:
			word = "grows"
			not = append(not, name+": grows")
		}
		fmt.Fprintf(&out, "| %s | %.0f | %.0f | %.0f | %s |\n", name, first, middle, last, word)
	}
	return out.String(), not
}

func middleOf(samples []soakSample, name string) float64 {
	values := make([]float64, len(samples))
	for i, sample := range samples {
		values[i] = sample.figures()[name]
	}
	slices.Sort(values)
	if len(values) == 0 {
		return 0
	}
	return values[len(values)/2]
}

// measure loads for the time, and samples.
func (s *Soak) measure(ctx context.Context, server *child) (samples []soakSample, posted int64, err error) {
	client, err := server.client(ctx, "soak")
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	var key struct {
		Key string `json:"key"`
	}
	if err := client.Call(ctx, http.MethodPost, "/v1/keys", map[string]any{"role": "read", "name": "soak"}, &key); err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.For)
	defer cancel()
	var load errgroup.Group
	var frames, slowFrames, sends, sent atomic.Int64
	for i := range s.Sockets {
		heard := &frames
		if i < s.Slow {
			heard = &slowFrames
		}
		load.Go(func() error { return listenFor(ctx, server.address, key.Key, i < s.Slow, heard) })
	}
	load.Go(func() error { return s.post(ctx, client, &sends, &sent) })
	load.Go(func() error {
		tick := time.NewTicker(max(s.For/soakSamples, 100*time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			sample, err := s.look(ctx, server)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			sample.sends, sample.frames = float64(sends.Load()), float64(frames.Load())
			samples = append(samples, sample)
		}
	})
	err = load.Wait()
	return samples, sent.Load(), err
}

// listenFor keeps a socket open, coming back where it is sent away, as slow ones are.
func listenFor(ctx context.Context, address, key string, slow bool, heard *atomic.Int64) error {
	for ctx.Err() == nil {
		conn, err := dialLive(ctx, address, key)
		if err != nil {
			if wait(ctx, time.Second) != nil {
				return nil
			}
			continue
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		err = conn.WriteMessage(websocket.TextMessage, []byte(`{"op":"subscribe","id":"s","q":""}`))
		for err == nil {
			var frame []byte
			if _, frame, err = conn.ReadMessage(); bytes.Contains(frame, []byte(`"type":"send"`)) {
				heard.Add(1)
			}
			if bytes.HasPrefix(frame, []byte(`{"op":"reset"`)) || slow && wait(ctx, time.Second) != nil {
				break
			}
		}
		stop()
		_ = conn.Close() // it has ended
	}
	return nil
}

// post brings the events at the rate, whatever becomes of single requests: one that takes
// long does not hold up the next.
func (s *Soak) post(ctx context.Context, client *apiclient.Client, sends, sent *atomic.Int64) error {
	tick := time.NewTicker(time.Second / soakBatches)
	defer tick.Stop()
	var posts errgroup.Group
	posts.SetLimit(soakPosts)
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return posts.Wait()
		case <-tick.C:
		}
		posts.Go(func() error {
			events := s.events(n)
			if err := client.Call(ctx, http.MethodPost, "/v1/events", events, nil); err == nil {
				sends.Add(1)
				sent.Add(int64(len(events)))
			} else {
				pause(ctx, time.Second)
			}
			return nil
		})
	}
}

// events are a send, and opens of it by its recipient.
func (s *Soak) events(n int) []map[string]any {
	message := fmt.Sprint("m-", n)
	at := time.Now().UTC().Format(time.RFC3339)
	person := map[string]string{"email": fmt.Sprintf("p%d@acme.example", n%4000), "name": "P"}
	events := []map[string]any{{"type": "send", "time": at, "message": message, "user": "u_ana", "subject": "About " + message, "recipients": []any{person}}}
	for i := 1; i < s.batch(); i++ {
		events = append(events, map[string]any{"type": "open", "id": fmt.Sprintf("%d-%d", n, i), "time": at, "message": message, "recipient": person})
	}
	return events
}

// look reads what the server says of itself, and how large the logs are.
func (s *Soak) look(ctx context.Context, server *child) (soakSample, error) {
	figures, err := metricsOf(ctx, server)
	if err != nil {
		return soakSample{}, err
	}
	sample := soakSample{memory: figures["process_resident_memory_bytes"], descriptors: figures["process_open_fds"], goroutines: figures["go_goroutines"]}
	err = filepath.WalkDir(s.Data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "-wal") {
			return ignoreGone(err)
		}
		info, err := entry.Info()
		if err == nil {
			sample.wals += float64(info.Size())
		}
		return ignoreGone(err)
	})
	return sample, err
}

// ignoreGone drops the complaint about files that go while they are counted.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// metricsOf asks a server for its figures without labels.
func metricsOf(ctx context.Context, server *child) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+server.address+"/metrics", http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read the metrics: %w", err)
	}
	defer response.Body.Close()
	return metricsIn(response.Body)
}

// metricsIn reads figures without labels from a page of metrics.
func metricsIn(page io.Reader) (map[string]float64, error) {
	figures := make(map[string]float64)
	lines := bufio.NewScanner(page)
	for lines.Scan() {
		name, text, ok := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); ok && err == nil {
			figures[name] = value
		}
	}
	return figures, lines.Err()
}
