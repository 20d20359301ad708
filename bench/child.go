package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"tidings/apiclient"
	"tidings/app"
)

// childStart is how long a server may take until it listens.
const childStart = time.Minute

// child is a server of this program in a process of its own, which can be killed.
type child struct {
	data    string
	address string
	command *exec.Cmd
	exited  chan error
	// said is the last line of its log.
	said chan string
	log  childLog
}

// serveChild starts serve on a directory, on loopback, and waits until it listens.
func serveChild(ctx context.Context, data, listen string, more ...string) (*child, error) {
	return serveChildIn(ctx, nil, data, listen, more...)
}

// serveChildIn is serveChild with more in its environment.
func serveChildIn(ctx context.Context, environment []string, data, listen string, more ...string) (*child, error) {
	return startChild(ctx, environment, data, append([]string{"serve", "--data", data, "--listen", listen}, more...)...)
}

// startChild runs a command of this program that says where it listens, and waits for that.
func startChild(ctx context.Context, environment []string, data string, command ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	c := &child{data: data, command: exec.Command(self, command...), exited: make(chan error, 1), said: make(chan string, 1)}
	c.command.Env = append(withoutSettings(), environment...)
	stderr, err := c.command.StderrPipe()
	if err == nil {
		err = c.command.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	ready := make(chan string, 1)
	go func() {
		last := ""
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			c.log.add(lines.Text())
			last = lines.Text()
			if at, listens := strings.CutPrefix(last, "listening on "); listens {
				_, address, _ := strings.Cut(at, "://")
				ready <- address
			}
		}
		c.said <- last
		c.exited <- c.command.Wait()
	}()
	select {
	case c.address = <-ready:
		return c, nil
	case err := <-c.exited:
		return nil, fmt.Errorf("the server ended at its start: %w: %s", err, <-c.said)
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), c.kill())
	case <-time.After(childStart):
		return nil, errors.Join(errors.New("the server does not listen after a minute"), c.kill())
	}
}

// childLog are the last lines of a log that warn of something.
type childLog struct {
	mu    sync.Mutex
	lines []string
}

// mostLogged is how many lines are kept.
const mostLogged = 30

func (l *childLog) add(line string) {
	if strings.Contains(line, `"level":"INFO"`) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines = append(l.lines, line); len(l.lines) > mostLogged {
		l.lines = l.lines[1:]
	}
}

func (l *childLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// processorTime is what it has used of all processors, 0 where that is not known.
func (c *child) processorTime() time.Duration { return processorTimeOf(c.command.Process.Pid) }

// kill ends it as a power cut does.
func (c *child) kill() error {
	err := c.command.Process.Kill()
	c.exited <- <-c.exited
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// stop ends it in order.
func (c *child) stop() error {
	if err := c.command.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	err := <-c.exited
	c.exited <- err
	return err
}

// client asks it as the operator of this machine.
func (c *child) client(ctx context.Context, workspace string) (*apiclient.Client, error) {
	dial, serves := app.DialOperator(ctx, c.data)
	if !serves {
		return nil, errors.New("nobody serves the directory")
	}
	return apiclient.Operator(dial, workspace, func() error { return nil }), nil
}
