package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"regexp"

	"tidings/address"
	"tidings/event"
	"tidings/store/erasures"
	"tidings/store/sqlite"
)

// eraseAgain erases from a directory that was made of a backup who was erased since, and
// returns how many people it found.
func eraseAgain(ctx context.Context, data string, people []erasedPerson) (found int, err error) {
	fresh, err := noteErased(ctx, filepath.Join(data, "state.db"), people)
	if err != nil || len(fresh) == 0 {
		return 0, err
	}
	a, err := Open(ctx, Settings{Data: data, Small: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	named, err := a.everybody(ctx)
	if err != nil {
		return 0, err
	}
	state, ok := a.State.(*sqlite.State)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	secret, err := state.ErasureSecret(ctx)
	if err != nil {
		return 0, err
	}
	for workspace, emails := range named {
		for email := range emails {
			if !fresh[erasures.ID(secret, workspace, email)] {
				continue
			}
			if err := a.eraseOnceMore(ctx, workspace, email); err != nil {
				return found, err
			}
			found++
		}
	}
	return found, nil
}

// noteErased puts people on the list of a state store, and returns the records that it
// did not have.
func noteErased(ctx context.Context, path string, people []erasedPerson) (fresh map[string]bool, err error) {
	if len(people) == 0 {
		return nil, nil
	}
	state, err := sqlite.OpenState(path, sqlite.StateConfig{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	fresh = make(map[string]bool)
	for _, person := range people {
		have, err := state.Get(ctx, person.Workspace, erasures.Kind, person.ID)
		if err != nil && !errors.Is(err, event.ErrNotFound) {
			return nil, err
		}
		if bytes.Equal(have, person.Record) || have != nil && erasures.Until(have) > erasures.Until(person.Record) {
			continue
		}
		if err := state.Put(ctx, person.Workspace, erasures.Kind, person.ID, person.Record); err != nil {
			return nil, err
		}
		fresh[person.ID] = true
	}
	return fresh, nil
}

// eraseOnceMore removes a person who is on the list already: events later than their
// erasure may still come.
func (a *App) eraseOnceMore(ctx context.Context, workspace, email string) error {
	err := leftovers{a}.want(ctx)
	if err == nil {
		err = a.Server.ForgetPerson(ctx, workspace, email)
	}
	if err == nil {
		err = a.eraser.Again(ctx, workspace, email)
	}
	if err == nil {
		_, err = a.forgetOutside(ctx, workspace, email)
	}
	if err == nil {
		err = leftovers{a}.want(ctx)
	}
	return err
}

// addresses are people by workspace.
type addresses map[string]map[string]bool

func (a addresses) add(workspace, email string) {
	if a[workspace] == nil {
		a[workspace] = make(map[string]bool)
	}
	a[workspace][email] = true
}

// anAddress finds what may be one in the text of a record.
var anAddress = regexp.MustCompile(`[^\s<>"'(),;:=|&\\]+@[^\s<>"'(),;:=|&\\]+`)

func (a addresses) addText(workspace string, text []byte) {
	for _, found := range anAddress.FindAll(text, -1) {
		if email, problem := address.Canonical(string(found)); problem == "" {
			a.add(workspace, email)
		}
	}
}

// everybody are all people whom the directory names.
func (a *App) everybody(ctx context.Context) (addresses, error) {
	named := make(addresses)
	infos, err := a.Index.WeekInfos(ctx)
	if err != nil {
		return nil, err
	}
	for _, info := range infos {
		if err := a.peopleOfWeek(ctx, info.Week, named); err != nil {
			return nil, err
		}
	}
	state, ok := a.State.(*sqlite.State)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	for after := ""; ; {
		states, next, err := state.ScanStates(ctx, after, 1000)
		if err != nil {
			return nil, err
		}
		for _, one := range states {
			for _, person := range one.Recipients {
				named.add(one.Workspace, person.Email)
			}
		}
		if after = next; after == "" {
			break
		}
	}
	for after := ""; ; {
		records, next, err := state.ScanRecords(ctx, after, 1000)
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			named.addText(record.Workspace, record.Doc)
			var kept struct {
				Body []byte `json:"body"`
			}
			if json.Unmarshal(record.Doc, &kept) == nil {
				named.addText(record.Workspace, kept.Body)
			}
		}
		if after = next; after == "" {
			return named, a.peopleOfLetters(ctx, named)
		}
	}
}

func (a *App) peopleOfWeek(ctx context.Context, week event.Week, named addresses) error {
	for after := ""; ; {
		events, next, err := a.Words.Scan(ctx, week, after, 1000)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Recipient != nil {
				named.add(e.Workspace, e.Recipient.Email)
			}
			for _, person := range e.Recipients {
				named.add(e.Workspace, person.Email)
			}
		}
		if after = next; after == "" {
			return nil
		}
	}
}

// peopleOfLetters adds those of dead letters, of the workspaces that have any.
func (a *App) peopleOfLetters(ctx context.Context, named addresses) error {
	var letters bytes.Buffer
	if _, err := a.Stream.SaveDead(ctx, &letters); err != nil {
		return err
	}
	for line := range bytes.Lines(letters.Bytes()) {
		var letter struct {
			Workspace string          `json:"w"`
			Event     json.RawMessage `json:"event"`
		}
		if json.Unmarshal(line, &letter) == nil {
			named.addText(letter.Workspace, letter.Event)
		}
	}
	return nil
}
