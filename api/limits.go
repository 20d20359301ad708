package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"tidings/event"
	"tidings/limit"
)

// use is what callers take of the server that there is a limit of.
type use string

const (
	useReads       use = "reads"
	useEvents      use = "events"
	useExports     use = "exports"
	useSuggestions use = "suggestions"
	useSockets     use = "sockets"
)

// rates are by use; docs/api.md has the same table. Of a key or session and of a user
// each may have as much as one says, and an address, where a whole office may be, as much
// as a workspace.
var rates = map[use]struct{ one, workspace limit.Rate }{
	useReads:       {limit.Rate{PerSecond: 50, Burst: 600}, limit.Rate{PerSecond: 400, Burst: 4800}},
	useEvents:      {limit.Rate{PerSecond: 20_000, Burst: 200_000}, limit.Rate{PerSecond: 40_000, Burst: 400_000}},
	useExports:     {limit.Rate{PerSecond: 0.2, Burst: 20}, limit.Rate{PerSecond: 1, Burst: 60}},
	useSuggestions: {limit.Rate{PerSecond: 20, Burst: 200}, limit.Rate{PerSecond: 200, Burst: 2000}},
	useSockets:     {limit.Rate{PerSecond: 5, Burst: 100}, limit.Rate{PerSecond: 50, Burst: 2000}},
}

// signInsAtOnce is the burst of signInRate.
const signInsAtOnce = 120

// signInRate is by address, good sign-ins included.
var signInRate = limit.Rate{PerSecond: 2, Burst: signInsAtOnce}

// limitsKept bounds how many keys, users, workspaces or addresses are remembered for
// each use.
const limitsKept = 10_000

// Bounds of reading events at once, and of waiting.
const (
	// readsOfProcessor is how many are answered at once for each processor.
	readsOfProcessor = 4
	// readsWaiting is how many reads of one key or session may wait for their turn,
	// and readPatience how long.
	readsWaiting = 64
	readPatience = 10 * time.Second

	// socketPatience is how long a socket that is one too many waits before it is refused,
	// and socketRetry how often it is looked whether there is one.
	socketPatience = 5 * time.Second
	socketRetry    = 100 * time.Millisecond
)

// limits are the buckets of all uses, and the slots for reading events.
type limits struct {
	ones, workspaces, addresses map[use]*limit.Buckets[string]

	signIns   *limit.Buckets[string]
	forwarded *limit.Buckets[string]
	unsigned  *limit.Buckets[string]
	reads     *limit.Slots
}

// newLimits are those of a server that may use so much memory and so many processors.
func newLimits(memory int64, processors int, clock func() time.Time) *limits {
	reads := min(readsOfProcessor*processors, limit.Memory(memory).Reads())
	l := &limits{
		ones: make(map[use]*limit.Buckets[string]), workspaces: make(map[use]*limit.Buckets[string]), addresses: make(map[use]*limit.Buckets[string]),
		signIns:   limit.NewBuckets[string](signInRate, limitsKept, clock),
		forwarded: limit.NewBuckets[string](forwardedRate, limitsKept, clock),
		unsigned:  limit.NewBuckets[string](unsignedRate, limitsKept, clock),
		reads:     limit.NewSlots(reads, readsShared(reads, processors), readsWaiting),
	}
	for of, rate := range rates {
		l.ones[of] = limit.NewBuckets[string](rate.one, 2*limitsKept, clock)
		l.workspaces[of] = limit.NewBuckets[string](rate.workspace, limitsKept, clock)
		l.addresses[of] = limit.NewBuckets[string](rate.workspace, limitsKept, clock)
	}
	return l
}

// readsShared is how many of the reads that run at once one workspace has while others ask
// too: a quarter, and no more than half of the processors can work on.
func readsShared(reads, processors int) int { return max(1, min(reads/4, processors/2)) }

// scarcity is one bucket as a caller is told of it.
type scarcity struct {
	name string
	limit.State
}

// take takes n of a use from each bucket of a caller, or from none; from is the caller's
// address, "" where it has no bucket. told are the buckets, for limitHeaders.
func (l *limits) take(of use, caller Caller, from string, n int) (told []scarcity, err error) {
	if caller.Credential == "" {
		return nil, nil // the operator
	}
	buckets := l.of(of, caller, from)
	for i, b := range buckets {
		state := b.from.Take(b.key, n)
		told = append(told, scarcity{string(of) + "-" + b.name, state})
		if state.After > 0 {
			for _, taken := range buckets[:i] {
				taken.from.Give(taken.key, n)
			}
			return told, &event.TooMuch{What: fmt.Sprintf("too many %s of this %s", of, b.name), After: state.After}
		}
	}
	return told, nil
}

