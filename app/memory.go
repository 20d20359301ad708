package app

import (
	"context"
	"runtime/debug"
	gometrics "runtime/metrics"
	"time"
)

// What a busy minute took, the Go runtime gives back over many idle ones, or
// never while too little happens for a collection. So it is given back here once
// it is quiet: a collection then is in nobody's way.
const (
	// lookAtMemory is how often it is looked whether it is quiet.
	lookAtMemory = 15 * time.Second
	// quietBytes is how much is allocated between two looks when little happens.
	quietBytes = 16 << 20
	// worthBytes is how much was allocated when giving back is worth the while.
	worthBytes = 64 << 20
)

// memory decides when to give back.
type memory struct {
	seen  uint64 // what had been allocated in all at the last look
	given uint64 // and when something was given back last
}

// idle takes what has been allocated in all and reports whether to give back.
func (m *memory) idle(allocated uint64) bool {
	quiet := allocated-m.seen < quietBytes
	m.seen = allocated
	if !quiet || allocated-m.given < worthBytes {
		return false
	}
	m.given = allocated
	return true
}

// giveMemoryBack gives memory back to the system whenever it gets quiet, until
// ctx ends.
func giveMemoryBack(ctx context.Context) error {
	sample := []gometrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	ticker := time.NewTicker(lookAtMemory)
	defer ticker.Stop()
	var m memory
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		gometrics.Read(sample)
		if m.idle(sample[0].Value.Uint64()) {
			debug.FreeOSMemory()
		}
	}
}
