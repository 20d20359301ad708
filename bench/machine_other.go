//go:build !linux

package bench

import "os"

// syncData makes what was written durable: fsync, where there is no fdatasync.
func syncData(file *os.File) error { return file.Sync() }
