// Package postgres starts a PostgreSQL of its own for a measurement, and talks to it.
//
// The server is the one that is installed; it runs in a directory and on a Unix socket
// that are made for it, and ends with the measurement. The client knows what the
// measurement needs of the protocol: questions in text, and COPY.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// settings differ from what PostgreSQL does by itself: a quarter of a small machine's
// memory, room for a load between checkpoints, and the quicker of its compressions.
// Every commit is on the disk before it is answered, as it is by default.
var settings = []string{
	"listen_addresses=", "shared_buffers=512MB", "max_wal_size=4GB", "work_mem=32MB",
	"default_toast_compression=lz4", "jit=off",
}

// startTime is how long a start and an end may take.
const startTime = time.Minute

// Server is a PostgreSQL that runs.
type Server struct {
	// Version is as it says it.
	Version string

	programs, data, socket string
}

// ErrNotInstalled says what to install.
var ErrNotInstalled = errors.New("no PostgreSQL is installed: its programs initdb, pg_ctl and postgres are neither on the PATH nor in /usr/lib/postgresql/*/bin (on Debian: apt-get install postgresql-15)")

// programs is the directory of the programs.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	// The pattern is well-formed.
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", ErrNotInstalled
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

// Start makes a database in a new directory and starts it.
func Start(ctx context.Context, data string) (_ *Server, err error) {
	s := &Server{data: data}
	if s.programs, err = programs(); err != nil {
		return nil, err
	}
	if err := makeOwn(data); err != nil {
		return nil, err
	}
	// Not below data: the name of a socket may have a hundred bytes at most.
	if s.socket, err = os.MkdirTemp("", "tidings-pg-"); err == nil {
		err = makeOwn(s.socket)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(s.socket))
		}
	}()
	if err != nil {
		return nil, err
	}
	if s.Version, err = s.run(ctx, "postgres", "--version"); err != nil {
		return nil, err
	}
	if _, err := s.run(ctx, "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"); err != nil {
		return nil, err
	}
	options := []string{"-k", s.socket}
	for _, setting := range settings {
		options = append(options, "-c", setting)
	}
	_, err = s.run(ctx, "pg_ctl", "start", "-w", "-D", data, "-l", filepath.Join(data, "log"), "-o", strings.Join(options, " "))
	if err != nil {
		// Best effort: the log says more than pg_ctl does.
		log, _ := os.ReadFile(filepath.Join(data, "log"))
		return nil, fmt.Errorf("%w: %.500s", err, log)
	}
	return s, nil
}

// run runs one of the programs as a user that may.
func (s *Server) run(ctx context.Context, program string, arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(s.programs, program), arguments...)
	command.Dir = s.data
	if err := asAllowed(command); err != nil {
		return "", err
	}
	// A file, not a pipe: the server that pg_ctl starts would hold a pipe open.
	said, err := os.CreateTemp("", "tidings-pg-")
	if err != nil {
		return "", err
	}
	command.Stdout, command.Stderr = said, said
	ran := command.Run()
	text, err := os.ReadFile(said.Name())
	err = errors.Join(err, said.Close(), os.Remove(said.Name()))
	if errors.Is(ran, os.ErrPermission) {
		return "", fmt.Errorf("%s: %w: its user must be able to enter each directory above %s", program, ran, s.data)
	}
	if ran != nil {
		return "", fmt.Errorf("%s: %w: %.500s", program, ran, text)
	}
	return strings.TrimSpace(string(text)), err
}

// Stop ends it and removes its directories.
func (s *Server) Stop(ctx context.Context) error {
	_, err := s.run(context.WithoutCancel(ctx), "pg_ctl", "stop", "-w", "-m", "fast", "-D", s.data)
	return errors.Join(err, os.RemoveAll(s.data), os.RemoveAll(s.socket))
}
