package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tidings/crash"
	"tidings/event"
	"tidings/store/erasures"
	"tidings/store/sqlite"
)

// erasuresName is the list of erased people that the process keeps beside a backup: who
// was erased since it was made is erased again when it is restored. It names nobody.
const erasuresName = "erasures.ndjson"

// kindBackup are the notes of where backups are, by a hash of the path. mostBackups
// bounds them: the oldest go.
const (
	kindBackup  = "backup-place"
	mostBackups = 100
)

type knownBackup struct {
	Path string    `json:"path"`
	At   time.Time `json:"at"`
}

func (b knownBackup) id() string {
	sum := sha256.Sum256([]byte(b.Path))
	return hex.EncodeToString(sum[:])
}

// erasedPerson is a line of the list.
type erasedPerson struct {
	Workspace string          `json:"w"`
	ID        string          `json:"id"`
	Record    json.RawMessage `json:"record"`
}

// noteBackup remembers where a backup is made.
func (a *App) noteBackup(ctx context.Context, to string, at time.Time) error {
	backup := knownBackup{to, at}
	doc, err := json.Marshal(backup)
	if err == nil {
		err = a.State.Put(ctx, noWorkspace, kindBackup, backup.id(), doc)
	}
	backups, listErr := a.knownBackups(ctx)
	if err = errors.Join(err, listErr); err != nil || len(backups) <= mostBackups {
		return err
	}
	for _, old := range backups[:len(backups)-mostBackups] {
		err = errors.Join(err, a.State.Delete(ctx, noWorkspace, kindBackup, old.id()))
	}
	return err
}

// knownBackups are those that are known, the oldest first.
func (a *App) knownBackups(ctx context.Context) ([]knownBackup, error) {
	docs, err := a.State.List(ctx, noWorkspace, kindBackup)
	if err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}
	backups := make([]knownBackup, len(docs))
	for i, doc := range docs {
		if err := json.Unmarshal(doc.Doc, &backups[i]); err != nil {
			return nil, fmt.Errorf("list backups: %w", err)
		}
	}
	slices.SortFunc(backups, func(a, b knownBackup) int { return a.At.Compare(b.At) })
	return backups, nil
}

// tellBackups adds a person to the lists beside the backups. One that cannot be written
// now is written by the next nightly run.
func (a *App) tellBackups(ctx context.Context, workspace, email string) {
	state, ok := a.State.(*sqlite.State)
	if !ok {
		return
	}
	err := func() error {
		secret, err := state.ErasureSecret(ctx)
		if err != nil {
			return err
		}
		person := erasedPerson{Workspace: workspace, ID: erasures.ID(secret, workspace, email)}
		if person.Record, err = state.Get(ctx, workspace, erasures.Kind, person.ID); err != nil {
			return err
		}
		backups, err := a.knownBackups(ctx)
		for _, backup := range backups {
			err = errors.Join(err, backup.add(person))
		}
		return err
	}()
	if err != nil {
		a.log.WarnContext(ctx, "an erasure was not noted beside a backup; the next nightly run tries again", "error", err)
	}
}

// add appends a line. A backup that is not there any more needs none.
func (b knownBackup) add(person erasedPerson) error {
	if _, err := os.Stat(b.Path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	line, err := json.Marshal(person)
	if err != nil {
		return err
	}
	path := filepath.Join(b.Path, erasuresName)
	if err := dropUnfinished(path); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Sync(), file.Close())
}

// dropUnfinished cuts a line off whose writing broke off: the next night writes it anew.
func dropUnfinished(path string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if end := bytes.LastIndexByte(raw, '\n') + 1; end < len(raw) {
		return os.Truncate(path, int64(end))
	}
	return nil
}

// syncBackups writes the lists beside the backups anew.
func (a *App) syncBackups(ctx context.Context) error {
	state, ok := a.State.(*sqlite.State)
	if !ok {
		return nil
	}
	backups, err := a.knownBackups(ctx)
	if err != nil || len(backups) == 0 {
		return err
	}
	var list bytes.Buffer
	for after := ""; ; {
		records, next, err := state.ScanRecords(ctx, after, 1000)
		if err != nil {
			return err
		}
		for _, record := range records {
			if record.Kind != erasures.Kind {
				continue
			}
			line, err := json.Marshal(erasedPerson{record.Workspace, record.ID, record.Doc})
			if err != nil {
				return err
			}
			list.Write(append(line, '\n'))
		}
		if after = next; after == "" {
			break
		}
	}
	var errs []error
	for _, backup := range backups {
		errs = append(errs, backup.replace(list.Bytes()))
	}
	return errors.Join(errs...)
}

// replace writes the list in one step.
func (b knownBackup) replace(list []byte) error {
	if _, err := os.Stat(b.Path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	path := filepath.Join(b.Path, erasuresName)
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(list)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	crash.At("list of erased people")
	return os.Rename(path+".new", path)
}

// readErasures reads the list beside a backup, or a file that is one. A last line that
// was cut off is left out: whoever was erased then was told that it failed.
func readErasures(path string) ([]erasedPerson, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, erasuresName)
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(path, erasuresName) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of erased people: %w", err)
	}
	whole := raw[:bytes.LastIndexByte(raw, '\n')+1]
	var people []erasedPerson
	for line := range bytes.Lines(whole) {
		var person erasedPerson
		if err := json.Unmarshal(line, &person); err != nil || person.ID == "" || !json.Valid(person.Record) {
			return nil, fmt.Errorf("%s is damaged: %w", path, event.ErrInvalid)
		}
		people = append(people, person)
	}
	return people, nil
}
