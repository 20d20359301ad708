//go:build unix

package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// allowed is whom PostgreSQL runs as: whoever measures, or for root, as whom it
// refuses to run, the user of its package, or nobody.
func allowed() (uid, gid int, err error) {
	if os.Geteuid() != 0 {
		return os.Geteuid(), os.Getegid(), nil
	}
	found, err := user.Lookup("postgres")
	if err != nil {
		if found, err = user.Lookup("nobody"); err != nil {
			return 0, 0, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres or nobody: %w", err)
		}
	}
	uid, errUser := strconv.Atoi(found.Uid)
	gid, errGroup := strconv.Atoi(found.Gid)
	return uid, gid, errors.Join(errUser, errGroup)
}

// makeOwn makes a directory that belongs to that user.
func makeOwn(dir string) error {
	uid, gid, err := allowed()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(dir, uid, gid)
}

// asAllowed has a command run as that user.
func asAllowed(command *exec.Cmd) error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := allowed()
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return err
}
