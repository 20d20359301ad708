//go:build !race

package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// twinEvent is one of many events of three workspaces, some of one second, some of one
// beginning of an id.
func twinEvent(random *rand.Rand, key int) event.Event {
	at := faultWeek.Start() + random.Int64N(3)*random.Int64N(faultWeek.End()-faultWeek.Start())/2
	workspace := []string{"w", "w", "w", "v", "u"}[random.IntN(5)]
	id := event.NewID(at, workspace, "s", true, fmt.Append(nil, key))
	if random.IntN(3) == 0 {
		copy(id[4:8], []byte{7, 7, 7, 7})
	}
	e := event.Event{
		ID: id, Workspace: workspace, Time: at, Source: "s", Message: fmt.Sprint("m-", random.IntN(20)),
		User: fmt.Sprint("u", random.IntN(3)), Type: event.Open, Subject: fmt.Sprintf("figures%d of spring", random.IntN(9)),
	}
	person := event.Person{Email: fmt.Sprintf("jo%d@acme.example", random.IntN(8))}
	if random.IntN(3) == 0 {
		e.Type, e.Recipients = event.Send, []event.Person{person, {Email: fmt.Sprintf("al%d@other.example", random.IntN(8))}}
		e.Body = fmt.Sprintf("Dear friend%d, the prices%d went up. %s", key, random.IntN(30), strings.Repeat("long ", random.IntN(40)))
	} else {
		e.Recipient = &person
	}
	if random.IntN(4) == 0 {
		e.Verdict = event.Verdict{Is: event.Machine, Rule: "r", By: "rule", Version: 1}
	}
	return e
}

// twinQuery asks for something of a workspace.
func twinQuery(random *rand.Rand) query.Query {
	conditions := []query.Expr{
		nil, nil,
		query.Types(event.Send),
		query.Keyword{Field: query.FieldUser, Values: []string{"u1"}},
		query.Keyword{Field: query.FieldRecipient, Values: []string{fmt.Sprintf("jo%d@acme.example", random.IntN(8))}},
		query.Words{Form: query.FormPrefix, Terms: []string{"figures"}},
		query.Words{Form: query.FormPhrase, Terms: []string{fmt.Sprint("figures", random.IntN(9)), "of", "spring"}},
		query.And{query.Words{Form: query.FormStem, Terms: []string{"long"}}, query.Not{Expr: query.Types(event.Open)}},
		query.Not{Expr: query.Words{Form: query.FormPrefix, Terms: []string{"figures1"}}},
	}
	q := query.Query{
		Where:     conditions[random.IntN(len(conditions))],
		Automated: []query.Automated{query.AutomatedHide, query.AutomatedShow, query.AutomatedOnly}[random.IntN(3)],
	}
	within := func() int64 { return faultWeek.Start() + random.Int64N(faultWeek.End()-faultWeek.Start()+200) - 100 }
	if random.IntN(3) == 0 {
		q.From = within()
	}
	if random.IntN(3) == 0 {
		q.Until = within()
	}
	return q
}

func hitsOf(t require.TestingT, x *Index, s feed.Search) []string {
	hits, err := x.Search(ctxOf, s)
	require.NoError(t, err)
	found := make([]string, len(hits))
	for i, hit := range hits {
		found[i] = fmt.Sprint(hit.Key, " ", string(hit.Event.AppendJSON(nil)))
	}
	return found
}

