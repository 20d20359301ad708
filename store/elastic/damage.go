package elastic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"tidings/event"
)

// lookOld is when what was found is too old to say which weeks exist.
const lookOld = 10 * time.Second

// health is what was found when the weeks were looked at last.
type health struct {
	at time.Time
	// damage says of damaged weeks what was found.
	damage map[event.Week]*event.WeekDamaged
	// there are the weeks that have an index that can be searched.
	there map[event.Week]bool
}

// Look asks the cluster how the index of every week is, and returns the weeks that are
// damaged: red, closed, or gone although events are in them. While the cluster is away
// it is what was known before.
func (x *Index) Look(ctx context.Context) event.DamagedWeeks {
	_, _ = x.look(ctx, time.Now())
	return x.Damaged(ctx)
}

// Damaged are the weeks that are known to be damaged, newest first.
func (x *Index) Damaged(context.Context) event.DamagedWeeks {
	x.mu.Lock()
	defer x.mu.Unlock()
	weeks := slices.SortedFunc(maps.Values(x.health.damage), func(a, b *event.WeekDamaged) int { return int(b.Week) - int(a.Week) })
	return event.DamagedWeeks(weeks)
}

// ExpectBy has weeks looked for that expected names: one that is not there is damaged. It
// is called before the index is used.
func (x *Index) ExpectBy(expected func(ctx context.Context) ([]event.Week, error)) {
	x.expected = expected
}

// Usable is nil where a week can be read and written as far as is known, or does not
// exist.
func (x *Index) Usable(ctx context.Context, week event.Week) error {
	now, err := x.look(ctx, time.Now())
	if err != nil {
		return err
	}
	return now.of(week)
}

// of is nil for a week that is not damaged.
func (h health) of(week event.Week) error {
	if damage := h.damage[week]; damage != nil {
		return damage
	}
	return nil
}

// known is what was found last.
func (x *Index) known() health {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.health
}

// look asks the cluster, unless it was asked since a time: one look answers all who found
// before that something may be wrong with a week.
func (x *Index) look(ctx context.Context, since time.Time) (health, error) {
	x.looking.Lock()
	defer x.looking.Unlock()
	if before := x.known(); before.at.After(since) {
		return before, nil
	}
	found, err := x.examine(ctx)
	if err != nil {
		return health{}, failed("looking at the weeks", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.health = found
	return found, nil
}

// examine finds out how the weeks are. An index that is being made is red for a moment,
// and so are all while a cluster starts: red indices count once they were red before, and
// while others of ours are not.
func (x *Index) examine(ctx context.Context) (health, error) {
	began := time.Now()
	// First, as a week that is dropped is forgotten before its index goes.
	var expected []event.Week
	if x.expected != nil {
		var err error
		if expected, err = x.expected(ctx); err != nil {
			return health{}, err
		}
	}
	infos, err := x.indices(ctx, x.names.every())
	if err != nil {
		return health{}, err
	}
	var answer struct {
		Indices map[string]struct {
			Status string `json:"status"`
		} `json:"indices"`
	}
	err = x.read(ctx, adminTimeout, esapi.ClusterHealthRequest{
		Index: []string{x.names.every()}, Level: "indices", FilterPath: []string{"indices.*.status"},
	}, &answer)
	if err != nil {
		return health{}, err
	}
	now := health{at: began, damage: make(map[event.Week]*event.WeekDamaged), there: make(map[event.Week]bool)}
	red := make(map[string]time.Time)
	green := false
	for name, info := range infos {
		week, ours := x.names.week(name)
		if _, current := info.Aliases[x.names.alias(week)]; !ours || !current {
			continue
		}
		switch {
		case info.closed():
			now.damage[week] = &event.WeekDamaged{
				Week: week, Cause: "its index " + name + " is closed", Remedy: "open it: POST /" + name + "/_open",
			}
		case answer.Indices[name].Status == "red":
			red[name] = now.at
		default:
			green = true
			now.there[week] = true
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for name := range red {
		week, _ := x.names.week(name)
		since, before := x.red[name]
		if !before {
			since = now.at
		}
		red[name] = since
		if now.at.Sub(since) < redFor(green) {
			now.there[week] = true
			continue
		}
		now.damage[week] = &event.WeekDamaged{
			Week: week, Cause: "shards of its index " + name + " are missing (red)",
			Remedy: "GET /_cluster/allocation/explain says why; bring back the node that has them, or restore the index from a snapshot",
		}
	}
	x.red = red
	for _, week := range expected {
		if !now.there[week] && now.damage[week] == nil {
			now.damage[week] = &event.WeekDamaged{
				Week: week, Cause: "its index, or the alias " + x.names.alias(week) + " of it, is missing",
				Remedy: "restore both from a snapshot; to go on without its events, start once with --begin-anew=" + week.String(),
			}
		}
	}
	return now, nil
}

// redFor is how long an index is red before it counts as damaged.
func redFor(others bool) time.Duration {
	if others {
		return 2 * time.Second
	}
	return 30 * time.Second
}

// readable are those of weeks that are not known to be damaged, and the others.
func (h health) readable(weeks []event.Week) (readable []event.Week, damaged event.DamagedWeeks) {
	for _, week := range weeks {
		if damage := h.damage[week]; damage != nil {
			damaged = append(damaged, damage)
			continue
		}
		readable = append(readable, week)
	}
	return readable, damaged
}

// searchable are how many of weeks have an index.
func (h health) searchable(weeks []event.Week) int {
	n := 0
	for _, week := range weeks {
		if h.there[week] {
			n++
		}
	}
	return n
}

// fewer is an answer of fewer indices than there are weeks: some do not exist, or one of
// them cannot be searched, which Elasticsearch leaves out without a word.
type fewer struct{ asked, answered int }

func (e *fewer) Error() string {
	return fmt.Sprintf("%d of %d weeks answered: %s", e.answered, e.asked, event.ErrUnavailable)
}

func (e *fewer) Is(target error) bool { return target == event.ErrUnavailable }

// eachWeek asks of weeks what ask does, of those that are not damaged. What goes wrong
// has the weeks looked at: where one is found to be damaged, the others are asked again.
func (x *Index) eachWeek(ctx context.Context, weeks []event.Week, ask func(weeks []event.Week) error) error {
	now := x.known()
	for {
		readable, damaged := now.readable(weeks)
		if len(readable) == 0 {
			return damaged.Err()
		}
		began := time.Now()
		err := ask(readable)
		less, is := errors.AsType[*fewer](err)
		if err == nil || is && time.Since(now.at) < lookOld && less.answered >= now.searchable(readable) {
			return damaged.Err() // weeks that do not exist have no events
		}
		if ctx.Err() != nil || !errors.Is(err, event.ErrUnavailable) {
			return err
		}
		found, lookErr := x.look(ctx, began)
		if lookErr != nil {
			return err
		}
		if _, more := found.readable(readable); len(more) > 0 {
			now = found
			continue
		}
		if is && less.answered >= found.searchable(readable) {
			return damaged.Err()
		}
		return err
	}
}
