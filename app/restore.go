package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"tidings/crash"
	"tidings/stream"
)

// Restored is what Restore did.
type Restored struct {
	// DeadLetters is how many are in it.
	DeadLetters int64
	// Erased is how many people it had who were erased since.
	Erased int
}

// Restore makes a data directory of a backup and counts the dead letters in it.
// Every file is checked against the backup's list while it is copied. A
// directory that was not finished is removed again. Who was erased since, by the list
// beside the backup or another one, is erased from it.
func Restore(ctx context.Context, from, data string, lists ...string) (list Manifest, done Restored, err error) {
	if list, err = readManifest(from); err != nil {
		return list, done, err
	}
	var people []erasedPerson
	for _, path := range append([]string{from}, lists...) {
		more, err := readErasures(path)
		if err != nil {
			return list, done, err
		}
		people = append(people, more...)
	}
	entries, err := os.ReadDir(data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return list, done, fmt.Errorf("look at the data directory: %w", err)
	}
	if len(entries) > 0 {
		return list, done, fmt.Errorf("%s is not empty: restore into a new directory", data)
	}
	part := data + ".part"
	if done.DeadLetters, err = restoreInto(ctx, part, from, list); err == nil {
		done.Erased, err = eraseAgain(ctx, part, people)
	}
	if err != nil {
		return list, Restored{}, errors.Join(err, os.RemoveAll(part))
	}
	crash.At("remove the empty directory")
	if err := os.Remove(data); err != nil && !errors.Is(err, os.ErrNotExist) {
		return list, done, fmt.Errorf("make the data directory: %w", err)
	}
	crash.At("rename the new directory")
	if err := os.Rename(part, data); err != nil {
		return list, done, fmt.Errorf("make the data directory: %w", err)
	}
	return list, done, nil
}

func restoreInto(ctx context.Context, part, from string, list Manifest) (letters int64, err error) {
	if err := errors.Join(os.RemoveAll(part), os.MkdirAll(filepath.Join(part, "weeks"), 0o700), os.MkdirAll(filepath.Join(part, auditFolder), 0o700)); err != nil {
		return 0, fmt.Errorf("make the data directory: %w", err)
	}
	for _, file := range list.Files {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		name := filepath.Clean("/" + file.Name)
		if err := restoreFile(filepath.Join(part, name), filepath.Join(from, name), file); err != nil {
			return 0, err
		}
	}
	if err := os.MkdirAll(filepath.Join(part, "stream"), 0o700); err != nil {
		return 0, fmt.Errorf("make the data directory: %w", err)
	}
	return loadDeadLetters(ctx, part)
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

func readManifest(dir string) (Manifest, error) {
	var list Manifest
	raw, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, os.ErrNotExist) {
		return list, fmt.Errorf("%s is not a whole backup: it has no %s", dir, manifestName)
	}
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil {
		return list, fmt.Errorf("read the backup's list: %w", err)
	}
	return list, nil
}

// restoreFileAnew is restoreFile over what a call before left.
func restoreFileAnew(to, from string, want BackupFile) error {
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("restore %s: %w", want.Name, err)
	}
	return restoreFile(to, from, want)
}

// restoreFile copies a file and holds the copy to the list.
func restoreFile(to, from string, want BackupFile) error {
	crash.At("restore a file")
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
