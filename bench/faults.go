package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/bench/figures"
)

// Faults kills and pauses a server under load and holds what is left to a ledger of what
// it has acknowledged.
type Faults struct {
	// Data is an empty directory.
	Data string
	Seed uint64
	// Kills is how often the process is killed, and Pauses how often it is stopped for
	// a second.
	Kills, Pauses int
	// Senders post at once.
	Senders int
}

const (
	// faultBatch is how many events a request of the load holds.
	faultBatch = 50
	// faultReady is how soon it must be ready again after a kill.
	faultReady = 10 * time.Second
	// faultPatience is how long what was acknowledged may take to be indexed at last.
	faultPatience = 5 * time.Minute
)

// Faults that are made.
const (
	killedAtRandom = "the process is killed at a random moment"
	stoodStill     = "the process stands still for a second"
)

// sentThrice is the fault of senders that were not told.
const sentThrice = "every request is sent three times"

// faultLedger is what was acknowledged.
type faultLedger struct {
	mu           sync.Mutex
	acknowledged map[string]bool
}

func (l *faultLedger) add(ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		l.acknowledged[id] = true
	}
}

// faultRow is what became of one scenario.
type faultRow struct {
	fault                            string
	times, acknowledged, lost, twice int
	// ready is the longest time until it listened again.
	ready time.Duration
}

// Names of figures that a bound is of.
func faultLost(fault string) string  { return fault + ": lost" }
func faultTwice(fault string) string { return fault + ": twice" }
func faultBack(fault string) string  { return fault + ": ready again, the longest" }

func (r faultRow) figures(found *figures.Found) {
	found.Add(r.fault+": acknowledged", "events", float64(r.acknowledged))
	found.Add(faultLost(r.fault), "events", float64(r.lost))
	found.Add(faultTwice(r.fault), "events", float64(r.twice))
	if r.fault == killedAtRandom {
		found.Add(faultBack(r.fault), "s", r.ready.Seconds())
	}
}

// passed reports whether nothing was lost or doubled, and it was ready in time.
func (r faultRow) passed() bool { return r.lost == 0 && r.twice == 0 && r.ready <= faultReady }

