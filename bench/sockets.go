package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"tidings/bench/figures"
)

// Sockets times what is published on its way to many sockets, five in each workspace, and
// has all of them come back at once. It measures the part of a server that pushes, and beside
// it a peer, by the same clients: a program that serves messages of the same size by a library.
type Sockets struct {
	// Sockets are how many are open, and Rate how many events a second are published.
	Sockets, Rate int
	// For is how long.
	For time.Duration
	// Peer is a program as bench/peers has them; none is compared with where it is "".
	Peer string
	// Profile is a file for the CPU profile of the process that serves; "" for none.
	Profile string
	// Serve makes this the process that serves: it is told what to do on its standard input.
	Serve bool
}

const (
	// socketsEach is how many sockets a workspace has.
	socketsEach = 5
	// socketsAtOnce is how many open at once.
	socketsAtOnce = 256
	// socketsQuiet is how long is waited for what is still on its way.
	socketsQuiet = time.Second
	// socketsMust is what 99 of 100 deliveries may take.
	socketsMust = 200 * time.Millisecond
)

// Names of the figures that bounds are of.
const (
	figureDelivered = "published until on the socket, p99"
	figureOverPeer  = "deliveries a processor second ÷ the centrifuge library's"
)

// socketsFound is what was found of a server.
type socketsFound struct {
	name string
	// connection is what a socket holds of resident memory, in bytes.
	connection           float64
	deliveries, expected int64
	bytes                float64 // of a frame
	timing               *Timing
	used                 time.Duration // of processors, while it published
	back, backUsed       time.Duration // until all sockets were there again
}

// perSecond is how many deliveries a second of a processor makes.
func (f *socketsFound) perSecond() float64 { return float64(f.deliveries) / f.used.Seconds() }

// Run measures, prints a table, and fails where it does not show what it must.
func (c *Sockets) Run(ctx context.Context, env Env) error {
	if c.Serve {
		return serveSockets(ctx, os.Stdin, env.Out)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	serve := []string{"bench", "sockets", "--serve"}
	if c.Profile != "" {
		serve = append(serve, "--cpu-profile", c.Profile)
	}
	ours, err := c.measure(ctx, "Tidings", tidingsSocket, exec.CommandContext(ctx, self, serve...), 0)
	if err != nil {
		return err
	}
	found := []*socketsFound{ours}
	over := figures.NotMeasured()
	if c.Peer != "" {
		peer, err := c.measure(ctx, "centrifuge", centrifugeSocket, exec.CommandContext(ctx, c.Peer), int(ours.bytes))
		if err != nil {
			return err
		}
		found, over = append(found, peer), ours.perSecond()/peer.perSecond()
	}
	ours.figures(env.Found, over)
	if _, err := io.WriteString(env.Out, c.table(found)); err != nil {
		return err
	}
	return notShown(c.judge(found, over))
}

// figures adds what was found, and how much more a processor second delivers than a peer's.
func (f *socketsFound) figures(found *figures.Found, over float64) {
	found.Add(figureDelivered, "ms", milliseconds(f.timing.Percentile(99)))
	found.Add("deliveries a processor second", "", f.perSecond())
	found.Add(figureOverPeer, "", over)
	found.Add("resident memory of a socket", "KB", f.connection/1e3)
	found.Add("all sockets come back at once, until the last is there", "s", f.back.Seconds())
}

// judge names what is not shown.
func (c *Sockets) judge(found []*socketsFound, over float64) (not []string) {
	for _, f := range found {
		if f.deliveries < f.expected || f.expected == 0 {
			not = append(not, fmt.Sprintf("%s delivered %d of %d", f.name, f.deliveries, f.expected))
		}
	}
	if p99 := found[0].timing.Percentile(99); p99 > socketsMust {
		not = append(not, fmt.Sprintf("99 of 100 deliveries took up to %v, and may take %v", round(p99), socketsMust))
	}
	if over < 1 {
		not = append(not, fmt.Sprintf("a processor second delivers %.2f times as much as the peer's", over))
	}
	return not
}

func (c *Sockets) table(found []*socketsFound) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d sockets in %d workspaces, %d events a second for %v\n\n", c.Sockets, c.channels(), c.Rate, c.For)
	out.WriteString("| what serves | delivered | bytes of a frame | on the socket after | deliveries a processor second | resident memory of a socket | all come back at once |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, f := range found {
		fmt.Fprintf(&out, "| %s | %d of %d | %.0f | %s | %.0f | %.1f KB | %s, %s of a processor |\n",
			f.name, f.deliveries, f.expected, f.bytes, f.timing, f.perSecond(), f.connection/1e3, round(f.back), round(f.backUsed))
	}
	return out.String()
}

func (c *Sockets) channels() int { return max(1, c.Sockets/socketsEach) }

// measure starts a server and measures it.
func (c *Sockets) measure(ctx context.Context, name string, dial dialSocket, command *exec.Cmd, frame int) (_ *socketsFound, err error) {
	s := &socketRun{Sockets: c, dial: dial, command: command, found: &socketsFound{name: name, timing: NewTiming()}}
	if err := s.start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer func() {
		s.hangUp()
		err = errors.Join(err, s.stdin.Close(), command.Wait())
	}()
	if err := s.measure(ctx, frame); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s.found, nil
}

// dialSocket opens a socket of a workspace and asks for what happens there. It returns once
// the server has said that it will.
type dialSocket func(ctx context.Context, address, workspace string) (*websocket.Conn, error)

// socketRun is a server that is measured.
type socketRun struct {
	*Sockets
	dial    dialSocket
	command *exec.Cmd
	stdin   io.WriteCloser
	stdout  *bufio.Reader
	address string
	found   *socketsFound

	mu      sync.Mutex
	conns   []*websocket.Conn
	readers sync.WaitGroup
	bytes   atomic.Int64
}

