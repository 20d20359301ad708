package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"tidings/event"
)

// Bounds of what waits to be written.
const (
	// commitEvery is how long a row waits for others at most, while the store answers.
	commitEvery = 800 * time.Millisecond
	// maxBehind is how old a waiting row may be before no more are taken.
	maxBehind = 60 * time.Second
	// maxWaiting is how many may wait; at about a kilobyte each they take 50 MB.
	maxWaiting = 50_000
	// commitRows is how many are written at once.
	commitRows = 500
	// mustTime is how long Must tries.
	mustTime = 5 * time.Second
)

// Config is what a Log stands on. All are needed but Logger.
type Config struct {
	Store   Store
	Records Records
	Clock   func() time.Time
	// Rand makes ids and the secret: crypto/rand.Reader outside of tests.
	Rand   io.Reader
	Logger *slog.Logger
}

// Log is the log of one process. Several processes may write to one store.
type Log struct {
	Config
	names Names

	mu      sync.Mutex
	waiting []*waiting
	sums    map[sumKey]*sum

	// committing is held by whoever writes. What follows is theirs.
	committing chan struct{}
	heads      map[chainKey]Head
	// uncertain says that the last write may have been made although it failed.
	uncertain bool
	// unsaved are the chains whose heads are not kept apart yet.
	unsaved map[chainKey]bool
}

// waiting is a row that is not written yet.
type waiting struct {
	row  Row
	done bool
}

type chainKey struct {
	workspace string
	day       Day
}

// Open opens the log.
func Open(ctx context.Context, config Config) (*Log, error) {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	names, err := OpenNames(ctx, config.Records, config.Rand)
	if err != nil {
		return nil, err
	}
	return &Log{
		Config: config, names: names, sums: make(map[sumKey]*sum), committing: make(chan struct{}, 1),
		heads: make(map[chainKey]Head), unsaved: make(map[chainKey]bool),
	}, nil
}

// Names makes the keys of people.
func (l *Log) Names() Names { return l.names }

// Must writes a row now and returns its ID once it is durable. ErrUnavailable says
// that it could not be, and that what it is about must not happen.
func (l *Log) Must(ctx context.Context, row Row) (string, error) {
	w, err := l.enqueue(row)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, mustTime)
	defer cancel()
	err = l.commit(ctx, func() bool { return w.done })
	if err == nil {
		return w.row.ID, nil
	}
	l.withdraw(w)
	return "", fmt.Errorf("write to the audit log: %w: %w", event.ErrUnavailable, err)
}

// Note takes a row that is written within a second. It keeps more than it should
// rather than lose one: ask Accepting before what a row is about.
func (l *Log) Note(row Row) {
	if _, err := l.enqueue(row); err != nil {
		l.Logger.Error("a row of the audit log was lost", "error", err)
	}
}

// Accepting is nil while rows are written in time, and ErrUnavailable when too much
// waits: nobody may look at what would not be on record.
func (l *Log) Accepting() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) >= maxWaiting || len(l.waiting) > 0 && l.Clock().Sub(l.waiting[0].row.At) > maxBehind {
		return fmt.Errorf("the audit log is behind: %w", event.ErrUnavailable)
	}
	return nil
}

func (l *Log) enqueue(row Row) (*waiting, error) {
	row.At = l.Clock()
	row.tidy()
	id, err := newID(row.At, l.Rand)
	if err != nil {
		return nil, err
	}
	row.ID = id
	w := &waiting{row: row}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, w)
	return w, nil
}

// withdraw takes a row back that must not wait any longer.
func (l *Log) withdraw(w *waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, each := range l.waiting {
		if each == w {
			l.waiting = append(l.waiting[:i:i], l.waiting[i+1:]...)
			return
		}
	}
}

// Flush writes what waits.
func (l *Log) Flush(ctx context.Context) error {
	return l.commit(ctx, func() bool { return false })
}

// commit writes what waits, together, until enough says that it is. Whoever comes
// while another writes finds theirs written, or writes for those behind them.
func (l *Log) commit(ctx context.Context, enough func() bool) error {
	select {
	case l.committing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l.committing }()
	for {
		l.mu.Lock()
		done, batch := enough(), l.batch()
		l.mu.Unlock()
		if done || len(batch) == 0 {
			return nil
		}
		written, err := l.write(ctx, batch)
		l.mu.Lock()
		left := l.waiting[:0:0]
		for _, w := range l.waiting {
			if _, ok := written[w.row.ID]; ok {
				w.done = true
				continue
			}
			left = append(left, w)
		}
		l.waiting = left
		l.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// batch are the first that wait, of one day.
func (l *Log) batch() []*waiting {
	n := 0
	for n < len(l.waiting) && n < commitRows && DayOf(l.waiting[n].row.At) == DayOf(l.waiting[0].row.At) {
		n++
	}
	return append([]*waiting(nil), l.waiting[:n]...)
}

// Run writes what waits every 0.8 seconds until ctx ends, and then the rest.
func (l *Log) Run(ctx context.Context) error {
	tick := time.NewTicker(commitEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		l.sumUp(false)
		err := l.Flush(ctx)
		if err == nil {
			err = l.saveHeads(ctx)
		}
		if err != nil && ctx.Err() == nil {
			l.Logger.WarnContext(ctx, "the audit log is behind", "error", err)
		}
	}
}

// Save writes what waits, and the heads of the chains.
func (l *Log) Save(ctx context.Context) error {
	return errors.Join(l.Flush(ctx), l.saveHeads(ctx))
}

// Close writes what waits, the sums among it, and the heads of the chains.
func (l *Log) Close(ctx context.Context) error {
	l.sumUp(true)
	return l.Save(ctx)
}
