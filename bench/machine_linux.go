package bench

import (
	"os"
	"syscall"
)

// syncData makes what was written durable, as databases do.
func syncData(file *os.File) error { return syscall.Fdatasync(int(file.Fd())) }
