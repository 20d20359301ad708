// Package crash names the moments between two writes of a command, so that a test can
// see what a process leaves that ends there.
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
