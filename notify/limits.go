package notify

import (
	"context"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Limits are what people may be told and what is kept of it. Zero fields take the
// defaults. What is beyond them is counted, and nobody finds less in silence: each whom a
// limit concerns is told of it once an hour.
type Limits struct {
	// Person is how many a person is told of in an hour; of replies, meetings and bounces
	// twice as many, so that a storm of opens hides none of them.
	Person int
	// Workspace is how many all of its people are told of in an hour.
	Workspace int
	// NotTold is how many decisions not to tell are kept of a person in a day. "Why" asks
	// again where none is kept.
	NotTold int
	// AtOnce is about how many decisions are read and made at once.
	AtOnce int
}

// The limits where none are given.
const (
	MostTold          = 500
	MostWorkspaceTold = 20_000
	MostNotTold       = 2_000
	mostAtOnce        = 2_000
	// spentKept is of how many people and workspaces it is known what they had.
	spentKept = 20_000
)

func (l Limits) orDefaults() Limits {
	for _, one := range []struct {
		limit     *int
		otherwise int
	}{{&l.Person, MostTold}, {&l.Workspace, MostWorkspaceTold}, {&l.NotTold, MostNotTold}, {&l.AtOnce, mostAtOnce}} {
		if *one.limit == 0 {
			*one.limit = one.otherwise
		}
	}
	return l
}

// What a limit is about, for Observer.Beyond.
const (
	BeyondPerson    = "person"
	BeyondWorkspace = "workspace"
	BeyondNotTold   = "not-told"
)

// spent counts what people and workspaces have had in this hour, or day. A process counts
// what it decides itself, and begins anew when it starts.
type spent struct {
	mu    sync.Mutex
	known *lru.Cache[spentKey, spentCount]
}

type spentKey struct {
	Reader // without a user it is the workspace's
	what   string
}

type spentCount struct {
	window int64
	count  int
}

func newSpent() *spent {
	known, err := lru.New[spentKey, spentCount](spentKept)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return &spent{known: known}
}

// of is how many there were in a window of time.
func (s *spent) of(who Reader, what string, window int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.known.Get(spentKey{who, what}); ok && at.window == window {
		return at.count
	}
	return 0
}

// add counts one more.
func (s *spent) add(who Reader, what string, window int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := spentKey{who, what}
	at, _ := s.known.Get(key)
	if at.window != window {
		at = spentCount{window: window}
	}
	at.count++
	s.known.Add(key, at)
}

func hourOf(now time.Time) int64 { return now.Unix() / 3600 }

func dayOf(now time.Time) int64 { return now.Unix() / (24 * 3600) }

// important are the kinds of which nothing may be hidden by a storm of others.
var important = map[Kind]bool{"reply": true, "meeting": true, "bounce": true}

// capped has what is beyond the limits of a person or a workspace not told: it is in the
// log, its claim is free again, and the person hears of it once in the hour.
func (x *Engine) capped(ctx context.Context, questions []*question) error {
	now := x.Clock()
	had := make(map[Reader]int)
	count := func(who Reader) int {
		if _, known := had[who]; !known {
			had[who] = x.spent.of(who, "told", hourOf(now))
		}
		return had[who]
	}
	for _, q := range questions {
		if !q.Tells() {
			continue
		}
		person, workspace, most := Reader{q.Workspace, q.User}, Reader{Workspace: q.Workspace}, x.Limits.Person
		if important[q.Kind] {
			most *= 2
		}
		switch {
		case count(person) >= most:
			q.given.Capped = BeyondPerson
		case count(workspace) >= x.Limits.Workspace && !important[q.Kind]:
			q.given.Capped = BeyondWorkspace
		default:
			had[person]++
			had[workspace]++
			continue
		}
		claim := q.Claim
		q.answer(now)
		if claim != "" {
			if err := x.Store.Release(ctx, q.Workspace, claim, q.Event); err != nil {
				return err
			}
		}
		x.Observer.Beyond(q.given.Capped)
		if err := x.tellOfCap(ctx, q, now); err != nil {
			return err
		}
	}
	return nil
}

// tellOfCap says once in an hour that a limit was reached.
func (x *Engine) tellOfCap(ctx context.Context, q *question, now time.Time) error {
	who := Reader{q.Workspace, q.User}
	if q.given.Shadow || x.spent.of(who, "cap", hourOf(now)) > 0 {
		return nil
	}
	err := x.Tell(ctx, []Notice{{
		Workspace: q.Workspace, User: q.User, Kind: KindLimit, Cause: fmt.Sprintf("limit|%d", hourOf(now)),
		Found: q.Found, Channels: []Channel{InPage},
	}})
	if err == nil {
		x.spent.add(who, "cap", hourOf(now))
	}
	return err
}

// keeps reports whether a decision is worth a row: what a switched-off kind stopped is
// not, nor what is not told beyond the day's limit, since "why" can ask again.
func (x *Engine) keeps(d Decision, now time.Time) bool {
	if !d.kept() {
		return false
	}
	if d.Outcome != Not {
		return true
	}
	who := Reader{d.Workspace, d.User}
	if x.spent.of(who, "not", dayOf(now)) >= x.Limits.NotTold {
		x.Observer.Beyond(BeyondNotTold)
		return false
	}
	x.spent.add(who, "not", dayOf(now))
	return true
}
