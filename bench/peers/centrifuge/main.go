// Centrifuge serves websockets by the library of that name, for tidings bench sockets
// to compare with. It speaks with the bench over its standard input and output, as
// bench/socketserver.go does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge"
)

// orders are a line of the bench: what is published from now on, for how long.
type orders struct {
	Channels int           `json:"channels"`
	Rate     int           `json:"rate"`
	For      time.Duration `json:"for"`
	// Bytes is how large a message is.
	Bytes int `json:"bytes"`
}

// What a channel keeps for clients that come back.
const (
	kept    = 100
	keptFor = 5 * time.Minute
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "centrifuge:", err)
		os.Exit(1)
	}
}

func run() error {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "u"}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
			reply(centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{EnableRecovery: true}}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{UseWriteBufferPool: true}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Println(listener.Addr())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var o orders
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		published, err := publish(node, o)
		if err != nil {
			return err
		}
		fmt.Println(published)
	}
	return errors.Join(server.Close(), ignoreClosed(<-served), node.Shutdown(context.Background()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// publish publishes at the rate, each message with the moment at which it is due.
func publish(node *centrifuge.Node, o orders) (published int, err error) {
	began := time.Now()
	for ; ; published++ {
		due := began.Add(time.Duration(published) * time.Second / time.Duration(o.Rate))
		if due.Sub(began) >= o.For {
			return published, nil
		}
		time.Sleep(time.Until(due)) // the rate is what is measured at; the bench ends the process
		data := fmt.Sprintf(`{"message":"due-%d","text":"`, due.UnixNano())
		data += strings.Repeat("x", max(0, o.Bytes-len(data)-2)) + `"}`
		if _, err := node.Publish(fmt.Sprint("w", published%o.Channels), []byte(data), centrifuge.WithHistory(kept, keptFor)); err != nil {
			return published, err
		}
	}
}
