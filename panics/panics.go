// Package panics keeps a panic about one event or request from ending the process, and again
// after each start. The API recovers what panics in a request's own goroutine, the indexer what
// panics in a batch; in goes the work of any other goroutine, out comes the same, with an error
// in the place of a panic.
package panics

import (
	"fmt"
	"runtime/debug"
)

// AsError is work whose panic is an error, with the stack.
func AsError(work func() error) func() error {
	return func() (err error) {
		defer func() {
			if reason := recover(); reason != nil {
				err = fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
			}
		}()
		return work()
	}
}
