package cli

import (
	"context"
	"fmt"

	"tidings/app"
)

// secretsCmd looks after the key that seals secrets.
type secretsCmd struct {
	Rotate rotateSecretsCmd `cmd:"" help:"Seal everything by new keys; the old ones open nothing any more."`
}

type rotateSecretsCmd struct {
	storeFlags
	Data       string `help:"The data directory, also while serve runs on it." placeholder:"DIR" type:"path"`
	SecretsKey string `help:"File with the key, where it is not in the data directory." placeholder:"FILE" type:"existingfile"`
}

// Help says what happens to other processes.
func (rotateSecretsCmd) Help() string {
	return `Makes a new key, seals all secrets by it and takes the old key out of the file.
It may be stopped and run again. Processes that run read the file again when they
need to. Keep a copy of the file apart from backups: without it, secrets must be
entered again after a restore.`
}

// Run rotates.
func (c *rotateSecretsCmd) Run(ctx context.Context, env *environment) error {
	s := app.Settings{Data: c.Data, Stores: app.Stores(c.storeFlags), SecretsKey: c.SecretsKey, Small: true}
	if !s.External() && c.Data == "" {
		return &usageError{"give --data DIR, or --state, --index and --stream"}
	}
	done, err := operate(ctx, env, s, "rotate-secrets", struct{}{}, (*app.App).RotateSecrets)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "%s sealed by a new key\n", count(done.Keys, "data key", "data keys"))
	if err == nil && done.Locked > 0 {
		_, err = fmt.Fprintf(env.Out, "%s cannot be opened by any key here and stay as they are\n", count(done.Locked, "data key", "data keys"))
	}
	return err
}
