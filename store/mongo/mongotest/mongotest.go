// Package mongotest gives tests a MongoDB: the one that TIDINGS_TEST_MONGO
// names, or else SecantusDB, which speaks MongoDB's protocol over WiredTiger, as
// a process of the test's own. make prepare installs it. A test is skipped where
// there is neither.
package mongotest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// environment names a MongoDB to test on.
const environment = "TIDINGS_TEST_MONGO"

// installed is where make prepare puts SecantusDB, from the repository's root.
const installed = "bin/secantusdb/bin/secantusd-py"

// patience is how long a server may take to start or to stop.
const patience = 60 * time.Second

// Server is a MongoDB to test on.
type Server struct {
	address string // host and port
	base    string // the connection string without database
	options string
}

// Start gives a server to a test and those inside it.
func Start(t testing.TB) *Server {
	t.Helper()
	if given := os.Getenv(environment); given != "" {
		parsed, err := url.Parse(given)
		require.NoError(t, err, environment)
		return &Server{
			address: parsed.Host, base: parsed.Scheme + "://" + strings.TrimSuffix(parsed.User.String()+"@"+parsed.Host, "@"),
			options: parsed.RawQuery,
		}
	}
	program := find()
	if program == "" {
		t.Skip("skipped: no MongoDB: set " + environment + ", or run make prepare for SecantusDB")
	}
	s := &Server{address: freeAddress(t)}
	s.base, s.options = "mongodb://"+s.address, "directConnection=true"
	run(t, program, s.address)
	return s
}

// find is where SecantusDB is, or "".
func find() string {
	directory, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(directory, "go.mod")); missing == nil {
			break
		}
		if directory == filepath.Dir(directory) {
			return ""
		}
		directory = filepath.Dir(directory)
	}
	path := filepath.Join(directory, installed)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	path, _ = exec.LookPath(filepath.Base(installed))
	return path
}

func freeAddress(t testing.TB) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// run keeps a server going until the test ends.
func run(t testing.TB, program, address string) {
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	var output lockedBuffer
	command := exec.Command(program, "--host", host, "--port", port, "--storage-path", t.TempDir(),
		"--cache-size", "256M", "--log-level", "WARNING")
	command.Stdout, command.Stderr = &output, &output
	// A child of another group: Ctrl-C ends the test first, which ends it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, command.Start())
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = command.Process.Kill()
			<-ended
		}
	})
	for deadline := time.Now().Add(patience); ; {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("SecantusDB ended: %v\n%s", err, output.String())
		case <-time.After(50 * time.Millisecond):
			require.True(t, time.Now().Before(deadline), "SecantusDB does not start\n%s", output.String())
		}
	}
}

// URL is the connection string of a database of the test's own, which goes with
// it.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	name := "tidings-" + strings.ToLower(rand.Text()[:12])
	full := s.base + "/" + name + "?" + s.options
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		client, err := mongo.Connect(options.Client().ApplyURI(full))
		if err == nil {
			_ = client.Database(name).Drop(ctx)
			_ = client.Disconnect(ctx)
		}
	})
	return full
}

// Through is a connection string of a test's own that leads through a proxy.
func (s *Server) Through(t testing.TB) (string, *Proxy) {
	t.Helper()
	if _, port, err := net.SplitHostPort(s.address); err != nil || port == strconv.Itoa(0) {
		t.Skip("skipped: " + environment + " names no single server with its port, which a proxy needs")
	}
	proxy := NewProxy(t, s.address)
	direct := strings.Replace(s.URL(t), s.address, proxy.Address(), 1)
	if !strings.Contains(s.options, "directConnection") {
		direct += "&directConnection=true"
	}
	return direct, proxy
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
	return fmt.Sprint(b.all.String())
}
