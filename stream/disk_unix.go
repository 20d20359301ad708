//go:build linux || darwin || freebsd

package stream

import "syscall"

// diskRoom says how many bytes we may still write on the disk of a directory,
// and how many it has in all.
func diskRoom(dir string) (free, total int64, ok bool) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, 0, false
	}
	size := int64(fs.Bsize)
	return int64(fs.Bavail) * size, int64(fs.Blocks) * size, true
}
