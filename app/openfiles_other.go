//go:build !unix

package app

// openFiles is how many descriptors the process may have, 0 when unknown.
func openFiles() int { return 0 }
