// Package crash names the moments between two writes of a command, so that a test can
// see what a process leaves that ends there. The names flow in from whoever writes.
// Nothing flows out: outside of tests it does nothing.
package crash

// Point is called before each write to disk that others may find without the next one:
// a commit, a rename, a removal. A test sets it while nothing is open; it is nil
// otherwise.
var Point func(where string)

// At is such a moment.
func At(where string) {
	if Point != nil {
		Point(where)
	}
}
