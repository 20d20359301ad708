package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"tidings/deliver"
	"tidings/event"
	"tidings/secret"
)

// secretsKeyName is the file of the master key in a data directory. No backup has it.
const secretsKeyName = "secrets.key"

// box is what seals secrets, nil where there is no file for its key.
func (a *App) box(s Settings) *secret.Box {
	switch {
	case s.SecretsKey != "":
		a.secretsPath = s.SecretsKey
		return secret.New(a.secretsPath, false, a.State)
	case s.Data != "":
		a.secretsPath = filepath.Join(s.Data, secretsKeyName)
		return secret.New(a.secretsPath, true, a.State)
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
		return fmt.Errorf("%w; put the file back as it was, or delete it and enter the secrets of sources and endpoints again", err)
	}
	locked, err := a.lockedSecrets(ctx)
	if err != nil {
		return err
	}
	if locked != nil {
		a.secretsLocked.Store(true)
		a.log.ErrorContext(ctx, "secrets cannot be opened", "error", locked)
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

// lockedSecrets says what must be entered again where the key that sealed it is gone,
// as after a restore, or is another one; nil where every secret can be opened.
func (a *App) lockedSecrets(ctx context.Context) (*event.Degraded, error) {
	locked, err := a.secrets.Locked(ctx)
	if err != nil || len(locked) == 0 {
		return nil, err
	}
	records, more := recordNames(locked), ""
	if len(records) > 10 {
		records, more = records[:10], fmt.Sprintf(" and %d more", len(records)-10)
	}
	return &event.Degraded{Words: fmt.Sprintf("%s is not the file that sealed them: put that back, or enter the secrets again of %s%s",
		filepath.Base(a.secretsPath), strings.Join(records, ", "), more)}, nil
}

// secretsReady is lockedSecrets for readiness, which asks again only where there was
// something to enter again.
func (a *App) secretsReady(ctx context.Context) error {
	if !a.secretsLocked.Load() {
		return nil
	}
	locked, err := a.lockedSecrets(ctx)
	switch {
	case err != nil:
		return err
	case locked != nil:
		return locked
	}
	a.secretsLocked.Store(false)
	return nil
}

// RotateSecrets seals everything by new keys.
func (a *App) RotateSecrets(ctx context.Context, _ struct{}) (secret.Rotated, error) {
	return a.secrets.Rotate(ctx, func(ctx context.Context) error {
		if _, err := a.Server.SealSources(ctx); err != nil {
			return err
		}
		return a.endpoints.Reseal(ctx)
	})
}

// sealedRecords names what is sealed, as people know it.
func (a *App) sealedRecords(ctx context.Context) ([]string, error) {
	records, err := secret.SealedRecords(ctx, a.State)
	return recordNames(records), err
}

func recordNames(records []secret.RecordKey) []string {
	names := make([]string, len(records))
	for i, at := range records {
		switch at.Kind {
		case deliver.KindDevices: // nobody enters them
			names[i] = fmt.Sprintf("the devices of %s in workspace %s, which register anew when their pages are opened", at.ID, at.Workspace)
		case deliver.KindPushKey:
			names[i] = "the key for push services, which is made anew"
		default:
			names[i] = fmt.Sprintf("%s %s of workspace %s", at.Kind, at.ID, at.Workspace)
		}
	}
	return names
}
