package forward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"tidings/deliver"
	"tidings/event"
	"tidings/feed"
	"tidings/live"
	"tidings/panics"
	"tidings/query"
)

// Bounds of forwarding.
const (
	// Settle is how long opens and clicks wait before they leave by default: bursts of
	// scanners and late deliveries overturn them in that time.
	Settle = 20 * time.Second
	// Fresh is how old an event may be: what comes later tells nobody anything.
	Fresh = 24 * time.Hour
	// readEvery is how often the endpoints and their searches are read: how much waits for
	// each, and what a search means, change by themselves. One that is changed has them
	// read at once, readApart apart at least.
	readEvery = time.Second
	readApart = 100 * time.Millisecond
	// noteEvery is how often it is noted how far forwarding has come, and noteTime how
	// long that may take at the end.
	noteEvery = 2 * time.Second
	noteTime  = 2 * time.Second
	// addTries is how often adding is tried before an event is left to the next start.
	addTries = 60
)

// Forwarder makes deliveries of what is announced and an endpoint's search finds. One
// process runs it; after a change of process, and after a restart, what is announced
// again has the same ids and is there already.
type Forwarder struct {
	Log         Announcements
	Checkpoints Checkpoints
	Directory   *deliver.Directory
	Searches    Searches
	Outbox      deliver.Outbox
	// Wake is called when something was added.
	Wake  func()
	Clock func() time.Time
	// Settle is how long opens and clicks wait.
	Settle time.Duration
	// Sleep waits, or returns when ctx ends; a timer when nil.
	Sleep  func(ctx context.Context, d time.Duration)
	Logger *slog.Logger

	// next is the sequence that comes next, 0 for any, of the LIVE of that incarnation.
	next        uint64
	incarnation string
	// checkpoint is how far forwarding has come.
	checkpoint atomic.Pointer[live.Checkpoint]
	// at is when the endpoints were read, and revision which of them. For announcements up
	// to upTo they are known to be new enough.
	at       time.Time
	revision string
	upTo     uint64
	matched  map[string][]matcher
	// leftOut are the endpoints for which nothing is made for now.
	leftOut map[deliver.EndpointKey]bool
}

// matcher is an endpoint with its search.
type matcher struct {
	endpoint string
	since    time.Time
	query    query.Query
}

// Run forwards until ctx ends, from where an earlier run has come to.
func (f *Forwarder) Run(ctx context.Context) error {
	from, err := f.begin(ctx)
	if err != nil {
		return err
	}
	noting, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.keepNoting(noting, from)
	}()
	err = f.Log.FollowFrom(ctx, from, func(entry live.Entry) { f.forward(ctx, entry) })
	stop()
	<-done
	return err
}

// begin reads where to go on.
func (f *Forwarder) begin(ctx context.Context) (live.Checkpoint, error) {
	f.next, f.at, f.revision, f.upTo = 0, time.Time{}, "", 0
	f.checkpoint.Store(nil)
	for {
		bounds, err := f.Log.Bounds(ctx)
		var from live.Checkpoint
		if err == nil {
			from, err = f.Checkpoints.Forwarded(ctx)
		}
		if err == nil {
			f.incarnation = bounds.Incarnation
			if from.Incarnation == bounds.Incarnation {
				f.next = from.Next
			}
			return from, nil
		}
		if ctx.Err() != nil {
			return from, ctx.Err()
		}
		f.sleep(ctx, time.Second) // what is away comes back
	}
}

// keepNoting notes how far forwarding has come, until ctx ends and then once more. What
// was forwarded and not noted is forwarded again, to the same deliveries.
func (f *Forwarder) keepNoting(ctx context.Context, noted live.Checkpoint) {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-tick.C:
		}
		checkpoint := f.checkpoint.Load()
		if checkpoint == nil || *checkpoint == noted {
			continue
		}
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
		err := f.Checkpoints.NoteForwarded(writing, *checkpoint)
		cancel()
		if err == nil {
			noted = *checkpoint
		}
	}
}

func (f *Forwarder) forward(ctx context.Context, entry live.Entry) {
	var discarded uint64
	if f.next != 0 && entry.Sequence > f.next {
		discarded = entry.Sequence - f.next
	}
	f.next = entry.Sequence + 1
	defer func() {
		if ctx.Err() == nil {
			f.checkpoint.Store(&live.Checkpoint{Incarnation: f.incarnation, Next: entry.Sequence + 1})
		}
	}()
	for try := 0; ; try++ {
		added := false
		err := panics.AsError(func() (err error) {
			added, err = f.one(ctx, entry)
			return err
		})()
		switch {
		case err == nil:
			if discarded > 0 && f.anySearch() {
				f.Logger.ErrorContext(ctx, "announcements were discarded before they were forwarded to endpoints", "count", discarded)
			}
			if added && f.Wake != nil {
				f.Wake()
			}
			return
		case ctx.Err() != nil:
			return // The next who runs begins with what is kept.
		case try == addTries || !errors.Is(err, event.ErrUnavailable):
			f.Logger.WarnContext(ctx, "an event could not be forwarded to endpoints", "error", err)
			return
		}
		f.sleep(ctx, time.Second)
	}
}

// anySearch reports whether any endpoint has a search, as of when they were read last.
func (f *Forwarder) anySearch() bool {
	for _, matchers := range f.matched {
		if len(matchers) > 0 {
			return true
		}
	}
	return false
}

