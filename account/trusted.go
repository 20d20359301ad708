package account

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/event"
)

const (
	// trustedFor is how long a key that was found may be used while the records
	// are away: taking events in goes on then. Nobody can revoke a key meanwhile.
	trustedFor = 10 * time.Minute
	// trustedPatience is how long the records may take for a key that is trusted.
	trustedPatience = 500 * time.Millisecond
	// trustedPause is how long they are not asked after that.
	trustedPause = 2 * time.Second
	trustedMost  = 10_000
)

// trusted remembers the keys that were found lately.
type trusted struct {
	clock  func() time.Time
	by     *lru.Cache[string, trustedKey]
	lately *Lately[keyRecord]
	// away is until when the records are not asked, Unix nanoseconds.
	away atomic.Int64
}

type trustedKey struct {
	record keyRecord
	until  time.Time
}

func newTrusted(clock func() time.Time) *trusted {
	by, err := lru.New[string, trustedKey](trustedMost)
	if err != nil {
		panic(err) // The size is wrong; every test would see it.
	}
	return &trusted{clock: clock, by: by, lately: NewLately[keyRecord](clock, FreshFor)}
}

// find looks a key up by its hash. Where the records do not answer, a key that
// was found lately counts, and asked is false.
func (t *trusted) find(ctx context.Context, records Records, hash string) (record keyRecord, asked bool, err error) {
	record, begun, ok := t.lately.Get(hash)
	if ok {
		return record, true, nil
	}
	record, asked, err = t.ask(ctx, records, hash)
	if err == nil && asked {
		t.by.Add(hash, trustedKey{record, t.clock().Add(trustedFor)})
		// forget, which may come at any time, takes out what is kept by then.
		if !t.lately.Keep(hash, record, begun) {
			t.by.Remove(hash)
		}
	}
	return record, asked, err
}

// ask is find without what was found a moment ago.
func (t *trusted) ask(ctx context.Context, records Records, hash string) (record keyRecord, asked bool, err error) {
	now := t.clock()
	known, ok := t.by.Get(hash)
	ok = ok && now.Before(known.until)
	if ok && now.UnixNano() < t.away.Load() {
		return known.record, false, nil
	}
	asking := ctx
	if ok {
		var cancel context.CancelFunc
		asking, cancel = context.WithTimeout(ctx, trustedPatience)
		defer cancel()
	}
	record, err = Get[keyRecord](asking, records, NoWorkspace, kindKey, hash)
	switch {
	case errors.Is(err, event.ErrNotFound):
		t.by.Remove(hash)
	case ok && errors.Is(err, event.ErrUnavailable) && ctx.Err() == nil:
		t.away.Store(now.Add(trustedPause).UnixNano())
		return known.record, false, nil
	}
	return record, true, err
}

// forget takes a key out that was revoked.
func (t *trusted) forget(hash string) {
	t.lately.Forget(hash)
	t.by.Remove(hash)
}
