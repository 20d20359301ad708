package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"tidings/apiclient"
	"tidings/event"
)

// reading runs work that only reads, and waits for no queue. It makes nothing: a
// directory or a workspace that is not there is an error, where writing commands would
// begin one.
func (t workspaceTarget) reading(ctx context.Context, env *environment, work func(*apiclient.Client) error) error {
	return t.existing(ctx, env, looks, work)
}

// existing is with for what is there already.
func (t workspaceTarget) existing(ctx context.Context, env *environment, does purpose, work func(*apiclient.Client) error) error {
	if err := t.exists(); err != nil {
		return err
	}
	return t.with(ctx, env, does, func(client *apiclient.Client) error {
		if err := workspaceExists(ctx, client); err != nil {
			return err
		}
		return work(client)
	})
}

// exists refuses a data directory that no command has written to. Where everything
// is kept elsewhere, there is none.
func (t target) exists() error {
	if t.Data == "" || t.Server != "" || t.external() {
		return nil
	}
	return directoryExists(t.Data)
}

func directoryExists(data string) error {
	entries, err := os.ReadDir(data)
	switch {
	case os.IsNotExist(err):
		return fmt.Errorf("%s does not exist: is --data right?", data)
	case err != nil:
		return fmt.Errorf("read %s: %w", data, err)
	}
	for _, entry := range entries {
		switch entry.Name() {
		case "state.db", "weeks", "stream":
			return nil
		}
	}
	return fmt.Errorf("%s holds no data of Tidings: is --data right?", filepath.Clean(data))
}

// workspaceExists refuses a workspace in which there is nothing at all: no event,
// key, user or source. A key of a server belongs to a workspace, which is then there.
func workspaceExists(ctx context.Context, client *apiclient.Client) error {
	if client.Workspace == "" {
		return nil
	}
	for _, path := range []string{"/v1/feed?limit=1&automated=show", "/v1/keys", "/v1/users", "/v1/invitations", "/v1/sources"} {
		var page struct {
			Items []struct{} `json:"items"`
			Next  *string    `json:"next"`
		}
		err := client.Call(ctx, http.MethodGet, path, nil, &page)
		if errors.Is(err, event.ErrUnavailable) {
			return nil // A part is broken. The work itself may not need it.
		}
		if err != nil {
			return err
		}
		if len(page.Items) > 0 || page.Next != nil {
			return nil
		}
	}
	return fmt.Errorf("workspace %q has nothing in it: is --workspace right?", client.Workspace)
}
