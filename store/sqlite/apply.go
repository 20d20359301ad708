package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"hash/fnv"
	"maps"
	"slices"

	"tidings/event"
	"tidings/indexer"
	"tidings/query"
)

// Apply makes the changes and marks the weeks in one transaction, and returns
// the states after them in the order of the changes. Changes without effect
// write nothing.
func (s *State) Apply(ctx context.Context, changes []event.Change, weeks []indexer.WorkspaceWeek) ([]event.State, error) {
	states := make([]event.State, len(changes))
	err := s.transact(ctx, func(tx *stateTx) error {
		if err := tx.mark(weeks); err != nil {
			return err
		}
		for i, change := range changes {
			var err error
			if states[i], err = tx.apply(change); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, failed("changing states", err)
	}
	return states, nil
}

// Completed takes ids off a message's Pending.
func (s *State) Completed(ctx context.Context, key event.MessageKey, ids []event.ID) error {
	done := make(map[event.ID]bool, len(ids))
	for _, id := range ids {
		done[id] = true
	}
	err := s.transact(ctx, func(tx *stateTx) error {
		workspaceID, err := tx.workspaceID(key.Workspace)
		if err != nil {
			return err
		}
		row, err := tx.find(workspaceID, key)
		if err != nil || row.n == 0 {
			return err
		}
		var left []event.ID
		for _, id := range row.state.Pending {
			if !done[id] {
				left = append(left, id)
			}
		}
		if len(left) == len(row.state.Pending) {
			return nil
		}
		row.state.Pending = left
		return tx.write(row)
	})
	return failed("noting completed events", err)
}

// Replace writes a state over the one with its version, as it is but for its
// version, which rises, and its expiry.
func (s *State) Replace(ctx context.Context, state event.State) (bool, error) {
	replaced := false
	err := s.transact(ctx, func(tx *stateTx) error {
		workspaceID, err := tx.workspaceID(state.Workspace)
		if err != nil {
			return err
		}
		row, err := tx.find(workspaceID, state.MessageKey)
		if err != nil {
			return err
		}
		if replaced = row.state.Version == state.Version; !replaced {
			return nil
		}
		if state.To != "" {
			if err := tx.unlink(workspaceID, row); err != nil {
				return err
			}
		}
		row.state = state
		row.state.Version++
		s.schedule(&row.state)
		return tx.put(workspaceID, row, everyone(state))
	})
	if err != nil {
		return false, failed("replacing a state", err)
	}
	return replaced, nil
}

// stateTx is a writing transaction. What it learns of workspaces and weeks is
// shared only once it is on disk.
type stateTx struct {
	*sql.Tx
	ctx          context.Context
	store        *State
	w            stateWrites
	workspaceIDs map[string]int64
	marked       map[workspaceWeek]bool
	// written are the workspaces whose states were, and states which.
	written map[string]bool
	states  []event.MessageKey
}

// stateRow is a state and its row, 0 when it has none yet.
type stateRow struct {
	n     int64
	state event.State
}

func (s *State) transact(ctx context.Context, do func(*stateTx) error) error {
	// Each statement takes an instant: watching for the end of ctx at each, which the
	// driver starts a goroutine for, costs more. Between two of them the transaction does.
	t := &stateTx{ctx: context.WithoutCancel(ctx), store: s, workspaceIDs: make(map[string]int64), marked: make(map[workspaceWeek]bool), written: make(map[string]bool)}
	begun := false
	err := transact(ctx, s.writer, func(tx *sql.Tx) error {
		t.Tx = tx
		on := func(statement *sql.Stmt) *sql.Stmt { return tx.StmtContext(ctx, statement) }
		t.w = stateWrites{
			addWorkspace: on(s.write.addWorkspace), mark: on(s.write.mark),
			find: on(s.write.find), insert: on(s.write.insert), update: on(s.write.update), drop: on(s.write.drop),
			addRecipient: on(s.write.addRecipient), dropRecipient: on(s.write.dropRecipient),
			ofRecipient: on(s.write.ofRecipient), expired: on(s.write.expired),
			finish: on(s.write.finish), finished: on(s.write.finished), purged: on(s.write.purged), scan: on(s.write.scan),
		}
		if err := do(t); err != nil {
			return err
		}
		s.stateCache.begin(t.states)
		begun = true
		return nil
	})
	if begun {
		s.stateCache.end(t.states)
	}
	if len(t.marked) > 0 {
		s.forgetCatalogue()
	}
	if err != nil {
		s.statusCache.forget(t.written)
		return stopped(ctx, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, n := range t.workspaceIDs {
		s.workspaceIDs[name] = n
	}
	for mark := range t.marked {
		s.marked[mark] = true
	}
	return nil
}

// workspaceID is the number that a workspace has, a new one when it has none.
func (tx *stateTx) workspaceID(name string) (int64, error) {
	if n, known := tx.store.workspaceIDOf(name); known {
		return n, nil
	}
	if n, known := tx.workspaceIDs[name]; known {
		return n, nil
	}
	// A transaction that has just ended may have added it and not told yet.
	var n int64
	if err := tx.w.addWorkspace.QueryRowContext(tx.ctx, name).Scan(&n); err != nil {
		return 0, err
	}
	tx.workspaceIDs[name] = n
	return n, nil
}

// workspaceIDOf is the number of a workspace that is on disk.
func (s *State) workspaceIDOf(name string) (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, known := s.workspaceIDs[name]
	return n, known
}

func (tx *stateTx) mark(weeks []indexer.WorkspaceWeek) error {
	for _, week := range weeks {
		workspaceID, err := tx.workspaceID(week.Workspace)
		if err != nil {
			return err
		}
		mark := workspaceWeek{workspaceID, week.Week}
		if tx.marked[mark] || tx.store.isMarked(mark) {
			continue
		}
		if _, err := tx.w.mark.ExecContext(tx.ctx, workspaceID, int64(week.Week)); err != nil {
			return err
		}
		tx.marked[mark] = true
	}
	return nil
}

func (s *State) isMarked(mark workspaceWeek) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.marked[mark]
}

func (tx *stateTx) apply(change event.Change) (event.State, error) {
	workspaceID, err := tx.workspaceID(change.Workspace)
	if err != nil {
		return event.State{}, err
	}
	row, err := tx.find(workspaceID, change.MessageKey)
	if err != nil {
		return event.State{}, err
	}
	unknown := newRecipients(row.state, change)
	if row.state.Done && change.Sent {
		// It may have been purged, and is about to be in the index again.
		if _, err := tx.w.finish.ExecContext(tx.ctx, tx.store.now().Unix(), row.n); err != nil {
			return event.State{}, err
		}
	}
	if !row.state.Apply(change) {
		return row.state, nil
	}
	tx.store.schedule(&row.state)
	return row.state, tx.put(workspaceID, row, unknown)
}

// put writes a row, a new one or over what it was, and who is new in it.
func (tx *stateTx) put(workspaceID int64, row stateRow, unknown []event.RecipientKey) error {
	if row.n == 0 {
		var err error
		if row.n, err = tx.insert(workspaceID, row.state); err != nil {
			return err
		}
	} else if err := tx.write(row); err != nil {
		return err
	}
	for _, key := range unknown {
		if _, err := tx.w.addRecipient.ExecContext(tx.ctx, workspaceID, recipientHash(key), row.n); err != nil {
			return err
		}
	}
	return nil
}

// schedule sets when a state that has just changed may be reduced. A complete
// state that changes again waits its grace again, since it is being delivered.
func (s *State) schedule(state *event.State) {
	state.Expire = 0
	if !state.Done && state.Complete() {
		state.Expire = s.now().Add(s.grace).Unix()
	}
}

// find reads a state inside the transaction; one that is not there is empty.
func (tx *stateTx) find(workspaceID int64, key event.MessageKey) (stateRow, error) {
	row := stateRow{state: event.State{MessageKey: key}}
	var doc []byte
	err := tx.w.find.QueryRowContext(tx.ctx, workspaceID, key.Message).Scan(&row.n, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return row, nil
	}
	if err != nil {
		return row, err
	}
	row.state, err = decodeState(key, doc)
	return row, err
}

func (tx *stateTx) insert(workspaceID int64, state event.State) (int64, error) {
	tx.note(state.MessageKey, query.StatusOf(state))
	result, err := tx.w.insert.ExecContext(tx.ctx,
		workspaceID, state.Message, state.At, isWaiting(state), state.Expire, encodeState(state))
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

func (tx *stateTx) write(row stateRow) error {
	tx.note(row.state.MessageKey, query.StatusOf(row.state))
	_, err := tx.w.update.ExecContext(tx.ctx,
		row.state.At, isWaiting(row.state), row.state.Expire, encodeState(row.state), row.n)
	return err
}

// remove takes a state out.
func (tx *stateTx) remove(row stateRow) error {
	tx.note(row.state.MessageKey, 0)
	_, err := tx.w.drop.ExecContext(tx.ctx, row.n)
	return err
}

// unlink takes the people off a row that becomes a mere name.
func (tx *stateTx) unlink(workspaceID int64, row stateRow) error {
	for _, key := range everyone(row.state) {
		if _, err := tx.w.dropRecipient.ExecContext(tx.ctx, workspaceID, recipientHash(key), row.n); err != nil {
			return err
		}
	}
	return nil
}

// removeNames takes out the other names of a message that is gone.
func (tx *stateTx) removeNames(workspaceID int64, state event.State) error {
	for _, name := range state.Aliases {
		row, err := tx.find(workspaceID, event.MessageKey{Workspace: state.Workspace, Message: name})
		if err == nil && row.state.To == state.Message {
			err = tx.remove(row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// note tells of what will be committed.
func (tx *stateTx) note(key event.MessageKey, status query.RecipientStatus) {
	tx.written[key.Workspace] = true
	tx.states = append(tx.states, key)
	tx.store.statusCache.written(key, status)
}

// isWaiting is 1 for a send that somebody has not opened.
func isWaiting(state event.State) int {
	if state.Sent && !state.Complete() {
		return 1
	}
	return 0
}

// newRecipients are the recipients that a change names and the state does not.
func newRecipients(state event.State, change event.Change) []event.RecipientKey {
	var keys []event.RecipientKey
	add := func(key event.RecipientKey) {
		if !state.Names(key) && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for key := range change.Recipients {
		add(key)
	}
	for _, firsts := range change.First {
		for key := range firsts {
			add(key)
		}
	}
	for key := range change.Clicks {
		add(key)
	}
	return keys
}

// everyone is who a state names.
func everyone(state event.State) []event.RecipientKey {
	keys := newRecipients(event.State{}, event.Change{
		Recipients: state.Recipients, First: state.First, Clicks: state.Clicks,
	})
	return slices.AppendSeq(keys, maps.Keys(state.Overrides))
}

// recipientHash finds the states that may name a recipient. Two recipients of
// one hash are told apart by the states themselves.
func recipientHash(key event.RecipientKey) int64 {
	sum := fnv.New64a()
	sum.Write([]byte(key))
	return int64(sum.Sum64())
}