// requireTwins holds two indexes to giving the same, whatever is asked.
func requireTwins(t require.TestingT, random *rand.Rand, one, other *Index, ids []event.ID) {
	for range 12 {
		s := feed.Search{
			Workspace: []string{"w", "v", "u", "nobody"}[random.IntN(4)], Query: twinQuery(random), Weeks: []event.Week{faultWeek},
			Limit: 1 + random.IntN(30), Oldest: random.IntN(2) == 0,
		}
		if random.IntN(4) == 0 { // A cursor of nobody's.
			s.Before = feed.Key{Seconds: faultWeek.Start() + random.Int64N(600_000), Tie: random.Uint64()}
		}
		for range 40 {
			want, err := one.Search(ctxOf, s)
			require.NoError(t, err)
			require.Equal(t, hitsOf(t, one, s), hitsOf(t, other, s))
			if len(want) == 0 {
				break
			}
			s.Before = want[len(want)-1].Key
		}
		request := feed.AggregateRequest{
			Workspace: s.Workspace, Query: s.Query, Week: faultWeek, Parts: feed.PartUsers | feed.PartTimes,
		}
		counted := func(x *Index) string {
			aggregate, err := x.Aggregate(ctxOf, request)
			require.NoError(t, err)
			slices.SortFunc(aggregate.Users, func(a, b feed.UserCount) int { return strings.Compare(a.User, b.User) })
			text, err := json.Marshal(aggregate)
			require.NoError(t, err)
			return string(text)
		}
		require.Equal(t, counted(one), counted(other))
	}
	for _, workspace := range []string{"w", "v"} {
		want, err := one.Terms(ctxOf, workspace, faultWeek, "f", 50)
		require.NoError(t, err)
		have, err := other.Terms(ctxOf, workspace, faultWeek, "f", 50)
		require.NoError(t, err)
		require.ElementsMatch(t, want, have)
		there, err := one.Get(ctxOf, workspace, ids)
		require.NoError(t, err)
		found, err := other.Get(ctxOf, workspace, ids)
		require.NoError(t, err)
		require.Equal(t, there, found)
	}
	all := func(x *Index) []event.Event {
		events, _, err := x.Scan(ctxOf, faultWeek, "", 100_000)
		require.NoError(t, err)
		return events
	}
	require.Equal(t, all(one), all(other))
	require.NoError(t, other.Check(ctxOf, faultWeek))
}

var ctxOf = context.Background()

// goesByNumbers says whether the words of a week are of numbers.
func goesByNumbers(t require.TestingT, x *Index) (are bool) {
	require.NoError(t, x.using(ctxOf, faultWeek, false, func(file *weekFile, _ bool) error {
		are = file.numbers != nil
		return nil
	}))
	return are
}

// TestASealedWeekAnswersAsAnOpenOne does the same with two indexes, one of which seals its
// week again and again, and is closed and opened.
func TestASealedWeekAnswersAsAnOpenOne(t *testing.T) {
	withBlockRows(t, 7)
	// Each check writes files a dozen times: twelve, unless as many more are asked for.
	checks := flag.Lookup("rapid.checks").Value
	if before := checks.String(); before == "100" {
		require.NoError(t, checks.Set("12"))
		defer func() { require.NoError(t, checks.Set(before)) }()
	}
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 63))
		dirs := [2]string{}
		var indexes [2]*Index
		for i := range indexes {
			dir, err := os.MkdirTemp("", "twin")
			require.NoError(t, err)
			defer os.RemoveAll(dir)
			dirs[i] = dir
			indexes[i], err = OpenIndex(dir, IndexConfig{CountCacheKB: 32, EventCacheKB: 64})
			require.NoError(t, err)
		}
		defer func() { require.NoError(t, errors.Join(indexes[0].Close(), indexes[1].Close())) }()
		var ids []event.ID
		both := func(do func(x *Index) any) {
			require.Equal(t, do(indexes[0]), do(indexes[1]))
		}
		create := func() {
			events := make([]event.Event, 1+random.IntN(80))
			for i := range events {
				events[i] = twinEvent(random, len(ids))
				ids = append(ids, events[i].ID)
			}
			require.NoError(t, indexes[1].Unseal(ctxOf, faultWeek))
			both(func(x *Index) any {
				outcomes, err := x.Create(ctxOf, events)
				require.NoError(t, err)
				return outcomes
			})
		}
		steps := []func(){
			create,
			func() { // A verdict changes.
				require.NoError(t, indexes[1].Unseal(ctxOf, faultWeek))
				events, _, err := indexes[0].Scan(ctxOf, faultWeek, "", 100_000)
				require.NoError(t, err)
				var changed []event.Event
				for _, e := range events {
					if random.IntN(5) == 0 {
						e.Verdict = event.Verdict{Is: event.Machine, Rule: "other", By: "rule", Version: 2}
						changed = append(changed, e)
					}
				}
				both(func(x *Index) any { return x.Rewrite(ctxOf, changed) })
			},
			func() { // A person is erased, of a sealed week mostly.
				email := fmt.Sprintf([]string{"jo%d@acme.example", "al%d@other.example"}[random.IntN(2)], random.IntN(8))
				both(func(x *Index) any {
					deleted, rewritten, err := x.EraseRecipient(ctxOf, "w", email)
					require.NoError(t, err)
					return []any{deleted, rewritten}
				})
			},
			func() { // Sends are purged.
				keys := []event.MessageKey{{Workspace: "w", Message: fmt.Sprint("m-", random.IntN(20))}, {Workspace: "v", Message: "m-1"}}
				both(func(x *Index) any {
					removed, err := x.RemoveSends(ctxOf, faultWeek, keys)
					require.NoError(t, err)
					return removed
				})
			},
			func() {
				require.NoError(t, indexes[1].Close())
				var err error
				indexes[1], err = OpenIndex(dirs[1], IndexConfig{CountCacheKB: 32, EventCacheKB: 64})
				require.NoError(t, err)
			},
		}
		create()
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			require.NoError(t, indexes[1].Seal(ctxOf, faultWeek))
			require.True(t, goesByNumbers(t, indexes[1]))
			requireTwins(t, random, indexes[0], indexes[1], ids)
			for range 1 + random.IntN(2) {
				steps[random.IntN(len(steps))]()
				requireTwins(t, random, indexes[0], indexes[1], ids)
			}
		}
	})
}

