package sqlite

import (
	"container/list"
	"sync"
	"unsafe"

	"tidings/event"
)

// stateCache keeps states decoded that were read for pages, those that were read last, up to
// a bound. What it gives is shared: nobody changes what a state points to. It is safe for
// concurrent use.
//
// Whoever writes states says which before the commit, and again behind it. From the first
// on they are not kept, and what was read before the second is not kept behind it: who finds a
// state here finds the one that was committed last.
type stateCache struct {
	limit int

	mu    sync.Mutex
	kept  map[event.MessageKey]*list.Element
	order *list.List // of *cachedState, the last read in front
	bytes int
	// committing are the states that are being committed, each by so many transactions.
	committing map[event.MessageKey]int
	// commits counts those that have ended.
	commits uint64
}

type cachedState struct {
	state event.State
	bytes int
}

func newStateCache(limit int) *stateCache {
	return &stateCache{
		limit: limit, kept: make(map[event.MessageKey]*list.Element), order: list.New(),
		committing: make(map[event.MessageKey]int),
	}
}

// find gives the states of messages that are kept, and says which are not. What is read of
// these is put with commits.
func (c *stateCache) find(workspace string, messages []string) (found map[string]event.State, missing []string, commits uint64) {
	found = make(map[string]event.State, len(messages))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, message := range messages {
		element := c.kept[event.MessageKey{Workspace: workspace, Message: message}]
		if element == nil {
			missing = append(missing, message)
			continue
		}
		c.order.MoveToFront(element)
		found[message] = element.Value.(*cachedState).state
	}
	return found, missing, c.commits
}

// put keeps states that were read behind find, unless any were committed meanwhile.
func (c *stateCache) put(commits uint64, states map[string]event.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.commits != commits {
		return
	}
	for _, state := range states {
		bytes := bytesOfState(&state)
		if c.kept[state.MessageKey] != nil || c.committing[state.MessageKey] > 0 || bytes > c.limit/16 {
			continue
		}
		c.kept[state.MessageKey] = c.order.PushFront(&cachedState{state, bytes})
		c.bytes += bytes
	}
	for c.bytes > c.limit {
		c.drop(c.order.Back())
	}
}

// begin is for before states are committed.
func (c *stateCache) begin(states []event.MessageKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range states {
		c.committing[key]++
		c.drop(c.kept[key])
	}
}

// end is for behind that, also where it failed.
func (c *stateCache) end(states []event.MessageKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits++
	for _, key := range states {
		if c.committing[key]--; c.committing[key] == 0 {
			delete(c.committing, key)
		}
	}
}

// drop takes one out, if there is one. The caller holds mu.
func (c *stateCache) drop(element *list.Element) {
	if element == nil {
		return
	}
	cached := c.order.Remove(element).(*cachedState)
	delete(c.kept, cached.state.MessageKey)
	c.bytes -= cached.bytes
}

// About what a state takes beside itself and its texts, and what an entry of one of its maps
// does beside what it has there.
const (
	besideState = 400
	besideEntry = 48
)

// bytesOfState is about how much memory a state takes.
func bytesOfState(s *event.State) int {
	const text = int(unsafe.Sizeof(""))
	size := besideState + int(unsafe.Sizeof(*s)) + 2*len(s.Message) + len(s.Workspace) + len(s.User) + len(s.Subject) + len(s.To)
	for _, p := range s.Recipients {
		size += besideEntry + event.KeyLen + int(unsafe.Sizeof(p)) + len(p.Email) + len(p.Name) + len(p.Written)
	}
	for user, part := range s.Parts {
		size += besideEntry + len(user) + int(unsafe.Sizeof(part)) + len(part.Subject)
	}
	for _, senders := range s.Senders {
		size += besideEntry + text
		for _, user := range senders {
			size += text + len(user)
		}
	}
	for _, firsts := range s.First {
		size += besideState + besideEntry*len(firsts)
	}
	size += len(event.ID{}) * len(s.Pending)
	for _, clicks := range s.Clicks {
		size += besideEntry + len(clicks)*int(unsafe.Sizeof(event.Clicked{}))
	}
	for _, overrides := range s.Overrides {
		size += besideState
		for _, o := range overrides {
			size += besideEntry + int(unsafe.Sizeof(o)) + len(o.Reason) + len(o.User)
		}
	}
	for _, name := range s.Aliases {
		size += text + len(name)
	}
	return size
}
