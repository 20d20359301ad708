// Package crash names the moments between two writes, so that it can be seen what a
// process leaves that ends there. The names flow in from whoever writes. Nothing flows
// out: without a test or the variable of FromEnvironment it does nothing.
package crash

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// Variable is the environment variable of FromEnvironment.
const Variable = "TIDINGS_CRASH_AT"

// Point is called before each write to disk that others may find without the next one:
// a commit, a rename, a removal; and between the steps of the indexer. A test sets it
// while nothing is open; it is nil otherwise.
var Point func(where string)

// At is such a moment.
func At(where string) {
	if Point != nil {
		Point(where)
	}
}

// FromEnvironment has this process killed as a power cut does at the moment that Variable
// names: N:NAME is the N-th of a name, N: the N-th of all. tidings bench faults sets it;
// without it nothing happens.
func FromEnvironment() error {
	given := os.Getenv(Variable)
	if given == "" {
		return nil
	}
	number, name, _ := strings.Cut(given, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 {
		return fmt.Errorf("%s is %q: write N:NAME, N being 1 or more", Variable, given)
	}
	var count atomic.Int64
	Point = func(where string) {
		if (name == "" || name == where) && count.Add(1) == n {
			fmt.Fprintln(os.Stderr, "killed at: "+where)
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Kill() // or it goes on, which whoever waits for its end sees
			}
			select {}
		}
	}
	return nil
}
