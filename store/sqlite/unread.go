package sqlite

import (
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/notify"
)

const (
	// countsKept is how many readers' counts are known, and countsTo how far is counted.
	countsKept = 10_000
	countsTo   = 10_000
)

// unreadCounts know how many notifications readers have not read, without asking: each
// decision tells its reader's windows. Only this process writes the file.
type unreadCounts struct {
	mu    sync.Mutex
	known *lru.Cache[notify.Reader, int]
	// age rises with each change, and writing are those under way: what was counted
	// meanwhile is not kept.
	age     uint64
	writing int
}

func newUnreadCounts() *unreadCounts {
	known, err := lru.New[notify.Reader, int](countsKept)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return &unreadCounts{known: known}
}

// of returns a reader's count, and where it is not known the age to give to know.
func (u *unreadCounts) of(reader notify.Reader) (count int, known bool, age uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	count, known = u.known.Get(reader)
	return count, known, u.age
}

// know keeps a count, unless something changed since an age.
func (u *unreadCounts) know(reader notify.Reader, count int, age uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.age == age && u.writing == 0 && count < countsTo {
		u.known.Add(reader, count)
	}
}

// begin says that something is being added, until add or fail.
func (u *unreadCounts) begin() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.age++
	u.writing++
}

// fail has everybody's counted anew: what could not be added may be there all the same.
func (u *unreadCounts) fail() {
	u.add(nil)
	u.forget()
}

// add counts what was added.
func (u *unreadCounts) add(added map[notify.Reader]int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.age++
	u.writing--
	for reader, more := range added {
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
	u.age++
	for _, reader := range readers {
		u.known.Remove(reader)
	}
	if len(readers) == 0 {
		u.known.Purge()
	}
}
