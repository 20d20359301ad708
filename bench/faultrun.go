package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/apiclient"
)

// faultWorkspace is where the load goes.
const faultWorkspace = "faults"

// faultPace is how long a sender rests after a request where stores are slow.
const faultPace = 200 * time.Millisecond

// faultRun is a fault that is made: a server, the load on it, and the book.
type faultRun struct {
	*Faults
	env Env
	// dir is for all that is needed, data the directory of the server, stores what serve
	// is told beside.
	dir, data string
	stores    []string
	server    *child
	// last is the one that was started last, also when it has ended.
	last *child
	book *faultBook
	row  faultRow
	// repaired is when the fault ended.
	repaired time.Time

	// made is how many requests were made.
	made atomic.Int64
	stop context.CancelFunc
	load errgroup.Group
}

// serve starts the server and notes how long that took.
func (r *faultRun) serve(ctx context.Context, environment ...string) error {
	began := time.Now()
	server, err := serveChildIn(ctx, environment, r.data, "127.0.0.1:0", r.stores...)
	if err != nil {
		return err
	}
	if r.row.times > 0 {
		r.row.ready = max(r.row.ready, time.Since(began))
	}
	r.server, r.last = server, server
	return nil
}

// end ends what is left, however it stands.
func (r *faultRun) end() error {
	err := r.rest()
	if r.server != nil {
		err = errors.Join(err, r.server.kill())
	}
	return err
}

// must notes what does not hold.
func (r *faultRun) must(holds bool, format string, values ...any) {
	if !holds {
		r.row.not = append(r.row.not, fmt.Sprintf(format, values...))
	}
}

// work has senders post until rest, each request some times, with a rest after each.
func (r *faultRun) work(ctx context.Context, repeat, weeks int, pace time.Duration) {
	ctx, r.stop = context.WithCancel(ctx)
	for range max(1, r.Senders) {
		r.load.Go(func() error {
			for ctx.Err() == nil {
				post := r.next(weeks)
				for range repeat {
					if r.post(ctx, post) != nil {
						return nil
					}
				}
				pause(ctx, pace)
			}
			return nil
		})
	}
}

// next is the next request; no two have the same message.
func (r *faultRun) next(weeks int) faultPost { return faultEvents(int(r.made.Add(1)), weeks) }

// rest ends the load.
func (r *faultRun) rest() error {
	if r.stop == nil {
		return nil
	}
	r.stop()
	r.stop = nil
	return r.load.Wait()
}

// post sends a request until it is acknowledged, as senders do, and notes all of it.
func (r *faultRun) post(ctx context.Context, post faultPost) error {
	r.book.offer(post)
	for ctx.Err() == nil {
		status, err := r.try(ctx, post)
		if ctx.Err() == nil || status == http.StatusAccepted {
			r.book.answered(status)
		}
		if err == nil {
			return nil
		}
		pause(ctx, 20*time.Millisecond)
	}
	return ctx.Err()
}

// try sends a request once to whoever serves the directory, and notes what is acknowledged.
func (r *faultRun) try(ctx context.Context, post faultPost) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client, err := (&child{data: r.data}).client(ctx, faultWorkspace)
	if err != nil {
		return 0, err
	}
	defer func() { _ = client.Close() }() // it was read
	var receipt struct {
		IDs []string `json:"ids"`
	}
	err = client.Call(ctx, http.MethodPost, "/v1/events?ids=1", post.events, &receipt)
	var problem *apiclient.Error
	switch {
	case errors.As(err, &problem):
		return problem.Status, err
	case err != nil:
		return 0, err
	}
	r.book.acknowledge(post, receipt.IDs)
	return http.StatusAccepted, nil
}

// ask asks the server as its operator.
func (r *faultRun) ask(ctx context.Context, method, path string, in, out any) (err error) {
	client, err := r.server.client(ctx, faultWorkspace)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // it was read
	return client.Call(ctx, method, path, in, out)
}

// await waits until something is so, and fails when it is not for long.
func (r *faultRun) await(ctx context.Context, what string, so func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, faultPatience)
	defer cancel()
	for !so() {
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("waiting until %s: %w", what, err)
		}
	}
	return nil
}

// grow waits until so many more events are acknowledged.
func (r *faultRun) grow(ctx context.Context, n int) error {
	before := r.book.size()
	return r.await(ctx, "events are taken", func() bool { return r.book.size() >= before+n })
}

// begins forgets what senders were answered before the fault.
func (r *faultRun) begins() {
	r.row.times++
	r.book.takeAnswers()
}

// ends notes what they were answered meanwhile, and that the fault is over.
func (r *faultRun) ends() map[int]int {
	answers, words := r.book.takeAnswers()
	r.row.answers, r.repaired = words, time.Now()
	return answers
}

// finish ends the load, waits until all that was acknowledged is there, or for
// faultPatience, compares, and ends the server.
func (r *faultRun) finish(ctx context.Context) error {
	if err := r.rest(); err != nil {
		return err
	}
	patient, cancel := context.WithTimeout(ctx, faultPatience)
	defer cancel()
	for {
		found, err := exported(patient, r.server, faultWorkspace)
		if err != nil && !errors.Is(err, errBusy) {
			return err
		}
		if err == nil {
			r.book.compare(found, &r.row)
			if r.row.lost+r.row.wrong == 0 {
				break
			}
		}
		if wait(patient, 300*time.Millisecond) != nil {
			break
		}
	}
	if r.repaired.IsZero() {
		r.repaired = time.Now()
	}
	r.row.whole = time.Since(r.repaired)
	return errors.Join(ctx.Err(), r.quit())
}

// quit ends the server in order.
func (r *faultRun) quit() error {
	server := r.server
	r.server = nil
	return server.stop()
}

// tidings runs a command of this program, with more in its environment, and returns all
// that it says.
func tidings(ctx context.Context, environment []string, args ...string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	command := exec.CommandContext(ctx, self, args...)
	command.Env = append(withoutSettings(), environment...)
	said, err := command.CombinedOutput()
	return string(said), err
}
