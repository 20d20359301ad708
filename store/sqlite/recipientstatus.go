package sqlite

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// mostStatuses is of how many messages the statuses are kept in memory, about
// 15 bytes each.
const mostStatuses = 4 << 20

// statusCache keeps in memory how far the recipients of messages have come, of the
// workspaces that were asked about last. It hears of every state within the
// transaction that writes it, so in the order in which states are committed, and
// forgets a workspace when such a transaction fails. Messages are 64 bits of a
// hash: of four million two are taken for one once in two million times. It
// is safe for concurrent use.
type statusCache struct {
	seed  maphash.Seed
	limit int

	mu   sync.Mutex
	kept map[string]*keptStatuses
	// asked counts the questions, to know which workspace was asked about last.
	asked uint64
}

// keptStatuses are those of one workspace, which are there or being read.
type keptStatuses struct {
	// reading is held by whoever reads.
	reading chan struct{}
	last    uint64 // guarded by statusCache.mu

	mu sync.RWMutex
	// known is nil until they were read.
	known map[uint64]query.RecipientStatus
	// missed was written while they were read.
	missed map[uint64]query.RecipientStatus
}

func newStatusCache(limit int) *statusCache {
	return &statusCache{seed: maphash.MakeSeed(), limit: limit, kept: make(map[string]*keptStatuses)}
}

func (s *statusCache) number(message string) uint64 { return maphash.String(s.seed, message) }

// written takes in a message's status that is about to be committed, 0 of one
// that is not known any more.
func (s *statusCache) written(key event.MessageKey, status query.RecipientStatus) {
	s.mu.Lock()
	kept := s.kept[key.Workspace]
	s.mu.Unlock()
	if kept == nil {
		return
	}
	number := s.number(key.Message)
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.known == nil {
		kept.missed[number] = status
	} else {
		kept.known[number] = status
	}
}

// forget is for when what was written did not happen.
func (s *statusCache) forget(workspaces map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for workspace := range workspaces {
		delete(s.kept, workspace)
	}
}

// find is what is kept of a workspace's statuses. From then on it hears of what is
// written, before reading begins.
func (s *statusCache) find(workspace string) *keptStatuses {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.kept[workspace]
	if kept == nil {
		kept = &keptStatuses{reading: make(chan struct{}, 1), missed: make(map[uint64]query.RecipientStatus)}
		s.kept[workspace] = kept
	}
	s.asked++
	kept.last = s.asked
	return kept
}

// current reports whether kept was not given up.
func (s *statusCache) current(workspace string, kept *keptStatuses) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[workspace] == kept
}

// trim gives up the workspaces that were not asked about for longest, until the
// others fit: also the last, which has grown since it was read. It is read no more then.
func (s *statusCache) trim() {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for _, kept := range s.kept {
		total += kept.size()
	}
	for total > s.limit {
		oldest := ""
		for workspace, kept := range s.kept {
			if oldest == "" || kept.last < s.kept[oldest].last {
				oldest = workspace
			}
		}
		total -= s.kept[oldest].size()
		delete(s.kept, oldest)
	}
}

func (k *keptStatuses) size() int {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return len(k.known)
}

// of looks messages up.
func (s *statusCache) of(kept *keptStatuses) feed.StatusesOf {
	return func(messages []string) []query.RecipientStatus {
		found := make([]query.RecipientStatus, len(messages))
		kept.mu.RLock()
		defer kept.mu.RUnlock()
		for i, message := range messages {
			found[i] = kept.known[s.number(message)]
		}
		return found
	}
}

// Statuses returns how to look up how far the recipients of a workspace's
// messages have come. The first time, and after a while in which others were
// asked about, it reads all states of the workspace.
func (s *State) Statuses(ctx context.Context, workspace string) (feed.StatusesOf, error) {
	for {
		kept := s.statusCache.find(workspace)
		ready, err := s.readyStatuses(ctx, workspace, kept)
		if err != nil {
			return nil, failed("reading statuses of recipients", err)
		}
		if ready {
			s.statusCache.trim()
			return s.statusCache.of(kept), nil
		}
	}
}

