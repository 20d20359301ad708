package elastictest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Bounds of waiting. Assembling fetches 60 MB the first time.
const (
	assembleTimeout = 10 * time.Minute
	startTimeout    = 3 * time.Minute
	stopTimeout     = 20 * time.Second
)

// Server is one Elasticsearch for the tests of a binary, started by the first that
// asks. The zero value is ready; Stop belongs into TestMain.
type Server struct {
	// Measured runs the node as in earnest, for measurements: with both
	// compilers, and a heap of 1 GB.
	Measured bool

	once    sync.Once
	url     string
	missing string
	err     error

	command *exec.Cmd
	input   io.Closer
	data    string
	output  sync.WaitGroup
}

// URL is where the server is, as --index names it. Where there can be none the
// test is skipped.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	url, err := s.Start()
	if s.missing != "" {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Start is URL for who is no test.
func (s *Server) Start() (url string, err error) {
	s.once.Do(s.start)
	switch {
	case s.missing != "":
		return "", fmt.Errorf("no Elasticsearch (%s; TIDINGS_TEST_ELASTIC may name one)", s.missing)
	case s.err != nil:
		return "", fmt.Errorf("start Elasticsearch: %w", s.err)
	}
	return s.url, nil
}

func (s *Server) start() {
	if s.url = os.Getenv("TIDINGS_TEST_ELASTIC"); s.url != "" {
		return
	}
	if s.missing = missing(); s.missing != "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), assembleTimeout)
	defer cancel()
	home, err := assemble(ctx)
	if err != nil {
		// A machine that cannot reach Maven Central is like one without Maven.
		s.missing = fmt.Sprintf("it could not be assembled: %v", err)
		return
	}
	address, err := s.launch(home)
	if err != nil {
		s.err = errors.Join(err, s.Stop())
		return
	}
	s.url = "elasticsearch://" + address
}

// launch runs a node and waits until it says where it listens.
func (s *Server) launch(home string) (string, error) {
	var err error
	if s.data, err = os.MkdirTemp("", "tidings-elasticsearch-"); err != nil {
		return "", err
	}
	// The first compiler alone: a test is over before the second one pays.
	java := []string{"-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}
	if s.Measured {
		java = []string{"-Xms1g", "-Xmx1g", "-XX:+UseG1GC"}
	}
	s.command = exec.Command("java", append(java,
		"-Djava.awt.headless=true", "-Dlog4j2.configurationFile="+filepath.Join(home, "config", "log4j2.properties"),
		"-cp", filepath.Join(home, "launcher")+":"+filepath.Join(home, "lib", "*"), "Launcher", home, s.data)...)
	if s.input, err = s.command.StdinPipe(); err != nil {
		return "", err
	}
	output, err := s.command.StdoutPipe()
	if err != nil {
		return "", err
	}
	s.command.Stderr = s.command.Stdout
	if err := s.command.Start(); err != nil {
		return "", err
	}
	listening, lines := make(chan string, 1), make(chan string, 1)
	s.output.Go(func() { s.read(output, listening, lines) })
	select {
	case address := <-listening:
		return address, nil
	case output := <-lines:
		return "", fmt.Errorf("it ended at once: %s", output)
	case <-time.After(startTimeout):
		return "", fmt.Errorf("it was not ready after %s", startTimeout)
	}
}

// read passes on where the node listens, or all that it said when it ends before.
func (s *Server) read(output io.Reader, listening, ended chan<- string) {
	var printed strings.Builder
	ready := false
	for lines := bufio.NewScanner(output); lines.Scan(); {
		address, ok := strings.CutPrefix(lines.Text(), "listening on ")
		switch {
		case ok:
			listening <- address
			ready = true
		case !ready:
			printed.WriteString(lines.Text() + "\n")
		}
	}
	if !ready {
		ended <- printed.String()
	}
}

// PID is the process of one that Start has started, 0 of one that was there.
func (s *Server) PID() int {
	if s.command == nil || s.command.Process == nil {
		return 0
	}
	return s.command.Process.Pid
}

// Stop ends what was started and removes its data.
func (s *Server) Stop() error {
	if s.command == nil || s.command.Process == nil {
		return nil
	}
	_ = s.command.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(stopTimeout, func() { _ = s.command.Process.Kill() })
	defer kill.Stop()
	s.output.Wait()
	var ended *exec.ExitError
	err := s.command.Wait()
	if errors.As(err, &ended) { // SIGTERM's own code
		err = nil
	}
	return errors.Join(err, os.RemoveAll(s.data))
}
