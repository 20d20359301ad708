//go:build unix

package faulty

import (
	"os/exec"
	"syscall"
)

// apart makes a command's process one of another group: Ctrl-C ends first who started it,
// which ends it.
func apart(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
