package app

import (
	"context"
	"fmt"
	"path/filepath"

	"tidings/secret"
)

// secretsKeyName is the file of the master key in a data directory. No backup has it.
const secretsKeyName = "secrets.key"

// box is what seals secrets, nil where there is no file for its key.
func (a *App) box(s Settings) *secret.Box {
	switch {
	case s.SecretsKey != "":
		return secret.New(s.SecretsKey, false, a.State)
	case s.Data != "":
		return secret.New(filepath.Join(s.Data, secretsKeyName), true, a.State)
	}
	return nil
}

// sealSecrets makes the key ready and seals what lies in the clear.
func (a *App) sealSecrets(ctx context.Context) error {
	if a.secrets == nil {
		a.log.WarnContext(ctx, "there is no --secrets-key: the keys of sources lie in the state store in the clear, and endpoints with secrets cannot be made")
		return nil
	}
	if err := a.secrets.Ready(); err != nil {
		return err
	}
	sealed, err := a.Server.SealSources(ctx)
	if err != nil {
		return fmt.Errorf("seal the secrets of sources: %w", err)
	}
	if sealed > 0 {
		a.log.InfoContext(ctx, "secrets that lay in the clear are sealed", "sources", sealed)
	}
	return nil
}

// RotateSecrets seals everything by new keys.
func (a *App) RotateSecrets(ctx context.Context, _ struct{}) (secret.Rotated, error) {
	return a.secrets.Rotate(ctx, func(ctx context.Context) error {
		_, err := a.Server.SealSources(ctx)
		return err
	})
}

// sealedPlaces names what is sealed, as people know it.
func (a *App) sealedPlaces(ctx context.Context) ([]string, error) {
	places, err := secret.Places(ctx, a.State)
	names := make([]string, len(places))
	for i, place := range places {
		names[i] = fmt.Sprintf("%s %s of workspace %s", place[1], place[2], place[0])
	}
	return names, err
}
