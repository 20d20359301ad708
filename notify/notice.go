package notify

import (
	"context"
	"fmt"
)

// The kinds of notices.
const (
	// KindKey is for what people should know about a key: that it ends, or that nobody
	// uses it.
	KindKey Kind = "key"
	// KindAccess is for access that the operator of the server has given past the usual
	// ways in.
	KindAccess Kind = "access"
	// KindLimit is for a limit that was reached: what is beyond is in the log.
	KindLimit Kind = "limit"
)

// ReasonAdmin is for what is told to those who look after a workspace.
const ReasonAdmin Reason = "admin"

// Notice is something that somebody should know and that is no event.
type Notice struct {
	Workspace, User string
	Kind            Kind
	// Cause is told to a person once.
	Cause string
	// Found is what they are told, in a sentence.
	Found string
	// Channels are where; in the page and by mail where there are none.
	Channels []Channel
}

// Tell tells of notices in the page and by mail, each once: it may be repeated.
func (x *Engine) Tell(ctx context.Context, notices []Notice) error {
	for _, n := range notices {
		id := IDOf(n.Workspace, string(n.Kind), n.Cause, n.User)
		kept, _, err := x.Store.Page(ctx, n.Workspace, Filter{ID: id, User: n.User}, "", 1)
		if err != nil {
			return fmt.Errorf("look for a notice: %w", err)
		}
		if len(kept) > 0 {
			continue
		}
		d := Decision{
			ID: id, Workspace: n.Workspace, User: n.User, Kind: n.Kind, Reasons: []Reason{ReasonAdmin}, Outcome: Notified, Found: n.Found,
			Channels: n.channels(), At: x.Clock().UnixMilli(), Version: 1,
		}
		if err := x.Store.Add(ctx, []Decision{d}); err != nil {
			return fmt.Errorf("keep a notice: %w", err)
		}
		x.Observer.Decided(d)
		if err := x.tell(ctx, []bell{{Decision: d}}); err != nil {
			return err
		}
	}
	return nil
}

func (n Notice) channels() []Channel {
	if n.Channels == nil {
		return []Channel{InPage, Mail}
	}
	return n.Channels
}
