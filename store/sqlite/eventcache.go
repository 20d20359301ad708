package sqlite

import (
	"container/list"
	"sync"
	"unsafe"

	"tidings/event"
)

// eventCache keeps events that were read for pages unpacked, those that were read last, up
// to a bound. What it gives is shared: nobody changes what an event points to. It is safe
// for concurrent use.
//
// An event is kept for a row of an open file. Most rows never change. Whoever does change
// one, or takes it out, says so before the commit and takes it out of here behind it (see
// weekFile.changing), so that who reads while nothing is being changed finds here what the
// file has.
type eventCache struct {
	limit int

	mu    sync.Mutex
	kept  map[cachedRow]*list.Element
	order *list.List // of *cachedEvent, the last read in front
	bytes int
}

// cachedRow is where an event is stored.
type cachedRow struct {
	file  *weekFile
	rowid int64
}

type cachedEvent struct {
	row   cachedRow
	event *event.Event
	bytes int
}

func newEventCache(limit int) *eventCache {
	return &eventCache{limit: limit, kept: make(map[cachedRow]*list.Element), order: list.New()}
}

// find gives the events of rows, nil where one is not kept, and how many are not.
func (c *eventCache) find(file *weekFile, rowids []int64) (found []*event.Event, missing int) {
	found = make([]*event.Event, len(rowids))
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, rowid := range rowids {
		if element := c.kept[cachedRow{file, rowid}]; element != nil {
			c.order.MoveToFront(element)
			found[i] = element.Value.(*cachedEvent).event
		} else {
			missing++
		}
	}
	return found, missing
}

// put keeps events, unless rows of the file were changed since it was at changes.
func (c *eventCache) put(file *weekFile, changes uint64, events map[int64]*event.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if file.changes.Load() != changes {
		return
	}
	for rowid, e := range events {
		row, bytes := cachedRow{file, rowid}, bytesOf(e)
		if c.kept[row] != nil || bytes > c.limit/16 {
			continue
		}
		c.kept[row] = c.order.PushFront(&cachedEvent{row, e, bytes})
		c.bytes += bytes
	}
	for c.bytes > c.limit {
		c.drop(c.order.Back())
	}
}

// changed takes out rows that were changed.
func (c *eventCache) changed(file *weekFile, rowids []int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rowid := range rowids {
		c.drop(c.kept[cachedRow{file, rowid}])
	}
	file.changes.Add(1)
}

// forget takes out all rows of a file that nobody reads any more.
func (c *eventCache) forget(file *weekFile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for row, element := range c.kept {
		if row.file == file {
			c.drop(element)
		}
	}
}

// drop takes one out, if there is one. The caller holds mu.
func (c *eventCache) drop(element *list.Element) {
	if element == nil {
		return
	}
	cached := c.order.Remove(element).(*cachedEvent)
	delete(c.kept, cached.row)
	c.bytes -= cached.bytes
}

// besideEvent is about what an event takes here beside itself and its texts: an entry of a
// map and of a list, and what allocations are rounded up to.
const besideEvent = 300

// bytesOf is about how much memory an event takes.
func bytesOf(e *event.Event) int {
	size := besideEvent + int(unsafe.Sizeof(*e))
	for _, text := range []string{
		e.Workspace, string(e.Type), e.Message, e.Original, e.User, e.Subject, e.Body, e.OwnWords, e.Kind, e.Title, e.Link,
		e.File, e.Source, e.Verdict.Is, e.Verdict.Rule, e.Verdict.By, e.Verdict.Reason, e.Verdict.User,
	} {
		size += len(text)
	}
	for _, alias := range e.Aliases {
		size += int(unsafe.Sizeof(alias)) + len(alias)
	}
	person := func(p event.Person) { size += int(unsafe.Sizeof(p)) + len(p.Email) + len(p.Name) + len(p.Written) }
	if e.Recipient != nil {
		person(*e.Recipient)
	}
	for _, p := range e.Recipients {
		person(p)
	}
	if e.Meeting != nil {
		size += int(unsafe.Sizeof(*e.Meeting)) + len(e.Meeting.Title)
	}
	if e.Bounce != nil {
		size += int(unsafe.Sizeof(*e.Bounce)) + len(e.Bounce.Detail)
	}
	if client := e.Client; client != nil {
		size += int(unsafe.Sizeof(*client)) + len(client.IP)
		if client.UserAgent != nil {
			size += int(unsafe.Sizeof(*client.UserAgent)) + len(*client.UserAgent)
		}
		for name, value := range client.Headers {
			size += 4*int(unsafe.Sizeof(name)) + len(name) + len(value)
		}
	}
	return size
}
