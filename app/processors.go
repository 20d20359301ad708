package app

import (
	"os"
	"runtime"
)

// leastThreads is how many of Go's threads run at once at least. Go looks for what has come
// over the network once a thread has nothing to do, or every 10 ms: on two processors two
// long questions, or one and the garbage collector, would make a short one wait for as long.
// With more threads than processors there is one that looks, and the kernel shares out the
// processors every few milliseconds (ADR 0053).
const leastThreads = 4

// useProcessors returns how many processors there are for this process, and has as many
// threads run as are good for answering, unless GOMAXPROCS in the environment says how many.
func (s *Settings) useProcessors() int {
	processors := min(runtime.GOMAXPROCS(0), runtime.NumCPU())
	if os.Getenv("GOMAXPROCS") == "" && !s.Small && runtime.GOMAXPROCS(0) < leastThreads {
		runtime.GOMAXPROCS(leastThreads)
	}
	return processors
}
