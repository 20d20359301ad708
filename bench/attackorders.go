package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// attackOrders are what the process that attacks is told, in JSON.
type attackOrders struct {
	// Address is the server's.
	Address string
	// Attacker, Slow and Unfolding are keys of workspaces, and Hook the path of a source.
	Attacker, Slow, Unfolding, Hook string
	// Kinds are those that attack, all when there is none, and For is how long.
	Kinds []string
	For   time.Duration
}

// attackAnswers count what an attack got, by its kind and the status.
type attackAnswers map[string]map[string]int

// carriedOut has another process of this program attack, and returns what it got and what it
// used of the processors.
func (o *attackOrders) carriedOut(ctx context.Context) (attackAnswers, time.Duration, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, 0, fmt.Errorf("find this program: %w", err)
	}
	orders, err := json.Marshal(o)
	if err != nil {
		return nil, 0, err
	}
	command := exec.CommandContext(ctx, self, "bench", "attack", "--orders")
	var got, said bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(orders), &got, &said
	if err = startLast(command); err == nil {
		err = command.Wait()
	}
	if err != nil {
		return nil, 0, fmt.Errorf("attack: %w: %s", err, said.Bytes())
	}
	var answers attackAnswers
	if err := json.Unmarshal(got.Bytes(), &answers); err != nil {
		return nil, 0, fmt.Errorf("read what the attack got: %w", err)
	}
	return answers, command.ProcessState.UserTime() + command.ProcessState.SystemTime(), nil
}

// attackAsOrdered attacks and writes down what it got.
func attackAsOrdered(ctx context.Context, in io.Reader, out io.Writer) error {
	var orders attackOrders
	if err := json.NewDecoder(in).Decode(&orders); err != nil {
		return fmt.Errorf("read orders: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, orders.For)
	defer cancel()
	return json.NewEncoder(out).Encode(orders.attack(ctx))
}

// attack attacks until ctx ends. What is broken off by that end is not counted.
func (o *attackOrders) attack(ctx context.Context) attackAnswers {
	var mu sync.Mutex
	var group sync.WaitGroup
	answers := make(attackAnswers)
	for i, kind := range attackKinds {
		if len(o.Kinds) > 0 && !slices.Contains(o.Kinds, kind.name) {
			continue
		}
		answers[kind.name] = make(map[string]int)
		from := newAttacker(o.Address, net.IPv4(127, 0, 0, byte(2+i)))
		for range kind.n {
			group.Go(func() {
				for ; ctx.Err() == nil; pause(ctx, kind.pause) {
					answered, err := kind.once(ctx, o, from)
					if err != nil && ctx.Err() != nil {
						return
					}
					if err != nil {
						answered = brokenOff
					}
					mu.Lock()
					answers[kind.name][answered]++
					mu.Unlock()
				}
			})
		}
	}
	group.Wait()
	return answers
}
