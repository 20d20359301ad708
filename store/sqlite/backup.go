package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tidings/event"
)

// Backup writes every week into a directory, from where OpenIndex opens it,
// while the index is read and written, and returns the names of the files. Each
// file is one moment of its week. A sealed week that the directory has already
// and that was not replaced since is left there; weeks that are no more are
// removed from it.
func (x *Index) Backup(ctx context.Context, dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, failed("backing up the index", err)
	}
	var names []string
	weeks := x.known()
	slices.Reverse(weeks)
	for _, week := range weeks {
		err := x.using(ctx, week, false, func(_ *weekFile, sealed bool) error {
			name := filepath.Base(x.path(week, endingOf(sealed)))
			names = append(names, name)
			if sealed {
				return copySealed(filepath.Join(dir, name), x.path(week, sealedEnding))
			}
			return snapshot(ctx, filepath.Join(dir, name), x.path(week, openEnding))
		})
		if err != nil {
			return names, failed("backing up week "+week.String(), err)
		}
	}
	return names, failed("backing up the index", errors.Join(removeOthers(dir, names, ofWeek), syncDirectory(dir)))
}

// Backup writes the state store into a file, from where OpenState opens it.
func (s *State) Backup(ctx context.Context, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return failed("backing up the state store", err)
	}
	err := snapshot(ctx, path, s.path)
	return failed("backing up the state store", errors.Join(err, syncDirectory(filepath.Dir(path))))
}

// snapshot writes one moment of a database that is being written.
func snapshot(ctx context.Context, to, from string) error {
	pool, err := openPool(from, access{write: true, existing: true, connections: 1, cacheKB: 8 << 10})
	if err != nil {
		return err
	}
	made := to + newEnding
	err = os.RemoveAll(made)
	if err == nil {
		_, err = pool.ExecContext(ctx, "VACUUM INTO ?", made)
	}
	if err := errors.Join(err, pool.Close()); err != nil {
		return errors.Join(err, os.RemoveAll(made))
	}
	if err := finalize(ctx, made); err != nil {
		return err
	}
	return rename(made, to)
}

// copySealed copies a file that nothing writes, unless it is there already. A
// sealed week that changes is a new file with a time of its own.
func copySealed(to, from string) error {
	source, err := os.Stat(from)
	if err != nil {
		return err
	}
	if target, err := os.Stat(to); err == nil && target.Size() == source.Size() && target.ModTime().Equal(source.ModTime()) {
		return nil
	}
	made := to + newEnding
	if err := copyFile(made, from); err != nil {
		return err
	}
	file, err := os.OpenFile(made, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	return errors.Join(os.Chtimes(made, source.ModTime(), source.ModTime()), rename(made, to))
}

// ofWeek reports whether a file is one of the index's.
func ofWeek(name string) bool {
	_, err := event.ParseWeek(strings.TrimSuffix(strings.TrimSuffix(name, sealedEnding), openEnding))
	return err == nil
}

// removeOthers removes the files that are ours and were not named: those of a backup
// before, of what is no more.
func removeOthers(dir string, names []string, ours func(name string) bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !ours(entry.Name()) || slices.Contains(names, entry.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("removing what is no more: %w", err)
		}
	}
	return nil
}
