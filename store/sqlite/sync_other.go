//go:build !linux

package sqlite

import "os"

// syncData makes a file durable, where there is no fdatasync.
func syncData(file *os.File) error { return file.Sync() }
