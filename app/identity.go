package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	// id is the installation it belongs to, "" where it does not say. A file of SQLite's
	// has a mark of the id instead, 0 where it does not say.
	id   string
	mark uint32
	// damage says why it cannot be read.
	damage string
	// holds says what is in it, for whoever misses it.
	holds string
}

// foreign reports whether a part says that it belongs elsewhere.
func (p part) foreign(id string) bool {
	return p.id != "" && p.id != id || p.mark != 0 && !sqlite.Belongs(p.mark, id)
}

// silent reports whether a part does not say where it belongs.
func (p part) silent() bool { return p.id == "" && p.mark == 0 }

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
		case p.damage != "":
			problem = "cannot be used: " + p.damage
		case !p.exists && (id != "" || hasWeeks):
			problem = "is missing or empty"
		case p.foreign(id):
			problem = "belongs to another data directory"
		case p.exists && p.silent() && root != "":
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
		if p.silent() || !p.foreign(root) || p.foreign(parts[0].id) {
			return false
		}
	}
	return true
}

// partsOf looks at the parts that settings keep in the directory.
func partsOf(ctx context.Context, s Settings) ([]part, error) {
	var parts []part
	folder := func(name, holds string) error {
		info, err := os.Stat(filepath.Join(s.Data, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("look at the data directory: %w", err)
		}
		if err == nil && !info.IsDir() {
			parts = append(parts, part{name: name, exists: true, damage: "what is there is not a folder", holds: holds})
			return nil
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
	if s.State == "" {
		state, had, err := statePart(ctx, s.Data)
		if err != nil {
			return nil, err
		}
		parts = append(parts, state)
		if slices.Contains(had, auditFolder) {
			if err := folder(auditFolder, "who did and who saw what"); err != nil {
				return nil, err
			}
		}
		for name, holds := range fileParts {
			p, err := filePart(ctx, s.Data, name, holds)
			if err != nil {
				return nil, err
			}
			if name == decisionsName && p.damage != "" {
				continue
			}
			// What a release of before made has no mark, and state.db does not miss it.
			if slices.Contains(had, name) || !p.silent() || p.damage != "" {
				parts = append(parts, p)
			}
		}
	}
	if s.Stream == "" {
		if err := folder("stream", "events that were accepted and not indexed yet, and dead letters"); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// fileParts are what is in the files beside state.db.
var fileParts = map[string]string{outboxName: "what waits to be delivered to endpoints", decisionsName: "who was told of what"}

// statePart looks at state.db. had names the parts that the directory has had since a
// later release.
func statePart(ctx context.Context, data string) (p part, had []string, err error) {
	p = part{name: "state.db", holds: "what is known of messages, keys, people and settings"}
	path := filepath.Join(data, p.name)
	info, err := os.Stat(path)
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return p, nil, fmt.Errorf("look at the data directory: %w", err)
	case err == nil && !info.Mode().IsRegular():
		p.exists, p.damage = true, "what is there is not a file"
		return p, nil, nil
	}
	if p.exists = err == nil && info.Size() > 0; !p.exists {
		return p, nil, nil
	}
	if p.id, had, err = sqlite.StateIdentity(ctx, path); err != nil {
		return p, nil, fmt.Errorf("%s cannot be read: restore a backup into a new directory (tidings restore): %w", path, err)
	}
	return p, had, nil
}

// filePart looks at a file of SQLite's beside state.db. Decisions that cannot be read are
// set aside when they are opened, see openDecisions.
func filePart(ctx context.Context, data, name, holds string) (part, error) {
	p := part{name: name, holds: holds}
	path := filepath.Join(data, name)
	info, err := os.Stat(path)
	if p.exists = err == nil && info.Size() > 0; !p.exists && (err == nil || errors.Is(err, os.ErrNotExist)) {
		return p, nil
	}
	p.exists = true
	mark, err := sqlite.Mark(ctx, path)
	if degraded, damaged := errors.AsType[*event.Degraded](err); damaged {
		p.damage, err = degraded.Words, nil
	}
	if err != nil {
		return p, fmt.Errorf("look at %s: %w", path, err)
	}
	p.mark = mark
	return p, nil
}

func readIdentity(path string) (string, error) {
	raw, err := readSmall(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the identity of the data directory: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// mostSmall is more than any file has that readSmall reads.
const mostSmall = 64 << 10

// readSmall reads a small file. What is none is not opened: a pipe would wait for who
// writes to it.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "read", Path: path, Err: errors.New("is not a file")}
	}
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, mostSmall))
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
		// Each first: what state.db says was there has a name of its own.
		if err := writeIdentity(filepath.Join(s.Data, auditFolder, identityName), id); err != nil {
			return err
		}
		if err := errors.Join(a.outboxFile.Mark(ctx, id), a.decisionsFile.Mark(ctx, id)); err != nil {
			return err
		}
		for _, name := range []string{auditFolder, outboxName, decisionsName} {
			if err := a.State.Put(ctx, noWorkspace, sqlite.KindPart, name, json.RawMessage("{}")); err != nil {
				return fmt.Errorf("write which parts the data directory has: %w", err)
			}
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
