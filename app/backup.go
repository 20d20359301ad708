package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tidings/crash"
)

// Manifest lists the files of a backup. It is written last: a directory without
// it is no backup.
type Manifest struct {
	At      time.Time    `json:"at"`
	Version string       `json:"version"`
	Files   []BackupFile `json:"files"`
	// Events is how many the weeks hold.
	Events int64 `json:"events"`
	// DeadLetters is how many events failed for good, of all workspaces.
	DeadLetters int64 `json:"dead_letters"`
	// Sealed names the secrets in it, which only the key of secrets opens. It is not in
	// the backup.
	Sealed []string `json:"sealed,omitempty"`
}

type BackupFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

const (
	manifestName    = "backup.json"
	deadLettersName = "dead-letters.ndjson"
)

type BackupRequest struct {
	To string `json:"to"`
}

// BackupAlone makes a backup where no server runs: the parts are run until what
// was accepted is indexed.
func (a *App) BackupAlone(ctx context.Context, request BackupRequest) (Manifest, error) {
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	made, err := a.Backup(ctx, request)
	stop()
	return made, errors.Join(err, <-done)
}

// Backup writes weeks before states, as indexing does the other way round: a
// send that can be seen has its state.
func (a *App) Backup(ctx context.Context, request BackupRequest) (Manifest, error) {
	index, indexOK := a.Index.(interface {
		Backup(ctx context.Context, dir string) ([]string, error)
	})
	state, stateOK := a.State.(interface {
		Backup(ctx context.Context, path string) error
	})
	if !indexOK || !stateOK {
		return Manifest{}, fmt.Errorf("what is not in the data directory is backed up with the tools of its makers: %w", errors.ErrUnsupported)
	}
	made := Manifest{At: time.Now().UTC(), Version: Version()}
	if err := clearForBackup(request.To); err != nil {
		return made, err
	}
	// From here on the list of erased people beside it is kept.
	if err := a.noteBackup(ctx, request.To, made.At); err != nil {
		return made, err
	}
	// Before and after: one that is put back into the queue meanwhile is in the
	// backup all the same, and so is one that fails for good meanwhile.
	letters := filepath.Join(request.To, deadLettersName)
	if err := errors.Join(os.RemoveAll(letters), a.saveDeadLetters(ctx, letters)); err != nil {
		return made, err
	}
	if err := a.awaitIndexed(ctx); err != nil {
		return made, err
	}
	if err := a.saveDeadLetters(ctx, letters); err != nil {
		return made, err
	}
	names, err := index.Backup(ctx, filepath.Join(request.To, "weeks"))
	if err != nil {
		return made, err
	}
	if err := state.Backup(ctx, filepath.Join(request.To, "state.db")); err != nil {
		return made, err
	}
	beside, err := a.backupBeside(ctx, request.To)
	if err != nil {
		return made, err
	}
	if made.DeadLetters, err = a.Stream.DeadCount(ctx); err != nil {
		return made, err
	}
	if made.Sealed, err = a.sealedRecords(ctx); err != nil {
		return made, err
	}
	infos, err := a.Index.WeekInfos(ctx)
	if err != nil {
		return made, err
	}
	for _, info := range infos {
		made.Events += info.Events
	}
	for i, name := range names {
		names[i] = filepath.Join("weeks", name)
	}
	if made.Files, err = describe(request.To, append(append(names, beside...), "state.db", deadLettersName)); err != nil {
		return made, err
	}
	return made, writeManifest(request.To, made)
}

// backupBeside copies what is kept beside the weeks and the state, and names the files.
func (a *App) backupBeside(ctx context.Context, to string) ([]string, error) {
	names, err := a.backupAudit(ctx, to)
	if err == nil && a.decisionsFile != nil {
		names, err = append(names, decisionsName), a.decisionsFile.Backup(ctx, filepath.Join(to, decisionsName))
	}
	if err == nil && a.outboxFile != nil {
		names, err = append(names, outboxName), a.outboxFile.Backup(ctx, filepath.Join(to, outboxName))
	}
	return names, err
}

// saveDeadLetters adds those that there are to a file.
func (a *App) saveDeadLetters(ctx context.Context, path string) error {
	crash.At("dead letters")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("save the dead letters: %w", err)
	}
	_, err = a.Stream.SaveDead(ctx, file)
	return errors.Join(err, file.Sync(), file.Close())
}

// clearForBackup makes a directory ready. One with something else is left alone,
// and one with a backup is none until the new one is whole.
func clearForBackup(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the backup's directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("make the backup's directory: %w", err)
	}
	for _, entry := range entries {
		switch entry.Name() {
		case manifestName, deadLettersName, erasuresName, erasuresName + ".new", "weeks", auditFolder, "state.db", "state.db.new",
			decisionsName, decisionsName + ".new", outboxName, outboxName + ".new":
		default:
			return fmt.Errorf("%s holds %s, which is of no backup: choose a directory of its own", dir, entry.Name())
		}
	}
	for _, name := range []string{manifestName, erasuresName} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("begin the backup: %w", err)
		}
	}
	return nil
}

// indexTime is how long a backup waits for what was accepted before it.
const indexTime = 5 * time.Minute

// awaitIndexed waits until everything that was accepted before is indexed.
func (a *App) awaitIndexed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, indexTime)
	defer cancel()
	err := a.Stream.AwaitIndexed(ctx)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%d events that were accepted are not indexed yet, and a backup would be without them: tidings doctor says what holds them up: %w",
			a.Stream.Backlog(), ctx.Err())
	}
	return err
}

// describe measures files of a backup.
func describe(dir string, names []string) ([]BackupFile, error) {
	files := make([]BackupFile, len(names))
	for i, name := range names {
		sum, bytes, err := hashFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("describe the backup: %w", err)
		}
		files[i] = BackupFile{Name: name, Bytes: bytes, SHA256: sum}
	}
	return files, nil
}

func hashFile(path string) (sum string, bytes int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	hash := sha256.New()
	if bytes, err = io.Copy(hash, file); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(hash.Sum(nil)), bytes, nil
}

func writeManifest(dir string, m Manifest) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write the backup's list: %w", err)
	}
	crash.At("list")
	file, err := os.OpenFile(filepath.Join(dir, manifestName), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the backup's list: %w", err)
	}
	_, err = file.Write(append(raw, '\n'))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write the backup's list: %w", err)
	}
	return nil
}
