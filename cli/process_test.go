package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const terminate = syscall.SIGTERM

// raced is the name of this test binary as tidings, with the race detector where
// the tests have it. A test names it where what goes on at once inside of the
// process is what it looks at.
const raced = "tidings"

// program is the tidings of all other tests: the one that TIDINGS_BIN names, as
// CI builds it, since the race detector makes each start and each event several
// times dearer; without it, this test binary.
func program() string {
	if built := os.Getenv("TIDINGS_BIN"); built != "" {
		return built
	}
	return raced
}

// process is a running tidings.
type process struct {
	t       *testing.T
	command *exec.Cmd
	address string
	exited  chan error
	mu      sync.Mutex
	log     bytes.Buffer
}

// startServer starts serve on a directory, with more flags, and waits until it
// says that it listens.
func startServer(t *testing.T, data, listen string, more ...string) *process {
	t.Helper()
	return startProcess(t, program(), append([]string{"serve", "--data", data, "--listen", listen}, more...)...)
}

// startRaced is startServer with the race detector.
func startRaced(t *testing.T, data, listen string, more ...string) *process {
	t.Helper()
	return startProcess(t, raced, append([]string{"serve", "--data", data, "--listen", listen}, more...)...)
}

// startProcess starts a command of a binary that serves and waits until it says
// that it listens.
func startProcess(t *testing.T, binary string, args ...string) *process {
	t.Helper()
	p := &process{t: t, exited: make(chan error, 1)}
	p.command = exec.Command(binary, args...)
	stderr, err := p.command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			p.mu.Lock()
			fmt.Fprintln(&p.log, lines.Text())
			p.mu.Unlock()
			if address, ok := strings.CutPrefix(lines.Text(), "listening on http://"); ok {
				ready <- address
			}
		}
		p.exited <- p.command.Wait()
	}()
	t.Cleanup(p.kill)
	select {
	case p.address = <-ready:
	case err := <-p.exited:
		p.exited <- err
		t.Fatalf("it ended: %v\n%s", err, p.output())
	case <-time.After(60 * time.Second):
		t.Fatalf("it did not become ready\n%s", p.output())
	}
	return p
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	p.exited <- <-p.exited
}

// stop ends the process politely and returns how it ended.
func (p *process) stop() error {
	_ = p.command.Process.Signal(terminate)
	err := <-p.exited
	p.exited <- err
	return err
}

// createKey makes a key on a directory, whether or not a server runs on it.
func createKey(t *testing.T, data, workspace, role string) string {
	t.Helper()
	var stderr bytes.Buffer
	command := exec.Command(program(), "keys", "create", "--data", data, "--workspace", workspace, "--role", role)
	command.Stderr = &stderr
	out, err := command.Output()
	require.NoError(t, err, stderr.String())
	return strings.TrimSpace(string(out))
}

// run runs a command and returns what it printed.
func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(program(), args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// request calls the server and decodes a JSON answer into out.
func request(method, url, key, contentType string, body []byte, out any) error {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, url, response.Status, raw)
	}
	return json.Unmarshal(raw, out)
}

// opens tells a server of opens, and reads them back.
type opens struct {
	base, key string
	since     time.Time
}

// partialPage is a page, or a part of one.
type partialPage struct {
	Items    []struct{ Message string }
	Partial  bool
	Warnings []string
}

func (o opens) post(t *testing.T, id string, at time.Time) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"id": id, "type": "open", "time": at.Unix(), "message": "m-" + id, "recipient": map[string]string{"email": "jo@acme.example"},
	})
	require.NoError(t, err)
	require.NoError(t, request(http.MethodPost, o.base+"/v1/events", o.key, "application/json", body, &struct{}{}))
}

func (o opens) page(t *testing.T) (page partialPage) {
	t.Helper()
	path := o.base + "/v1/feed?limit=200&automated=show&since=" + fmt.Sprint(o.since.Unix())
	require.NoError(t, request(http.MethodGet, path, o.key, "", nil, &page))
	return page
}
