package faulty

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// installed is where make prepare puts SecantusDB, from the repository's root.
const installed = "bin/secantusdb/bin/secantusd-py"

// patience is how long a server may take to start or to stop.
const patience = 60 * time.Second

// Secantus is a SecantusDB, which speaks MongoDB's protocol, in a process of its own.
type Secantus struct {
	// Address is its host and port.
	Address string
	program string
	storage string
	command *exec.Cmd
	output  lockedBuffer
	ended   chan error
}

// FindSecantus is where SecantusDB is, from the working directory upwards or in the path;
// "" where it is not.
func FindSecantus() string {
	for directory, err := os.Getwd(); err == nil; directory = filepath.Dir(directory) {
		path := filepath.Join(directory, installed)
		if _, missing := os.Stat(path); missing == nil {
			return path
		}
		if directory == filepath.Dir(directory) {
			break
		}
	}
	path, _ := exec.LookPath(filepath.Base(installed)) // "" where it is not
	return path
}

// StartSecantus starts a program that FindSecantus found on a directory, and waits until
// it listens.
func StartSecantus(ctx context.Context, program, storage string) (*Secantus, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Secantus{Address: listener.Addr().String(), program: program, storage: storage}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	return s, s.Start(ctx)
}

// Start starts it again where it was.
func (s *Secantus) Start(ctx context.Context) error {
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return err
	}
	s.command = exec.Command(s.program, "--host", host, "--port", port, "--storage-path", s.storage, "--cache-size", "256M", "--log-level", "WARNING")
	s.command.Stdout, s.command.Stderr = &s.output, &s.output
	apart(s.command)
	if err := s.command.Start(); err != nil {
		return fmt.Errorf("start SecantusDB: %w", err)
	}
	s.ended = make(chan error, 1)
	go func(command *exec.Cmd, ended chan<- error) { ended <- command.Wait() }(s.command, s.ended)
	for deadline := time.Now().Add(patience); ; {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", s.Address)
		if err == nil {
			return conn.Close()
		}
		select {
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("SecantusDB ended: %w: %s", err, s.output.String())
		case <-ctx.Done():
			return errors.Join(ctx.Err(), s.Kill())
		case <-time.After(50 * time.Millisecond):
			if time.Now().After(deadline) {
				return errors.Join(fmt.Errorf("SecantusDB does not start: %s", s.output.String()), s.Kill())
			}
		}
	}
}

// PID is its process.
func (s *Secantus) PID() int { return s.command.Process.Pid }

// Stop ends it in order, or after a while otherwise.
func (s *Secantus) Stop() error {
	_ = s.command.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case err := <-s.ended:
		s.ended <- err
		return nil
	case <-time.After(patience):
		return s.Kill()
	}
}

// Kill ends it as a power cut does.
func (s *Secantus) Kill() error {
	err := s.command.Process.Kill()
	s.ended <- <-s.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// lockedBuffer is what a process writes while it is being read.
type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(text)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}
