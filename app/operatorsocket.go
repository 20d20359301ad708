package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// listenOperator opens the socket by which commands on this machine reach the
// process that serves their directory. Only the same user may.
func listenOperator(data string) (net.Listener, error) {
	path := socketPath(data)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the operator's socket: %w", err)
	}
	// A socket that a crash left behind: the directory's lock is ours.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove an old operator's socket: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for the operator: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect the operator's socket: %w", err), listener.Close())
	}
	return listener, nil
}

type Dialer func(context.Context) (net.Conn, error)

// DialOperator reaches the process that serves a data directory, if any does.
func DialOperator(ctx context.Context, data string) (Dialer, bool) {
	if data == "" {
		return nil, false
	}
	path := socketPath(data)
	dial := func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, false
	}
	_ = conn.Close()
	return dial, true
}

// maxSocketPath is what every Unix takes as the path of a socket.
const maxSocketPath = 100

// socketPath is where the process that serves data listens for its operator: in
// the directory, or where that path is too long for a socket, in one of the
// user's own beside other temporary files.
func socketPath(data string) string {
	path := filepath.Join(data, "operator.sock")
	if len(path) <= maxSocketPath {
		return path
	}
	sum := sha256.Sum256([]byte(path))
	name := fmt.Sprintf("tidings-%d-%s", os.Getuid(), hex.EncodeToString(sum[:8]))
	return filepath.Join(os.TempDir(), name, "operator.sock")
}