// start starts the server, which says its address.
func (s *socketRun) start() (err error) {
	s.command.Stderr = os.Stderr
	if s.stdin, err = s.command.StdinPipe(); err != nil {
		return err
	}
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		return err
	}
	s.stdout = bufio.NewReader(stdout)
	if err := s.command.Start(); err != nil {
		return err
	}
	s.address, err = s.line()
	return err
}

func (s *socketRun) line() (string, error) {
	line, err := s.stdout.ReadString('\n')
	return strings.TrimSpace(line), err
}

// measure opens the sockets, has events published to them, and has them all come back.
func (s *socketRun) measure(ctx context.Context, frame int) error {
	pid := s.command.Process.Pid
	before := residentMemory(pid)
	if err := s.open(ctx); err != nil {
		return err
	}
	s.found.connection = float64(residentMemory(pid)-before) / float64(s.Sockets.Sockets)
	used := processorTimeOf(pid)
	orders, err := json.Marshal(socketOrders{Channels: s.channels(), Rate: s.Rate, For: s.For, Bytes: frame})
	if err != nil {
		return err
	}
	if _, err := s.stdin.Write(append(orders, '\n')); err != nil {
		return err
	}
	line, err := s.line()
	if err != nil {
		return err
	}
	published, err := strconv.Atoi(line)
	if err != nil {
		return err
	}
	pause(ctx, socketsQuiet)
	s.found.used = processorTimeOf(pid) - used
	s.hangUp()
	s.found.deliveries, s.found.expected = s.found.timing.Count(), int64(published*socketsEach)
	s.found.bytes = float64(s.bytes.Load()) / float64(max(1, s.found.deliveries))
	began, used := time.Now(), processorTimeOf(pid)
	err = s.open(ctx)
	s.found.back, s.found.backUsed = time.Since(began), processorTimeOf(pid)-used
	return err
}

// open opens all sockets, and reads what comes.
func (s *socketRun) open(ctx context.Context) error {
	var opening errgroup.Group
	opening.SetLimit(socketsAtOnce)
	for i := range s.channels() * socketsEach {
		opening.Go(func() error {
			conn, err := s.dial(ctx, s.address, fmt.Sprint("w", i%s.channels()))
			if err != nil {
				return fmt.Errorf("open socket %d of %d: %w", i+1, s.Sockets.Sockets, err)
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			s.readers.Go(func() { s.read(conn) })
			return nil
		})
	}
	return opening.Wait()
}

// read times what comes until the socket ends. Several messages may come in a frame.
func (s *socketRun) read(conn *websocket.Conn) {
	for {
		_, raw, err := conn.ReadMessage()
		if err != nil {
			return
		}
		now := time.Now().UnixNano()
		if bytes.Equal(raw, []byte("{}")) { // centrifuge's sign of life
			_ = conn.WriteMessage(websocket.TextMessage, raw) // it ends where it fails
			continue
		}
		for rest, found := raw, true; ; {
			if _, rest, found = bytes.Cut(rest, []byte(`"message":"due-`)); !found {
				break
			}
			digits, _, _ := bytes.Cut(rest, []byte(`"`))
			due, err := strconv.ParseInt(string(digits), 10, 64)
			if err != nil {
				break
			}
			s.mu.Lock()
			s.found.timing.Record(time.Duration(now - due))
			s.mu.Unlock()
			s.bytes.Add(int64(len(raw)))
		}
	}
}

// hangUp ends all sockets.
func (s *socketRun) hangUp() {
	for _, conn := range s.conns {
		_ = conn.Close() // it may have ended
	}
	s.readers.Wait()
	s.conns = nil
}

// dialLive opens a socket of a server, with a key.
func dialLive(ctx context.Context, address, key string) (*websocket.Conn, error) {
	dialer := websocket.Dialer{Subprotocols: []string{"tidings.v1"}, HandshakeTimeout: time.Minute}
	return dialed(dialer.DialContext(ctx, "ws://"+address+"/v1/live", http.Header{"Authorization": {"Bearer " + key}}))
}

// tidingsSocket asks for everything of a workspace, whose name is the key.
func tidingsSocket(ctx context.Context, address, workspace string) (*websocket.Conn, error) {
	conn, err := dialLive(ctx, address, workspace)
	if err != nil {
		return nil, err
	}
	return subscribed(conn, `{"op":"subscribe","id":"s","q":""}`, `"op":"subscribed"`)
}

// centrifugeSocket asks for a channel.
func centrifugeSocket(ctx context.Context, address, workspace string) (*websocket.Conn, error) {
	dialer := websocket.Dialer{HandshakeTimeout: time.Minute}
	conn, err := dialed(dialer.DialContext(ctx, "ws://"+address+"/", nil))
	if err != nil {
		return nil, err
	}
	return subscribed(conn, `{"id":1,"connect":{}}`+"\n"+`{"id":2,"subscribe":{"channel":"`+workspace+`"}}`, `"subscribe":`)
}

// dialed is a socket after its handshake, whose answer has no body.
func dialed(conn *websocket.Conn, response *http.Response, err error) (*websocket.Conn, error) {
	if response != nil {
		_ = response.Body.Close() // a handshake has none
	}
	return conn, err
}

// subscribed sends a question and waits for what says that it was understood.
func subscribed(conn *websocket.Conn, question, answer string) (*websocket.Conn, error) {
	err := conn.WriteMessage(websocket.TextMessage, []byte(question))
	for err == nil {
		var raw []byte
		if _, raw, err = conn.ReadMessage(); bytes.Contains(raw, []byte(answer)) {
			return conn, nil
		}
	}
	return nil, errors.Join(err, conn.Close())
}