func (f *Forwarder) sleep(ctx context.Context, d time.Duration) {
	if f.Sleep != nil {
		f.Sleep(ctx, d)
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// one makes the deliveries of an announcement. A correction may make an event match that
// did not before; one that does not match any more is withdrawn when it is due.
func (f *Forwarder) one(ctx context.Context, entry live.Entry) (added bool, err error) {
	matchers, err := f.matchers(ctx, entry)
	if err != nil || len(matchers) == 0 {
		return false, err
	}
	announced, err := entry.Read()
	if err != nil {
		return false, err
	}
	each := announced.Each
	if announced.Kind != event.AnnounceSeveral {
		each = []event.Announcement{announced}
	}
	var made []deliver.Delivery
	for i := range each {
		made = f.match(made, &each[i], entry.At, matchers)
	}
	if len(made) == 0 {
		return false, nil
	}
	return true, f.Outbox.Add(ctx, made)
}

// match appends the deliveries of what was announced at a time.
func (f *Forwarder) match(made []deliver.Delivery, announced *event.Announcement, at time.Time, matchers []matcher) []deliver.Delivery {
	if announced.Event == nil || announced.Kind != event.AnnounceEvent && announced.Kind != event.AnnounceChanged {
		return made
	}
	e, now := *announced.Event, f.Clock()
	if now.Sub(e.At()) > Fresh {
		return made
	}
	document := query.NewDocument(e)
	for _, m := range matchers {
		// What is corrected may be from before the endpoint, or its search, was made.
		before := at.Before(m.since) || announced.Kind == event.AnnounceChanged && e.Time < m.since.Unix()
		if before || !m.query.Match(document, announced.State) {
			continue
		}
		made = append(made, f.deliveryOf(e, m, now))
	}
	return made
}

func (f *Forwarder) deliveryOf(e event.Event, m matcher, now time.Time) deliver.Delivery {
	d := deliver.Delivery{
		ID: deliver.ID(e.Workspace, e.ID.String(), "", m.endpoint+"|"+m.since.UTC().Format(time.RFC3339Nano)), Workspace: e.Workspace, Endpoint: m.endpoint,
		Event: e.ID, Message: e.Message, Type: string(e.Type), Reason: "search", At: now.UnixMilli(), State: deliver.Waiting,
	}
	due := now
	if e.Type == event.Open || e.Type == event.Click {
		due = due.Add(f.Settle)
	}
	d.Due = due.UnixMilli()
	return d
}

// matchers are a workspace's endpoints with a search, read after the entry was announced:
// an endpoint that was made before that is among them.
func (f *Forwarder) matchers(ctx context.Context, entry live.Entry) ([]matcher, error) {
	if entry.Sequence > f.upTo || f.Clock().Sub(f.at) >= readEvery {
		if err := f.refresh(ctx); err != nil {
			return nil, err
		}
	}
	return f.matched[entry.Workspace], nil
}

// refresh reads the endpoints again where one was changed, or after a while.
func (f *Forwarder) refresh(ctx context.Context) error {
	bounds, err := f.Log.Bounds(ctx)
	if err != nil {
		return err
	}
	// Behind the bounds: it has every change that was answered before the last announcement.
	revision, err := f.Directory.Revision(ctx)
	if err != nil {
		return err
	}
	if age := f.Clock().Sub(f.at); age < readEvery {
		if revision == f.revision {
			f.upTo, f.incarnation = bounds.Last, bounds.Incarnation
			return nil
		}
		if age < readApart {
			f.sleep(ctx, readApart-age)
		}
	}
	return f.readAll(ctx, bounds, revision)
}

func (f *Forwarder) readAll(ctx context.Context, bounds live.Bounds, revision string) error {
	now := f.Clock()
	workspaces, err := f.Directory.Workspaces(ctx)
	if err != nil {
		return err
	}
	matched, leftOut := make(map[string][]matcher, len(workspaces)), make(map[deliver.EndpointKey]bool)
	for _, each := range workspaces {
		if matched[each], err = f.read(ctx, each, leftOut); err != nil {
			return err
		}
	}
	f.at, f.revision, f.upTo, f.matched, f.leftOut, f.incarnation = now, revision, bounds.Last, matched, leftOut, bounds.Incarnation
	return nil
}

// read are those of a workspace that can be matched; leftOut gets the others.
func (f *Forwarder) read(ctx context.Context, workspace string, leftOut map[deliver.EndpointKey]bool) ([]matcher, error) {
	all, err := f.Directory.List(ctx, workspace)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(kept deliver.Kept) bool { return !kept.Enabled || kept.Search == "" })
	if len(all) == 0 {
		return nil, nil
	}
	waiting, err := f.Outbox.Waiting(ctx, workspace)
	if err != nil {
		return nil, err
	}
	var matchers []matcher
	for _, kept := range all {
		_, q, err := f.Searches.Understand(ctx, feed.PageRequest{Scope: feed.Scope{Workspace: workspace}, Text: kept.Search})
		why := "too much waits for it"
		switch {
		case errors.Is(err, event.ErrUnavailable):
			return nil, fmt.Errorf("understand the search of an endpoint: %w", err)
		case err != nil:
			why = err.Error()
		case waiting[kept.Name] < deliver.MaxWaiting:
			matchers = append(matchers, matcher{kept.Name, kept.Since, q})
			continue
		}
		key := deliver.EndpointKey{Workspace: workspace, Endpoint: kept.Name}
		if leftOut[key] = true; !f.leftOut[key] {
			f.Logger.WarnContext(ctx, "events are not sent to an endpoint for now, and are not sent later", "workspace", workspace, "endpoint", kept.Name, "why", why)
		}
	}
	return matchers, nil
}
