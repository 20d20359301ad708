package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tidings/account"
	"tidings/address"
	"tidings/api/hooks"
	"tidings/event"
)

// Bounds of the rejected requests that are kept of a source.
const (
	// rejectedKept and rejectedSum bound those of one source, rejected ones and
	// those of unknown kinds each for themselves.
	rejectedKept  = 500
	rejectedSum   = 16 << 20
	rejectedAge   = 30 * 24 * time.Hour
	rejectedBytes = 256 << 10
	maxReason     = 300
	// shownBytes is how much of a payload is shown.
	shownBytes = 4 << 10
)

// rejectedRecord is a part of a believed request that could not be understood,
// with what is needed to decode it again. It holds personal data, and no
// credentials: Authorization and signatures are never among its headers.
type rejectedRecord struct {
	ID     string      `json:"id"`
	At     time.Time   `json:"at"`
	Source string      `json:"source"`
	Reason string      `json:"reason"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
	// Unknown is set on an event of a kind that is not known (yet).
	Unknown bool `json:"unknown,omitempty"`
	// Cut is set when the body was too large to keep.
	Cut bool `json:"cut,omitempty"`
}

func headersToKeep(given http.Header) http.Header {
	kept := make(http.Header)
	for _, name := range hooks.KeptHeaders() {
		if value := given.Get(name); value != "" {
			kept.Set(name, value)
		}
	}
	return kept
}

// rejectedRequests keeps the last rejected requests of each source, up to a
// number and an age. Each process bounds what it has added and found; several
// together keep a little more for a while.
type rejectedRequests struct {
	records Records
	clock   func() time.Time

	mu sync.Mutex
	// kept are those of a source, oldest first; they are read once.
	kept map[rejectedKey][]keptRejected
	last int64
}

// rejectedKey says of which source they are, and whether of an unknown kind.
type rejectedKey struct {
	workspace, source string
	unknown           bool
}

// keptRejected is one that is kept.
type keptRejected struct {
	id   string
	size int
}

func newRejectedRequests(records Records, clock func() time.Time) *rejectedRequests {
	return &rejectedRequests{records: records, clock: clock, kept: make(map[rejectedKey][]keptRejected)}
}

// recordID is where a rejected request of a source is kept. The length keeps
// sources apart of which one's name begins like another's.
func recordID(source, id string) string { return fmt.Sprintf("%d/%s/%s", len(source), source, id) }

// add keeps one, and drops the oldest beyond the bounds.
func (q *rejectedRequests) add(ctx context.Context, workspace string, r rejectedRecord) error {
	key := rejectedKey{workspace, r.Source, r.Unknown}
	if err := q.read(ctx, key); err != nil {
		return err
	}
	if len(r.Body) > rejectedBytes {
		r.Body, r.Cut = r.Body[:rejectedBytes], true
	}
	if len(r.Reason) > maxReason {
		r.Reason = strings.ToValidUTF8(r.Reason[:maxReason], "")
	}
	q.mu.Lock()
	q.last = max(q.last+1, r.At.UnixNano())
	r.ID = fmt.Sprintf("%019d", q.last)
	q.kept[key] = append(q.kept[key], keptRejected{r.ID, len(r.Body)})
	drop := q.surplus(key)
	q.mu.Unlock()
	if err := account.Put(ctx, q.records, workspace, kindRejected, recordID(r.Source, r.ID), r); err != nil {
		return fmt.Errorf("keep a rejected request: %w", err)
	}
	for _, old := range drop {
		if err := q.records.Delete(ctx, workspace, kindRejected, recordID(r.Source, old.id)); err != nil {
			return fmt.Errorf("drop an old rejected request: %w", err)
		}
	}
	return nil
}

// count is how many are kept of a source that are not of an unknown kind.
func (q *rejectedRequests) count(ctx context.Context, workspace, source string) (int, error) {
	key := rejectedKey{workspace, source, false}
	if err := q.read(ctx, key); err != nil {
		return 0, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.kept[key]), nil
}

// surplus takes out those beyond the bounds: of number, bytes and age. The
// newest stays.
func (q *rejectedRequests) surplus(key rejectedKey) (drop []keptRejected) {
	oldest := fmt.Sprintf("%019d", q.clock().Add(-rejectedAge).UnixNano())
	kept, sum := q.kept[key], 0
	for _, one := range kept {
		sum += one.size
	}
	for len(kept) > 1 && (len(kept) > rejectedKept || sum > rejectedSum || kept[0].id < oldest) {
		drop, sum, kept = append(drop, kept[0]), sum-kept[0].size, kept[1:]
	}
	q.kept[key] = kept
	return drop
}

// read finds out once which are kept of a source.
func (q *rejectedRequests) read(ctx context.Context, key rejectedKey) error {
	q.mu.Lock()
	_, known := q.kept[key]
	q.mu.Unlock()
	if known {
		return nil
	}
	all, err := account.List[rejectedRecord](ctx, q.records, key.workspace, kindRejected)
	if err != nil {
		return err
	}
	var kept []keptRejected
	for _, r := range all {
		if r.Source == key.source && r.Unknown == key.unknown {
			kept = append(kept, keptRejected{r.ID, len(r.Body)})
		}
	}
	slices.SortFunc(kept, func(a, b keptRejected) int { return strings.Compare(a.id, b.id) })
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, raced := q.kept[key]; !raced {
		q.kept[key] = kept
	}
	return nil
}

// list are the rejected requests of a source, or of all sources when it is
// empty, newest first.
func (q *rejectedRequests) list(ctx context.Context, workspace, source string) ([]rejectedRecord, error) {
	all, err := account.List[rejectedRecord](ctx, q.records, workspace, kindRejected)
	if err != nil {
		return nil, err
	}
	oldest := q.clock().Add(-rejectedAge)
	all = slices.DeleteFunc(all, func(r rejectedRecord) bool {
		return (source != "" && r.Source != source) || r.At.Before(oldest)
	})
	slices.SortFunc(all, func(a, b rejectedRecord) int { return strings.Compare(b.ID, a.ID) })
	return all, nil
}

// get is one, or ErrNotFound.
func (q *rejectedRequests) get(ctx context.Context, workspace, source, id string) (rejectedRecord, error) {
	r, err := account.Get[rejectedRecord](ctx, q.records, workspace, kindRejected, recordID(source, id))
	if err != nil {
		return r, fmt.Errorf("find a rejected request: %w", err)
	}
	return r, nil
}

// drop forgets one; there need not be one.
func (q *rejectedRequests) drop(ctx context.Context, workspace, source, id string) error {
	if err := q.records.Delete(ctx, workspace, kindRejected, recordID(source, id)); err != nil {
		return fmt.Errorf("drop a rejected request: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, unknown := range []bool{false, true} {
		key := rejectedKey{workspace, source, unknown}
		if kept, ok := q.kept[key]; ok {
			q.kept[key] = slices.DeleteFunc(slices.Clone(kept), func(one keptRejected) bool { return one.id == id })
		}
	}
	return nil
}

// forget drops all of a source.
func (q *rejectedRequests) forget(ctx context.Context, workspace, source string) error {
	return q.dropWhere(ctx, workspace, func(r rejectedRecord) bool { return r.Source == source })
}

// erase drops all that may hold an address: those where it can be read, and
// those with coded parts, which nobody can search.
func (q *rejectedRequests) erase(ctx context.Context, workspace, email string) error {
	forms := address.Forms(email)
	return q.dropWhere(ctx, workspace, func(r rejectedRecord) bool {
		body := bytes.ToLower(r.Body)
		named := func(form string) bool { return bytes.Contains(body, []byte(form)) }
		return r.Cut || slices.ContainsFunc(forms, named) || bytes.Contains(body, []byte("base64")) || bytes.Contains(body, []byte(`\u00`)) || bytes.Contains(body, []byte("=\r\n")) ||
			slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(strings.ToLower(r.Reason), form) })
	})
}

func (q *rejectedRequests) dropWhere(ctx context.Context, workspace string, which func(rejectedRecord) bool) error {
	all, err := account.List[rejectedRecord](ctx, q.records, workspace, kindRejected)
	if err != nil {
		return err
	}
	for _, r := range all {
		if !which(r) {
			continue
		}
		if err := q.drop(ctx, workspace, r.Source, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// RejectedView is a rejected request as it may be shown.
type RejectedView struct {
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	Reason     string    `json:"reason"`
	MediaType  string    `json:"content_type,omitempty"`
	Unknown    bool      `json:"unknown,omitempty" doc:"of a kind that is not known: try it again after an upgrade, or with a mapping that knows it"`
	Replayable bool      `json:"replayable" doc:"false when the request was too large to be kept whole"`
	Payload    string    `json:"payload" doc:"addresses, secrets and the text of mails hidden, and cut"`
}

func (r rejectedRecord) view() RejectedView {
	return RejectedView{
		ID: r.ID, At: r.At.UTC().Truncate(time.Second), Reason: hooks.Masked([]byte(r.Reason), maxReason),
		MediaType: r.Header.Get("Content-Type"), Replayable: !r.Cut, Unknown: r.Unknown, Payload: hooks.Masked(r.Body, shownBytes),
	}
}

// errStillRejected is a rejected request that is no better understood than it
// was.
var errStillRejected = errors.New("still rejected")

// replayRejected decodes a rejected request again, publishes what it holds and
// takes it off the list.
func (s *Server) replayRejected(ctx context.Context, workspace string, source sourceRecord, r rejectedRecord) error {
	provider, err := s.Hooks.For(source.Provider, source.Custom)
	if err != nil {
		return fmt.Errorf("%w: %w", errStillRejected, err)
	}
	if r.Cut {
		return fmt.Errorf("%w: it was not kept whole", errStillRejected)
	}
	decoded, err := provider.Decode(&hooks.Request{Header: r.Header, Body: r.Body})
	if err != nil {
		return fmt.Errorf("%w: %w", errStillRejected, err)
	}
	taken, err := s.takeIn(ctx, workspace, source, decoded)
	if err != nil {
		return err
	}
	if len(taken.faults) > 0 {
		return fmt.Errorf("%w: %s", errStillRejected, taken.faults[0].Reason)
	}
	if len(decoded.Unknown) > 0 {
		return fmt.Errorf("%w: unknown event: %s", errStillRejected, decoded.Unknown[0].Name)
	}
	if err := s.Intake.Publish(ctx, event.LaneLive, taken.good); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	s.metrics.accepted.Add(float64(len(taken.good)))
	return s.rejected.drop(ctx, workspace, source.Name, r.ID)
}

// isGone reports a thing that somebody else has removed meanwhile.
func isGone(err error) bool { return errors.Is(err, event.ErrNotFound) }
