package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"tidings/apiclient"
	"tidings/app"

	"golang.org/x/sys/unix"
)

// doctorCmd says what is wrong.
type doctorCmd struct {
	storeFlags
	Data   string `help:"The data directory to look at." placeholder:"DIR" type:"path"`
	Server string `help:"A running server to look at instead." placeholder:"URL"`
	Deep   bool   `help:"Read every week from end to end, which takes a minute for some gigabytes."`
	Listen string `help:"The address that serve would listen on." default:"127.0.0.1:8080" placeholder:"ADDRESS"`
}

// Bounds of what counts as healthy.
const (
	leastFree = 2 << 30
	slowSync  = 50 * time.Millisecond
)

// Run makes each check and prints what it found, one a line.
func (c *doctorCmd) Run(ctx context.Context, env *environment) error {
	if c.Data != "" && c.Server != "" || c.Data == "" && c.Server == "" && !c.external() {
		return &usageError{"give either --data DIR or --server URL, or --index, --state and --stream"}
	}
	exam := &examination{out: env.Out}
	switch {
	case c.Server != "":
		exam.server(ctx, &http.Client{Timeout: answerTime}, c.Server)
	case c.Data != "":
		c.examineDirectory(ctx, env, exam)
	default:
		c.openParts(ctx, env, exam)
	}
	if exam.wrong > 0 {
		return fmt.Errorf("%s found", count(exam.wrong, "problem", "problems"))
	}
	return nil
}

func (c *doctorCmd) examineDirectory(ctx context.Context, env *environment, exam *examination) {
	info, err := os.Stat(c.Data)
	switch {
	case errors.Is(err, os.ErrNotExist):
		exam.bad("data directory", fmt.Sprintf("%s does not exist; tidings serve or tidings keys create makes it", c.Data))
		return
	case err != nil:
		exam.bad("data directory", err.Error())
		return
	case !info.IsDir():
		exam.bad("data directory", c.Data+" is not a directory")
		return
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		exam.bad("data directory", fmt.Sprintf("%s can be read by other users (%v): run chmod 700 %s", c.Data, mode, c.Data))
	} else {
		exam.good("data directory", c.Data)
	}
	exam.disk(c.Data)
	if dial, ok := app.DialOperator(ctx, c.Data); ok {
		exam.good("process", "a server is running on this directory")
		client := apiclient.Operator(dial, "", func() error { return nil })
		client.HTTP.Timeout = answerTime
		exam.server(ctx, client.HTTP, client.Base)
		var warnings []string
		if err := client.Call(ctx, http.MethodPost, app.OperatorPath+"warnings", struct{}{}, &warnings); err != nil {
			exam.bad("warnings", err.Error())
		}
		for _, warning := range warnings {
			exam.warn("setup", warning)
		}
		if c.Deep {
			client.HTTP.Timeout = 0 // It reads everything.
		}
		var health app.WeekHealth
		err := client.Call(ctx, http.MethodPost, app.OperatorPath+"weeks", app.WeekHealthRequest{Deep: c.Deep}, &health)
		exam.weeks(health, err, true)
		return
	}
	exam.good("process", "no server is running on this directory")
	exam.listen(c.Listen)
	c.openParts(ctx, env, exam)
}

// openParts opens the directory as serve would, and asks each part.
func (c *doctorCmd) openParts(ctx context.Context, env *environment, exam *examination) {
	a, err := openInTime(ctx, app.Settings{Data: c.Data, Stores: app.Stores(c.storeFlags)}, env)
	if err != nil {
		exam.bad("parts", err.Error())
		exam.skipped("keys", "weeks", "dead letters")
		return
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Hub.Run(running) }()
	limited, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_ = a.AwaitReady(limited) // What is not ready is named below.
	exam.parts(a.Readiness(ctx))
	asking, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if any, err := a.Server.AnyKey(asking); err != nil {
		exam.bad("keys", err.Error())
	} else if !any {
		exam.bad("keys", "there is none yet: tidings keys create "+c.where()+"--workspace NAME --role admin")
	} else {
		exam.good("keys", "there are some")
	}
	if c.Deep {
		asking = ctx // It reads everything.
	}
	health, err := a.WeekHealth(asking, app.WeekHealthRequest{Deep: c.Deep})
	exam.weeks(health, err, false)
	if dead := a.Stream.Stats().DeadLetters; dead > 0 {
		exam.bad("dead letters", fmt.Sprintf("%d events failed for good: tidings dead-letters list", dead))
	} else {
		exam.good("dead letters", "none")
	}
	stop()
	if err := errors.Join(<-done, a.Close()); err != nil {
		exam.bad("closing", err.Error())
	}
}

