package faulty

import (
	"errors"
	"fmt"
	"net"

	"github.com/nats-io/nats-server/v2/server"
)

// NATS is a NATS server in this process that keeps what it acknowledges, and can go away.
type NATS struct {
	options server.Options
	running *server.Server
}

// StartNATS starts one on a directory.
func StartNATS(storage string) (*NATS, error) {
	n := &NATS{options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: storage, SyncAlways: true,
		NoSigs: true, NoLog: true,
	}}
	if err := n.Start(); err != nil {
		return nil, err
	}
	n.options.Port = n.running.Addr().(*net.TCPAddr).Port
	return n, nil
}

// URL is where it is, as --stream names it.
func (n *NATS) URL() string { return fmt.Sprint("nats://127.0.0.1:", n.options.Port) }

// Start starts it again where it was.
func (n *NATS) Start() (err error) {
	options := n.options
	if n.running, err = server.NewServer(&options); err != nil {
		return fmt.Errorf("make a NATS server: %w", err)
	}
	n.running.Start()
	if !n.running.ReadyForConnections(patience) {
		n.Stop()
		return errors.New("the NATS server does not start")
	}
	return nil
}

// Stop ends it and all connections.
func (n *NATS) Stop() {
	n.running.Shutdown()
	n.running.WaitForShutdown()
}
