//go:build unix

package bench

import (
	"fmt"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// lowestPriority is what nice(1) calls 19.
const lowestPriority = 19

// startLast starts a command that has a processor when nobody else wants it. It is a group
// of processes of its own: the priority is that of all its threads.
func startLast(command *exec.Cmd) error {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return err
	}
	if err := unix.Setpriority(unix.PRIO_PGRP, command.Process.Pid, lowestPriority); err != nil {
		_ = command.Process.Kill()
		return fmt.Errorf("lower the priority of a process: %w", err)
	}
	return nil
}