// TestNumberedWordsAreThoseOfBefore compares all places of all words, as FTS5 reads them,
// before and behind sealing, of words that were added, changed, taken out, and merged in part.
func TestNumberedWordsAreThoseOfBefore(t *testing.T) {
	random := rand.New(rand.NewPCG(63, 4))
	for round := range 6 {
		x := openForFaults(t, t.TempDir())
		var events []event.Event
		for range 1 + random.IntN(150) {
			some := storyEvents(random, len(events), len(events)+1+random.IntN(8))
			_, err := x.Create(t.Context(), some)
			require.NoError(t, err)
			events = append(events, some...)
			require.NoError(t, x.using(t.Context(), faultWeek, false, func(file *weekFile, _ bool) error {
				for random.IntN(6) == 0 {
					if _, err := file.mergeWords(t.Context(), 1+random.IntN(4)); err != nil {
						return err
					}
				}
				return nil
			}))
			if random.IntN(8) == 0 {
				changed := events[random.IntN(len(events))]
				changed.Subject = fmt.Sprintf("another%d subject", random.IntN(5))
				require.NoError(t, x.Rewrite(t.Context(), []event.Event{changed}))
			}
			if random.IntN(12) == 0 {
				gone := events[random.IntN(len(events))]
				_, _, err := x.EraseRecipient(t.Context(), gone.Workspace, gone.Recipient.Email)
				require.NoError(t, err)
			}
		}
		want, have := []string{}, []string{}
		require.NoError(t, x.using(t.Context(), faultWeek, false, func(file *weekFile, _ bool) error {
			rows, err := file.rowsBetween(t.Context(), 0, 1<<62)
			require.NoError(t, err)
			of := make(map[int64][]int64)
			for _, r := range slices.Backward(rows) { // They come newest first.
				of[r.workspaceID] = append(of[r.workspaceID], r.rowid)
			}
			for _, posting := range wordPostings(t, file.reader) {
				parts := strings.SplitN(posting, " ", 3)
				end := strings.IndexAny(parts[0], "_~:")
				partOf, err := strconv.ParseInt(parts[0][:end], 36, 64)
				require.NoError(t, err)
				rowid, err := strconv.ParseInt(parts[1], 10, 64)
				require.NoError(t, err)
				number := slices.Index(of[partOf/2], rowid)
				require.GreaterOrEqual(t, number, 0)
				want = append(want, fmt.Sprint(parts[0], " ", number, " ", parts[2]))
			}
			return nil
		}))
		require.NoError(t, x.Seal(t.Context(), faultWeek))
		require.NoError(t, x.using(t.Context(), faultWeek, false, func(file *weekFile, _ bool) error {
			have = wordPostings(t, file.reader)
			return nil
		}))
		require.NotEmpty(t, have)
		require.Equal(t, want, have, "round %d", round)
	}
}