// Run tries each fault on one directory, one after another, and prints the ledger.
func (f *Faults) Run(ctx context.Context, env Env) error {
	rows, err := f.measure(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(env.Out, "| fault | times | acknowledged | lost | twice | ready again within |\n| --- | --- | --- | --- | --- | --- |")
	var not []string
	for _, r := range rows {
		r.figures(env.Found)
		fmt.Fprintf(env.Out, "| %s | %d | %d | %d | %d | %v |\n", r.fault, r.times, r.acknowledged, r.lost, r.twice, r.ready.Round(10*time.Millisecond))
		if !r.passed() {
			not = append(not, fmt.Sprintf("when %s nothing is lost or doubled, and it is ready within %v", r.fault, faultReady))
		}
	}
	return notShown(not)
}

// measure is Run without words.
func (f *Faults) measure(ctx context.Context) ([]faultRow, error) {
	if entries, err := os.ReadDir(f.Data); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty: remove it, or choose another --data", f.Data)
	}
	var rows []faultRow
	for _, fault := range []struct {
		name  string
		times int
		do    func(context.Context, *child) (*child, time.Duration, error)
	}{
		{killedAtRandom, f.Kills, killed},
		{stoodStill, f.Pauses, paused},
		{sentThrice, 1, func(_ context.Context, c *child) (*child, time.Duration, error) { return c, 0, nil }},
	} {
		if fault.times == 0 {
			continue
		}
		repeat := 1
		if fault.name == sentThrice {
			repeat = 3
		}
		row, err := f.scenario(ctx, fault.name, fault.times, repeat, fault.do)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", fault.name, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func killed(ctx context.Context, c *child) (*child, time.Duration, error) {
	if err := c.kill(); err != nil {
		return c, 0, err
	}
	began := time.Now()
	again, err := serveChild(ctx, c.data, "127.0.0.1:0")
	return again, time.Since(began), err
}

// scenario makes one fault some times under load, in a workspace of its own.
func (f *Faults) scenario(
	ctx context.Context, name string, times, repeat int, do func(context.Context, *child) (*child, time.Duration, error),
) (faultRow, error) {
	row := faultRow{fault: name, times: times}
	server, err := serveChild(ctx, f.Data, "127.0.0.1:0")
	if err != nil {
		return row, err
	}
	workspace := fmt.Sprintf("w%d", rand.Uint32())
	book := &faultLedger{acknowledged: make(map[string]bool)}
	loading, stop := context.WithCancel(ctx)
	var load errgroup.Group
	for sender := range max(1, f.Senders) {
		load.Go(func() error { return f.post(loading, workspace, sender, repeat, book) })
	}
	random := rand.New(rand.NewPCG(f.Seed, uint64(times)))
	for range times {
		if err = wait(ctx, time.Duration(200+random.IntN(1200))*time.Millisecond); err != nil {
			break
		}
		var ready time.Duration
		if server, ready, err = do(ctx, server); err != nil {
			break
		}
		row.ready = max(row.ready, ready)
	}
	if err == nil {
		err = wait(ctx, time.Second)
	}
	stop()
	if err = errors.Join(err, load.Wait()); err != nil {
		return row, err
	}
	row.acknowledged = len(book.acknowledged)
	found, err := f.countEach(ctx, server, workspace, book)
	for id := range book.acknowledged {
		switch found[id] {
		case 0:
			row.lost++
		case 1:
		default:
			row.twice++
		}
	}
	return row, errors.Join(err, server.stop())
}

// post sends batches until ctx ends, each repeated, and notes what is acknowledged. A
// server that is away is asked again with the same batch, as senders do.
func (f *Faults) post(ctx context.Context, workspace string, sender, repeat int, book *faultLedger) error {
	for n := 0; ctx.Err() == nil; n++ {
		events := faultEvents(sender, n)
		for times := 0; times < repeat && ctx.Err() == nil; {
			var receipt struct {
				IDs []string `json:"ids"`
			}
			asked, err := askChild(ctx, f.Data, workspace, events, &receipt)
			if err != nil {
				if !asked && wait(ctx, 20*time.Millisecond) != nil {
					return nil
				}
				continue
			}
			book.add(receipt.IDs)
			times++
		}
	}
	return nil
}

// faultEvents is a send and what its recipients did, the opens first: they are the n-th
// of a sender, whenever they are made.
func faultEvents(sender, n int) []map[string]any {
	message := fmt.Sprintf("m-%d-%d", sender, n)
	at := time.Unix(time.Now().Unix()-3600, 0).UTC().Format(time.RFC3339)
	events := make([]map[string]any, 0, faultBatch)
	var people []map[string]string
	for i := range faultBatch - 1 {
		person := map[string]string{"email": fmt.Sprintf("p%d@acme.example", i)}
		people = append(people, person)
		events = append(events, map[string]any{"id": fmt.Sprint(message, "-", i), "type": "open", "time": at, "message": message, "recipient": person})
	}
	return append(events, map[string]any{"id": message, "type": "send", "time": at, "message": message, "user": "u_ana", "recipients": people})
}

// askChild posts to whoever serves the directory now.
func askChild(ctx context.Context, data, workspace string, events, receipt any) (asked bool, err error) {
	client, err := (&child{data: data}).client(ctx, workspace)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	return true, client.Call(ctx, http.MethodPost, "/v1/events?ids=1", events, receipt)
}

// countEach counts each event of a workspace once all that was acknowledged is found, or
// after faultPatience.
func (f *Faults) countEach(ctx context.Context, server *child, workspace string, book *faultLedger) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, faultPatience)
	defer cancel()
	for {
		found, err := exported(ctx, server, workspace)
		if errors.Is(err, errBusy) && wait(ctx, 500*time.Millisecond) == nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		whole := true
		for id := range book.acknowledged {
			whole = whole && found[id] > 0
		}
		if whole || ctx.Err() != nil {
			return found, nil
		}
		if wait(ctx, 500*time.Millisecond) != nil {
			return found, nil
		}
	}
}

// errBusy is the answer of a server that has to be asked again.
var errBusy = errors.New("export: the server is busy")

// exported counts the events of a workspace by id.
func exported(ctx context.Context, server *child, workspace string) (map[string]int, error) {
	client, err := server.client(ctx, workspace)
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }() // it was read
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, client.Base+"/v1/export?format=ndjson&automated=show", http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Tidings-Workspace", workspace)
	response, err := client.HTTP.Do(request)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return nil, errBusy
	default:
		return nil, fmt.Errorf("export: it answered %d", response.StatusCode)
	}
	found := make(map[string]int)
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var one struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		found[one.ID]++
	}
	return found, lines.Err()
}

// wait waits, or says that ctx has ended.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
