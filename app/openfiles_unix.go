//go:build unix

package app

import "syscall"

// openFiles is how many descriptors the process may have, 0 when unknown.
func openFiles() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), 1<<30))
}

// privateFiles has every file that the process makes readable by its user alone: the
// stores and the queue would let others in the group read theirs.
func privateFiles() { syscall.Umask(0o077) }