// bucket is one of those that a caller takes from.
type bucket struct {
	name, key string
	from      *limit.Buckets[string]
}

// of are a caller's buckets of a use.
func (l *limits) of(of use, caller Caller, from string) []bucket {
	var buckets []bucket
	for _, name := range countedBy(caller) {
		kind, _, _ := strings.Cut(name, " ")
		buckets = append(buckets, bucket{kind, name, l.ones[of]})
	}
	buckets = append(buckets, bucket{"workspace", caller.Workspace, l.workspaces[of]})
	if from != "" {
		buckets = append(buckets, bucket{"address", from, l.addresses[of]})
	}
	return buckets
}

// limitHeaders are RateLimit-Policy and RateLimit as in
// draft-ietf-httpapi-ratelimit-headers-11: the buckets in question, and the one of them
// that is the closest to empty.
func limitHeaders(told []scarcity) (policy, left string) {
	policies, least := make([]string, len(told)), told[0]
	for i, t := range told {
		policies[i] = fmt.Sprintf(`"%s";q=%d;w=%d`, t.name, t.Burst, seconds(t.Window()))
		if float64(t.Left)/float64(t.Burst) < float64(least.Left)/float64(least.Burst) {
			least = t
		}
	}
	return strings.Join(policies, ", "), fmt.Sprintf(`"%s";r=%d;t=%d`, least.name, least.Left, seconds(max(least.After, least.Full)))
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// limitedAddress is what the limits by address count a request for: nothing for this
// machine and for trusted proxies that name nobody, which speak for many, and behind a
// proxy that is not trusted whom it names last. A name that is invented evades this limit
// alone: those by key, user and workspace hold.
func (s *Server) limitedAddress(r *http.Request) string {
	at := s.client(r)
	switch {
	case s.isForwarded(r):
		return at.String() + " for " + network(lastHop(r)).String()
	case !at.IsValid(), at.IsLoopback(), s.trusted(at):
		return ""
	}
	return network(at).String()
}

// spend takes n of a use for a request and says in its answer what is left.
func (s *Server) spend(r *http.Request, header func(name, value string), of use, caller Caller, n int) error {
	told, err := s.limits.take(of, caller, s.limitedAddress(r), n)
	if len(told) > 0 {
		policy, left := limitHeaders(told)
		header("RateLimit-Policy", policy)
		header("RateLimit", left)
	}
	return err
}

// charge takes n of a use that was had already, also where there is less: the next request
// is refused before its body is read, until that is made up for.
func (s *Server) charge(ctx huma.Context, of use, caller Caller, n int) {
	if caller.Credential == "" || n == 0 {
		return
	}
	for _, b := range s.limits.of(of, caller, s.limitedAddress(humagin.Unwrap(ctx).Request)) {
		b.from.Charge(b.key, n)
	}
}

// limited takes what a route uses of its caller's limits, before anything is done.
func (s *Server) limited(of use) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		caller, _ := CallerFrom(ctx.Context())
		if err := s.spend(humagin.Unwrap(ctx).Request, ctx.SetHeader, of, caller, 1); err != nil {
			writeProblem(ctx, s.problemFor(ctx.Context(), err))
			return
		}
		next(ctx)
	}
}

// inTurn waits until it is the caller's turn to read events. However many of one
// workspace wait, another's turn comes after one of theirs.
func (s *Server) inTurn(ctx context.Context, caller Caller) (release func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	release, err = s.limits.reads.Take(waiting, caller.Workspace, strings.Join(countedBy(caller), " "))
	switch {
	case err == nil:
		return release, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, limit.ErrTooMany):
		return nil, &event.TooMuch{What: "too many questions of this key or session wait to be answered"}
	}
	p := problem(http.StatusServiceUnavailable, "the server is busy with other questions; try again soon")
	p.header = http.Header{"Retry-After": {"2"}}
	return nil, p
}

// turns are those of an export, one for each batch: what is long must not keep the others of
// its workspace waiting, nor take the processors from other workspaces. While its client
// reads it has none.
type turns struct {
	reads     *limit.Slots
	workspace string
	release   func()
}

// take waits for the next turn until ctx ends.
func (t *turns) take(ctx context.Context) error {
	release, err := t.reads.Take(ctx, t.workspace, "exports")
	t.release = release
	return err
}

// end gives back what was taken, if anything.
func (t *turns) end() {
	if t.release != nil {
		t.release()
		t.release = nil
	}
}
