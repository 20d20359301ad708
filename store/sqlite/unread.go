package sqlite

import (
	"hash/maphash"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/notify"
)

const (
	// countsKept is how many readers' counts are known, and countsTo how far is counted.
	countsKept = 10_000
	countsTo   = 10_000
	// countsShares are how many shares readers are divided into: a change to one of a share
	// makes what is being counted for the others of it worthless.
	countsShares = 256
)

// unreadCounts know how many notifications readers have not read, without asking: each
// decision tells its reader's windows. Only this process writes the file.
type unreadCounts struct {
	mu    sync.Mutex
	known *lru.Cache[notify.Reader, int]
	seed  maphash.Seed
	// age of a share rises with each change to a reader of it, and writing are those under
	// way: what was counted meanwhile is not kept.
	age     [countsShares]uint64
	writing [countsShares]int
}

func newUnreadCounts() *unreadCounts {
	known, err := lru.New[notify.Reader, int](countsKept)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return &unreadCounts{known: known, seed: maphash.MakeSeed()}
}

func (u *unreadCounts) share(reader notify.Reader) int {
	return int(maphash.Comparable(u.seed, reader) % countsShares)
}

// of returns a reader's count, and where it is not known the age to give to know.
func (u *unreadCounts) of(reader notify.Reader) (count int, known bool, age uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	count, known = u.known.Get(reader)
	return count, known, u.age[u.share(reader)]
}

// know keeps a count, unless something changed since an age.
func (u *unreadCounts) know(reader notify.Reader, count int, age uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if share := u.share(reader); u.age[share] == age && u.writing[share] == 0 && count < countsTo {
		u.known.Add(reader, count)
	}
}

// begin says that something is being added for readers, until added or failed.
func (u *unreadCounts) begin(readers map[notify.Reader]int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.change(readers, 1)
}

// change has the shares of readers be older, and counts the writes under way. mu is held.
func (u *unreadCounts) change(readers map[notify.Reader]int, writing int) {
	for reader := range readers {
		share := u.share(reader)
		u.age[share]++
		u.writing[share] += writing
	}
}

// failed has the counts of readers made anew: what could not be added may be there all the
// same.
func (u *unreadCounts) failed(readers map[notify.Reader]int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.change(readers, -1)
	for reader := range readers {
		u.known.Remove(reader)
	}
}

// added counts what was added for readers.
func (u *unreadCounts) added(readers map[notify.Reader]int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.change(readers, -1)
	for reader, more := range readers {
		if count, known := u.known.Get(reader); known && count+more < countsTo {
			u.known.Add(reader, count+more)
		} else {
			u.known.Remove(reader)
		}
	}
}

// forget has readers' counts counted anew, everybody's where none is named.
func (u *unreadCounts) forget(readers ...notify.Reader) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, reader := range readers {
		u.age[u.share(reader)]++
		u.known.Remove(reader)
	}
	if len(readers) == 0 {
		for share := range u.age {
			u.age[share]++
		}
		u.known.Purge()
	}
}
