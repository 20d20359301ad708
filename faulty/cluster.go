package faulty

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/nats-io/nats-server/v2/server"
)

// Member is one NATS server of a cluster, as its process is told.
type Member struct {
	Name, Storage string
	// Port is for clients, Cluster for the others, whose ports Routes are.
	Port, Cluster int
	Routes        []int
}

// Serve runs the server in this process until ctx ends; ready is called once it takes clients.
func (m Member) Serve(ctx context.Context, ready func() error) error {
	options := server.Options{
		ServerName: m.Name, Host: "127.0.0.1", Port: m.Port, JetStream: true, StoreDir: m.Storage, SyncAlways: true,
		Cluster: server.ClusterOpts{Name: "tidings", Host: "127.0.0.1", Port: m.Cluster}, NoSigs: true, NoLog: true,
	}
	for _, port := range m.Routes {
		options.Routes = append(options.Routes, &url.URL{Scheme: "nats-route", Host: fmt.Sprint("127.0.0.1:", port)})
	}
	running, err := server.NewServer(&options)
	if err != nil {
		return fmt.Errorf("make a NATS server: %w", err)
	}
	running.Start()
	defer running.WaitForShutdown()
	defer running.Shutdown()
	if !running.ReadyForConnections(patience) {
		return errors.New("the NATS server does not start")
	}
	if err := ready(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
