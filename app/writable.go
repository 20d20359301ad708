package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tidings/event"
)

// errReadOnly says what to do about files that cannot be written.
const errReadOnly = "let the user that runs Tidings write everything in the data directory " +
	"(look at the owner, the attributes, and whether the disk is mounted read-only), and start again"

// checkWritable tries whether the files of a data directory can be written. SQLite opens
// one that cannot for reading, and every write fails later. One of a part that nothing
// works without stops the start. Weeks are named and the others go on: a sealed one is
// only read, and of an open one new events wait. Days of the audit log that are over, the
// key of secrets and identities are written once.
func (a *App) checkWritable(data string) error {
	var weeks []string
	check := func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice) != 0 && filepath.Dir(path) != data && filepath.Dir(path) != filepath.Join(data, "weeks") {
			return fmt.Errorf("%s is not a file: move it away, and start again", path) // it would be waited for
		}
		if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, ".sealed.db") || entry.Name() == identityName {
			return ignoreMissing(err)
		}
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		switch {
		case err == nil:
			return file.Close()
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case filepath.Dir(path) == filepath.Join(data, "weeks"):
			weeks = append(weeks, "weeks/"+entry.Name())
			return nil
		}
		return fmt.Errorf("%s cannot be written (%w): %s", path, errors.Unwrap(err), errReadOnly)
	}
	var err error
	today := time.Now().UTC().Format(time.DateOnly) + ".db"
	for _, part := range []string{"state.db", outboxName, decisionsName, filepath.Join(auditFolder, today), "stream", "weeks"} {
		err = errors.Join(err, filepath.WalkDir(filepath.Join(data, part), check))
	}
	if err == nil && len(weeks) > 0 {
		a.readOnly = &event.Degraded{Words: strings.Join(weeks[:min(len(weeks), 5)], ", ") + " cannot be written, so that events for it wait: " + errReadOnly}
	}
	return err
}

// ignoreMissing drops the complaint about files that go while they are looked at.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
