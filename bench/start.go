package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tidings/bench/figures"
)

// Start times how long a server takes until it is ready, and looks what it holds when
// nothing happens.
type Start struct {
	// Data is a directory that a measurement filled.
	Data string
	// For is how long it is looked at.
	For time.Duration
}

// Names of figures that a bound is of.
const (
	figureReady = "start until ready"
	figureIdle  = "idle memory, the median of the last half"
)

// startReport is what bench start found; memory is in bytes, a sample a second.
type startReport struct {
	filling
	weeks  int
	ready  time.Duration
	memory []int64
}

// idle is the middle of the last half, and not measured where the system does not say.
func (r startReport) idle() float64 {
	half := slices.Sorted(slices.Values(r.memory[len(r.memory)/2:]))
	if len(half) == 0 || half[0] == 0 {
		return figures.NotMeasured()
	}
	return float64(half[len(half)/2]) / (1 << 20)
}

func (r startReport) figures(found *figures.Found) {
	found.Add("weeks in the directory", "", float64(r.weeks))
	found.Add(figureReady, "s", r.ready.Seconds())
	found.Add(figureIdle, "MB", r.idle())
}

// Run starts a server on the directory and ends it.
func (c *Start) Run(ctx context.Context, env Env) error {
	report := startReport{}
	var err error
	if report.filling, err = readFilling(c.Data); err != nil {
		return err
	}
	began := time.Now()
	server, err := serveChild(ctx, c.Data, "127.0.0.1:0")
	if err != nil {
		return err
	}
	err = server.awaitReady(ctx)
	report.ready = time.Since(began)
	for end := time.Now().Add(c.For); err == nil && time.Now().Before(end); err = wait(ctx, time.Second) {
		report.memory = append(report.memory, residentMemory(server.command.Process.Pid))
	}
	if err := errors.Join(err, server.stop()); err != nil {
		return err
	}
	if report.weeks, err = filesIn(c.Data, "weeks"); err != nil {
		return err
	}
	report.figures(env.Found)
	_, err = fmt.Fprintf(env.Out, "| P12, %d events, %d weeks | |\n| --- | --- |\n| ready after | %v |\n| memory when nothing happens, MB | %.0f |\n",
		report.Events, report.weeks, report.ready.Round(time.Millisecond), report.idle())
	return err
}

// awaitReady asks until the server says that it is ready, for a minute at most.
func (c *child) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, childStart)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			err = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return err
			}
		}
		if wait(ctx, 5*time.Millisecond) != nil {
			return errors.Join(errors.New("the server is not ready after a minute"), err)
		}
	}
}