// readyStatuses reads statuses unless somebody did. It is false when kept
// was given up meanwhile.
func (s *State) readyStatuses(ctx context.Context, workspace string, kept *keptStatuses) (bool, error) {
	select {
	case kept.reading <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-kept.reading }()
	kept.mu.RLock()
	there := kept.known != nil
	kept.mu.RUnlock()
	if there {
		return true, nil
	}
	known, err := s.readStatuses(ctx, workspace)
	if err != nil {
		// Whoever waits begins again with another.
		s.statusCache.forget(map[string]bool{workspace: true})
		return false, err
	}
	kept.mu.Lock()
	for number, status := range kept.missed {
		known[number] = status
	}
	kept.known, kept.missed = known, nil
	kept.mu.Unlock()
	return s.statusCache.current(workspace, kept), nil
}

// readStatuses reads the states of a workspace. One that has a good part of all
// is read from the first row to the last, which is a third of the work of going by
// the index.
func (s *State) readStatuses(ctx context.Context, workspace string) (map[uint64]query.RecipientStatus, error) {
	workspaceID, known := s.workspaceIDOf(workspace)
	if !known {
		return map[uint64]query.RecipientStatus{}, nil
	}
	// Who is writing now may not have known that somebody listens.
	writer, err := s.writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	var its, all int
	err = s.reader.QueryRowContext(ctx,
		"SELECT (SELECT count(*) FROM state WHERE space = ?), (SELECT coalesce(max(n), 0) FROM state)", workspaceID).Scan(&its, &all)
	if err != nil {
		return nil, err
	}
	if its > s.statusCache.limit {
		return nil, fmt.Errorf("%d messages: %w", its, errors.ErrUnsupported)
	}
	ask := "SELECT message, doc FROM state WHERE space = ?"
	if its > all/4 {
		ask = "SELECT message, doc FROM state NOT INDEXED WHERE space = ?"
	}
	rows, err := s.reader.QueryContext(ctx, ask, workspaceID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	statusCache := make(map[uint64]query.RecipientStatus, its)
	for rows.Next() {
		var message string
		var doc []byte
		if err := rows.Scan(&message, &doc); err != nil {
			return nil, err
		}
		status, err := decodeStatus(doc)
		if err != nil {
			return nil, err
		}
		statusCache[s.statusCache.number(message)] = status
	}
	return statusCache, rows.Err()
}

// decodeStatus is query.StatusOf what encodeState wrote, without making the
// state of it.
func decodeStatus(raw []byte) (query.RecipientStatus, error) {
	in := stateReader{rest: raw}
	format, flags := in.byte(), in.byte()
	in.bad = in.bad || format < statePlain || format > stateJudgedShared
	if format >= statePlainShared && !in.bad {
		return decodeShared(raw)
	}
	in.skipTexts(2)
	for range 3 {
		in.varint()
	}
	recipients := in.count(3)
	in.skipTexts(3 * recipients)
	// How many recipients have each mark.
	var opened, clicked, replied, downloaded, bounced int
	for range in.count(2) {
		have := 0
		mark := event.Mark(in.text())
		for range in.count(2) {
			if in.uvarint() != 0 {
				have++
			} else {
				in.skipTexts(1)
			}
			in.varint()
		}
		switch mark {
		case event.MarkOpened:
			opened = have
		case event.MarkClicked:
			clicked = have
		case event.MarkReplied:
			replied = have
		case event.MarkDownloaded:
			downloaded = have
		case event.MarkBounced:
			bounced = have
		}
	}
	if in.bad {
		return 0, errState
	}
	done := flags&flagDone != 0
	return query.StatusWhere(func(is query.RecipientState) bool {
		switch is {
		case query.IsUnopened:
			return !done && opened < recipients
		case query.IsOpened:
			return opened > 0 || done && recipients > 0
		case query.IsClicked:
			return clicked > 0
		case query.IsReplied:
			return replied > 0
		case query.IsUnreplied:
			return replied == 0
		case query.IsDownloaded:
			return downloaded > 0
		case query.IsBounced:
			return bounced > 0
		}
		return false
	}), nil
}

// decodeShared is decodeStatus for a message of several senders, or nearly: they
// are few.
func decodeShared(raw []byte) (query.RecipientStatus, error) {
	s, err := decodeState(event.MessageKey{}, raw)
	return query.StatusOf(s), err
}

func (in *stateReader) skipTexts(n int) {
	for range n {
		size := in.uvarint()
		if size > uint64(len(in.rest)) {
			in.bad = true
			return
		}
		in.take(int(size))
	}
}
