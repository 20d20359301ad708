package forward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tidings/deliver"
	"tidings/event"
	"tidings/feed"
	"tidings/live"
	"tidings/query"
)

// Bounds of forwarding.
const (
	// settle is how long opens and clicks wait before they leave: bursts of scanners and
	// late deliveries overturn them in that time.
	settle = 20 * time.Second
	// fresh is how old an event may be: what comes later tells nobody anything.
	fresh = 24 * time.Hour
	// searchesKept is how long the endpoints and their searches are used as they were read.
	searchesKept = 2 * time.Second
	// addTries is how often adding is tried before an event is left to the next start.
	addTries = 60
)

// Forwarder makes deliveries of what is announced and an endpoint's search finds. One
// process runs it; after a change of process, and after a restart, what is announced
// again has the same ids and is there already.
type Forwarder struct {
	Log       Announcements
	Directory *deliver.Directory
	Searches  Searches
	Outbox    deliver.Outbox
	// Wake is called when something was added.
	Wake   func()
	Clock  func() time.Time
	Logger *slog.Logger

	at      time.Time
	matched map[string][]matcher
}

// matcher is an endpoint with its search.
type matcher struct {
	endpoint string
	since    time.Time
	query    query.Query
}

// Run forwards until ctx ends.
func (f *Forwarder) Run(ctx context.Context) error {
	return f.Log.Follow(ctx, func(entry live.Entry) { f.forward(ctx, entry) })
}

func (f *Forwarder) forward(ctx context.Context, entry live.Entry) {
	for try := 0; ; try++ {
		added, err := f.one(ctx, entry)
		if err == nil {
			if added && f.Wake != nil {
				f.Wake()
			}
			return
		}
		if ctx.Err() != nil || try == addTries || !errors.Is(err, event.ErrUnavailable) {
			f.Logger.WarnContext(ctx, "an event could not be forwarded to endpoints", "error", err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// one makes the deliveries of an announcement. A correction may make an event match that
// did not before; one that does not match any more is withdrawn when it is due.
func (f *Forwarder) one(ctx context.Context, entry live.Entry) (added bool, err error) {
	matchers, err := f.matchers(ctx, entry.Workspace)
	if err != nil || len(matchers) == 0 {
		return false, err
	}
	announced, err := entry.Read()
	if err != nil || announced.Event == nil || announced.Kind != event.AnnounceEvent && announced.Kind != event.AnnounceChanged {
		return false, err
	}
	e, now := *announced.Event, f.Clock()
	if now.Sub(time.Unix(e.Time, 0)) > fresh {
		return false, nil
	}
	document := query.NewDocument(e)
	var made []deliver.Delivery
	for _, m := range matchers {
		if entry.At.Before(m.since) || !m.query.Match(document, announced.State) {
			continue
		}
		made = append(made, deliveryOf(e, m, now))
	}
	if len(made) == 0 {
		return false, nil
	}
	return true, f.Outbox.Add(ctx, made)
}

func deliveryOf(e event.Event, m matcher, now time.Time) deliver.Delivery {
	d := deliver.Delivery{
		ID: deliver.ID(e.Workspace, e.ID.String(), "", m.endpoint+"|"+m.since.UTC().Format(time.RFC3339Nano)), Workspace: e.Workspace, Endpoint: m.endpoint,
		Event: e.ID, Message: e.Message, Type: string(e.Type), Reason: "search", At: now.UnixMilli(), State: deliver.Waiting,
	}
	due := now
	if e.Type == event.Open || e.Type == event.Click {
		due = due.Add(settle)
	}
	d.Due = due.UnixMilli()
	return d
}

// matchers are a workspace's endpoints with a search, as of a moment ago.
func (f *Forwarder) matchers(ctx context.Context, workspace string) ([]matcher, error) {
	if now := f.Clock(); now.Sub(f.at) >= searchesKept || f.matched == nil {
		workspaces, err := f.Directory.Workspaces(ctx)
		if err != nil {
			return nil, err
		}
		matched := make(map[string][]matcher, len(workspaces))
		for _, each := range workspaces {
			if matched[each], err = f.read(ctx, each); err != nil {
				return nil, err
			}
		}
		f.at, f.matched = now, matched
	}
	return f.matched[workspace], nil
}

func (f *Forwarder) read(ctx context.Context, workspace string) ([]matcher, error) {
	all, err := f.Directory.List(ctx, workspace)
	if err != nil {
		return nil, err
	}
	var matchers []matcher
	for _, kept := range all {
		if !kept.Enabled || kept.Search == "" {
			continue
		}
		_, q, err := f.Searches.Understand(ctx, feed.PageRequest{Scope: feed.Scope{Workspace: workspace}, Text: kept.Search})
		if err != nil {
			return nil, fmt.Errorf("understand the search of an endpoint: %w", err)
		}
		matchers = append(matchers, matcher{kept.Name, kept.Since, q})
	}
	return matchers, nil
}
