package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"tidings/event"
)

// Read returns the states that exist among keys.
func (s *State) Read(ctx context.Context, keys []event.MessageKey) (map[event.MessageKey]event.State, error) {
	found := make(map[event.MessageKey]event.State, len(keys))
	// See State.transact.
	short := context.WithoutCancel(ctx)
	err := s.reading(ctx, func(tx *sql.Tx) error {
		find := tx.StmtContext(ctx, s.read.find)
		for _, key := range keys {
			state, ok, err := s.readOne(short, find, key)
			if err != nil {
				return err
			}
			if ok {
				found[key] = state
			}
		}
		return nil
	})
	if err != nil {
		return nil, failed("reading states", stopped(ctx, err))
	}
	return found, nil
}

// Of returns the states that exist among the messages of a workspace. What was read lately
// is kept decoded, and shared: nobody changes what these states point to.
func (s *State) Of(ctx context.Context, workspace string, messages []string) (map[string]event.State, error) {
	if len(messages) > mostCachedPage {
		return s.readOf(ctx, workspace, messages)
	}
	found, missing, commits := s.stateCache.find(workspace, messages)
	if len(missing) == 0 {
		return found, nil
	}
	read, err := s.readOf(ctx, workspace, missing)
	if err != nil {
		return nil, err
	}
	s.stateCache.put(commits, read)
	maps.Copy(found, read)
	return found, nil
}

// readOf is Of from the file. They are read in one statement: a page has dozens.
func (s *State) readOf(ctx context.Context, workspace string, messages []string) (map[string]event.State, error) {
	if len(messages) < 2 || slices.ContainsFunc(messages, unfitForJSON) {
		return s.ofEach(ctx, workspace, messages)
	}
	workspaceID, known := s.workspaceIDOf(workspace)
	if !known {
		return map[string]event.State{}, nil
	}
	asked, err := json.Marshal(messages)
	if err != nil {
		return nil, failed("reading states", err)
	}
	rows, err := s.read.findAll.QueryContext(ctx, string(asked), workspaceID)
	if err != nil {
		return nil, failed("reading states", err)
	}
	defer rows.Close()
	states := make(map[string]event.State, len(messages))
	var doc sql.RawBytes
	for rows.Next() {
		key := event.MessageKey{Workspace: workspace}
		if err := rows.Scan(&key.Message, &doc); err != nil {
			return nil, failed("reading states", err)
		}
		state, err := decodeState(key, doc)
		if err != nil {
			return nil, failed("reading states", err)
		}
		yieldAfter(doc)
		states[key.Message] = state
	}
	return states, failed("reading states", rows.Err())
}

// unfitForJSON reports whether a text may be another one once it went through JSON.
func unfitForJSON(text string) bool {
	return !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0
}

func (s *State) ofEach(ctx context.Context, workspace string, messages []string) (map[string]event.State, error) {
	keys := make([]event.MessageKey, len(messages))
	for i, message := range messages {
		keys[i] = event.MessageKey{Workspace: workspace, Message: message}
	}
	found, err := s.Read(ctx, keys)
	if err != nil {
		return nil, err
	}
	states := make(map[string]event.State, len(found))
	for key, state := range found {
		states[key.Message] = state
	}
	return states, nil
}

// Weeks returns the weeks that may hold events of the workspace, newest first. Every page
// asks, so that they are kept in memory.
func (s *State) Weeks(ctx context.Context, workspace string) ([]event.Week, error) {
	workspaceID, known := s.workspaceIDOf(workspace)
	if !known {
		return nil, nil
	}
	s.mu.Lock()
	weeks, known := s.catalogue[workspaceID]
	changes := s.catalogueChanges
	s.mu.Unlock()
	if known {
		return slices.Clone(weeks), nil
	}
	weeks, err := s.readWeeks(ctx, workspaceID)
	if err != nil {
		return nil, failed("reading the catalogue", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.catalogueChanges == changes {
		if len(s.catalogue) >= mostCatalogues {
			clear(s.catalogue)
		}
		s.catalogue[workspaceID] = slices.Clone(weeks)
	}
	return weeks, nil
}

// mostCatalogues is of how many workspaces the catalogue is kept in memory.
const mostCatalogues = 4096

// forgetCatalogue is for behind a change of it, also one that failed.
func (s *State) forgetCatalogue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.catalogue)
	s.catalogueChanges++
}

func (s *State) readWeeks(ctx context.Context, workspaceID int64) ([]event.Week, error) {
	rows, err := s.read.weeks.QueryContext(ctx, workspaceID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var weeks []event.Week
	for rows.Next() {
		var week event.Week
		if err := rows.Scan(&week); err != nil {
			return nil, err
		}
		weeks = append(weeks, week)
	}
	return weeks, rows.Err()
}

// Incomplete returns the states of sends that somebody has not opened, newest
// first and at most limit, from behind the send of message at before, or from
// the newest when before is 0.
func (s *State) Incomplete(ctx context.Context, workspace string, before int64, message string, limit int) ([]event.State, error) {
	workspaceID, known := s.workspaceIDOf(workspace)
	if !known {
		return nil, nil
	}
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.read.waiting.QueryContext(ctx, workspaceID, before, message, limit)
	if err != nil {
		return nil, failed("reading incomplete sends", err)
	}
	defer rows.Close()
	var states []event.State
	for rows.Next() {
		key := event.MessageKey{Workspace: workspace}
		var doc []byte
		if err := rows.Scan(&key.Message, &doc); err != nil {
			return nil, failed("reading incomplete sends", err)
		}
		state, err := decodeState(key, doc)
		if err != nil {
			return nil, failed("reading incomplete sends", err)
		}
		yieldAfter(doc)
		states = append(states, state)
	}
	return states, failed("reading incomplete sends", rows.Err())
}

// reading runs do in one read transaction, so that what it sees belongs together.
func (s *State) reading(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	return errors.Join(do(tx), ignoreDone(tx.Rollback()))
}

func (s *State) readOne(ctx context.Context, find *sql.Stmt, key event.MessageKey) (event.State, bool, error) {
	workspaceID, known := s.workspaceIDOf(key.Workspace)
	if !known {
		return event.State{}, false, nil
	}
	var doc []byte
	err := find.QueryRowContext(ctx, workspaceID, key.Message).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return event.State{}, false, nil
	}
	if err != nil {
		return event.State{}, false, err
	}
	state, err := decodeState(key, doc)
	yieldAfter(doc)
	return state, err == nil, err
}
