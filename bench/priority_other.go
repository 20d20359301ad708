//go:build !unix

package bench

import "os/exec"

// startLast starts a command; where there are no priorities it has the usual one.
func startLast(command *exec.Cmd) error { return command.Start() }
