package sqlite

import (
	"os"
	"syscall"
)

// syncData makes a file's content and length durable, as SQLite itself does.
func syncData(file *os.File) error { return syscall.Fdatasync(int(file.Fd())) }
