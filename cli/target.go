package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"tidings/apiclient"
	"tidings/app"
)

// target is what a command works on: a running server, or a data directory,
// through the process that serves it where there is one.
type target struct {
	Server string `help:"Work through this running server." placeholder:"URL" group:"Where"`
	Key    string `help:"The key for --server." placeholder:"KEY" group:"Where"`
	Data   string `help:"Work on this data directory, also while serve runs on it." placeholder:"DIR" type:"path" group:"Where"`
	storeFlags
}

// open finds the target's server, or starts the parts on its directory for
// this command alone.
func (t target) open(ctx context.Context, env *environment, workspace string, does purpose) (*apiclient.Client, error) {
	switch {
	case t.Server != "" && t.Data != "":
		return nil, &usageError{"give either --server or --data, not both"}
	case t.Server != "":
		return t.openServer()
	case t.Data == "" && !t.external():
		return nil, &usageError{"give --data DIR, or --server URL with --key KEY, or --index, --state and --stream"}
	case workspace == "":
		return nil, &usageError{"give --workspace NAME with --data"}
	case t.Data == "":
		return t.openAlone(ctx, env, workspace, does)
	}
	if info, err := os.Stat(t.Data); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", t.Data)
	}
	if dial, ok := app.DialOperator(ctx, t.Data); ok {
		return apiclient.Operator(dial, workspace, func() error { return nil }), nil
	}
	return t.openAlone(ctx, env, workspace, does)
}

// workspaceTarget is a target and whose part of it a command is about.
type workspaceTarget struct {
	target
	Workspace string `help:"The workspace, with --data." placeholder:"NAME"`
}

// with runs work on the target and closes it.
func (t workspaceTarget) with(ctx context.Context, env *environment, does purpose, work func(*apiclient.Client) error) error {
	client, err := t.open(ctx, env, t.Workspace, does)
	if err != nil {
		return err
	}
	client.HTTP.Timeout = answerTime
	if err := work(client); err != nil {
		_ = client.Close() // The work's own error says more.
		return unanswered(err)
	}
	return client.Close()
}

func (t target) openServer() (*apiclient.Client, error) {
	base, err := url.Parse(t.Server)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, &usageError{fmt.Sprintf("--server %q is not an address such as http://127.0.0.1:8080", t.Server)}
	}
	if t.Key == "" {
		return nil, &usageError{"--server needs --key (or TIDINGS_KEY)"}
	}
	return apiclient.New(t.Server, t.Key), nil
}

// openAlone runs the parts in this process, with nothing listening but memory.
// Where nothing is kept in a directory, indexing is the indexers' task. One that only
// looks indexes nothing, and waits for nothing.
func (t target) openAlone(ctx context.Context, env *environment, workspace string, does purpose) (*apiclient.Client, error) {
	s := app.Settings{Data: t.Data, Stores: app.Stores(t.storeFlags), Small: true}
	if t.Data == "" {
		s.Role = app.RoleAPI
	}
	a, err := openInTime(ctx, s, env)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	run, drain := a.Run, a.Drain
	if does == looks {
		run, drain = a.RunReading, func(context.Context) error { return nil }
	}
	go func() { done <- run(running) }()
	dial, stopServer := a.OperateInMemory()
	return apiclient.Operator(dial, workspace, func() error {
		err := errors.Join(stopServer(), drain(ctx))
		stop()
		return errors.Join(err, <-done, a.Close())
	}), nil
}
