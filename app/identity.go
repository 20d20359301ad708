package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tidings/event"
	"tidings/store/sqlite"
)

// identityName is the file that names the installation a part of a data directory
// belongs to. The directory has one, weeks/ and stream/ have one, and state.db has it
// as a record.
const identityName = "identity"

// part is a part of a data directory.
type part struct {
	// name is also that of its file or folder.
	name   string
	exists bool
	// id is the installation it belongs to, "" where it does not say.
	id string
	// holds says what is in it, for whoever misses it.
	holds string
}

// identify holds the parts of a data directory to belonging together. A part that is
// missing or of another directory stops the start: to go on would be to show nothing
// where there was something. Parts named in anew begin anew; one that is there but of
// another directory is set aside. It returns the id that all parts get, see mark.
func identify(ctx context.Context, s Settings) (id string, err error) {
	parts, err := partsOf(ctx, s)
	if err != nil {
		return "", err
	}
	root, err := readIdentity(filepath.Join(s.Data, identityName))
	if err != nil {
		return "", err
	}
	id = root
	for _, p := range parts {
		if id == "" && !slices.Contains(s.BeginAnew, p.name) {
			id = p.id
		}
	}
	if root != "" && len(parts) > 1 && agreeOnAnother(parts, root) {
		return "", fmt.Errorf("%s is not the one that was here, and every part of the directory is: "+
			"delete that file, and the start makes it again: %w", filepath.Join(s.Data, identityName), event.ErrConflict)
	}
	hasWeeks := weekFiles(filepath.Join(s.Data, "weeks"))
	for _, p := range parts {
		problem := ""
		switch {
		case !p.exists && (id != "" || hasWeeks):
			problem = "is missing"
		case p.id != "" && p.id != id:
			problem = "belongs to another data directory"
		case p.exists && p.id == "" && root != "":
			problem = "is not the one that was here: it does not say where it belongs"
		default:
			continue
		}
		if !slices.Contains(s.BeginAnew, p.name) {
			return "", fmt.Errorf("%s %s; it held %s. Put it back, or restore a backup into a new directory (tidings restore); "+
				"to go on without what it held, start once with --begin-anew=%s: %w",
				filepath.Join(s.Data, p.name), problem, p.holds, p.name, event.ErrConflict)
		}
		if err := setPartAside(s.Data, p); err != nil {
			return "", err
		}
	}
	if id == "" {
		id = rand.Text()
	}
	return id, nil
}

// agreeOnAnother reports whether all parts have one id, which is not the directory's.
func agreeOnAnother(parts []part, root string) bool {
	for _, p := range parts {
		if p.id == "" || p.id == root || p.id != parts[0].id {
			return false
		}
	}
	return true
}

// partsOf looks at the parts that settings keep in the directory.
func partsOf(ctx context.Context, s Settings) ([]part, error) {
	var parts []part
	folder := func(name, holds string) error {
		_, err := os.Stat(filepath.Join(s.Data, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("look at the data directory: %w", err)
		}
		id, readErr := readIdentity(filepath.Join(s.Data, name, identityName))
		parts = append(parts, part{name: name, exists: err == nil, id: id, holds: holds})
		return readErr
	}
	if s.Index == "" {
		if err := folder("weeks", "the events"); err != nil {
			return nil, err
		}
	}
	hadAudit := false
	if s.State == "" {
		path := filepath.Join(s.Data, "state.db")
		info, err := os.Stat(path)
		p := part{name: "state.db", exists: err == nil && info.Size() > 0, holds: "what is known of messages, keys, people and settings"}
		if p.exists {
			var had []string
			if p.id, had, err = sqlite.StateIdentity(ctx, path); err != nil {
				return nil, fmt.Errorf("%s cannot be read: restore a backup into a new directory (tidings restore): %w", path, err)
			}
			hadAudit = slices.Contains(had, auditFolder)
		}
		parts = append(parts, p)
	}
	if hadAudit {
		if err := folder(auditFolder, "who did and who saw what"); err != nil {
			return nil, err
		}
	}
	if s.Stream == "" {
		if err := folder("stream", "events that were accepted and not indexed yet, and dead letters"); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

func readIdentity(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the identity of the data directory: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// weekFiles reports whether a folder has files of weeks.
func weekFiles(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	return err == nil && len(files) > 0
}

// setPartAside gives a part that does not belong here a name that nothing reads.
func setPartAside(data string, p part) error {
	mark := ".aside-" + time.Now().UTC().Format("20060102T150405.000")
	var errs []error
	for _, beside := range []string{"-wal", "-shm", ""} {
		path := filepath.Join(data, p.name) + beside
		if err := os.Rename(path, filepath.Join(data, p.name)+mark+beside); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// The record that says which installation state.db belongs to.
const (
	kindIdentity = sqlite.KindIdentity
	theIdentity  = "id"
)

// mark writes an id into each part, the directory's own last: as long as that is
// missing, parts without one are being made.
func (a *App) mark(ctx context.Context, s Settings, id string) error {
	if s.Index == "" {
		if err := writeIdentity(filepath.Join(s.Data, "weeks", identityName), id); err != nil {
			return err
		}
	}
	if s.State == "" {
		raw, err := json.Marshal(id)
		if err != nil {
			return err
		}
		if err := a.State.Put(ctx, noWorkspace, kindIdentity, theIdentity, raw); err != nil {
			return fmt.Errorf("write the identity of the data directory: %w", err)
		}
		// The folder first: what state.db says was there has a name of its own.
		if err := writeIdentity(filepath.Join(s.Data, auditFolder, identityName), id); err != nil {
			return err
		}
		if err := a.State.Put(ctx, noWorkspace, sqlite.KindPart, auditFolder, json.RawMessage("{}")); err != nil {
			return fmt.Errorf("write which parts the data directory has: %w", err)
		}
	}
	if s.Stream == "" {
		if err := writeIdentity(filepath.Join(s.Data, "stream", identityName), id); err != nil {
			return err
		}
	}
	return writeIdentity(filepath.Join(s.Data, identityName), id)
}

func writeIdentity(path, id string) error {
	if before, err := readIdentity(path); err == nil && before == id {
		return nil
	}
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteString(id + "\n")
		err = errors.Join(err, file.Sync(), file.Close())
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("write the identity of the data directory: %w", err)
	}
	return nil
}
