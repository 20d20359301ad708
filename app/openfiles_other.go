//go:build !unix

package app

// privateFiles does nothing where files have no modes.
func privateFiles() {}

// openFiles is how many descriptors the process may have, 0 when unknown.
func openFiles() int { return 0 }