// where are the flags that name what was examined.
func (c *doctorCmd) where() string {
	if c.Data == "" {
		return ""
	}
	return "--data " + c.Data + " "
}

// examination prints findings and counts what is wrong.
type examination struct {
	out   io.Writer
	wrong int
}

func (e *examination) good(what, finding string) {
	fmt.Fprintf(e.out, "ok     %-15s %s\n", what, finding)
}

func (e *examination) bad(what, finding string) {
	e.wrong++
	fmt.Fprintf(e.out, "WRONG  %-15s %s\n", what, finding)
}

// warn prints what may be wrong: anybody's request may have brought it about.
func (e *examination) warn(what, finding string) {
	fmt.Fprintf(e.out, "WARN   %-15s %s\n", what, finding)
}

// skipped names what was not looked at, since what it needs is broken.
func (e *examination) skipped(checks ...string) {
	for _, what := range checks {
		fmt.Fprintf(e.out, "-      %-15s not looked at\n", what)
	}
}

// disk checks that there is room and how long it takes to make a write durable.
func (e *examination) disk(data string) {
	var fs unix.Statfs_t
	if err := unix.Statfs(data, &fs); err != nil {
		e.bad("disk", err.Error())
		return
	}
	free := int64(fs.Bavail) * int64(fs.Bsize)
	if free < leastFree {
		e.bad("disk", fmt.Sprintf("only %d MB are free", free>>20))
	} else {
		e.good("disk", fmt.Sprintf("%d GB free", free>>30))
	}
	took, err := timeSync(data)
	switch {
	case err != nil:
		e.bad("disk", "cannot be written: "+err.Error())
	case took > slowSync:
		e.bad("disk", fmt.Sprintf("a durable write takes %v; each batch of events waits for several", took.Round(time.Millisecond)))
	default:
		e.good("disk", fmt.Sprintf("a durable write takes %v", took.Round(10*time.Microsecond)))
	}
}

// timeSync is the median time of a few durable writes.
func timeSync(dir string) (time.Duration, error) {
	file, err := os.CreateTemp(dir, "doctor-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	times := make([]time.Duration, 9)
	for i := range times {
		began := time.Now()
		if _, err := file.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		times[i] = time.Since(began)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

func (e *examination) listen(address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		e.bad("address", fmt.Sprintf("%s cannot be listened on: %v", address, err))
		return
	}
	_ = listener.Close()
	e.good("address", address+" is free")
}

// parts prints what each part says of itself.
func (e *examination) parts(parts map[string]error) {
	names := make([]string, 0, len(parts))
	for name := range parts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := parts[name]; err != nil {
			e.bad(name, err.Error())
		} else {
			e.good(name, "ready")
		}
	}
}

// server asks a running server whether its parts are ready.
func (e *examination) server(ctx context.Context, client *http.Client, base string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		e.bad("server", err.Error())
		return
	}
	response, err := client.Do(request)
	if err != nil {
		e.bad("server", fmt.Sprintf("%s does not answer: %v", base, err))
		return
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		e.bad("server", err.Error())
		return
	}
	if response.StatusCode == http.StatusOK {
		e.good("server", "ready")
		return
	}
	var problem apiclient.Error
	if json.Unmarshal(raw, &problem) != nil || problem.Detail == "" {
		e.bad("server", "answers "+response.Status+"; is it Tidings?")
		return
	}
	e.bad("server", problem.Error())
}
