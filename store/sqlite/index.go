package sqlite

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tidings/event"
	"tidings/store/sqlite/columns"

	"github.com/klauspost/compress/zstd"
)

// IndexConfig bounds what an Index holds open. The zero value is sensible.
type IndexConfig struct {
	// OpenWeeks is how many weeks are kept open, 0 for 64.
	OpenWeeks int
	// Readers bounds the connections that read one week at once, 0 for 4.
	Readers int
	// WriterCacheKB and ReaderCacheKB bound the memory of a connection, 0 for
	// 64 MiB and 2 MiB. It is given back when the connection was not used for
	// a while.
	WriterCacheKB, ReaderCacheKB int
	// CountCacheKB bounds what is kept in memory to count events, and of the numbers of rows of
	// sealed weeks, 0 for 128 MiB.
	CountCacheKB int
	// EventCacheKB bounds what is kept in memory of events that were read for pages, 0 for
	// 64 MiB.
	EventCacheKB int
	// Installation is the id of the data directory that the files belong to, "" for
	// any.
	Installation string
	// Logger hears what was found wrong with files, nil for nobody.
	Logger *slog.Logger
}

// Index keeps events in one SQLite file a week. It is safe for concurrent use,
// and the only process's on its directory.
type Index struct {
	dir            string
	config         IndexConfig
	documents      *documents
	columns        *columns.Cache
	events         *eventCache
	blocks         *numberCache
	columnsDecoder *zstd.Decoder
	// sync makes a file durable.
	sync func(path string) error
	// created counts the events that writers brought, to tell when it is quiet.
	created atomic.Int64

	mu    sync.Mutex
	weeks map[event.Week]*weekSlot
	// open are the weeks with an open file, the last used in front.
	open   *list.List
	closed bool
}

// weekSlot is where a week is, open or not, or not there at all. Whoever uses
// its file holds mu for reading, whoever swaps the file holds it for writing.
type weekSlot struct {
	week event.Week
	// writing is held by the one who writes, before mu.
	writing chan struct{}

	mu     sync.RWMutex
	file   *weekFile
	exists bool
	sealed bool

	// next is the generation that is being built, and blocked is set while it
	// keeps writes out; both are the writer's. writeLog remembers what was written
	// meanwhile.
	next     *generation
	blocked  bool
	writeLog writeLog
	// unsynced is set when the log could not be synced, see syncLog.
	unsynced atomic.Bool
	// damage is set while the week is known to be damaged.
	damage atomic.Pointer[damage]

	// element is the slot's in Index.open, guarded by Index.mu.
	element *list.Element
}

// Endings of file names. A sealed week has an ending of its own, so that one
// rename seals and the directory says which weeks are sealed.
const (
	openEnding   = ".db"
	sealedEnding = ".sealed.db"
	newEnding    = ".new"
	// generationEnding is a week's that is being built anew.
	generationEnding = ".rebuild" + newEnding
	// wideEnding is a week's while it is being sealed, that has its words twice.
	wideEnding = ".wide" + newEnding
)

