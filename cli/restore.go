package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"tidings/stream"
)

// restoreCmd makes a data directory of a backup.
type restoreCmd struct {
	From string `help:"The backup's directory." required:"" placeholder:"DIR" type:"path"`
	Data string `help:"The data directory to make. It must not exist, or be empty." required:"" placeholder:"DIR" type:"path"`
}

// Run checks every file against the backup's list while it is copied. A
// directory that was not finished is removed again.
func (c *restoreCmd) Run(ctx context.Context, env *environment) error {
	list, err := readManifest(c.From)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(c.Data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look at the data directory: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty: restore into a new directory", c.Data)
	}
	part := c.Data + ".part"
	if err := errors.Join(os.RemoveAll(part), os.MkdirAll(filepath.Join(part, "weeks"), 0o700)); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	for _, file := range list.Files {
		err := ctx.Err()
		if err == nil {
			err = restoreFile(filepath.Join(part, filepath.Clean("/"+file.Name)), filepath.Join(c.From, filepath.Clean("/"+file.Name)), file)
		}
		if err != nil {
			return errors.Join(err, os.RemoveAll(part))
		}
	}
	letters, err := loadDeadLetters(ctx, part)
	if err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	if err := os.Remove(c.Data); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("make the data directory: %w", err)
	}
	if err := os.Rename(part, c.Data); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	_, err = fmt.Fprintf(env.Out, "%s and %s as of %s in %s\n", count(int(list.Events), "event", "events"),
		count(int(letters), "dead letter", "dead letters"), list.At.Format("2006-01-02 15:04:05 MST"), c.Data)
	return err
}

// loadDeadLetters puts them into the queue of the new directory and counts them.
// Backups of before have no file of them.
func loadDeadLetters(ctx context.Context, data string) (letters int64, err error) {
	path := filepath.Join(data, deadLettersName)
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("restore the dead letters: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.Size() == 0 {
		return 0, errors.Join(err, os.Remove(path))
	}
	queue, err := stream.Open(ctx, stream.Config{Dir: filepath.Join(data, "stream"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, fmt.Errorf("restore the dead letters: %w", err)
	}
	if _, err = queue.LoadDead(ctx, file); err == nil {
		letters, err = queue.DeadCount(ctx)
	}
	if err := errors.Join(err, queue.Close()); err != nil {
		return 0, fmt.Errorf("restore the dead letters: %w", err)
	}
	return letters, os.Remove(path)
}

func readManifest(dir string) (manifest, error) {
	var list manifest
	raw, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, os.ErrNotExist) {
		return list, fmt.Errorf("%s is no whole backup: it has no %s", dir, manifestName)
	}
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil {
		return list, fmt.Errorf("read the backup's list: %w", err)
	}
	return list, nil
}

// restoreFile copies a file and holds the copy to the list.
func restoreFile(to, from string, want backupFile) error {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("restore %s: %w", want.Name, err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("restore %s: %w", want.Name, err)
	}
	_, err = io.Copy(target, source)
	if err := errors.Join(err, target.Sync(), target.Close()); err != nil {
		return fmt.Errorf("restore %s: %w", want.Name, err)
	}
	sum, bytes, err := hashFile(to)
	if err != nil {
		return fmt.Errorf("restore %s: %w", want.Name, err)
	}
	if sum != want.SHA256 || bytes != want.Bytes {
		return fmt.Errorf("restore %s: it is not as it was written: take another backup", want.Name)
	}
	return nil
}
