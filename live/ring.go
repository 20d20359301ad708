package live

import (
	"slices"
	"sort"
	"sync/atomic"
	"time"

	"tidings/event"
	"tidings/query"
)

// entry is one announcement in memory. It is shared by all readers and does not
// change but for its views.
type entry struct {
	Entry
	// seen is when it counts as announced, for positions of pages: never
	// earlier than that of the entry before.
	seen   time.Time
	weight int
	views  atomic.Pointer[views]
}

// Rough costs in bytes of what is kept of an entry: of any, and of each byte that
// it was read from, which it keeps beside what it became. They are for the bound
// of the ring, so they err on the high side.
const (
	entryCost = 600
	textCost  = 2
)

// views are what readers make of an announcement, each at most once for all of them:
// what it says, nil where that cannot be read; of an event, its words to be
// matched; the bytes that are sent; and the sends to be checked again.
type views struct {
	announcement func() *event.Announcement
	document     func() query.Document
	body         func() []byte
	// sends searches for the sends of the message that it is about.
	sends func() (found, error)
	// parts are the views of each announcement of an entry, which has several or one;
	// nil for a part.
	parts func() []*views
}

// ring holds the recent entries of all workspaces in the order of the stream,
// each also in the history of its workspace. What is over its bounds leaves at
// the old end. It is guarded by the hub's lock.
type ring struct {
	maxBytes int
	// hotBytes bounds the entries, at the new end, that keep their views.
	hotBytes int
	keep     time.Duration

	entries    []*entry
	bytes      int
	hot        int // bytes of entries[cold:]
	cold       int // how many entries have let their views go
	floor      uint64
	last       uint64
	workspaces map[string]*history
}

// history is one workspace's part of the ring. Offsets in it are counted from
// the first entry it ever had, so that they stay when old entries leave.
type history struct {
	gone    uint64
	entries []*entry
	readers map[*Reader]struct{}
}

// newRing makes an empty ring whose next entry follows sequence.
func newRing(c Config, sequence uint64) *ring {
	return &ring{
		maxBytes: c.Bytes, hotBytes: c.Bytes / 8, keep: c.Keep,
		floor: sequence, last: sequence,
		workspaces: make(map[string]*history),
	}
}

// add appends the entry that follows and returns the history it went into.
func (r *ring) add(e *entry) *history {
	if n := len(r.entries); n > 0 && e.seen.Before(r.entries[n-1].seen) {
		e.seen = r.entries[n-1].seen
	}
	r.entries = append(r.entries, e)
	r.last = e.Sequence
	r.bytes += e.weight
	r.hot += e.weight
	for r.hot > r.hotBytes && r.cold < len(r.entries)-1 {
		r.cool()
	}
	h := r.history(e.Workspace)
	h.entries = append(h.entries, e)
	return h
}

// cool takes the views of the oldest entry that has them.
func (r *ring) cool() {
	e := r.entries[r.cold]
	e.views.Store(nil)
	r.hot -= e.weight
	r.cold++
}

// trim drops what is over the bounds. The newest entry stays within bytes.
func (r *ring) trim(now time.Time) {
	oldest := now.Add(-r.keep)
	for len(r.entries) > 0 && (r.entries[0].seen.Before(oldest) || (r.bytes > r.maxBytes && len(r.entries) > 1)) {
		r.drop()
	}
}

func (r *ring) drop() {
	if r.cold == 0 {
		r.cool()
	}
	e := r.entries[0]
	r.entries[0] = nil
	r.entries = r.entries[1:]
	r.cold--
	r.bytes -= e.weight
	r.floor = e.Sequence

	name := e.Workspace
	h := r.workspaces[name]
	h.entries[0] = nil
	h.entries = h.entries[1:]
	h.gone++
	r.tidy(name)
}

// history returns the workspace's, made if need be.
func (r *ring) history(workspace string) *history {
	h := r.workspaces[workspace]
	if h == nil {
		h = &history{readers: make(map[*Reader]struct{})}
		r.workspaces[workspace] = h
	}
	return h
}

// tidy forgets a workspace that has neither entries nor readers.
func (r *ring) tidy(workspace string) {
	if h := r.workspaces[workspace]; h != nil && len(h.entries) == 0 && len(h.readers) == 0 {
		delete(r.workspaces, workspace)
	}
}

// before is the last sequence that was announced at or before a time.
func (r *ring) before(cut time.Time) uint64 {
	n := sort.Search(len(r.entries), func(i int) bool { return r.entries[i].seen.After(cut) })
	if n == 0 {
		return r.floor
	}
	if n == len(r.entries) {
		return r.last
	}
	return r.entries[n-1].Sequence
}

// end is the offset behind the newest entry.
func (h *history) end() uint64 { return h.gone + uint64(len(h.entries)) }

// after is the offset of the first entry behind a sequence.
func (h *history) after(sequence uint64) uint64 {
	n, _ := slices.BinarySearchFunc(h.entries, sequence, func(e *entry, s uint64) int {
		if e.Sequence <= s {
			return -1
		}
		return 1
	})
	return h.gone + uint64(n)
}

// from returns up to most entries from an offset on.
func (h *history) from(offset uint64, most int) []*entry {
	rest := h.entries[offset-h.gone:]
	return slices.Clone(rest[:min(most, len(rest))])
}

// announcedUser is whose message an announcement is about.
func announcedUser(a *event.Announcement) string {
	if a.User == "" && a.Event != nil {
		return a.Event.User
	}
	return a.User
}

// keyOf names the message that an announcement is about.
func keyOf(a *event.Announcement) event.MessageKey {
	switch {
	case a.State != nil:
		return a.State.MessageKey
	case a.Event != nil:
		return event.MessageKey{Workspace: a.Workspace, Message: a.Event.Message}
	}
	return event.MessageKey{Workspace: a.Workspace}
}
