package limit

// Memory is what a process may use, in bytes. All that grows with what others do has a
// share of it; the shares add up to seven eighths, and the runtime is told the
// whole. Where there is a least, a process works with less memory than that and is slow.
type Memory int64

// What one of each costs at most while it is under way.
const (
	readBytes       = 32 << 20 // a page of mailings: their events, and states a part at a time
	exportBytes     = 16 << 20 // a batch of mailings; the rest of a slow one has not been read
	connectionBytes = 32 << 10 // buffers, stacks, and a socket's frame
)

// Of what share of the memory each is, and between which bounds.
const (
	readShare, leastReads, mostReads                   = 4, 2, 64
	exportShare, leastExports, mostExports             = 8, 2, 32
	connectionShare, leastConnections, mostConnections = 8, 256, 4096
	leastLive, mostLive                                = 4 << 20, 64 << 20
	leastAggregates, mostAggregates                    = 2 << 20, 64 << 20
	leastColumns, mostColumns                          = 4 << 20, 128 << 20
	leastEvents, mostEvents                            = 1 << 20, 64 << 20
	leastStates, mostStates                            = 1 << 20, 32 << 20
	leastWriter, mostWriter                            = 4 << 20, 64 << 20
)

// Bodies is what has come of all bodies in flight, at three times its size.
func (m Memory) Bodies() int64 { return int64(m) / 8 }

// Reads is how many questions are answered at once.
func (m Memory) Reads() int { return m.slots(readShare, readBytes, leastReads, mostReads) }

// Exports is how many are made at once.
func (m Memory) Exports() int { return m.slots(exportShare, exportBytes, leastExports, mostExports) }

// Connections is how many are open at once, sockets among them. What a socket is sent
// is in Live, once for all of them.
func (m Memory) Connections() int {
	return m.slots(connectionShare, connectionBytes, leastConnections, mostConnections)
}

// Live is what is kept of announcements for all sockets.
func (m Memory) Live() int { return m.slots(16, 1, leastLive, mostLive) }

// Aggregates is what is remembered of counted weeks.
func (m Memory) Aggregates() int { return m.slots(64, 1, leastAggregates, mostAggregates) }

// Events is what is kept of events that were read for pages, and States of the states of
// messages.
func (m Memory) Events() int { return m.slots(96, 1, leastEvents, mostEvents) }

// States is beside Events.
func (m Memory) States() int { return m.slots(192, 1, leastStates, mostStates) }

// Columns is what is kept of weeks to count their events.
func (m Memory) Columns() int { return m.slots(16, 1, leastColumns, mostColumns) }

// Writer is the page cache of the week that is written, and Reader that of a
// connection that reads one, of which some 64 are busy.
func (m Memory) Writer() int { return m.slots(32, 1, leastWriter, mostWriter) }

// Reader is beside Writer.
func (m Memory) Reader() int { return m.slots(16*64, 1, 512<<10, 2<<20) }

// Runtime is what Go's part of a process should use at most: the page caches of SQLite and
// what of the program's own file is read lie beside it.
func (m Memory) Runtime() int64 {
	return int64(m) - int64(m.Writer()) - busyReaders*int64(m.Reader()) - min(programBytes, int64(m)/16)
}

// programBytes is what of the program's file is in memory once all of it works.
const programBytes = 32 << 20

// busyReaders are how many connections that read are busy at once, by and by.
const busyReaders = 64

// slots are as many of a size as there are in a share, between two bounds.
func (m Memory) slots(share, size Memory, least, most int) int {
	return max(least, min(most, int(m/share/size)))
}
