package live

import (
	"hash/maphash"
	"slices"

	"tidings/event"
)

// The state of a message's recipients goes to the connections that show the message:
// those that were sent one of its events, and those whose client said that it shows it.

// mostShown is how many messages a connection shows at most, the last ones that were
// sent or named. Whoever shows more says so by reading a page again.
const mostShown = 4096

// shownSeed is for the hashes of messages.
var shownSeed = maphash.MakeSeed()

// shown are the messages of a connection, as hashes: two messages of one hash cost a
// frame too many and nothing else. The older half is forgotten when it is full.
type shown struct {
	young, old map[uint64]struct{}
}

func (s *shown) add(message string) {
	hash := maphash.String(shownSeed, message)
	if _, known := s.young[hash]; known {
		return
	}
	if s.young == nil || len(s.young) >= mostShown/2 {
		s.young, s.old = make(map[uint64]struct{}), s.young
	}
	s.young[hash] = struct{}{}
}

// has reports whether a message is shown by any of its names.
func (s *shown) has(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		hash := maphash.String(shownSeed, name)
		_, young := s.young[hash]
		_, old := s.old[hash]
		return young || old
	})
}

// Shows says that the client shows messages which it was not sent here: those of a page
// that it has read. since is a position from before it read them, empty for now: the
// states that have moved after it, and were not sent, are returned. The error is that
// of Subscribe for a since.
func (r *Reader) Shows(messages []string, since string) ([]Delivery, error) {
	for _, message := range messages {
		r.shown.add(message)
	}
	if since == "" || len(r.subscriptions) == 0 {
		return nil, nil
	}
	_, from, err := r.begin(since)
	if err != nil {
		return nil, err
	}
	entries, err := r.passed(from)
	if err != nil {
		return nil, err
	}
	var named shown
	for _, message := range messages {
		named.add(message)
	}
	var out []Delivery
	told := make(map[string]bool)
	for _, e := range slices.Backward(entries) {
		views := e.views.Load()
		if views == nil {
			views = r.hub.viewsOf(e)
		}
		for _, part := range slices.Backward(views.parts()) {
			a := part.announcement()
			if a.Kind != event.AnnounceState || a.State == nil || told[a.State.Message] ||
				!named.has(a.State.AllNames()) || !r.hears(a) {
				continue
			}
			if body := r.stateFor(part, a); body != nil {
				told[a.State.Message] = true
				out = append(out, Delivery{Kind: a.Kind, At: r.at, Body: body})
			}
		}
	}
	return out, nil
}

// passed are the entries from an offset on that some subscription has had; the others
// come by Next. More than a reader may be behind are too many.
func (r *Reader) passed(from uint64) ([]*entry, error) {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	end := from
	for _, s := range r.subscriptions {
		end = max(end, s.next)
	}
	if r.remade != h.remade || from < r.history.gone || end-from > uint64(h.config.Behind) {
		return nil, ErrPositionExpired
	}
	return r.history.from(from, int(end-from)), nil
}

// hears reports whether a reader may know that a message's state has moved. Of one that
// several users have sent it is the part that the reader may see which has to move.
func (r *Reader) hears(a *event.Announcement) bool {
	may := func(user string) bool { return r.users[user] }
	switch {
	case r.users == nil:
		return true
	case !a.State.Shared():
		return may(announcedUser(a))
	}
	_, any := a.State.SeenBy(may)
	return any && (a.Users == nil || slices.ContainsFunc(a.Users, may))
}

// stateFor is what a reader that hears of a message's state is told of it: all, or the
// part that it may see.
func (r *Reader) stateFor(views *views, a *event.Announcement) []byte {
	if r.users == nil || !a.State.Shared() {
		return views.body()
	}
	seen, _ := a.State.SeenBy(func(user string) bool { return r.users[user] })
	body, err := r.hub.config.Render(event.Announcement{
		Kind: event.AnnounceState, Workspace: a.Workspace, User: seen.User, State: &seen,
	})
	if err != nil {
		r.hub.config.Logger.Error("a state cannot be rendered", "error", err)
		return nil
	}
	return body
}