// OpenIndex opens the index in dir, and makes it when there is none. What an
// interrupted Seal or Unseal left is cleared up.
//
//nolint:contextcheck // a store outlives the call that opens it
func OpenIndex(dir string, config IndexConfig) (*Index, error) {
	if config.OpenWeeks == 0 {
		config.OpenWeeks = 64
	}
	if config.Readers == 0 {
		config.Readers = 4
	}
	if config.WriterCacheKB == 0 {
		config.WriterCacheKB = 64 << 10
	}
	if config.ReaderCacheKB == 0 {
		config.ReaderCacheKB = 2 << 10
	}
	if config.CountCacheKB == 0 {
		config.CountCacheKB = 128 << 10
	}
	if config.EventCacheKB == 0 {
		config.EventCacheKB = 64 << 10
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	x := &Index{dir: dir, config: config, sync: syncFile, weeks: make(map[event.Week]*weekSlot), open: list.New()}
	if err := x.readDirectory(context.Background()); err != nil {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	var err error
	if x.documents, err = newDocuments(); err != nil {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	if x.columnsDecoder, err = newColumnsDecoder(); err != nil {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	// What is counted by is found by numbers: both are of one share.
	x.blocks = newNumberCache(config.CountCacheKB << 10 / numbersShare)
	x.columns = columns.NewCache(config.CountCacheKB<<10 - x.blocks.limit)
	x.events = newEventCache(config.EventCacheKB << 10)
	return x, nil
}

func endingOf(sealed bool) string {
	if sealed {
		return sealedEnding
	}
	return openEnding
}

// Close waits for what is under way and closes every week.
func (x *Index) Close() error {
	x.mu.Lock()
	x.closed = true
	slots := make([]*weekSlot, 0, len(x.weeks))
	for _, slot := range x.weeks {
		slots = append(slots, slot)
	}
	x.mu.Unlock()
	var errs []error
	for _, slot := range slots {
		slot.writing <- struct{}{}
		if slot.next != nil && slot.next.file != nil {
			errs = append(errs, slot.next.file.close())
		}
		<-slot.writing
		slot.mu.Lock()
		errs = append(errs, slot.close())
		slot.mu.Unlock()
	}
	x.documents.close()
	x.columnsDecoder.Close()
	return failed("closing the index", errors.Join(errs...))
}

// Dir is where the weeks are.
func (x *Index) Dir() string { return x.dir }

// RefreshInterval is 0: a written event is found at once.
func (x *Index) RefreshInterval() time.Duration { return 0 }

// Ping reports whether the index is there.
func (x *Index) Ping(context.Context) error {
	x.mu.Lock()
	closed := x.closed
	x.mu.Unlock()
	if closed {
		return fmt.Errorf("the index is closed: %w", event.ErrUnavailable)
	}
	if _, err := os.Stat(x.dir); err != nil {
		return fmt.Errorf("reaching the index: %w: %w", event.ErrUnavailable, err)
	}
	return nil
}

func (x *Index) path(week event.Week, ending string) string {
	return filepath.Join(x.dir, week.String()+ending)
}

// slot returns the slot of a week, a new one when there is none.
func (x *Index) slot(week event.Week) *weekSlot {
	x.mu.Lock()
	defer x.mu.Unlock()
	slot := x.weeks[week]
	if slot == nil {
		slot = &weekSlot{week: week, writing: make(chan struct{}, 1)}
		x.weeks[week] = slot
	}
	return slot
}

// known are the weeks that may exist, newest first.
func (x *Index) known() []event.Week {
	x.mu.Lock()
	defer x.mu.Unlock()
	weeks := make([]event.Week, 0, len(x.weeks))
	for week := range x.weeks {
		weeks = append(weeks, week)
	}
	slices.SortFunc(weeks, func(a, b event.Week) int { return int(b) - int(a) })
	return weeks
}

// using runs do with a week's open file. One that is damaged is an
// event.WeekDamaged. A week that does not exist is made
// when create is set, and else do is not run.
func (x *Index) using(ctx context.Context, week event.Week, create bool, do func(*weekFile, bool) error) error {
	slot := x.slot(week)
	if err := x.undamaged(slot); err != nil {
		return err
	}
	// Who opened a week closes another: one who uses an open week waits for none.
	opened := false
	defer func() {
		if opened {
			x.shrink()
		}
	}()
	for {
		ran, absent, err := x.usingOpen(slot, create, do)
		if ran || absent || err != nil {
			return err
		}
		if err := x.openSlot(ctx, slot, create); err != nil {
			return err
		}
		opened = true
	}
}

// usingOpen runs do if the week's file is open; absent says that there is none, and none
// to be made.
func (x *Index) usingOpen(slot *weekSlot, create bool, do func(*weekFile, bool) error) (ran, absent bool, err error) {
	slot.mu.RLock()
	defer slot.mu.RUnlock()
	if slot.file == nil {
		return false, !slot.exists && !create, nil
	}
	x.used(slot)
	return true, false, x.blameHeld(slot, do(slot.file, slot.sealed))
}

// writing is using for whoever writes the week; one does at a time. do is told
// whether the week takes no writes. What it wrote is durable when writing
// returns.
func (x *Index) writing(ctx context.Context, week event.Week, create bool, do func(*weekFile, bool) error) error {
	err := x.exclusively(ctx, week, func(slot *weekSlot) error {
		if err := x.rewriteLog(ctx, slot); err != nil {
			return err
		}
		return x.using(ctx, week, create, func(file *weekFile, sealed bool) error {
			return do(file, sealed || slot.blocked)
		})
	})
	if err != nil {
		return err
	}
	return x.syncLog(x.slot(week))
}

// exclusively runs do while nobody else writes the week.
func (x *Index) exclusively(ctx context.Context, week event.Week, do func(*weekSlot) error) error {
	slot := x.slot(week)
	select {
	case slot.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-slot.writing }()
	return do(slot)
}

// openSlot opens a slot's file unless somebody else did.
func (x *Index) openSlot(ctx context.Context, slot *weekSlot, create bool) error {
	slot.mu.Lock()
	defer slot.mu.Unlock()
	if slot.file != nil || !slot.exists && !create {
		return nil
	}
	x.mu.Lock()
	closed := x.closed
	x.mu.Unlock()
	if closed {
		return fmt.Errorf("the index is closed: %w", event.ErrUnavailable)
	}
	return x.blameHeld(slot, x.openHeld(ctx, slot))
}

// openHeld opens a slot's file, or makes it; the caller holds its mu.
func (x *Index) openHeld(ctx context.Context, slot *weekSlot) error {
	path := x.pathHeld(slot)
	if slot.exists {
		if err := x.present(slot.week, path); err != nil {
			return err
		}
	}
	file, err := openWeek(ctx, path, slot.week, access{sealed: slot.sealed, connections: x.config.Readers}, x.caches())
	if err != nil {
		return err
	}
	if !slot.sealed && file.numbers != nil {
		// Somebody put a sealed file here by another name.
		if file, err = x.openNamed(ctx, slot.week, file); err != nil {
			return err
		}
	}
	file.columns, file.events = x.columns, x.events
	if slot.sealed {
		file.blocks = x.blocks
	}
	file.writeLog = &slot.writeLog
	slot.file = file
	if !slot.exists {
		slot.exists = true
		return syncDirectory(x.dir)
	}
	return nil
}

func (x *Index) caches() weekSettings {
	return weekSettings{x.config.WriterCacheKB, x.config.ReaderCacheKB, x.config.Installation}
}

// used puts a slot in front of those that may be closed.
func (x *Index) used(slot *weekSlot) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if slot.element == nil {
		slot.element = x.open.PushFront(slot)
	} else {
		x.open.MoveToFront(slot.element)
	}
}

// unused takes a slot off the open ones; the caller holds its mu.
func (x *Index) unused(slot *weekSlot) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if slot.element != nil {
		x.open.Remove(slot.element)
		slot.element = nil
	}
}

// shrink closes the weeks that were not used for longest, but for those in use.
func (x *Index) shrink() {
	for _, slot := range x.surplus() {
		if !slot.mu.TryLock() {
			continue
		}
		// What closing fails to do, opening does again: the log stays.
		_ = slot.close()
		x.unused(slot)
		slot.mu.Unlock()
	}
}

// surplus are the open weeks beyond the bound, the longest unused first.
func (x *Index) surplus() []*weekSlot {
	x.mu.Lock()
	defer x.mu.Unlock()
	var slots []*weekSlot
	for at := x.open.Back(); at != nil && x.open.Len()-len(slots) > x.config.OpenWeeks; at = at.Prev() {
		slots = append(slots, at.Value.(*weekSlot))
	}
	return slots
}

// close closes the slot's file; the caller holds mu.
func (slot *weekSlot) close() error {
	if slot.file == nil {
		return nil
	}
	err := slot.file.close()
	slot.file = nil
	return err
}
